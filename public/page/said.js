// What the page says beside its pictures: a line under the composer, and, for those who listen, each
// answer of Kinora once it is complete.
import { words } from './words.js'

const SPOKEN_CHARS_MAX = 1200

const node = (tag, className) => Object.assign(document.createElement(tag), { className, lang: words.language, role: 'status' })
export const line = node('p', 'kn-word')
const voice = node('div', 'kn-spoken')
voice.removeAttribute('lang')

export function say(text) {
  if (line.textContent !== text) line.textContent = text
}

export function speak(text) {
  if (!voice.isConnected) document.body.append(voice)
  voice.textContent = text
}

let answering = false

// Its pieces are not read out while they stream in.
export function listen() {
  const now = Boolean(document.getElementById('stop-button'))
  if (answering && !now) readOut()
  answering = now
}

// The cards in it speak for themselves.
function readOut() {
  const last = [...document.querySelectorAll('[data-step-type=assistant_message] .message-content')].at(-1)
  if (!last) return
  const texts = document.createTreeWalker(last, NodeFilter.SHOW_TEXT)
  const said = []
  while (texts.nextNode()) if (!texts.currentNode.parentElement.closest('article')) said.push(texts.currentNode.nodeValue)
  if (said.length) speak(`Kinora: ${said.join(' ').slice(0, SPOKEN_CHARS_MAX)}`)
}
