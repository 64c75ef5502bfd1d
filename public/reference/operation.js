// One operation: what it does, what it takes, what it answers, and a line that calls it.
import { bounds, follow, shape, typeOf } from './shape.js'
import { copyable, element, json, paragraphs, words } from './text.js'

const JSON_TYPE = 'application/json'

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`

function address(operation, path, parameters) {
  const told = (parameter) => encodeURIComponent(parameter.example ?? `{${parameter.name}}`)
  const filled = parameters.filter((p) => p.in === 'path').reduce((at, p) => at.replace(`{${p.name}}`, told(p)), path)
  const query = parameters.filter((p) => p.in === 'query' && (p.required || (p.example !== undefined && p.name !== 'q')))
  const asked = query.map((p) => `${p.name}=${told(p)}`).join('&')
  return location.origin + filled + (asked && `?${asked}`)
}

function payload(content) {
  if (content[JSON_TYPE]) {
    const { example } = content[JSON_TYPE]
    return [`-H ${quoted('Content-Type: application/json')}`, `-d ${quoted(JSON.stringify(example ?? {}))}`]
  }
  return content['multipart/form-data'] ? [`-F ${quoted('file=@picture.png')}`] : []
}

// A call that works as it stands, once the key is in the environment.
export function curl(method, path, operation, parameters, body) {
  const needsKey = operation.security?.length && !operation.security.some((way) => !Object.keys(way).length)
  const streams = Object.values(operation.responses).some((answer) => answer.content?.['text/event-stream'] && !answer.content[JSON_TYPE])
  const way = { GET: [], HEAD: ['--head'] }[method] ?? [`-X ${method}`]
  const words = [
    ['curl', ...(streams ? ['-N'] : []), ...way, quoted(address(operation, path, parameters))].join(' '),
    ...(needsKey ? ['-H "Authorization: Bearer $KINORA_KEY"'] : []),
    ...(body ? payload(body.content) : []),
  ]
  return words.join(' \\\n  ')
}

function who(operation) {
  const ways = operation.security ?? []
  if (!ways.length) return 'Open to everybody.'
  const said = ways.map((way) => {
    const [[name, scopes] = []] = Object.entries(way)
    if (!name) return 'nothing at all on this machine'
    return name === 'key' ? `a key of scope \`${scopes[0]}\`` : 'a login'
  })
  return `Needs ${said.join(', or ')}.`
}

function parameterTable(api, parameters) {
  const rows = parameters.map((parameter) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, element('code', {}, parameter.name), !parameter.required && element('span.optional', {}, 'optional')),
      element('td', {}, parameter.in),
      element('td', {}, element('span.type', {}, typeOf(api, parameter.schema)), bounds(api, parameter.schema)),
      element('td', {}, words(parameter.description)),
    ),
  )
  const head = ['Name', 'In', 'Type', 'Meaning'].map((name) => element('th', { scope: 'col' }, name))
  return element('div.wide', { tabindex: 0, role: 'group', 'aria-label': 'Parameters' }, element('table', {}, element('thead', {}, element('tr', {}, head)), element('tbody', {}, rows)))
}

function content(api, all) {
  return Object.entries(all ?? {}).map(([type, said]) => [
    element('p.media', {}, element('code', {}, type)),
    shape(api, said.schema ?? {}),
    said.example !== undefined && copyable('Example', json(said.example), typeof said.example === 'string' ? said.example : JSON.stringify(said.example, null, 2)),
  ])
}

function answer(api, status, given) {
  const said = follow(api, given)
  const headers = Object.entries(said.headers ?? {}).map(([name, header]) => element('li', {}, element('code', {}, name), ' ', words(follow(api, header).description)))
  const line = [element(`code.status.of${status[0]}`, {}, status), ' ', element('span', {}, words(said.description))]
  const inside = [content(api, said.content), headers.length > 0 && element('ul.headers', {}, headers)]
  if (!said.content && !headers.length) return element('div.answer', {}, element('p.line', {}, line))
  return element('details.answer', {}, element('summary', {}, line), inside)
}

const part = (title, ...inside) => element('section', {}, element('h4', {}, title), inside)

function inside(api, method, path, operation) {
  const parameters = (operation.parameters ?? []).map((parameter) => follow(api, parameter))
  const body = operation.requestBody && follow(api, operation.requestBody)
  const line = curl(method, path, operation, parameters, body)
  return element(
    'div.inside',
    {},
    paragraphs(operation.description),
    element('p.who', {}, words(who(operation)), ' ', element('a', { href: `#${operation.operationId}` }, 'Link to this')),
    part('Try it', copyable('Command', [line], line)),
    parameters.length > 0 && part('Parameters', parameterTable(api, parameters)),
    body && part('Body', content(api, body.content)),
    part('Answers', Object.entries(operation.responses).map(([status, given]) => answer(api, status, given))),
  )
}

// Closed; it is drawn when it is opened for the first time.
export function drawn(api, { method, path, operation }) {
  const name = element('h3', {}, element(`span.method.${method.toLowerCase()}`, {}, method), element('code.path', {}, path.split(/(?=[/{])/).flatMap((piece) => [element('wbr'), piece])), element('span.summary', {}, operation.summary))
  const made = element('details.operation', { id: operation.operationId }, element('summary', {}, name))
  made.addEventListener('toggle', () => made.open && made.childElementCount === 1 && made.append(inside(api, method, path, operation)))
  return made
}
