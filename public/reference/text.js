// Elements, and the few marks that descriptions are written with. Everything becomes text nodes: nothing that
// a description says can turn into markup.

// element('p.note', { id: 'x' }, 'text', child): a class behind each dot.
export function element(kind, attributes, ...children) {
  const [name, ...classes] = kind.split('.')
  const made = document.createElement(name)
  if (classes.length) made.className = classes.join(' ')
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (typeof value === 'function') made.addEventListener(key, value)
    else if (value === true) made.setAttribute(key, '')
    else if (value !== undefined && value !== false) made.setAttribute(key, value)
  }
  made.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false))
  return made
}

const MARKS = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*/g

// `code`, **strong**, *emphasis*.
export function words(text) {
  const found = []
  let at = 0
  for (const mark of (text ?? '').matchAll(MARKS)) {
    found.push(text.slice(at, mark.index))
    const [whole, code, strong, emphasis] = mark
    found.push(code ? element('code', {}, code) : element(strong ? 'strong' : 'em', {}, strong ?? emphasis))
    at = mark.index + whole.length
  }
  return [...found, (text ?? '').slice(at)].filter(Boolean)
}

export const paragraphs = (text) => (text ?? '').split(/\n\n+/).map((part) => element('p', {}, words(part.replace(/\n/g, ' ').trim())))

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null|-?\d[\d.eE+-]*)\b/g

// JSON, two blanks deep, with its names and texts told apart.
export function json(value) {
  if (typeof value === 'string') return [value]
  const text = JSON.stringify(value, null, 2)
  const found = []
  let at = 0
  for (const token of text.matchAll(TOKENS)) {
    const [whole, quoted, colon] = token
    found.push(text.slice(at, token.index))
    found.push(element(`span.${colon ? 'name' : quoted ? 'text' : 'value'}`, {}, quoted ?? whole), colon ?? '')
    at = token.index + whole.length
  }
  return [...found, text.slice(at)]
}

// A block of code with a button that copies it.
export function copyable(label, shown, text) {
  const pre = element('pre', { tabindex: 0, 'aria-label': label }, element('code', {}, shown))
  const button = element('button.copy', { type: 'button', click: () => copy(button, pre, text) }, 'Copy')
  button.setAttribute('aria-label', `Copy: ${label}`)
  return element('div.block', {}, pre, button)
}

async function copy(button, pre, text) {
  let done = 'Copied'
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    // Only pages by https or on this machine may write there.
    getSelection().selectAllChildren(pre)
    done = 'Selected'
  }
  button.textContent = done
  document.getElementById('said').textContent = done
  setTimeout(() => (button.textContent = 'Copy'), 1500)
}
