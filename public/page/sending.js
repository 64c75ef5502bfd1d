// No picture is lost on its way into a message. Chainlit swallows an Enter while a picture is uploading,
// and in the moment before it shows the picture it sends without it and throws the picture away. Here
// the send is kept, said to be, and done when all is there. Pictures given before there is a session
// wait for one.
import { say } from './said.js'
import { words } from './words.js'

// From a file's choosing to its showing up in the composer; a file that was refused never does.
const SHOWS_WITHIN_MS = 2000

const $ = (id) => document.getElementById(id)
const count = () => $('attachments')?.childElementCount ?? 0
// Only an attachment that is still uploading has a ring.
const uploading = () => Boolean($('attachments')?.querySelector('circle'))
const answering = () => Boolean($('stop-button'))
const online = () => Boolean($('upload-button')) || uploading() || answering()
const connected = () => online() && performance.now() > threadDue

let given = null // { until, wanted }: files that were handed in and are not shown yet
let kept = null // { composer, wanted }: an Enter that waits for its pictures or for the connection
let waiting = [] // files that wait for a session
let timer

/* ---------- a thread that comes back ---------- */

// A socket that comes back is given its thread anew, and a message sent before that would vanish from
// the page. The server tells right after it.
const THREAD_WITHIN_MS = 5000
const THREAD_LANDS_MS = 150
let wasOnline = true
let threadDue = 0
let resumedAt = -Infinity

function followThread() {
  const now = online()
  if (now && !wasOnline && location.pathname.startsWith('/thread/') && performance.now() - resumedAt > 1000) threadDue = performance.now() + THREAD_WITHIN_MS
  wasOnline = now
}

function onResumed({ origin, data }) {
  if (origin !== location.origin || data?.kinora !== 'resumed') return
  resumedAt = performance.now()
  threadDue = Math.min(threadDue, resumedAt + THREAD_LANDS_MS)
}

/* ---------- what is on its way ---------- */

const arriving = () => given !== null && performance.now() < given.until && count() < given.wanted
const anythingToSay = () => Boolean($('chat-input')?.value.trim()) || count() > 0 || arriving()

function expect(files) {
  given = { until: performance.now() + SHOWS_WITHIN_MS, wanted: (arriving() ? given.wanted : count()) + files }
}

/* ---------- keeping a send ---------- */

function keep(event) {
  const early = uploading() || arriving()
  if (answering() || !anythingToSay() || !(early || waiting.length || !connected())) return say('')
  event.preventDefault()
  event.stopImmediatePropagation()
  kept = { composer: $('message-composer'), wanted: Math.max(count(), arriving() ? given.wanted : 0) + waiting.length }
  say(early || waiting.length ? words.photoFirst : words.sendLater)
  return watch()
}

// A timer besides the page's changes: a refused picture changes nothing.
function watch() {
  timer ??= setInterval(look, 250)
}

function forget(said = '') {
  kept = null
  say(said)
}

export function look() {
  followThread()
  // Shown once, it has arrived; that it is gone again after the send means nothing.
  if (given && count() >= given.wanted) given = null
  if (waiting.length && connected()) handOver()
  if (kept) letGo()
  if (timer && !kept && !waiting.length) timer = clearInterval(timer)
}

function letGo() {
  if (!kept.composer.isConnected) return forget()
  if (uploading() || arriving() || waiting.length || !connected() || answering()) return undefined
  if (count() < kept.wanted) return forget(words.photoLost)
  const button = $('chat-submit')
  if (!button || button.disabled) return anythingToSay() ? undefined : forget()
  forget()
  return button.click()
}

/* ---------- pictures that come too early ---------- */

function handOver() {
  const input = $('upload-button-input')
  if (!input) return
  const all = new DataTransfer()
  waiting.forEach((file) => all.items.add(file))
  waiting = []
  if (!kept) say('')
  input.files = all.files
  input.dispatchEvent(new Event('change', { bubbles: true }))
}

function take(event, files) {
  if (!files?.length || !$('message-composer')) return
  if (connected() && !(event.type === 'drop' && answering())) return expect(files.length)
  event.preventDefault()
  event.stopImmediatePropagation()
  waiting.push(...files)
  say(words.photoKept)
  watch()
}

/* ---------- what a person does ---------- */

function onKeyDown(event) {
  const composing = event.isComposing || event.keyCode === 229
  if (event.target.id === 'chat-input' && event.key === 'Enter' && !event.shiftKey && !composing) keep(event)
}

// A disabled button takes no click: what is clicked is what lies behind it.
function onClick(event) {
  const place = $('chat-submit')?.getBoundingClientRect()
  const { clientX: x, clientY: y } = event
  if (place && x >= place.left && x <= place.right && y >= place.top && y <= place.bottom) keep(event)
  // It is gone at once, and the focus would be with it.
  if (event.target.closest?.('#stop-button')) $('chat-input')?.focus({ preventScroll: true })
}

// Who goes on writing has not finished, and has read what was said.
function onInput(event) {
  if (event.target.id === 'chat-input') forget(waiting.length ? words.photoKept : '')
}

const hasFiles = (event) => event.dataTransfer?.types.includes('Files')

export function guardSending() {
  addEventListener('message', onResumed)
  addEventListener('keydown', onKeyDown, true)
  addEventListener('click', onClick, true)
  addEventListener('input', onInput, true)
  addEventListener('change', (event) => event.target.id === 'upload-button-input' && take(event, event.target.files), true)
  addEventListener('paste', (event) => event.target.id === 'chat-input' && take(event, event.clipboardData?.files), true)
  addEventListener('drop', (event) => take(event, event.dataTransfer?.files), true)
  // Without this a file dropped at the wrong moment would be opened instead of the chat.
  addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault())
  addEventListener('drop', (event) => hasFiles(event) && event.preventDefault())
}
