// The chat in a page of the same site: Chainlit's Copilot with our cards. It is mounted only once the
// person is logged in: it races its own login otherwise, and falls over at the first card.
import * as hub from '../card/hub.js'
import { ask, enter, keepLogin } from './login.js'
import { keepNamed } from './names.js'
import { socketsOf } from './react_notes.js'
import { keepThread, leaveThread, threadOf } from './threads.js'

const READY_MS = 30000
const LAYERS = 'dialog[open], [role=dialog][data-state=open], [role=alertdialog], [role=menu], [role=listbox]'

let bundle

// The file has letters beyond ASCII, and a page may have another charset.
function loadBundle(host) {
  return (bundle ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), { src: `${host.server}/copilot/index.js`, charset: 'utf-8', onload: resolve })
    script.onerror = () => {
      script.remove()
      bundle = undefined
      reject(host.fail(host.words.notLoaded))
    }
    document.head.append(script)
  }))
}

/* ---------- the mounted chat ---------- */

function until(test, ms) {
  return new Promise((resolve) => {
    const end = Date.now() + ms
    const look = () => {
      const found = test()
      if (found || Date.now() > end) resolve(found)
      else setTimeout(look, 50)
    }
    look()
  })
}

// Chainlit asks Google for a font unless the server's theme names others; the page's look has none.
function keepFontsOut(root) {
  root.appendChild = (node) => (String(node.href).startsWith('https://fonts.') ? node : ShadowRoot.prototype.appendChild.call(root, node))
}

// Its side panel makes room for itself in the page; ours lies above it. Undone before it is painted.
function keepBody() {
  const { style } = document.body
  const { marginRight, transition } = style
  const changes = new MutationObserver(() => {
    if (style.marginRight !== marginRight) style.marginRight = marginRight
    if (style.transition !== transition) style.transition = transition
  })
  changes.observe(document.body, { attributes: true, attributeFilter: ['style'] })
  return () => changes.disconnect()
}

// The Copilot has one name for its session as long as the page stands. Mounted a second time it would be
// given the session of before: another thread, at which it sends the page away, or another person's, at
// which it is refused. Asked for a chat it takes a new name; it is asked as soon as it listens, before it
// has connected.
function beginAnew(thread) {
  const plain = window.addEventListener
  window.addEventListener = function listen(kind, ...rest) {
    plain.call(this, kind, ...rest)
    if (kind !== 'chainlit-copilot-thread-changed') return
    window.addEventListener = plain
    window.clearChainlitCopilotThreadId(thread)
  }
}

async function mount(host, login) {
  const { server, language, words } = host
  beginAnew(threadOf(server, login.user))
  globalThis.__kinoraLanguage = language
  window.transports = ['websocket'] // what Chainlit's own page is told by its server
  const giveBack = keepBody()
  window.mountChainlitWidget({
    chainlitServer: server,
    accessToken: login.token,
    opened: true,
    displayMode: 'sidebar',
    theme: host.theme(),
    language,
    customCssUrl: `${server}/public/widget/copilot.css`
  })
  const element = [...document.querySelectorAll('#chainlit-copilot')].at(-1)
  element.style.cssText = 'position: fixed; top: 0; left: 0; width: 0; height: 0; z-index: 2147483000; visibility: hidden'
  const root = element.shadowRoot
  keepFontsOut(root)
  hub.connect({ buildEndpoint: (path) => server + path, user: login.user })
  const dressed = () => [...root.querySelectorAll('link')].find((link) => link.href.endsWith('/copilot.css'))?.sheet
  const there = await until(() => root.getElementById('chat-input') && dressed(), READY_MS)
  const chat = { element, root, remove: () => element.isConnected && remove(chat, server, login.user) }
  if (!there) {
    giveBack()
    chat.remove()
    throw host.fail(words.notLoaded)
  }
  // What is typed before the line stands would be lost.
  await until(() => socketsOf(root.getElementById('cl-shadow-root')).some((socket) => socket.connected), 5000)
  giveBack()
  keepThread(server, login.user)
  await keepNamed(root, host)
  element.style.visibility = ''
  return chat
}

// Chainlit leaves its socket open behind it, and its element in the page.
function remove({ element, root }, server, user) {
  for (const socket of socketsOf(root.getElementById('cl-shadow-root'))) socket.emit('clear_session') && socket.disconnect()
  window.unmountChainlitWidget()
  hub.disconnect()
  element.remove()
  leaveThread(server, user)
}

function paint({ root }, theme) {
  const node = root.getElementById('cl-shadow-root')
  if (!node.classList.contains(theme)) {
    node.classList.remove('light', 'dark')
    node.classList.add(theme)
  }
  for (const [name, value] of Object.entries(window.theme?.[theme] ?? {})) node.style.setProperty(name, value)
}

/* ---------- the panel ---------- */

export async function open(host) {
  let login = await enter(host)
  await loadBundle(host)
  let chat = await mount(host, login)
  let shown = false

  // Also that there is none: an earlier page may have said something.
  async function tell(context = {}) {
    const body = JSON.stringify({ context })
    const answer = await ask(host, '/api/widget/context', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body }).catch(() => null)
    if (!answer?.ok) console.warn('Kinora: the context was not taken', answer?.status)
  }

  function settle() {
    chat.root.addEventListener('click', onClick, true)
    chat.element.toggleAttribute('data-open', shown)
  }

  // A new chat has a new thread, known a moment after the click.
  function onClick(event) {
    if (event.target.closest('#close-sidebar-button')) {
      event.stopImmediatePropagation()
      host.close()
    }
    setTimeout(keepThread, 400, host.server, login.user)
  }

  function onKeyDown(event) {
    const inside = document.activeElement === chat.element
    if (!shown || !inside || event.key !== 'Escape' || event.isComposing || chat.root.querySelector(LAYERS)) return
    event.preventDefault()
    event.stopImmediatePropagation()
    host.close()
  }

  // A person may have several pages open; the one looked at is the one that counts.
  const onVisible = () => document.hidden || tell(host.context())

  // Of somebody else now, or the socket was refused: from the beginning. Else nothing has to move.
  async function renewed(next, ended) {
    const same = next.user === login.user && !ended
    if (!same) chat.remove()
    login = next
    if (same) return
    chat = await mount(host, login)
    paint(chat, host.theme())
    settle()
    await tell(host.context())
  }

  const leaveLogin = keepLogin(host, login, (next, ended) => renewed(next, ended).catch(host.failed))
  addEventListener('keydown', onKeyDown, true)
  document.addEventListener('visibilitychange', onVisible)
  settle()
  await tell(host.context())

  return {
    show() {
      shown = true
      chat.element.setAttribute('data-open', '')
      if (matchMedia('(pointer: fine)').matches) chat.root.getElementById('chat-input')?.focus({ preventScroll: true })
    },
    hide() {
      shown = false
      chat.root.querySelectorAll('video, audio').forEach((playing) => playing.pause())
      const inside = document.activeElement === chat.element
      chat.element.removeAttribute('data-open')
      if (inside) host.ui.button.focus({ preventScroll: true })
    },
    theme: (theme) => paint(chat, theme),
    context: tell,
    remove() {
      leaveLogin()
      removeEventListener('keydown', onKeyDown, true)
      document.removeEventListener('visibilitychange', onVisible)
      chat.remove()
    }
  }
}
