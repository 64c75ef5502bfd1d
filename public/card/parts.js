// Small pieces that the card and its lightbox are made of.
import { url } from './hub.js'
import { h, icons, useEffect, useRef, useState } from './react.js'
import { words as w } from './words.js'

const hidden = { 'aria-hidden': true }

// `busy` says no without taking the focus away, as `disabled` would.
export function Button({ icon, children, strong, busy, onClick }) {
  const press = (event) => busy || onClick(event.currentTarget)
  return h('button', { type: 'button', className: 'kn-button', 'data-strong': Boolean(strong), 'aria-disabled': busy || undefined, onClick: press },
    h(icon, hidden), children)
}

export function IconButton({ icon, label, onClick }) {
  return h('button', { type: 'button', className: 'kn-icon', title: label, 'aria-label': label, onClick }, h(icon, hidden))
}

export function DownloadLink({ asset, className, label, children }) {
  const href = url(`${asset.url}${asset.url.includes('?') ? '&' : '?'}download=1`)
  return h('a', { className, href, download: true, title: label, 'aria-label': label }, h(icons.Download, hidden), children)
}

export function Note({ className, icon, ...rest }) {
  return h('p', { className }, h(icon, hidden), h('span', rest))
}

function CopyButton({ text }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return undefined
    const timer = setTimeout(() => setCopied(false), 1500)
    return () => clearTimeout(timer)
  }, [copied])
  if (!navigator.clipboard) return null // an insecure page has none
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true), () => {})
  return h(IconButton, { icon: copied ? icons.Check : icons.Copy, label: copied ? w.copied : w.copy, onClick: copy })
}

export function Prompt({ generation }) {
  const text = useRef(null)
  const [open, setOpen] = useState(false)
  const [long, setLong] = useState(false)
  const { prompt, params } = generation
  // Asked after each layout, never forcing one: 200 cards are mounted at once.
  useEffect(() => {
    const node = text.current
    const sizes = new ResizeObserver(() => node.dataset.open === 'true' || setLong(node.scrollHeight > node.clientHeight + 2))
    sizes.observe(node)
    return () => sizes.disconnect()
  }, [prompt])
  const toggle = { type: 'button', className: 'kn-more', 'aria-expanded': open, onClick: () => setOpen(!open) }
  return h('div', { className: 'kn-prompt' },
    h('div', { className: 'kn-prompt-text' },
      h('p', { ref: text, 'data-open': open, lang: '' },
        prompt,
        params.negative_prompt && h('span', { className: 'kn-quiet' }, ` ${w.without}: ${params.negative_prompt}`)),
      long && h('button', toggle, open ? w.less : w.more)),
    h(CopyButton, { text: prompt }))
}
