// The login: what Chainlit's form lacks for password managers, for screen readers, and behind a proxy.
import { words } from './words.js'

const SHOW = words.language === 'ru' ? 'Показать пароль' : 'Show password'

// Chainlit looks up what went wrong by the phrase beside the status, and HTTP/2 has no phrases.
const PHRASES = { 401: 'Unauthorized', 429: 'Too Many Requests', 503: 'Service Unavailable' }

const plainFetch = window.fetch
window.fetch = async (...given) => {
  const answer = await plainFetch(...given)
  if (answer.ok || !answer.url.endsWith('/login')) return answer
  const { status, headers } = answer
  requestAnimationFrame(tryAgain)
  return new Response(await answer.text(), { status, headers, statusText: PHRASES[status] ?? 'default' })
}

// Fields are off while the server is asked, which takes the focus from them.
function tryAgain() {
  const password = document.getElementById('password')
  if (password?.disabled) requestAnimationFrame(tryAgain)
  else password?.select()
}

const set = (node, attributes) => Object.entries(attributes).forEach(([name, value]) => node?.setAttribute(name, value))

export function tidyLogin() {
  const form = document.querySelector('form:has(#password)')
  if (!form) return
  const [email, password, eye, wrong] = ['#email', '#password', 'button[type=button]', '.alert'].map((which) => form.querySelector(which))
  set(email, { autocomplete: 'username', inputmode: 'email', autocapitalize: 'none', spellcheck: 'false', 'aria-required': 'true' })
  set(password, { autocomplete: 'current-password', 'aria-required': 'true' })
  set(eye, { 'aria-label': SHOW, 'aria-pressed': String(password.type === 'text') })
  if (!wrong) return
  set(wrong, { role: 'alert', id: 'kn-wrong' })
  set(password, { 'aria-describedby': 'kn-wrong' })
}
