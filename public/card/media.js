// The frame of a card: what is made, or the light and the reel while it is being made.
import { now, onSecond, url } from './hub.js'
import { Button, DownloadLink } from './parts.js'
import { h, icons, memo, useState, useSyncExternalStore } from './react.js'
import { isSettled, startedAt } from './reading.js'
import { words as w } from './words.js'

const REEL = Array.from({ length: 12 }, (_, i) =>
  h('path', { key: i, d: 'M32 23Q32.8 14.8 46 9.6', transform: `rotate(${i * 30} 32 32)`, opacity: i ? 0.18 + 0.05 * i : 1 }))

function Reel() {
  return h('svg', { className: 'kn-reel', viewBox: '0 0 64 64', 'aria-hidden': true }, REEL, h('circle', { cx: 32, cy: 32, r: 4 }))
}

function Timecode({ generation }) {
  const start = startedAt(generation)
  const read = () => Math.max(0, Math.floor((now() - start) / 1000))
  const seconds = useSyncExternalStore(onSecond, read)
  if (start === null) return null
  const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  return h('span', { className: 'kn-timecode', 'aria-hidden': true }, text)
}

function ProgressBar({ generation }) {
  const { status, progress } = generation
  if (status === 'queued') return null
  const known = status === 'in_progress' && progress !== null
  const values = known && { 'aria-valuenow': Math.round(progress * 100), 'aria-valuemin': 0, 'aria-valuemax': 100 }
  return h('div', { className: 'kn-progress', role: 'progressbar', 'aria-label': w.progress, 'data-unknown': !known, ...values },
    h('span', { style: { transform: known ? `scaleX(${progress})` : undefined } }))
}

function Stage({ generation }) {
  const source = generation.inputs?.find((input) => input.role !== 'mask')
  const live = !isSettled(generation)
  return h('div', { className: 'kn-stage', 'data-status': generation.status },
    source && h('img', { className: 'kn-under', src: url(`/media/${source.asset_id}?w=512`), alt: '' }),
    h(Reel),
    live && h(Timecode, { generation }),
    live && h(ProgressBar, { generation }))
}

// What stands in the place of a file that does not come: gone, or still on its way to us.
function Lost({ onRetry }) {
  return h('div', { className: 'kn-lost' }, w.notLoaded, h(Button, { icon: icons.RotateCcw, onClick: onRetry }, w.retry))
}

// The address is kept from the first paint on: an update must never load or restart what is playing.
const Playable = memo(
  function Playable({ asset, label }) {
    const [lost, setLost] = useState(false)
    if (lost) return h(Lost, { onRetry: () => setLost(false) })
    const about = { src: url(asset.url), 'aria-label': label, controls: true, preload: 'metadata', onError: () => setLost(true) }
    if (asset.media_type.startsWith('audio/')) return h('audio', { className: 'kn-sound', ...about })
    const poster = asset.thumbnail_url ? url(asset.thumbnail_url) : undefined
    return h('video', { className: 'kn-film', ...about, poster, playsInline: true, loop: true })
  },
  ({ asset: before }, { asset: after }) => before.id === after.id && before.media_type === after.media_type
)

// A cell of a grid is content with the small one, unless the screen is a fine one.
function sourcesOf({ asset, columns }) {
  const src = url(asset.url)
  if (!asset.thumbnail_url || !(asset.width_px > 512)) return { src }
  const srcSet = `${url(asset.thumbnail_url)} 512w, ${src} ${asset.width_px}w`
  return { sizes: `(max-width: 640px) ${Math.round(100 / columns)}vw, ${33 / columns}rem`, srcSet, src }
}

function Shot({ asset, columns, label, name, onOpen, onSettled }) {
  const [state, setState] = useState('loading')
  const settle = (next) => {
    setState(next)
    onSettled()
  }
  if (state === 'lost') return h(Lost, { onRetry: () => setState('loading') })
  return h('button', { type: 'button', className: 'kn-shot', onClick: onOpen, title: w.enlarge, 'aria-label': name },
    h('img', { ...sourcesOf({ asset, columns }), alt: label, width: asset.width_px, height: asset.height_px, loading: 'lazy', decoding: 'async',
      'data-state': state, onLoad: () => settle('shown'), onError: () => settle('lost') }))
}

function Medium({ asset, label, ...rest }) {
  if (!asset.media_type.startsWith('image/')) return h(Playable, { asset, label })
  return h(Shot, { asset, label, ...rest })
}

export function Frame({ generation, shape, label, onOpen }) {
  const [lit, setLit] = useState(false)
  const { assets, kind } = generation
  const folded = isSettled(generation) && !assets.length
  const waiting = assets.length ? kind === 'image' && !lit : !folded
  const cell = (asset, index) => {
    const number = assets.length > 1 ? ` ${index + 1}` : ''
    const about = { asset, columns: shape.columns, label, name: `${w.enlarge}${number}: ${label}` }
    return h('div', { className: 'kn-cell', key: asset.id },
      h(Medium, { ...about, onOpen: () => onOpen(index), onSettled: () => setLit(true) }),
      number && h(DownloadLink, { asset, className: 'kn-corner', label: w.downloadOne(index + 1) }))
  }
  return h('div', { className: 'kn-fold', 'data-folded': folded, style: { '--kn-cell': shape.cell, '--kn-columns': shape.columns } },
    h('div', { className: 'kn-frame', 'aria-busy': waiting },
      waiting && h(Stage, { generation }),
      assets.length ? assets.map(cell) : Array.from({ length: shape.count }, (_, index) => h('div', { className: 'kn-cell', key: index }))))
}
