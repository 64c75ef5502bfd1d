// What is known of each generation that some card shows, and the one stream of events for a whole browser.
// Over HTTP/1.1 a browser has six connections to a host, so its tabs share the stream: the tab looked at
// last holds the lock, opens it and tells the others (a tab in the background may be frozen). `v` numbers
// the states of a generation; one that is not newer is dropped.
import { isLive, isOpen } from './reading.js'

const QUIET_MS = 10000

const cards = new Map() // id -> { state: { generation, gone }, listeners }
const attendants = new Set() // told how the line to the server stands
const due = new Set()
const tickers = new Set()
let server, name, channel, line
let stream, reopening, flushing, ticking, listening
let patience = 1000
let skew = 0
let heardAt = Date.now()

export const url = (path) => server.buildEndpoint(path)
export const now = () => Date.now() + skew
export const read = (id) => cards.get(id)?.state

const idsWhere = (test) => [...cards].filter(([, card]) => test(card.state)).map(([id]) => id)

const request = (path, options) => fetch(url(path), { credentials: 'include', signal: AbortSignal.timeout(20000), ...options })

function change(card, state) {
  card.state = state
  card.listeners.forEach((listener) => listener())
}

export function put(generation) {
  const card = cards.get(generation.id)
  if (!card || card.state.gone || generation.v <= card.state.generation?.v) return
  change(card, { generation, gone: false })
  dispatchEvent(new CustomEvent('kinora:generation', { detail: generation })) // for the page that a widget stands in
}

// What the stream says, or how it stands: opened, ended (for now), unreachable, or refused by an answer.
function hear(text) {
  const news = text.startsWith('{')
  if (news || text === 'opened') heardAt = Date.now()
  if (news) put(JSON.parse(text))
  else attendants.forEach((attendant) => attendant(text))
  if (text === 'opened') catchUp(idsWhere(isOpen))
  if (!navigator.locks) openIfNeeded()
}

export function attend(attendant) {
  attendants.add(attendant)
  return () => attendants.delete(attendant)
}

function catchUp(ids) {
  ids.forEach((id) => due.add(id))
  if (due.size) flushing ??= setTimeout(flush, 50)
}

async function flush() {
  const ids = [...due].slice(0, 100)
  ids.forEach((id) => due.delete(id))
  flushing = due.size ? setTimeout(flush, 50) : undefined
  heardAt = Date.now()
  const answer = await request(`/api/generations?ids=${ids.join(',')}&limit=100`).catch(() => null)
  const page = answer?.ok && (await answer.json().catch(() => null))
  if (!page) return // the next pulse asks again
  skew = (Date.parse(answer.headers.get('date')) || Date.now()) - Date.now()
  page.data.forEach(put)
  const found = new Set(page.data.map((generation) => generation.id))
  ids.filter((id) => cards.has(id) && !found.has(id)).forEach((id) => change(cards.get(id), { ...cards.get(id).state, gone: true }))
}

function open() {
  if (stream) return
  const source = (stream = new EventSource(url('/api/events'), { withCredentials: true }))
  const tell = (text) => {
    hear(text)
    channel.postMessage(text)
  }
  let stands = false
  source.addEventListener('generation', (event) => tell(event.data))
  source.onopen = () => {
    stands = true
    patience = 1000
    tell('opened')
  }
  // A broken connection the browser mends by itself; after an HTTP error it gives up.
  source.onerror = () => {
    if (source !== stream) return
    const refused = source.readyState === EventSource.CLOSED
    tell(refused ? 'refused' : stands ? 'ended' : 'unreachable')
    stands = false
    if (!refused || source !== stream) return
    close()
    reopening = setTimeout(open, patience)
    patience = Math.min(patience * 2, 30000)
  }
}

function close() {
  clearTimeout(reopening)
  stream?.close()
  stream = undefined
}

function hold(mine) {
  open()
  return new Promise((release) => mine.over.signal.addEventListener('abort', release))
}

function lead(mine) {
  navigator.locks.request(name, { steal: true }, () => hold(mine)).catch(() => follow(mine))
}

function follow(mine) {
  if (mine !== line) return
  close()
  if (mine.queued) return
  mine.queued = true
  const hire = () => {
    mine.queued = false
    return hold(mine)
  }
  navigator.locks.request(name, { signal: mine.over.signal }, hire).catch(() => follow(mine))
}

function openIfNeeded() {
  if (!document.hidden && idsWhere(isLive).length) open()
  else close()
}

function wake() {
  if (!line) return
  if (!navigator.locks) openIfNeeded()
  else if (!document.hidden && !stream) lead(line)
  if (!document.hidden) catchUp(idsWhere(isOpen))
}

// A line can be dead without a word, so a long silence is not believed.
function pulse() {
  if (line && !document.hidden && Date.now() - heardAt > QUIET_MS) catchUp(idsWhere(isLive))
}

// The server that the cards belong to, through Chainlit's client for it; the first call counts. `user`
// is whose stream it is where tabs of one browser may have several: at a page that a widget stands in.
export function connect(client) {
  if (line) return
  server = client
  line = { over: new AbortController(), queued: false }
  name = `kinora-events ${new URL(url('/')).origin}${client.user ? ` ${client.user}` : ''}`
  channel = new BroadcastChannel(name)
  channel.onmessage = (event) => hear(event.data)
  listening ??= listen()
  if (navigator.locks && document.hidden) follow(line)
  else wake()
}

function listen() {
  document.addEventListener('visibilitychange', wake)
  addEventListener('online', wake)
  return setInterval(pulse, QUIET_MS / 4)
}

// Nothing of this person's is heard or kept any more; `connect` begins anew.
export function disconnect() {
  if (!line) return
  line.over.abort()
  line = undefined
  close()
  channel.close()
  flushing = clearTimeout(flushing)
  due.clear()
  cards.clear()
}

export function mount(id, snapshot, listener) {
  const card = cards.get(id) ?? { state: { generation: snapshot, gone: false }, listeners: new Set() }
  cards.set(id, card)
  card.listeners.add(listener)
  if (isOpen(card.state)) catchUp([id])
  if (!navigator.locks) openIfNeeded()
  return () => {
    card.listeners.delete(listener)
    // Chainlit mounts a card anew when a first message gives the page its address: keep what is known.
    setTimeout(() => card.listeners.size || cards.get(id) !== card || cards.delete(id), 5000)
  }
}

export async function act(id, verb) {
  const deletes = verb === 'delete'
  const answer = await request(`/api/generations/${id}${deletes ? '' : `/${verb}`}`, { method: deletes ? 'DELETE' : 'POST' })
  if (answer.ok && deletes) return catchUp([id])
  const body = await answer.json().catch(() => null)
  if (answer.ok) return body?.id && put(body)
  catchUp([id])
  throw Object.assign(new Error(body?.detail || body?.title || ''), { answered: true })
}

export function onSecond(listener) {
  tickers.add(listener)
  ticking ??= setInterval(() => tickers.forEach((tick) => tick()), 1000)
  return () => {
    tickers.delete(listener)
    if (!tickers.size) ticking = clearInterval(ticking)
  }
}
