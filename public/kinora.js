// What Chainlit's page cannot say by itself: which chat model and painters are in use, and where each
// was configured, so that a key in somebody's environment never starts to spend by surprise.
(() => {
  const EN = {
    free: 'nothing here costs money',
    paid: 'may cost money',
    title: 'In use',
    chat: 'Chat model',
    painters: 'Painters',
    models: 'Models',
    close: 'Close',
    nothing: 'none',
    noPrice: 'price unknown',
    noCost: 'free',
    units: { image: 'a picture', second: 'a second', megapixel: 'a megapixel' }
  }
  const RU = {
    free: 'здесь всё бесплатно',
    paid: 'может стоить денег',
    title: 'Что работает',
    chat: 'Модель чата',
    painters: 'Художники',
    models: 'Модели',
    close: 'Закрыть',
    nothing: 'нет',
    noPrice: 'цена неизвестна',
    noCost: 'бесплатно',
    units: { image: 'за картинку', second: 'за секунду', megapixel: 'за мегапиксель' }
  }
  const words = navigator.language.toLowerCase().startsWith('ru') ? RU : EN
  const THEME_KEY = 'vite-ui-theme'

  // The first visit follows the system; the class is set before the application so that nothing flashes.
  const theme = localStorage.getItem(THEME_KEY) || 'system'
  localStorage.setItem(THEME_KEY, theme)
  const dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.add(dark ? 'dark' : 'light')

  const make = (tag, properties, ...children) => {
    const node = Object.assign(document.createElement(tag), properties)
    node.append(...children)
    return node
  }
  const rows = (pairs) => make('ul', {}, ...pairs.map(([left, right]) => make('li', {}, make('span', {}, left), make('span', {}, right))))
  const get = async (path) => {
    const answer = await fetch(path)
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
    return answer.json()
  }

  const price = ({ price: known }) => {
    if (!known || known.usd === null) return words.noPrice
    return known.usd === 0 ? words.noCost : `$${known.usd} ${words.units[known.unit] || known.unit}`
  }

  function dialog(status, models) {
    const named = ({ label, source }) => [label, source]
    const close = make('button', { type: 'button', onclick: () => box.close() }, words.close)
    const box = make(
      'dialog',
      { className: 'kn-about', onclose: () => box.remove(), onclick: (event) => event.target === box && box.close() },
      make('header', {}, make('h2', {}, words.title), close),
      make('h3', {}, words.chat),
      rows([named(status.chat_model)]),
      make('h3', {}, words.painters),
      rows(status.painters.length ? status.painters.map(named) : [[words.nothing, '']]),
      make('h3', {}, words.models),
      rows(models.filter((model) => model.available !== false).map((model) => [model.label, price(model)])),
      make('footer', {}, `Kinora ${status.version}`)
    )
    box.setAttribute('aria-label', words.title)
    document.body.append(box)
    box.showModal()
  }

  function lineFor(status) {
    const inUse = [status.chat_model, ...[...status.painters].sort((a, b) => a.demo - b.demo)]
    const paid = inUse.some((part) => !part.demo)
    const names = inUse.flatMap((part) => [' · ', make('span', {}, part.label)]).slice(1)
    const open = async () => dialog(status, (await get('/api/models').catch(() => ({ data: [] }))).data)
    const line = make('button', { type: 'button', className: 'kn-use', onclick: open }, ...names, ` — ${paid ? words.paid : words.free}`)
    line.dataset.paid = paid
    line.setAttribute('aria-haspopup', 'dialog')
    return line
  }

  // Chainlit renders the composer anew between its pages: the line follows it.
  let line
  let asked = false
  async function ask() {
    asked = true
    try {
      line = lineFor(await get('/api/status'))
      place()
    } catch {
      setTimeout(ask, 15000)
    }
  }
  function place() {
    const composer = document.getElementById('message-composer')
    if (!composer) return
    if (!asked) ask()
    if (line && composer.nextSibling !== line) composer.after(line)
  }

  let waiting = false
  const observer = new MutationObserver(() => {
    if (waiting) return
    waiting = true
    requestAnimationFrame(() => {
      waiting = false
      place()
    })
  })
  observer.observe(document.body, { childList: true, subtree: true })
})()
