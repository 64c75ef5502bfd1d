// The chat's page in a frame of somebody's site: without what makes no sense there, with a login that the
// page around renews, and with news of its generations for that page.
import { enter, framed, listen, note, post, recall } from '../widget/framed_talk.js'

const RENEW_BEFORE_MS = 60000
const LOOK_MS = 15000

let host = recall()
let leaving = false
let askedAt = 0
let stands = false

// The page that asks for a new login; everywhere else that is the login's own.
export function askLogin() {
  if (framed) location.replace(`/widget${host?.origin ? `?origin=${encodeURIComponent(host.origin)}` : ''}`)
  else location.assign('/login')
}

// At each change of the page, also while a closed panel draws nothing; the form for a login never shows.
export function keepFramed() {
  if (!framed) return
  if (!stands && document.getElementById('chat-input')) {
    stands = true
    post('open')
  }
  if (leaving || !location.pathname.startsWith('/login')) return
  leaving = true
  askLogin()
}

function renew() {
  if (document.hidden || Date.now() - askedAt < LOOK_MS) return
  askedAt = Date.now()
  post('wants-token')
}

async function onToken(token) {
  const before = host.user
  const user = await enter(String(token), host.origin).catch((error) => console.warn('Kinora:', error.message))
  host = recall()
  if (user && user !== before) location.replace('/widget' + `?origin=${encodeURIComponent(host.origin)}`)
}

async function tell(context) {
  const sent = { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ context }) }
  await fetch('/api/widget/context', sent).catch(console.warn)
}

// Chainlit's page follows the system, and writes a theme's colours on its root.
function wear(theme) {
  const { classList, style } = document.documentElement
  const colours = Object.entries(window.theme?.[theme] ?? {})
  if (!theme || (classList.contains(theme) && colours.every(([name, value]) => style.getPropertyValue(name) === value))) return
  classList.remove('light', 'dark')
  classList.add(theme)
  colours.forEach(([name, value]) => style.setProperty(name, value))
}

function hear({ kinora, token, context, theme }) {
  if (kinora === 'token' && token) onToken(token)
  if (kinora === 'context') tell(context)
  if (kinora !== 'theme') return
  note({ theme })
  host = recall()
  wear(theme)
}

// An Escape that nothing in the page wants is for the panel around it.
function onKeyDown(event) {
  if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open], [role=dialog], [role=menu], [role=listbox]')) post('close')
}

export function liveFramed() {
  if (!framed) return
  document.documentElement.dataset.framed = ''
  if (host?.theme) {
    wear(host.theme)
    new MutationObserver(() => wear(host.theme)).observe(document.documentElement, { attributes: true, attributeFilter: ['class', 'style'] })
  }
  if (!host?.origin) return
  listen(hear)
  addEventListener('kinora:generation', ({ detail }) => post('generation', { generation: detail }))
  addEventListener('keydown', onKeyDown)
  setInterval(() => host.endsAt - Date.now() < RENEW_BEFORE_MS && renew(), LOOK_MS)
}
