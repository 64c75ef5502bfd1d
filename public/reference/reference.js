// The page of the API's description: groups, their operations, a filter, and an address for each.
import { drawn } from './operation.js'
import { element, paragraphs, words } from './text.js'

const SOURCE = '/api/openapi.json'
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete']

const main = document.getElementById('operations')
const contents = document.getElementById('contents')
const filter = document.getElementById('filter')
const nothing = element('p.nothing', { hidden: true, role: 'status' }, 'Nothing fits.')
const all = [] // { text, entry, card, group }
const groups = [] // { section, list }

function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method]).map((method) => ({ method: method.toUpperCase(), path, operation: methods[method] })),
  )
}

function draw(api) {
  document.getElementById('version').textContent = api.info.version
  document.getElementById('loading').replaceWith(...paragraphs(api.info.description))
  const known = operationsOf(api)
  for (const tag of api.tags) {
    const own = known.filter(({ operation }) => operation.tags.includes(tag.name))
    if (own.length) drawGroup(api, tag, own)
  }
  main.append(nothing)
}

function drawGroup(api, tag, own) {
  const id = `group-${tag.name.toLowerCase().replace(/[^a-z]+/g, '-')}`
  const section = element('section.group', { 'aria-labelledby': id }, element('h2', { id }, tag.name), element('p', {}, words(tag.description)))
  const list = element('div.part', {}, element('a.title', { href: `#${id}` }, tag.name))
  const group = { section, list }
  for (const each of own) {
    const card = drawn(api, each)
    const { operationId, summary, description } = each.operation
    const entry = element('a', { href: `#${operationId}` }, element(`span.method.${each.method.toLowerCase()}`, {}, each.method), element('span', {}, summary))
    section.append(card)
    list.append(entry)
    all.push({ text: `${each.method} ${each.path} ${summary} ${tag.name} ${description}`.toLowerCase(), entry, card, group })
  }
  groups.push(group)
  contents.append(list)
  main.append(section)
}

function sift() {
  const asked = filter.value.toLowerCase().split(/\s+/).filter(Boolean)
  for (const { text, entry, card } of all) entry.hidden = card.hidden = !asked.every((word) => text.includes(word))
  for (const { section, list } of groups) {
    section.hidden = list.hidden = !all.some(({ card, group }) => group.section === section && !card.hidden)
  }
  document.getElementById('about').hidden = asked.length > 0
  nothing.hidden = all.some(({ card }) => !card.hidden)
}

function show() {
  const id = decodeURIComponent(location.hash.slice(1))
  const found = all.find(({ card }) => card.id === id)
  for (const { entry, card } of all) entry.toggleAttribute('aria-current', card.id === id)
  if (!found && !document.getElementById(id)) return
  if (found) {
    if (found.card.hidden) filter.value = ''
    sift()
    found.card.open = true
    found.card.querySelector('summary').focus({ preventScroll: true })
  }
  // Once what was opened has been drawn.
  requestAnimationFrame(() => document.getElementById(id).scrollIntoView())
}

function onKey(event) {
  if (event.key === 'Escape' && event.target === filter) {
    filter.value = ''
    sift()
  }
  const isTyping = event.target.matches('input, textarea') || event.ctrlKey || event.metaKey || event.altKey
  if (event.key === '/' && !isTyping) {
    event.preventDefault()
    filter.focus()
  }
}

async function begin() {
  try {
    const answer = await fetch(SOURCE)
    if (!answer.ok) throw new Error(`It was answered with ${answer.status}.`)
    draw(await answer.json())
  } catch (error) {
    document.getElementById('loading').replaceWith(element('p.failed', { role: 'alert' }, `The description cannot be read just now. ${error.message}`))
    return
  }
  filter.addEventListener('input', sift)
  addEventListener('hashchange', show)
  addEventListener('keydown', onKey)
  // The same address again is no change of it.
  document.addEventListener('click', (event) => event.target.closest(`a[href="${CSS.escape(location.hash) && location.hash}"]`) && show())
  sift()
  if (location.hash) show()
}

begin()
