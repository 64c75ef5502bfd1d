// What a page of ours in a frame and the page around it say to each other, and what is known of that one.
// Everything goes to exactly one origin, and only the page around is listened to.
const KEY = 'kinora-frame'

// Chainlit posts what the server tells it to whatever page is around; it shall keep that to itself.
const around = window.parent
export const framed = around !== window
if (framed) window.parent = window

// { origin, user, endsAt, theme }: kept in the frame's own drawer while it stands.
export function recall() {
  try {
    return framed ? JSON.parse(sessionStorage.getItem(KEY)) : null
  } catch {
    return null
  }
}

export const note = (known) => sessionStorage.setItem(KEY, JSON.stringify({ ...recall(), ...known }))

export function post(kinora, more, origin = recall()?.origin) {
  if (framed && origin) around.postMessage({ kinora, ...more }, origin)
}

// Our own messages, before Chainlit's page forwards them to its server as it does with every other one.
export function listen(hear) {
  if (!framed) return
  addEventListener('message', (event) => {
    if (event.source !== around || !event.data?.kinora) return
    event.stopImmediatePropagation()
    const { origin } = recall() ?? {}
    if (!origin || event.origin === origin) hear(event.data, event.origin)
  }, true)
}

// A login for the token that the page around gave.
export async function enter(token, origin) {
  const sent = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token, origin }), signal: AbortSignal.timeout(20000) }
  const answer = await fetch('/widget/login', sent)
  const said = await answer.json().catch(() => null)
  if (!answer.ok) throw Object.assign(new Error(said?.detail || String(answer.status)), { refused: answer.status === 401, detail: said?.detail })
  note({ origin, user: said.user, endsAt: Date.parse(said.expires_at) })
  return said.user
}
