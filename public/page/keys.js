// A person's API keys: a line in the account's menu opens a dialog that lists, makes and revokes them. A
// new key is shown once, since only its hash is kept.
import { words } from './keys_words.js'

const make = (tag, properties, ...children) => {
  const node = Object.assign(document.createElement(tag), properties)
  node.append(...children)
  return node
}
const button = (text, onclick, className = '') => make('button', { type: 'button', className, onclick }, text)

async function ask(method, path = '', body) {
  const options = { method, headers: body && { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) }
  const answer = await fetch(`/api/keys${path}`, options)
  if (answer.status === 401) location.assign('/login')
  if (!answer.ok) throw Object.assign(new Error(answer.status), { status: answer.status })
  return answer.status === 204 ? {} : answer.json()
}

const day = (stamp) => new Date(stamp).toLocaleDateString(words.language, { day: 'numeric', month: 'short', year: 'numeric' })

class Keys {
  constructor() {
    this.list = make('ul', {})
    this.fresh = make('div', { className: 'kn-fresh' })
    this.status = make('p', { className: 'kn-said', role: 'status' })
    this.form = make('form', { onsubmit: (event) => this.make(event) })
    const header = make('header', {}, make('h2', {}, words.title), button(words.close, () => this.box.close()))
    this.box = make(
      'dialog',
      { className: 'kn-about kn-keys', lang: words.language, onclose: () => this.leave() },
      header, make('p', {}, words.about), this.fresh, this.list, this.status, this.form
    )
    this.box.setAttribute('aria-label', words.title)
  }

  async open() {
    document.body.append(this.box)
    this.box.showModal()
    await this.attempt(async () => {
      const { data, scopes } = await ask('GET')
      this.show(data)
      this.offer(scopes)
    })
  }

  leave() {
    this.box.remove()
    document.getElementById('user-nav-button')?.focus()
  }

  // One thing at a time. Whatever goes wrong is said, and nothing that stands there is lost.
  async attempt(work, done = '') {
    if (this.busy) return
    this.busy = true
    try {
      await work()
      this.status.textContent = done
    } catch (error) {
      this.status.textContent = words.refused[error.status] ?? words.failed
    }
    this.busy = false
  }

  show(keys) {
    const rows = keys.map((key) => this.row(key))
    this.list.replaceChildren(...(rows.length ? rows : [make('li', {}, make('span', {}, words.none))]))
  }

  row(key) {
    const used = key.last_used_at ? words.used(day(key.last_used_at)) : words.never
    const about = `kn_${key.prefix}… · ${words.made(day(key.created_at))} · ${used}`
    const may = `${words.may} ${key.scopes.map((scope) => words.scopes[scope] ?? scope).join('; ')}`
    const name = make('strong', {}, key.name || `kn_${key.prefix}…`)
    const side = make('span', {})
    const row = make('li', {}, make('span', {}, name, make('small', {}, about), make('small', {}, may)), side)
    const revoke = button(words.revoke, () => {
      row.classList.add('kn-asks')
      side.replaceChildren(make('small', {}, words.sure), button(words.revoke, () => this.revoke(key), 'kn-danger'), button(words.keep, calm))
      side.querySelector('.kn-danger').focus()
    })
    const calm = () => {
      row.classList.remove('kn-asks')
      side.replaceChildren(revoke)
      revoke.focus()
    }
    revoke.setAttribute('aria-label', `${words.revoke}: ${key.name || key.prefix}`)
    side.append(revoke)
    return row
  }

  offer(scopes) {
    const name = make('input', { name: 'purpose', maxLength: 100, placeholder: words.example, autocomplete: 'off' })
    const boxes = scopes.map((scope) => {
      const box = make('input', { type: 'checkbox', name: 'scopes', value: scope, defaultChecked: scope === 'generate' || scope === 'read' })
      return make('label', {}, box, ` ${words.scopes[scope] ?? scope}`)
    })
    const may = make('fieldset', {}, make('legend', {}, words.may), ...boxes)
    this.form.replaceChildren(make('label', {}, words.name, name), may, make('button', { className: 'kn-main' }, words.make))
    name.focus()
  }

  async make(event) {
    event.preventDefault()
    const given = new FormData(this.form)
    const scopes = given.getAll('scopes')
    if (!scopes.length) return (this.status.textContent = words.tick)
    await this.attempt(async () => {
      const { key } = await ask('POST', '', { name: given.get('purpose'), scopes })
      this.form.reset()
      this.reveal(key)
      this.show((await ask('GET')).data)
      this.list.scrollTop = 0
    })
  }

  reveal(key) {
    const pick = () => {
      field.select()
      field.scrollLeft = 0
    }
    const field = make('input', { readOnly: true, value: key, onfocus: () => setTimeout(pick), spellcheck: false, autocomplete: 'off' })
    field.setAttribute('aria-label', words.once)
    const copy = button(words.copy, async () => {
      field.focus()
      pick()
      const isCopied = await navigator.clipboard?.writeText(key).then(() => true, () => false)
      if (isCopied || document.execCommand('copy')) copy.textContent = words.copied
      copy.focus()
    })
    this.fresh.replaceChildren(make('p', {}, words.once), make('div', {}, field, copy))
    field.focus()
  }

  revoke(key) {
    return this.attempt(async () => {
      await ask('DELETE', `/${key.prefix}`)
      this.fresh.replaceChildren()
      this.show((await ask('GET')).data)
      this.form.querySelector('input')?.focus()
    }, words.revoked)
  }
}

// Chainlit's menu knows its own lines only: arrows are led over ours here.
function walk(event) {
  const items = [...event.currentTarget.querySelectorAll('[role=menuitem]')]
  const at = items.indexOf(document.activeElement)
  const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? items.length - 1 : at - 1, Home: 0, End: items.length - 1 }[event.key]
  if (to === undefined) return
  event.preventDefault()
  event.stopPropagation()
  items[Math.max(0, Math.min(to, items.length - 1))].focus()
}

// Puts the line into the account's menu when that opens.
export function offerKeys() {
  const opener = document.getElementById('user-nav-button')
  const menu = opener?.getAttribute('aria-controls') && document.getElementById(opener.getAttribute('aria-controls'))
  const last = menu?.querySelector('[role=menuitem]:last-child')
  if (!last || menu.querySelector('.kn-keys-line')) return
  const open = () => {
    menu.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))
    setTimeout(() => new Keys().open(), 0)
  }
  const line = make('div', { className: `${last.className} kn-keys-line`, tabIndex: -1, onclick: open }, make('span', {}, words.title))
  line.setAttribute('role', 'menuitem')
  line.onkeydown = (event) => ['Enter', ' '].includes(event.key) && (event.preventDefault(), open())
  line.onpointermove = () => line.focus({ preventScroll: true })
  last.before(line)
  menu.addEventListener('keydown', walk, true)
}
