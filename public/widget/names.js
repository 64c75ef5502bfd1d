// Names for the Copilot's unnamed buttons, from Chainlit's own catalogue of words; what names.js of our page
// is to the page. Only what is missing is added.
const WORDS = {
  '#new-chat-button': 'navigation.newChat.button',
  '#upload-button, #upload-button-loading': 'chat.input.actions.attachFiles',
  '#chat-submit': 'chat.input.actions.send',
  '#stop-button': 'chat.input.actions.stop',
  'button:has(> .lucide-copy)': 'chat.messages.actions.copy.button',
  'button:has(> .lucide-check)': 'chat.messages.actions.copy.success',
  '.positive-feedback-on, .positive-feedback-off': 'chat.messages.feedback.positive',
  '.negative-feedback-on, .negative-feedback-off': 'chat.messages.feedback.negative',
  'button:has(> .lucide-message-circle)': 'chat.messages.feedback.edit'
}

const catalogues = new Map() // address -> promise

function catalogue(address) {
  const load = async () => (await (await fetch(address, { credentials: 'include' })).json()).translation
  if (!catalogues.has(address)) catalogues.set(address, load().catch(() => ({})))
  return catalogues.get(address)
}

const set = (node, values) => Object.entries(values).forEach(([key, value]) => value && node?.getAttribute(key) !== value && node?.setAttribute(key, value))

function nameAll(root, host, words) {
  const { label, words: ours } = host
  const panel = root.getElementById('chainlit-copilot-chat')?.parentElement
  set(panel, { role: 'dialog', 'aria-label': label || ours.label })
  set(root.getElementById('close-sidebar-button'), { 'aria-label': ours.close, title: ours.close })
  const input = root.getElementById('chat-input')
  set(input, { 'aria-label': input?.placeholder })
  root.querySelectorAll('button[role=presentation]').forEach((button) => button.removeAttribute('role'))
  for (const [selector, path] of Object.entries(WORDS)) {
    const word = path.split('.').reduce((branch, key) => branch?.[key], words)
    for (const button of root.querySelectorAll(selector)) {
      if (!button.className.startsWith('kn-') && (!button.hasAttribute('aria-label') || button.dataset.named)) set(button, { 'aria-label': word, 'data-named': word })
    }
  }
}

// From now on, as long as the root is there.
export async function keepNamed(root, host) {
  const words = await catalogue(`${host.server}/project/translations?language=${host.language}`)
  let due = false
  const look = () => {
    due = false
    nameAll(root, host, words)
  }
  new MutationObserver(() => {
    if (!due) requestAnimationFrame(look)
    due = true
  }).observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: ['class', 'id'] })
  look()
}
