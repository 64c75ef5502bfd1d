// Shapes of JSON as lists of fields; what lies deeper is opened when it is wanted.
import { element, words } from './text.js'

const BOUNDS = [
  ['minimum', (n) => `≥ ${n}`],
  ['exclusiveMinimum', (n) => `> ${n}`],
  ['maximum', (n) => `≤ ${n}`],
  ['minLength', (n) => n > 1 && `at least ${n} characters`],
  ['maxLength', (n) => `at most ${n} characters`],
  ['maxItems', (n) => `at most ${n}`],
]

export function follow(api, node) {
  let found = node ?? {}
  while (found.$ref) {
    const { $ref, ...own } = found
    found = { name: $ref.split('/').pop(), ...$ref.slice(2).split('/').reduce((at, part) => at[part], api), ...own }
  }
  return found
}

// Without null: [schema, whether null is allowed]. Several others stay together.
function alternatives(api, schema) {
  const options = (schema.anyOf ?? schema.oneOf ?? [schema]).map((option) => follow(api, option))
  const real = options.filter((option) => option.type !== 'null')
  const listed = Array.isArray(schema.type)
  return [listed ? [{ ...schema, type: schema.type.find((type) => type !== 'null') }] : real, real.length < options.length || (listed && schema.type.includes('null'))]
}

function named(api, schema) {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.type === 'array') return `list of ${typeOf(api, schema.items ?? {})}`
  if (schema.properties) return schema.name ?? 'object'
  return [schema.type ?? 'any', schema.format && schema.format !== 'binary' && `(${schema.format})`].filter(Boolean).join(' ')
}

// A type in a few words: `integer`, `list of Asset`, `string or null`; of what may be left out, null is not worth a word.
export function typeOf(api, schema, isNeeded = true) {
  const [options, nullable] = alternatives(api, follow(api, schema))
  return [...new Set(options.map((option) => named(api, option))), ...(nullable && isNeeded ? ['null'] : [])].join(' or ')
}

export function bounds(api, schema) {
  const [[first = {}]] = alternatives(api, follow(api, schema))
  const found = BOUNDS.filter(([key]) => first[key] !== undefined).map(([key, say]) => say(first[key])).filter(Boolean)
  const choice = first.enum ?? first.items?.enum
  if (choice) found.push(element('span.choice', {}, choice.map((one) => element('code', {}, String(one)))))
  const usual = schema.default ?? first.default
  if (usual !== undefined && usual !== null) found.push(element('span', {}, 'default ', element('code', {}, JSON.stringify(usual))))
  return found.map((one) => element('span.bound', {}, one))
}

// What has fields of its own, behind lists and alternatives.
function inner(api, schema) {
  const [options] = alternatives(api, follow(api, schema))
  return options.flatMap((option) => (option.properties ? [option] : option.type === 'array' ? inner(api, option.items ?? {}) : []))
}

export function fields(api, schema, seen = []) {
  const whole = follow(api, schema)
  const required = new Set(whole.required)
  const rows = Object.entries(whole.properties ?? {}).map(([name, field]) => {
    const found = follow(api, field)
    const deeper = inner(api, field).filter((shape) => !seen.includes(shape.name))
    return element(
      'li.field',
      {},
      element('div.said', {}, element('code.name', {}, name), ' ', element('span.type', {}, typeOf(api, field, required.has(name))), !required.has(name) && element('span.optional', {}, 'optional'), bounds(api, field)),
      field.description && element('p', {}, words(found.description)),
      deeper.map((shape) => element('details.deeper', {}, element('summary', {}, shape.name ?? 'its fields'), fields(api, shape, [...seen, whole.name, shape.name]))),
    )
  })
  return element('ul.fields', {}, rows)
}

// A schema, whatever it is.
export function shape(api, schema) {
  const found = inner(api, schema)
  const title = element('p.type', {}, typeOf(api, schema))
  return found.length ? [title, found.map((one) => fields(api, one))] : [title]
}
