// Says that the server or its database is away, and that it is back, by itself. The one event stream is
// what notices: it ends when the database goes, and it knocks by itself while the server is gone. Asked
// is only where the stream cannot tell, and only a page that is looked at asks.
import { attend } from '../card/hub.js'
import { askLogin } from './framed.js'
import { speak } from './said.js'
import { words } from './words.js'

const CONFIRM_MS = 700
const PATIENCE_MAX_MS = 4000

const notice = Object.assign(document.createElement('p'), { className: 'kn-away', role: 'status', lang: words.language })

let away = null // 'database', 'line', or null: all is here
let doubt = true // since the stream last failed nobody has asked
let failures = 0
let patience = CONFIRM_MS
let asking = false
let timer

function show(what) {
  if (away === what) return
  if (away && !what) recover()
  away = what
  notice.textContent = what ? words.away[what] : ''
}

// A conversation that could not even be opened is opened now; nothing is lost where nobody could write.
function recover() {
  speak(words.back)
  if (!document.getElementById('chat-input')) location.reload()
}

function askIn(ms) {
  clearTimeout(timer)
  timer = setTimeout(ask, ms)
}

// The answer is 200 in good days and in bad, or the browser would write each asking down as an error.
async function ask() {
  if (asking || document.hidden) return
  asking = true
  const answer = await fetch('/api/status', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MAX_MS) }).catch(() => null)
  const status = answer?.ok ? await answer.json().catch(() => null) : null
  asking = false
  // The login has ended: logged out elsewhere, a new password, or its time was over.
  if (answer?.status === 401 && document.getElementById('chat-input')) askLogin()
  if (!answer || answer.status >= 500) settle('line')
  else settle(status?.ready === false ? 'database' : null)
}

// One bad answer may be a hiccup; the second one counts.
function settle(what) {
  doubt = false
  clearTimeout(timer)
  failures = what ? failures + 1 : 0
  if (!what) patience = CONFIRM_MS
  if (!what || away || failures > 1) show(what)
  if (!what) return
  askIn(patience)
  patience = Math.min(patience * 1.5, PATIENCE_MAX_MS)
}

function hear(how) {
  if (how === 'unreachable') {
    failures += 1
    if (failures > 1) show('line')
    askIn(PATIENCE_MAX_MS) // should the stream stop knocking
  } else if (how !== 'ended' && (doubt || away || failures)) ask()
  if (how !== 'opened') doubt = true
}

export function watchLine() {
  document.body.append(notice)
  attend(hear)
  addEventListener('offline', () => show('line'))
  addEventListener('online', ask)
  document.addEventListener('visibilitychange', () => (doubt || away) && ask())
}
