// A generation's pictures, one at a time and large: with the arrow keys, with a swipe, closed by Esc.
import { url } from './hub.js'
import { DownloadLink, IconButton } from './parts.js'
import { h, icons, useEffect, useRef } from './react.js'
import { words as w } from './words.js'

const SWIPE_PX = 48

function useSwipe(step) {
  const from = useRef(null)
  const mouse = (event) => event.pointerType === 'mouse'
  return {
    onPointerDown: (event) => { from.current = mouse(event) ? null : event },
    onPointerCancel: () => { from.current = null },
    onPointerUp: (event) => {
      if (!from.current) return
      const [x, y] = [event.clientX - from.current.clientX, event.clientY - from.current.clientY]
      from.current = null
      if (Math.abs(x) > SWIPE_PX && Math.abs(x) > 2 * Math.abs(y)) step(x < 0 ? 1 : -1)
    }
  }
}

// Before anybody else: a tooltip that is just going would take the Escape for itself, and keys pressed
// while the focus is nowhere never pass through the dialog.
function useKeys(keys) {
  const current = useRef(keys)
  current.current = keys
  useEffect(() => {
    const onKeyDown = (event) => {
      const does = current.current[event.key]
      if (!does || event.isComposing) return
      event.preventDefault()
      event.stopImmediatePropagation()
      does()
    }
    addEventListener('keydown', onKeyDown, true)
    return () => removeEventListener('keydown', onKeyDown, true)
  }, [])
}

export function Lightbox({ generation, label, index, onIndex, onClose }) {
  const dialog = useRef(null)
  const { assets, handle } = generation
  const asset = assets[index]
  const several = assets.length > 1
  const step = (by) => onIndex((index + by + assets.length) % assets.length)
  const keys = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => onIndex(0), End: () => onIndex(assets.length - 1),
    Escape: () => dialog.current.close() }
  useKeys(keys)
  const onClick = (event) => event.target.tagName !== 'IMG' && !event.target.closest('.kn-bar') && dialog.current.close()
  useEffect(() => dialog.current.showModal(), [])
  const facts = [handle, several && `${index + 1} / ${assets.length}`, asset.width_px && `${asset.width_px} × ${asset.height_px}`]
  return h('dialog', { ref: dialog, className: 'kn-lightbox', 'aria-label': label, onClose, onClick },
    h('div', { className: 'kn-light', ...useSwipe(several ? step : () => {}) },
      h('img', { key: asset.id, src: url(asset.url), alt: label, draggable: false })),
    h('div', { className: 'kn-bar' },
      h('span', { className: 'kn-facts', 'aria-live': 'polite' }, facts.filter(Boolean).join('  ·  ')),
      several && h(IconButton, { icon: icons.ChevronLeft, label: w.previous, onClick: () => step(-1) }),
      several && h(IconButton, { icon: icons.ChevronRight, label: w.next, onClick: () => step(1) }),
      h(DownloadLink, { asset, className: 'kn-icon', label: w.download }),
      h(IconButton, { icon: icons.X, label: w.close, onClick: () => dialog.current.close() })))
}
