// The chat in a frame, for pages of another site: the panel around the frame, and its talk with it. What
// is said goes only to the chat's origin, and only the frame is listened to.
const PATIENCE_MS = 20000
const SILENCE_MS = 2000

const STYLE = `
  .panel { position: fixed; right: max(20px, env(safe-area-inset-right)); bottom: calc(max(20px, env(safe-area-inset-bottom) + 8px) + 68px);
    box-sizing: border-box; width: min(420px, calc(100vw - 40px)); height: min(720px, calc(100dvh - 116px)); overflow: hidden;
    border: 1px solid var(--line); border-radius: 18px; background: var(--ground); box-shadow: 0 2px 8px rgb(20 10 4 / .1), 0 28px 70px -24px rgb(20 10 4 / .5);
    visibility: hidden; opacity: 0; transform: translateY(12px); transition: opacity .18s ease-out, transform .22s cubic-bezier(.2, .8, .2, 1); }
  .panel.shown { visibility: visible; opacity: 1; transform: none; }
  .panel iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: normal; }
  .panel button { display: none; position: absolute; top: calc(8px + env(safe-area-inset-top)); right: calc(10px + env(safe-area-inset-right)); width: 44px; height: 44px; padding: 0; border: 0; border-radius: 10px; background: none; font-size: 26px; line-height: 1; }
  .panel button:focus-visible { outline: 3px solid var(--lit); outline-offset: -3px; }
  @media (max-width: 640px) {
    .panel { inset: 0; width: 100%; height: 100dvh; border: 0; border-radius: 0; padding: env(safe-area-inset-top) env(safe-area-inset-right) env(safe-area-inset-bottom) env(safe-area-inset-left); }
    .panel button { display: block; }
  }
  @media (prefers-reduced-motion: reduce) { .panel { transition: none; } }`

const sheet = new CSSStyleSheet()
sheet.replaceSync(STYLE)

function draw(host) {
  const { root } = host.ui
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet]
  const panel = Object.assign(document.createElement('div'), { className: 'panel' })
  panel.setAttribute('role', 'dialog')
  panel.setAttribute('aria-label', host.label || host.words.label)
  panel.innerHTML = '<iframe allow="clipboard-write; fullscreen"></iframe><button type="button">×</button>'
  const [close, frame] = [panel.querySelector('button'), panel.querySelector('iframe')]
  close.setAttribute('aria-label', host.words.close)
  close.onclick = host.close
  frame.title = host.label || host.words.label
  const asked = new URLSearchParams({ origin: location.origin, theme: host.theme(), language: host.language })
  frame.src = `${host.server}/widget?${asked}`
  root.append(panel)
  return { panel, frame }
}

export async function open(host) {
  if (!isSecureContext) throw host.fail(host.words.insecure)
  const { panel, frame } = draw(host)
  const post = (kinora, more) => frame.contentWindow?.postMessage({ kinora, ...more }, host.server)
  const first = Promise.withResolvers ? Promise.withResolvers() : deferred()
  let stands = false
  let heard = false

  async function giveToken() {
    try {
      post('token', { token: await host.token() })
    } catch (error) {
      post('no-token')
      fail(error)
    }
  }

  function fail(error) {
    if (stands) host.failed(error)
    first.reject(error)
  }

  function hear(event) {
    if (event.source !== frame.contentWindow || event.origin !== host.server) return
    heard = true
    const { kinora, sentence, generation } = event.data ?? {}
    if (kinora === 'wants-token') giveToken()
    if (kinora === 'failed') fail(host.fail(String(sentence)))
    if (kinora === 'generation') dispatchEvent(new CustomEvent('kinora:generation', { detail: generation }))
    if (kinora === 'close') host.close()
    if (kinora !== 'open') return
    stands = true
    tell()
    post('theme', { theme: host.theme() })
    first.resolve()
  }

  function tell() {
    post('context', { context: host.context() ?? {} })
  }

  function remove() {
    removeEventListener('message', hear)
    document.removeEventListener('visibilitychange', onVisible)
    panel.remove()
  }

  const onVisible = () => document.hidden || tell()
  addEventListener('message', hear)
  document.addEventListener('visibilitychange', onVisible)
  const giveUp = () => first.reject(host.fail(host.words.unreachable(location.origin)))
  const timer = setTimeout(giveUp, PATIENCE_MS)
  frame.addEventListener('load', () => setTimeout(() => heard || giveUp(), SILENCE_MS)) // an error's page says nothing
  try {
    await first.promise
  } catch (error) {
    remove()
    throw error
  } finally {
    clearTimeout(timer)
  }

  return {
    show() {
      panel.classList.add('shown')
      if (matchMedia('(pointer: fine)').matches) frame.focus({ preventScroll: true })
    },
    hide() {
      const inside = host.ui.root.activeElement === frame || panel.contains(host.ui.root.activeElement)
      panel.classList.remove('shown')
      if (inside) host.ui.button.focus({ preventScroll: true })
    },
    theme: (theme) => post('theme', { theme }),
    async context() {
      tell()
    },
    remove
  }
}

function deferred() {
  const made = {}
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}
