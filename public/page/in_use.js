// Which chat model and painters are in use, and where each was configured, so that a key in somebody's
// environment never starts to spend by surprise.
import { get, words } from './words.js'

const make = (tag, properties, ...children) => {
  const node = Object.assign(document.createElement(tag), properties)
  node.append(...children)
  return node
}
const rows = (pairs) => make('ul', {}, ...pairs.map(([left, right]) => make('li', {}, make('span', {}, left), make('span', {}, right))))

const called = (name) => words.called[name] ?? name

const price = ({ price: known }) => {
  if (!known || known.usd === null) return words.noPrice
  return known.usd === 0 ? words.noCost : `$${known.usd} ${words.units[known.unit] || known.unit}`
}

function dialog(status, models) {
  const named = ({ label, source }) => [called(label), called(source)]
  const close = make('button', { type: 'button', onclick: () => box.close() }, words.close)
  const box = make(
    'dialog',
    { className: 'kn-about', lang: words.language, onclose: () => box.remove(), onclick: (event) => event.target === box && box.close() },
    make('header', {}, make('h2', {}, words.title), close),
    make('h3', {}, words.chat),
    rows([named(status.chat_model)]),
    make('h3', {}, words.painters),
    rows(status.painters.length ? status.painters.map(named) : [[words.nothing, '']]),
    make('h3', {}, words.models),
    rows(models.filter((model) => model.available !== false).map((model) => [called(model.label), price(model)])),
    make('footer', {}, `Kinora ${status.version}`)
  )
  box.setAttribute('aria-label', words.title)
  // A tooltip that is just going would take the Escape for itself.
  const escape = (event) => event.key === 'Escape' && box.close()
  addEventListener('keydown', escape, true)
  box.addEventListener('close', () => removeEventListener('keydown', escape, true))
  document.body.append(box)
  box.showModal()
}

function lineFor(status) {
  const inUse = [status.chat_model, ...[...status.painters].sort((a, b) => a.demo - b.demo)]
  const paid = inUse.some((part) => !part.demo)
  const names = inUse.flatMap((part) => [' · ', make('span', {}, called(part.label))]).slice(1)
  const open = async () => dialog(status, (await get('/api/models').catch(() => ({ data: [] }))).data)
  const line = make('button', { type: 'button', className: 'kn-use', lang: words.language, onclick: open }, ...names, ` — ${paid ? words.paid : words.free}`)
  line.dataset.paid = paid
  line.setAttribute('aria-haspopup', 'dialog')
  return line
}

let asked = false
let line

// The line, once it is known; `ready` is called then.
export function inUse(ready) {
  if (!asked) ask(ready)
  return line
}

async function ask(ready) {
  asked = true
  try {
    line = lineFor(await get('/api/status'))
    ready()
  } catch {
    setTimeout(ask, 15000, ready)
  }
}
