// Kinora's chat on somebody else's page, by one script tag. This file draws the button and says what is
// wrong; what is large is loaded when the chat is wanted: widget/copilot.js (a page of the same site) or
// widget/framing.js (a page of another site). docs/widget.md has the options.
;(() => {
  'use strict'
  if (window.Kinora) return

  const tag = document.currentScript
  const OPEN_KEY = 'kinora-widget-open'

  const TEXTS = {
    en: {
      speaks: 'en',
      label: 'Open the chat',
      close: 'Close the chat',
      dismiss: 'Close this notice',
      again: 'Try again',
      loading: 'The chat is on its way',
      noToken: 'This page could not get a token for the chat.',
      unreachable: (origin) => `The chat does not answer this page: it is away, or ${origin} is not among the pages that it allows.`,
      refused: 'The chat did not accept the token of this page.',
      notKept: 'The browser kept no login of the chat: here the chat has to stand at a sibling address of the same site, or in a frame.',
      insecure: 'In a frame the chat works only on pages with https.',
      notLoaded: 'The chat could not be loaded.'
    },
    ru: {
      speaks: 'ru',
      label: 'Открыть чат',
      close: 'Закрыть чат',
      dismiss: 'Закрыть это сообщение',
      again: 'Ещё раз',
      loading: 'Чат загружается',
      noToken: 'Эта страница не смогла получить пропуск в чат.',
      unreachable: (origin) => `Чат не отвечает этой странице: он недоступен, или ${origin} нет среди страниц, которым он открыт.`,
      refused: 'Чат не принял пропуск этой страницы.',
      notKept: 'Браузер не сохранил вход в чат: чат должен стоять на соседнем адресе того же сайта или во фрейме.',
      insecure: 'Во фрейме чат работает только на страницах с https.',
      notLoaded: 'Чат не удалось загрузить.'
    }
  }

  const BLADES = Array.from({ length: 9 }, (_, i) => `<path d="M27.13 25.3Q25.14 16 31.81 9" transform="rotate(${-40 * i} 32 32)" opacity="${0.92 - 0.08 * i}"/>`).join('')
  const FACE = `
    <button type="button" class="launch" aria-haspopup="dialog" aria-expanded="false">
      <svg class="mark" viewBox="0 0 64 64" aria-hidden="true">
        <g fill="none" stroke="#e9c9a4" stroke-width="4.2" stroke-linecap="round">${BLADES}</g>
        <path d="M32 23.72Q35.85 15.03 45.36 13.28" fill="none" stroke="#f5a44a" stroke-width="6.5" stroke-linecap="round"/><circle cx="32" cy="32" r="4.8" fill="#f5a44a"/>
      </svg>
      <svg class="cross" viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6l12 12M18 6L6 18" fill="none" stroke="#f3e3cd" stroke-width="2.2" stroke-linecap="round"/></svg>
    </button>
    <p class="spoken" role="status"></p>
    <div class="notice" hidden><p role="alert"></p><button type="button" class="again"></button><button type="button" class="dismiss">×</button></div>`

  const STYLE = `
    :host { all: initial; --ground: #fdfbf7; --ink: #231811; --line: #e2d9cb; --lit: #a2461f;
      position: fixed; right: max(20px, env(safe-area-inset-right)); bottom: max(20px, calc(env(safe-area-inset-bottom) + 8px)); z-index: 2147483000;
      font: 14px/1.45 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif; color: var(--ink); }
    :host([data-theme=dark]) { --ground: #221c18; --ink: #ece4d8; --line: #3b322a; --lit: #f0a04b; color-scheme: dark; }
    [hidden] { display: none !important; }
    button { font: inherit; color: inherit; cursor: pointer; }
    .launch { position: relative; display: block; box-sizing: border-box; width: 56px; height: 56px; padding: 0; border: 1px solid #5a4230; border-radius: 50%; background: #2b1c12;
      box-shadow: 0 2px 6px rgb(20 10 4 / .22), 0 12px 28px -10px rgb(20 10 4 / .45); transition: transform .18s, background-color .18s; }
    .launch:hover { background: #3a2719; transform: translateY(-1px); }
    .launch:active { transform: none; }
    .launch:focus-visible, .notice button:focus-visible { outline: 3px solid var(--lit); outline-offset: 2px; }
    .launch svg { position: absolute; inset: 0; margin: auto; transition: opacity .18s, transform .25s; }
    .mark { width: 40px; height: 40px; }
    .cross { width: 26px; height: 26px; opacity: 0; transform: rotate(-45deg); }
    .launch[aria-expanded=true] .mark { opacity: 0; transform: rotate(90deg); }
    .launch[aria-expanded=true] .cross { opacity: 1; transform: none; }
    .launch[aria-busy=true] .mark { animation: turn 1.8s linear infinite; }
    .spoken { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    .notice { position: absolute; right: 0; bottom: 68px; box-sizing: border-box; width: max-content; max-width: min(320px, calc(100vw - 40px)); padding: 14px 16px; border: 1px solid var(--line);
      border-radius: 14px; background: var(--ground); box-shadow: 0 16px 40px -18px rgb(20 10 4 / .5); }
    .notice p { margin: 0 22px 10px 0; overflow-wrap: anywhere; }
    .again { padding: 5px 14px; border: 1px solid var(--line); border-radius: 99px; background: none; font-weight: 500; }
    .again:hover { border-color: var(--lit); }
    .dismiss { position: absolute; top: 8px; right: 8px; width: 28px; height: 28px; padding: 0; border: 0; border-radius: 8px; background: none; font-size: 18px; line-height: 1; opacity: .7; }
    .dismiss:hover { opacity: 1; }
    @keyframes turn { to { transform: rotate(1turn); } }
    @media (max-width: 640px) { :host([data-open]) .launch { visibility: hidden; } }
    @media (prefers-reduced-motion: reduce) { .launch, .launch svg { transition: none; } .launch[aria-busy=true] .mark { animation-duration: 6s; } }
    @media print { :host { display: none; } }`

  /* ---------- the button ---------- */

  function draw(words, label, onPress) {
    const host = document.createElement('kinora-widget')
    const root = host.attachShadow({ mode: 'open' })
    const sheet = new CSSStyleSheet() // a style element would need the page's leave
    sheet.replaceSync(STYLE)
    root.adoptedStyleSheets = [sheet]
    root.innerHTML = FACE
    const [button, spoken, notice, said, again, dismiss] = ['.launch', '.spoken', '.notice', '.notice p', '.again', '.dismiss'].map((which) => root.querySelector(which))
    again.textContent = words.again
    dismiss.setAttribute('aria-label', words.dismiss)
    button.onclick = onPress
    again.onclick = onPress
    const ui = {
      host, root, button,
      say(sentence) {
        notice.hidden = !sentence
        said.textContent = sentence || ''
      },
      show({ open = false, busy = false }) {
        host.toggleAttribute('data-open', open)
        button.setAttribute('aria-expanded', open)
        button.setAttribute('aria-busy', busy)
        button.setAttribute('aria-label', open ? words.close : label || words.label)
        button.title = button.getAttribute('aria-label')
        spoken.textContent = busy ? words.loading : ''
      }
    }
    dismiss.onclick = () => {
      ui.say()
      button.focus()
    }
    ui.show({})
    document.body.append(host)
    return ui
  }

  /* ---------- light or dark ---------- */

  // What the page says of itself in one of the usual ways, or shows by its ground, or else the system.
  function themeOfPage() {
    const nodes = [document.documentElement, document.body]
    for (const { className, dataset } of nodes) {
      const { theme = '', bsTheme = '', colorMode = '', colorScheme = '' } = dataset
      const found = /(?:^|\s)(dark|light)(?=\s|$)/.exec([className, theme, bsTheme, colorMode, colorScheme].join(' '))
      if (found) return found[1]
    }
    for (const node of nodes.reverse()) {
      const [red, green, blue, opaque = 1] = getComputedStyle(node).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? []
      if (opaque > 0.5) return 0.3 * red + 0.59 * green + 0.11 * blue < 128 ? 'dark' : 'light'
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  }

  function followTheme(wanted, apply) {
    if (wanted === 'light' || wanted === 'dark') return apply(wanted) ?? (() => {})
    const look = () => apply(themeOfPage())
    const changes = new MutationObserver(look)
    for (const node of [document.documentElement, document.body]) changes.observe(node, { attributes: true })
    const system = matchMedia('(prefers-color-scheme: dark)')
    system.addEventListener('change', look)
    look()
    return () => {
      changes.disconnect()
      system.removeEventListener('change', look)
    }
  }

  /* ---------- one mounted widget ---------- */

  const fail = (sentence) => Object.assign(new Error(sentence), { sentence })

  async function tokenFrom(source, words) {
    if (typeof source === 'function') {
      const token = await Promise.resolve().then(source).catch((cause) => console.warn('Kinora:', cause))
      if (!token) throw fail(words.noToken)
      return token
    }
    const answer = await fetch(source, { method: 'POST', credentials: 'same-origin', headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(20000) }).catch(() => null)
    const token = answer?.ok && (await answer.json().catch(() => null))?.token
    if (!token) throw fail(words.noToken)
    return token
  }

  function begin(options) {
    const server = new URL(options.server ?? tag?.src ?? location.href).origin
    const language = options.language || document.documentElement.lang || navigator.language || 'en'
    const words = TEXTS[language.toLowerCase().startsWith('ru') ? 'ru' : 'en']
    const life = { over: false, wanted: false, context: options.context }
    let panel, starting, theme

    const ui = draw(words, options.label, () => (life.wanted ? close() : open()))
    const unfollow = followTheme(options.theme, (now) => {
      theme = now
      ui.host.dataset.theme = now
      panel?.theme(now)
    })

    const remember = () => {
      try {
        sessionStorage.setItem(OPEN_KEY, life.wanted ? '1' : '')
      } catch {} // a page in a sandbox has no memory
    }
    const failed = (error) => {
      console.warn('Kinora:', error)
      life.wanted = false
      remember()
      panel?.remove() // the next try begins anew
      panel = undefined
      ui.show({})
      ui.say(error.sentence || words.notLoaded)
    }
    const host = { server, language, words, ui, fail, failed, close, label: options.label, theme: () => theme, context: () => life.context, token: () => tokenFrom(options.token, words) }

    async function start() {
      const part = options.mode === 'frame' ? 'framing' : 'copilot'
      const { open: enter } = await import(`${server}/public/widget/${part}.js`).catch(() => {
        throw fail(words.unreachable(location.origin))
      })
      const made = await enter(host)
      if (life.over) return made.remove()
      panel = made
      panel.theme(theme)
      return panel
    }

    // Whether the chat stands there open in the end.
    async function open() {
      life.wanted = true
      remember()
      ui.say()
      try {
        if (!panel) {
          ui.show({ busy: true })
          await (starting ??= start().finally(() => (starting = undefined)))
        }
      } catch (error) {
        if (!life.over) failed(error)
        return false
      }
      if (life.over || !panel) return false
      ui.show({ open: life.wanted })
      if (life.wanted) panel.show()
      return life.wanted
    }

    async function close() {
      life.wanted = false
      remember()
      ui.show({})
      panel?.hide() // it may give the focus back to the button
    }

    return {
      open, close,
      async setContext(context) {
        life.context = context
        await panel?.context(context)
      },
      async remove() {
        life.over = true
        unfollow()
        await starting?.catch(() => {})
        panel?.remove()
        ui.host.remove()
      }
    }
  }

  /* ---------- what a page calls ---------- */

  const ready = new Promise((resolve) => {
    if (document.body) resolve()
    else addEventListener('DOMContentLoaded', resolve, { once: true })
  })
  let mounted
  let turn = ready // one after the other, however they are called

  const wasOpen = () => {
    try {
      return sessionStorage.getItem(OPEN_KEY) === '1'
    } catch {
      return false
    }
  }
  const inTurn = (does) => (turn = turn.then(does, does))
  const leave = async () => {
    const going = mounted
    mounted = undefined
    await going?.remove()
  }

  window.Kinora = {
    mount: (options = {}) => inTurn(async () => {
      await leave()
      mounted = begin(options)
      return options.opened || wasOpen() ? mounted.open() : false
    }),
    unmount: () => inTurn(leave),
    open: () => inTurn(async () => (mounted ? mounted.open() : false)),
    close: () => inTurn(() => mounted?.close()),
    setContext: (context) => inTurn(() => mounted?.setContext(context))
  }

  if (tag?.dataset.token) {
    const { token, mode, theme, language, label, context, opened } = tag.dataset
    window.Kinora.mount({ token, mode, theme, language, label, opened: opened !== undefined && opened !== 'false', context: context && JSON.parse(context) })
  }
})()
