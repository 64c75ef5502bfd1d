// A message that could not be stored is marked, and its words go back into the composer, unless the
// person already writes something else there. The server tells by a window message which one it was.
import { say } from './said.js'
import { words } from './words.js'

const setValue = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set

function giveBack(id) {
  const step = document.getElementById(`step-${id}`)?.closest('[data-step-type=user_message]')
  if (!step) return
  step.dataset.stored = 'false'
  const text = step.querySelector('.message-content').textContent.trim()
  const field = document.getElementById('chat-input')
  if (!text || !field || field.value.trim()) return
  // As if it had been typed, for React.
  setValue.call(field, text)
  field.dispatchEvent(new Event('input', { bubbles: true }))
  say(words.returned)
}

export function takeBack() {
  addEventListener('message', ({ origin, data }) => origin === location.origin && data?.kinora === 'not_stored' && giveBack(data.step))
}
