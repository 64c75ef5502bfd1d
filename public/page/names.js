// Chainlit's page for everyone: names for its unnamed buttons, landmarks, and what else a screen reader
// or a keyboard needs. Only what is missing is added; React keeps what is not its own.
import { word, words } from './words.js'

const FEEDBACK = 'chat.messages.feedback'
const BY_ID = {
  'search-chats-button': 'threadHistory.sidebar.filters.search',
  'new-chat-button': 'navigation.newChat.button',
  'upload-button': 'chat.input.actions.attachFiles',
  'upload-button-loading': 'chat.input.actions.attachFiles',
  'chat-submit': 'chat.input.actions.send',
  'stop-button': 'chat.input.actions.stop',
  'theme-toggle': 'theme',
  'user-nav-button': 'account',
  'thread-options': 'options'
}
const BY_ICON = {
  copy: 'chat.messages.actions.copy.button',
  check: 'chat.messages.actions.copy.success',
  'thumbs-up': `${FEEDBACK}.positive`,
  'thumbs-down': `${FEEDBACK}.negative`,
  'message-circle': `${FEEDBACK}.edit`,
  'arrow-down': 'down'
}

function nameOf(button) {
  const { id } = button
  if (id === 'sidebar-trigger-button') return word(`threadHistory.sidebar.actions.${button.closest('#header') ? 'open' : 'close'}`)
  if (id === 'user-nav-button') return `${word('account')}: ${button.textContent}`
  if (BY_ID[id]) return word(BY_ID[id])
  if (button.dataset.sidebar === 'rail') return word('sidebar')
  const attached = button.closest('#attachments > *')
  if (attached) return nameOfRemoval(button, attached)
  const icon = /lucide-([a-z-]+)/.exec(button.querySelector('svg')?.getAttribute('class'))?.[1]
  if (icon === 'x' && button.closest('[role=dialog]')) return word('close')
  return button.textContent.trim() ? undefined : word(BY_ICON[icon] ?? '')
}

function nameOfRemoval(button, attached) {
  const verb = button.parentElement.querySelector('circle') ? 'cancelUpload' : 'removeAttachment'
  const file = attached.querySelector('img')?.alt || attached.textContent.trim()
  return `${word(`chat.fileUpload.actions.${verb}`)}: ${file}`
}

// A name that somebody else gave is left alone; one of ours follows its button, which React may turn
// from Send into Stop.
function nameButton(button) {
  if (button.className.startsWith?.('kn-')) return
  const ours = button.dataset.named
  if (button.hasAttribute('aria-label') && !ours && button.dataset.sidebar !== 'rail') return
  const name = nameOf(button)
  if (!name || name === ours) return
  button.setAttribute('aria-label', name)
  button.dataset.named = name
  if (button.title) button.title = name
}

function set(node, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null) node.removeAttribute(key)
    else if (value && node.getAttribute(key) !== value) node.setAttribute(key, value)
  }
}

// What is wrong in Chainlit's markup, by selector, and what makes it right.
const REPAIRS = {
  // The dropzone library says that its button is none.
  'button[role=presentation]': (node) => set(node, { role: null }),
  '#chat-input': (node) => set(node, { 'aria-label': node.placeholder }),
  // On a phone it is a dialog already.
  '[data-sidebar=sidebar]': (node) => set(node, { role: node.getAttribute('role') ?? 'navigation', 'aria-label': word('threadHistory.sidebar.title') }),
  // The list around the list has no items.
  '#thread-history': (node) => set(node.parentElement, { role: 'presentation' }),
  // Options were for mice only, a bare div inside a button inside the chat's link. The link leads to the
  // chat; the button in it is only their frame.
  '#thread-options': (node) => set(node, { role: 'button', tabindex: '0' }),
  '[data-sidebar=menu-button]': (node) => {
    const name = node.querySelector('.truncate')?.textContent
    set(node, { role: 'group', tabindex: '-1', 'aria-label': name })
    set(node.closest('a') ?? node, { 'aria-label': name })
  },
  '.positive-feedback-on, .negative-feedback-on': (node) => set(node, { 'aria-pressed': 'true' }),
  '.positive-feedback-off, .negative-feedback-off': (node) => set(node, { 'aria-pressed': 'false' }),
  '[cmdk-list]': (node) => set(node, { 'aria-label': word('threadHistory.sidebar.title') }),
  'section[aria-label^="Notifications"]': (node) => set(node, { 'aria-label': word('notices') }),
  '[data-sonner-toast]': sayInTheirLanguage,
  '[data-step-type=assistant_message]': (node) => {
    if (node.querySelector('.message-content')?.textContent.trim() === STOPPED) sayInTheirLanguage(node)
  }
}

// What Chainlit's program says in English whatever the language.
const STOPPED = 'Task manually stopped.'
const PHRASES = [
  [/^Task manually stopped\.$/, words.stopped],
  [/Upload failed$/, words.refused],
  [/Upload error$/, words.cutOff],
  [/^File type must be .*/, words.wrongKind],
  [/^File is larger than (\d+) MB/, (_, megabytes) => words.tooLarge(megabytes)],
  [/^Too many files/, words.tooMany],
  [/^Error fetching threads: /, words.notListed],
  [/^Failed to copy: /, words.notCopied]
]

function sayInTheirLanguage(node) {
  const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const said = texts.currentNode.nodeValue
    const meant = PHRASES.reduce((text, [english, ours]) => text.replace(english, ours), said)
    if (meant !== said) texts.currentNode.nodeValue = meant
  }
}

// A phone's list of chats is a dialog that is named above. The library looks for a title of its own before
// that, and its word to programmers is no error of the page.
const { error } = console
console.error = (...said) => String(said[0]).startsWith('`DialogContent` requires a `DialogTitle`') || error(...said)

const SELECTORS = ['button', ...Object.keys(REPAIRS)].join()

function tidyOne(node) {
  for (const [selector, repair] of Object.entries(REPAIRS)) if (node.matches(selector)) repair(node)
  if (node.matches('button, [role=button]')) nameButton(node)
}

// Everything at and under a node that came or changed.
export function tidy(root) {
  if (!root.isConnected) return
  // The words of a message may come after the message.
  const around = root.closest('button, [data-sonner-toast], [data-step-type=assistant_message]')
  for (const node of [around, root, ...root.querySelectorAll(SELECTORS)]) if (node) tidyOne(node)
}

// What an open menu hides from a screen reader must not take the focus either, nor keep it from coming
// back when the menu closes: this is done at once.
export function hide(node) {
  if (!node.matches('#root, .kn-skip')) return
  node.inert = node.getAttribute('aria-hidden') === 'true'
  if (!node.inert) setTimeout(comeBack, 50)
}

// Chainlit's dialogs leave the focus nowhere when they close.
let left
addEventListener('focusin', ({ target }) => {
  if (target.closest('#root')) left = target
})

function comeBack() {
  if (document.activeElement === document.body && left?.isConnected) left.focus({ preventScroll: true })
}

// A page has one heading of the first level, and a way past the list of chats.
export function head() {
  const main = document.querySelector('main')
  if (!main || main.querySelector(':scope > .kn-spoken')) return
  main.prepend(Object.assign(document.createElement('h1'), { className: 'kn-spoken', textContent: document.title }))
}
