// The login that the chat in a page stands on: a token of the page's backend, exchanged for a cookie that no
// script sees, and renewed before it ends.
import * as hub from '../card/hub.js'

const RENEW_BEFORE_MS = 60000
const TIMER_MAX_MS = 2 ** 31 - 1

export const ask = (host, path, options) => fetch(host.server + path, { credentials: 'include', signal: AbortSignal.timeout(20000), ...options })

// A token may have ended on its way, so a second one is asked for.
export async function enter(host, again = true) {
  const token = await host.token()
  const unreachable = () => {
    throw host.fail(host.words.unreachable(location.origin))
  }
  const answer = await ask(host, '/auth/jwt', { method: 'POST', headers: { Authorization: `Bearer ${token}` } }).catch(unreachable)
  if (answer.status === 401 && again) return enter(host, false)
  const said = await answer.json().catch(() => null)
  if (!answer.ok) throw host.fail((host.words.speaks === 'en' && said?.detail) || host.words.refused)
  const known = await ask(host, '/user').catch(unreachable)
  if (!known.ok) throw host.fail(known.status === 401 ? host.words.notKept : host.words.unreachable(location.origin))
  return { token, user: said.user, endsAt: Date.parse(said.expires_at) }
}

// Renews the login before it ends, and when the server says that it has ended; a laptop's sleep stops
// every timer. `renewed` is told the new login and whether the old one had ended before.
export function keepLogin(host, first, renewed) {
  let login = first
  let timer, busy, over

  const hasEnded = async () => (await ask(host, '/user').catch(() => null))?.status === 401

  async function renew(ended) {
    try {
      const next = await enter(host)
      if (over) return
      login = next
      renewed(login, ended)
      plan()
    } catch (error) {
      if (ended && !over) host.failed(error)
      else plan()
    }
  }

  async function look({ due = Date.now() >= login.endsAt - RENEW_BEFORE_MS } = {}) {
    if (busy || document.hidden) return
    busy = true
    const ended = await hasEnded()
    if (!over && (due || ended)) await renew(ended)
    else plan()
    busy = false
  }

  // Never in haste: this machine's clock may be wrong.
  function plan() {
    clearTimeout(timer)
    if (!over) timer = setTimeout(look, Math.min(Math.max(login.endsAt - RENEW_BEFORE_MS - Date.now(), RENEW_BEFORE_MS / 2), TIMER_MAX_MS))
  }

  const onVisible = () => document.hidden || Date.now() < login.endsAt - RENEW_BEFORE_MS || look()
  const unattend = hub.attend((how) => how === 'refused' && look({ due: false }))
  document.addEventListener('visibilitychange', onVisible)
  plan()
  return () => {
    over = true
    clearTimeout(timer)
    unattend()
    document.removeEventListener('visibilitychange', onVisible)
  }
}
