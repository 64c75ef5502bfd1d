// One generation as it stands now: made, being made, or why not. The card knows an id; everything it
// shows comes from our own event stream, so it lives on while Chainlit's socket sleeps.
// Chainlit evaluates this file again at every render of its wrapper. Card and hub therefore stand on
// globalThis (a new function would be a new component: state lost, a playing film starts over) and
// an element is exported, not a function. Raise the number in their names when this file changes.
import { useConfig } from '@chainlit/react-client'
import { AlertCircle, Check, ChevronLeft, ChevronRight, Copy, Download, Info, RotateCcw, X } from 'lucide-react'
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'

/* ---------------------------------------------------------------- words */

const EN = {
  kinds: { image: 'Picture', video: 'Film', audio: 'Sound' },
  working: { image: 'Painting…', video: 'Filming…', audio: 'Recording…' },
  loading: 'Looking it up…', queued: 'Waiting for its turn', place: (n) => `Number ${n} in line`,
  submitting: 'Sending to the painter…', storing: 'Saving…', cancelling: 'Cancelling…', completed: 'Ready',
  cancelled: 'Cancelled', failed: 'It did not work', unknown: 'The answer was lost',
  lost: 'The provider may have charged for this. Try again, or drop it.', deleted: 'This generation was deleted.',
  cancel: 'Cancel', retry: 'Try again', drop: 'Drop', download: 'Download', copy: 'Copy the prompt', copied: 'Copied',
  more: 'Show more', less: 'Show less', without: 'Without', enlarge: 'Open large', close: 'Close',
  previous: 'Previous', next: 'Next', progress: 'Progress', notLoaded: 'It could not be loaded.',
  unreachable: 'Kinora cannot be reached right now. Try again in a moment.', refused: 'That was not possible.',
  seed: 'seed', free: 'free', about: 'about', playMoney: 'in play money',
  charged: 'was charged', maybeCharged: 'may have been charged', notCharged: 'not charged',
  seconds: (s) => `${s} s`, minutes: (m, s) => `${m} min ${s} s`
}

const RU = {
  kinds: { image: 'Картинка', video: 'Фильм', audio: 'Звук' },
  working: { image: 'Рисую…', video: 'Снимаю…', audio: 'Записываю…' },
  loading: 'Ищу…', queued: 'Ждёт своей очереди', place: (n) => `В очереди, место ${n}`,
  submitting: 'Отправляю художнику…', storing: 'Сохраняю…', cancelling: 'Отменяю…', completed: 'Готово',
  cancelled: 'Отменено', failed: 'Не получилось', unknown: 'Ответ потерялся',
  lost: 'Провайдер мог списать за это деньги. Попробуйте ещё раз или откажитесь.', deleted: 'Эта работа удалена.',
  cancel: 'Отменить', retry: 'Ещё раз', drop: 'Отказаться', download: 'Скачать', copy: 'Скопировать запрос', copied: 'Скопировано',
  more: 'Показать всё', less: 'Свернуть', without: 'Без', enlarge: 'Открыть крупно', close: 'Закрыть',
  previous: 'Назад', next: 'Вперёд', progress: 'Ход работы', notLoaded: 'Не удалось загрузить.',
  unreachable: 'Kinora сейчас не отвечает. Попробуйте чуть позже.', refused: 'Это не удалось.',
  seed: 'зерно', free: 'бесплатно', about: 'около', playMoney: 'понарошку',
  charged: 'оплачено', maybeCharged: 'возможно, оплачено', notCharged: 'без оплаты',
  seconds: (s) => `${s} с`, minutes: (m, s) => `${m} мин ${s} с`
}

// The language Chainlit's own page uses: the one its configuration forces, else the browser's.
function useWords() {
  const { config } = useConfig()
  const language = config?.ui?.language || navigator.language || 'en'
  return language.toLowerCase().startsWith('ru') ? RU : EN
}

/* ---------------------------------------------------------------- reading a generation */

const FINAL = ['completed', 'failed', 'cancelled']
const SETTLED = [...FINAL, 'unknown']
const STOPPABLE = ['queued', 'submitting', 'in_progress']

const isOpen = (state) => !state.gone && !FINAL.includes(state.generation?.status)
const isLive = (state) => !state.gone && !SETTLED.includes(state.generation?.status)

function askedRatio({ aspect_ratio: ratio, size }) {
  const [, width, height] = /^([\d.]+)\s*[:x×]\s*([\d.]+)$/i.exec(ratio || size || '') || []
  return Number(width) / Number(height) || null
}

// A painter's 1344 x 768 stays in the 16:9 that was reserved for it: nothing jumps by a few pixels.
function ratioOf({ kind, params, assets }) {
  const asked = askedRatio(params)
  const sized = assets.find((asset) => asset.width_px && asset.height_px)
  const real = sized && sized.width_px / sized.height_px
  const ratio = real && !(asked && Math.abs(real / asked - 1) < 0.04) ? real : asked || (kind === 'video' ? 16 / 9 : 1)
  return Math.min(Math.max(ratio, 0.4), 3)
}

function statusText(generation, w) {
  const { status, kind, queue_position: place, progress } = generation
  if (generation.cancel_requested_at && STOPPABLE.includes(status)) return w.cancelling
  if (status === 'queued' && place) return w.place(place)
  if (status !== 'in_progress') return w[status]
  return w.working[kind] + (progress === null ? '' : ` ${Math.round(progress * 100)}%`)
}

function durationText(seconds, w) {
  return seconds < 60 ? w.seconds(seconds) : w.minutes(Math.floor(seconds / 60), seconds % 60)
}

function startedAt({ attempt, created_at: created, submitted_at: submitted }) {
  const start = attempt > 1 ? submitted : created
  return start ? Date.parse(start) : null
}

function tookText(generation, w) {
  const start = startedAt(generation)
  const end = Date.parse(generation.finished_at || '')
  return start && end >= start ? durationText(Math.round((end - start) / 1000), w) : null
}

function costText({ charged, cost_usd: cost, provider, status }, w) {
  const settledWithout = status === 'failed' || status === 'cancelled'
  if (settledWithout && charged === 'no') return w.notCharged
  const usd = cost?.actual ?? cost?.estimated ?? null
  if (usd === 0) return w.free
  const money = usd === null ? null : `$${usd.toFixed(usd < 0.1 ? 4 : 2).replace(/(\.\d\d\d??)0+$/, '$1')}`
  const about = money && cost.actual === null ? `${w.about} ${money}` : money
  if (provider === 'demo') return about && `${about} ${w.playMoney}`
  const certainty = charged === 'maybe' ? w.maybeCharged : settledWithout && w.charged
  return [about, certainty].filter(Boolean).join(', ') || null
}

const humanName = (id) => id.replace(/[-_]+/g, ' ').replace(/^./, (letter) => letter.toUpperCase())

function chipsOf({ model, model_label: label, provider, params }, w) {
  const route = provider === 'demo' ? null : provider
  const { aspect_ratio: ratio, duration_s: seconds, resolution, size, n, seed, style } = params
  const values = [label || humanName(model), route, ratio, seconds && w.seconds(seconds), resolution || size,
    n > 1 && `× ${n}`, style, (seed ?? null) !== null && `${w.seed} ${seed}`]
  return values.filter(Boolean)
}

/* ---------------------------------------------------------------- the hub: one stream for a whole browser */

const QUIET_MS = 10000

// Over HTTP/1.1 a browser has six connections to a host, so its tabs share one stream: the tab looked
// at last holds the lock, opens it and tells the others (a tab in the background may be frozen).
// `v` numbers the states of a generation; one that is not newer is dropped.
function createHub(api) {
  const url = (path) => api.buildEndpoint(path)
  const name = `kinora-events ${new URL(url('/')).origin}`
  const channel = new BroadcastChannel(name)
  const cards = new Map() // id -> { state: { generation, gone }, listeners }
  const due = new Set()
  const tickers = new Set()
  let stream, reopening, flushing, ticking, started, queued
  let patience = 1000
  let skew = 0
  let heardAt = Date.now()

  const idsWhere = (test) => [...cards].filter(([, card]) => test(card.state)).map(([id]) => id)

  const request = (path, options) => fetch(url(path), { credentials: 'include', signal: AbortSignal.timeout(20000), ...options })

  function change(card, state) {
    card.state = state
    card.listeners.forEach((listener) => listener())
  }

  function put(generation) {
    const card = cards.get(generation.id)
    if (!card || card.state.gone || generation.v <= card.state.generation?.v) return
    change(card, { generation, gone: false })
  }

  function hear(text) {
    heardAt = Date.now()
    if (text === 'open') catchUp(idsWhere(isOpen))
    else put(JSON.parse(text))
    if (!navigator.locks) openIfNeeded()
  }

  function catchUp(ids) {
    ids.forEach((id) => due.add(id))
    if (due.size) flushing ??= setTimeout(flush, 50)
  }

  async function flush() {
    const ids = [...due].slice(0, 100)
    ids.forEach((id) => due.delete(id))
    flushing = due.size ? setTimeout(flush, 50) : undefined
    heardAt = Date.now()
    const answer = await request(`/api/generations?ids=${ids.join(',')}&limit=100`).catch(() => null)
    const page = answer?.ok && (await answer.json().catch(() => null))
    if (!page) return // the next pulse asks again
    skew = (Date.parse(answer.headers.get('date')) || Date.now()) - Date.now()
    page.data.forEach(put)
    const found = new Set(page.data.map((generation) => generation.id))
    ids.filter((id) => cards.has(id) && !found.has(id)).forEach((id) => change(cards.get(id), { ...cards.get(id).state, gone: true }))
  }

  function open() {
    if (stream) return
    const source = (stream = new EventSource(url('/api/events'), { withCredentials: true }))
    const tell = (text) => {
      hear(text)
      channel.postMessage(text)
    }
    source.addEventListener('generation', (event) => tell(event.data))
    source.onopen = () => {
      patience = 1000
      tell('open')
    }
    // A broken connection the browser mends by itself; after an HTTP error it gives up.
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED || source !== stream) return
      close()
      reopening = setTimeout(open, patience)
      patience = Math.min(patience * 2, 30000)
    }
  }

  function close() {
    clearTimeout(reopening)
    stream?.close()
    stream = undefined
  }

  function hold() {
    open()
    return new Promise(() => {})
  }

  function lead() {
    navigator.locks.request(name, { steal: true }, hold).catch(follow)
  }

  function follow() {
    close()
    if (queued) return
    queued = true
    const hire = () => {
      queued = false
      return hold()
    }
    navigator.locks.request(name, hire).catch(follow)
  }

  function openIfNeeded() {
    if (!document.hidden && idsWhere(isLive).length) open()
    else close()
  }

  function wake() {
    if (!navigator.locks) openIfNeeded()
    else if (!document.hidden && !stream) lead()
    if (!document.hidden) catchUp(idsWhere(isOpen))
  }

  // A line can be dead without a word, so a long silence is not believed.
  function pulse() {
    if (!document.hidden && Date.now() - heardAt > QUIET_MS) catchUp(idsWhere(isLive))
  }

  function start() {
    if (started) return
    started = true
    channel.onmessage = (event) => hear(event.data)
    document.addEventListener('visibilitychange', wake)
    addEventListener('online', wake)
    setInterval(pulse, QUIET_MS / 4)
    if (navigator.locks && document.hidden) follow()
    else wake()
  }

  function mount(id, snapshot, listener) {
    const card = cards.get(id) ?? { state: { generation: snapshot, gone: false }, listeners: new Set() }
    cards.set(id, card)
    card.listeners.add(listener)
    start()
    if (isOpen(card.state)) catchUp([id])
    if (!navigator.locks) openIfNeeded()
    return () => {
      card.listeners.delete(listener)
      // Chainlit mounts a card anew when a first message gives the page its address: keep what is known.
      setTimeout(() => card.listeners.size || cards.delete(id), 5000)
    }
  }

  async function act(id, verb) {
    const answer = await request(`/api/generations/${id}/${verb}`, { method: 'POST' })
    const body = await answer.json().catch(() => null)
    if (answer.ok) return body?.id && put(body)
    catchUp([id])
    throw Object.assign(new Error(body?.detail || body?.title || ''), { answered: true })
  }

  function onSecond(listener) {
    tickers.add(listener)
    ticking ??= setInterval(() => tickers.forEach((tick) => tick()), 1000)
    return () => {
      tickers.delete(listener)
      if (!tickers.size) ticking = clearInterval(ticking)
    }
  }

  return { act, mount, onSecond, put, url, now: () => Date.now() + skew, read: (id) => cards.get(id)?.state }
}

function useGeneration(hub, id, snapshot) {
  const first = useMemo(() => ({ generation: snapshot, gone: false }), [id])
  const subscribe = useCallback((listener) => hub.mount(id, snapshot, listener), [hub, id])
  useEffect(() => {
    if (snapshot) hub.put(snapshot)
  }, [hub, snapshot])
  return useSyncExternalStore(subscribe, () => hub.read(id) ?? first)
}

/* ---------------------------------------------------------------- parts */

function Reel() {
  const turn = (degrees) => `rotate(${degrees} 32 32)`
  return (
    <svg className="kn-reel" viewBox="0 0 64 64" aria-hidden="true">
      {Array.from({ length: 12 }, (_, i) => (
        <path key={i} d="M32 23Q32.8 14.8 46 9.6" transform={turn(i * 30)} opacity={i ? 0.18 + 0.05 * i : 1} />
      ))}
      <circle cx="32" cy="32" r="4" />
    </svg>
  )
}

function Timecode({ hub, generation }) {
  const start = startedAt(generation)
  const read = () => Math.max(0, Math.floor((hub.now() - start) / 1000))
  const seconds = useSyncExternalStore(hub.onSecond, read)
  if (start === null) return null
  return (
    <span className="kn-timecode" aria-hidden="true">
      {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, '0')}
    </span>
  )
}

function ProgressBar({ generation, w }) {
  const { status, progress } = generation
  if (status === 'queued') return null
  const known = status === 'in_progress' && progress !== null
  const values = known ? { 'aria-valuenow': Math.round(progress * 100), 'aria-valuemin': 0, 'aria-valuemax': 100 } : {}
  return (
    <div className="kn-progress" role="progressbar" aria-label={w.progress} data-unknown={!known} {...values}>
      <span style={{ transform: known ? `scaleX(${progress})` : undefined }} />
    </div>
  )
}

function Stage({ hub, generation, w }) {
  const source = generation.inputs?.find((input) => input.role !== 'mask')
  const live = !SETTLED.includes(generation.status)
  return (
    <div className="kn-stage" data-status={generation.status}>
      {source && <img className="kn-under" src={hub.url(`/media/${source.asset_id}?w=512`)} alt="" />}
      <Reel />
      {live && <Timecode hub={hub} generation={generation} />}
      {live && <ProgressBar generation={generation} w={w} />}
    </div>
  )
}

// The address is kept from the first paint on: an update must never load or restart what is playing.
const Film = memo(
  function Film({ hub, asset, label }) {
    const poster = asset.thumbnail_url ? hub.url(asset.thumbnail_url) : undefined
    return (
      <video className="kn-film" src={hub.url(asset.url)} poster={poster} aria-label={label} controls playsInline loop preload="metadata" />
    )
  },
  (before, after) => before.asset.id === after.asset.id
)

function Shot({ hub, asset, label, onOpen, onSettled, w }) {
  const [state, setState] = useState('loading')
  const settle = (next) => {
    setState(next)
    onSettled()
  }
  if (state === 'lost') {
    return <div className="kn-lost">{w.notLoaded}<Button icon={RotateCcw} onClick={() => setState('loading')}>{w.retry}</Button></div>
  }
  return (
    <button type="button" className="kn-shot" onClick={onOpen} title={w.enlarge} aria-label={`${w.enlarge}: ${label}`}>
      <img src={hub.url(asset.url)} alt={label} width={asset.width_px} height={asset.height_px} loading="lazy" decoding="async"
        data-state={state} onLoad={() => settle('shown')} onError={() => settle('lost')} />
    </button>
  )
}

function Medium({ hub, asset, label, w, ...rest }) {
  if (asset.media_type.startsWith('video/')) return <Film hub={hub} asset={asset} label={label} />
  if (asset.media_type.startsWith('audio/')) return <audio className="kn-sound" src={hub.url(asset.url)} controls preload="metadata" />
  return <Shot hub={hub} asset={asset} label={label} w={w} {...rest} />
}

function Lightbox({ hub, generation, label, index, onIndex, onClose, w }) {
  const dialog = useRef(null)
  const { assets, handle } = generation
  const asset = assets[index]
  const step = (by) => onIndex((index + by + assets.length) % assets.length)
  const keys = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => onIndex(0), End: () => onIndex(assets.length - 1) }
  const onKeyDown = (event) => {
    event.stopPropagation()
    if (!keys[event.key]) return
    event.preventDefault()
    keys[event.key]()
  }
  useEffect(() => dialog.current.showModal(), [])
  const facts = [handle, assets.length > 1 && `${index + 1} / ${assets.length}`, asset.width_px && `${asset.width_px} × ${asset.height_px}`]
  return (
    <dialog ref={dialog} className="kn-lightbox" aria-label={label} onClose={onClose} onKeyDown={onKeyDown}
      onClick={(event) => event.target.tagName !== 'IMG' && !event.target.closest('.kn-bar, button') && dialog.current.close()}>
      <div className="kn-light"><img key={asset.id} src={hub.url(asset.url)} alt={label} /></div>
      <div className="kn-bar">
        <span className="kn-facts" aria-live="polite">{facts.filter(Boolean).join('  ·  ')}</span>
        {assets.length > 1 && <IconButton icon={ChevronLeft} label={w.previous} onClick={() => step(-1)} />}
        {assets.length > 1 && <IconButton icon={ChevronRight} label={w.next} onClick={() => step(1)} />}
        <DownloadLink hub={hub} asset={asset} className="kn-icon" w={w} />
        <IconButton icon={X} label={w.close} onClick={() => dialog.current.close()} />
      </div>
    </dialog>
  )
}

function Button({ icon: Icon, children, strong, ...rest }) {
  return (
    <button type="button" className="kn-button" data-strong={Boolean(strong)} {...rest}>
      <Icon aria-hidden="true" />
      {children}
    </button>
  )
}

function IconButton({ icon: Icon, label, ...rest }) {
  return (
    <button type="button" className="kn-icon" title={label} aria-label={label} {...rest}>
      <Icon aria-hidden="true" />
    </button>
  )
}

function DownloadLink({ hub, asset, className, children, w }) {
  const href = hub.url(`${asset.url}${asset.url.includes('?') ? '&' : '?'}download=1`)
  return (
    <a className={className} href={href} download title={w.download} aria-label={w.download}>
      <Download aria-hidden="true" />
      {children}
    </a>
  )
}

function Actions({ hub, generation, run, busy, w }) {
  const { status, assets, error } = generation
  const cancellable = STOPPABLE.includes(status) && !generation.cancel_requested_at
  const retryable = status === 'cancelled' || status === 'unknown' || (status === 'failed' && error?.retryable !== false)
  return (
    <div className="kn-actions">
      {cancellable && <Button icon={X} onClick={() => run('cancel')} disabled={busy}>{w.cancel}</Button>}
      {retryable && <Button icon={RotateCcw} onClick={() => run('retry')} disabled={busy} strong>{w.retry}</Button>}
      {status === 'unknown' && <Button icon={X} onClick={() => run('cancel')} disabled={busy}>{w.drop}</Button>}
      {status === 'completed' && assets.length === 1 && (
        <DownloadLink hub={hub} asset={assets[0]} className="kn-button" w={w}>{w.download}</DownloadLink>
      )}
    </div>
  )
}

function CopyButton({ text, w }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return undefined
    const timer = setTimeout(() => setCopied(false), 1500)
    return () => clearTimeout(timer)
  }, [copied])
  if (!navigator.clipboard) return null // an insecure page has none
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true), () => {})
  return <IconButton icon={copied ? Check : Copy} label={copied ? w.copied : w.copy} onClick={copy} />
}

function Prompt({ generation, w }) {
  const text = useRef(null)
  const [open, setOpen] = useState(false)
  const [long, setLong] = useState(false)
  const { prompt, params } = generation
  useLayoutEffect(() => {
    const node = text.current
    setLong(node.scrollHeight > node.clientHeight + 2)
  }, [prompt])
  return (
    <div className="kn-prompt">
      <div className="kn-prompt-text">
        <p ref={text} data-open={open}>
          {prompt}
          {params.negative_prompt && <span className="kn-quiet"> {w.without}: {params.negative_prompt}</span>}
        </p>
        {long && <button type="button" className="kn-more" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? w.less : w.more}</button>}
      </div>
      <CopyButton text={prompt} w={w} />
    </div>
  )
}

function Troubles({ generation, problem, w }) {
  const { status, error, notes } = generation
  const trouble = status === 'failed' && error?.message
  return (
    <>
      {trouble && <p className="kn-trouble"><AlertCircle aria-hidden="true" />{trouble}</p>}
      {status === 'unknown' && <p className="kn-note"><Info aria-hidden="true" />{w.lost}</p>}
      {problem && <p className="kn-trouble" role="alert"><AlertCircle aria-hidden="true" />{problem}</p>}
      {notes?.map((note, index) => <p className="kn-note" key={index}><Info aria-hidden="true" />{note}</p>)}
    </>
  )
}

function Chips({ generation, w }) {
  const cost = costText(generation, w)
  return (
    <div className="kn-chips">
      <ul>{chipsOf(generation, w).map((chip, index) => <li key={index}>{chip}</li>)}</ul>
      {cost && <span className="kn-cost">{cost}</span>}
    </div>
  )
}

function useAction(hub, id, w) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState(null)
  const run = async (verb) => {
    setBusy(true)
    setProblem(null)
    await hub.act(id, verb).catch((error) => setProblem(error.answered ? error.message || w.refused : w.unreachable))
    setBusy(false)
  }
  return { busy, problem, run }
}

/* ---------------------------------------------------------------- the card */

// How many cells, in how many columns, and the ratio of one cell and of them all.
function shapeOf(generation) {
  const count = generation.assets.length || generation.params.n || 1
  const columns = count === 1 ? 1 : count === 2 || count === 4 ? 2 : 3
  const cell = ratioOf(generation)
  return { count, columns, cell, whole: (cell * columns) / Math.ceil(count / columns) }
}

function Frame({ hub, generation, shape, label, onOpen, w }) {
  const [lit, setLit] = useState(false)
  const { assets, kind, status } = generation
  const folded = SETTLED.includes(status) && !assets.length
  const waiting = assets.length ? kind === 'image' && !lit : !folded
  return (
    <div className="kn-fold" data-folded={folded} style={{ '--kn-cell': shape.cell, '--kn-columns': shape.columns }}>
      <div className="kn-frame">
        {waiting && <Stage hub={hub} generation={generation} w={w} />}
        {!assets.length && Array.from({ length: shape.count }, (_, index) => <div className="kn-cell" key={index} />)}
        {assets.map((asset, index) => (
          <div className="kn-cell" key={asset.id}>
            <Medium hub={hub} asset={asset} label={label} onOpen={() => onOpen(index)} onSettled={() => setLit(true)} w={w} />
            {assets.length > 1 && <DownloadLink hub={hub} asset={asset} className="kn-corner" w={w} />}
          </div>
        ))}
      </div>
    </div>
  )
}

function Living({ hub, generation, w }) {
  const [shown, setShown] = useState(null)
  const { busy, problem, run } = useAction(hub, generation.id, w)
  const { handle, kind, status, prompt } = generation
  const label = prompt.slice(0, 300)
  const name = `${w.kinds[kind]}${handle ? ` ${handle}` : ''}`
  const shape = shapeOf(generation)
  const took = SETTLED.includes(status) && tookText(generation, w)
  return (
    <article className="kn-card" aria-label={name} aria-busy={!SETTLED.includes(status)} style={{ '--kn-shape': shape.whole }}
      data-generation={generation.id} data-status={status} data-kind={kind}>
      <Frame hub={hub} generation={generation} shape={shape} label={label} onOpen={setShown} w={w} />
      <div className="kn-body">
        <div className="kn-head">
          {handle && <span className="kn-handle">{handle}</span>}
          <span className="kn-status">{statusText(generation, w)}{' '}{took && <span className="kn-quiet">· {took}</span>}</span>
          <Actions hub={hub} generation={generation} run={run} busy={busy} w={w} />
        </div>
        <Troubles generation={generation} problem={problem} w={w} />
        <Prompt generation={generation} w={w} />
        <Chips generation={generation} w={w} />
      </div>
      <span className="kn-spoken" role="status">{`${name}: ${statusText({ ...generation, progress: null }, w)}`}</span>
      {shown !== null && (
        <Lightbox hub={hub} generation={generation} label={label} index={shown} onIndex={setShown} onClose={() => setShown(null)} w={w} />
      )}
    </article>
  )
}

const Card = (globalThis.__kinoraCard_v1 ??= function Card({ id, snapshot, api }) {
  const hub = (globalThis.__kinoraHub_v1 ??= createHub(api))
  const { generation, gone } = useGeneration(hub, id, snapshot)
  const w = useWords()
  if (gone) return <article className="kn-card kn-plain" data-generation={id} data-status="deleted">{w.deleted}</article>
  if (!generation) return <article className="kn-card kn-plain" data-generation={id} aria-busy="true">{w.loading}</article>
  return <Living hub={hub} generation={generation} w={w} />
})

export default <Card id={props.generation_id} snapshot={props.snapshot ?? null} api={apiClient} />
