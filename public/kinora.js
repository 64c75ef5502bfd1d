// What Chainlit's page lacks: it follows the system's theme, speaks the person's language to everyone,
// loses no picture on its way into a message, says what is in use and what it costs, and when the server
// or its database is away.
import { connect } from './card/hub.js'
import { watchLine } from './page/away.js'
import { keepFramed, liveFramed } from './page/framed.js'
import { followGrowth } from './page/growth.js'
import { keepTurns } from './page/in_turn.js'
import { inUse } from './page/in_use.js'
import { offerKeys } from './page/keys.js'
import { tidyLogin } from './page/login.js'
import { head, hide, tidy } from './page/names.js'
import { takeBack } from './page/returned.js'
import { line, listen } from './page/said.js'
import { guardSending, look } from './page/sending.js'
import { keepSidebarOpen, reopen } from './page/sidebar.js'
import { loadCatalogue, words } from './page/words.js'

// The first visit follows the system; the class is set before the application so that nothing flashes.
const THEME_KEY = 'vite-ui-theme'
const theme = localStorage.getItem(THEME_KEY) || 'system'
localStorage.setItem(THEME_KEY, theme)
const dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
document.documentElement.classList.add(dark ? 'dark' : 'light')
liveFramed()

const ourselves = { buildEndpoint: (path) => new URL(path, location.origin).href }

// Chainlit renders the composer anew between its pages: our lines follow it.
function place() {
  const composer = document.getElementById('message-composer')
  if (composer || document.getElementById('user-nav-button')) connect(ourselves)
  if (!composer) return
  const lines = [line, inUse(place)].filter(Boolean)
  if (composer.nextSibling !== lines[0] || line.nextSibling !== (lines[1] ?? line.nextSibling)) composer.after(...lines)
}

const changed = new Set()
let due = false

function settle() {
  const roots = [...changed]
  changed.clear()
  due = false
  place()
  head()
  listen()
  followGrowth()
  offerKeys()
  tidyLogin()
  roots.forEach(tidy)
}

function note(records) {
  look()
  reopen()
  keepFramed()
  if (!due) requestAnimationFrame(settle)
  due = true
  for (const { type, target, addedNodes, attributeName } of records) {
    if (attributeName === 'aria-hidden') hide(target)
    else if (type === 'attributes') changed.add(target)
    if (type === 'characterData' && target.parentElement) changed.add(target.parentElement)
    for (const node of addedNodes) changed.add(node.nodeType === Node.ELEMENT_NODE ? node : target)
  }
}

function skip(event) {
  event.preventDefault()
  document.getElementById('chat-input')?.focus()
}

const way = { className: 'kn-skip', href: '#chat-input', textContent: words.skip, lang: words.language, onclick: skip }
document.body.prepend(Object.assign(document.createElement('a'), way))

const observed = { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ['id', 'class', 'aria-hidden'] }
new MutationObserver(note).observe(document.body, observed)
keepTurns()
guardSending()
takeBack()
keepSidebarOpen()
watchLine()
loadCatalogue().then(() => tidy(document.body), console.warn)
