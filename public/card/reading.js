// What a generation says: its statuses in plain words, its shape, its time and its money. Pure.
import { words as w } from './words.js'

const FINAL = ['completed', 'failed', 'cancelled']
const SETTLED = [...FINAL, 'unknown']
const STOPPABLE = ['queued', 'submitting', 'in_progress']

// `state` is what the hub knows: { generation, gone }.
export const isOpen = (state) => !state.gone && !FINAL.includes(state.generation?.status)
export const isLive = (state) => !state.gone && !SETTLED.includes(state.generation?.status)

export const isSettled = ({ status }) => SETTLED.includes(status)
export const canCancel = ({ status, cancel_requested_at: asked }) => STOPPABLE.includes(status) && !asked
export const canRetry = ({ status, error }) =>
  status === 'cancelled' || status === 'unknown' || (status === 'failed' && error?.retryable !== false)

/* ---------- shape ---------- */

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

// How many cells, in how many columns, and the ratio of one cell and of them all.
export function shapeOf(generation) {
  const count = generation.assets.length || generation.params.n || 1
  const columns = count === 1 ? 1 : count === 2 || count === 4 ? 2 : 3
  const cell = ratioOf(generation)
  return { count, columns, cell, whole: (cell * columns) / Math.ceil(count / columns) }
}

/* ---------- status ---------- */

export const nameOf = ({ kind, handle }) => `${w.kinds[kind]}${handle ? ` ${handle}` : ''}`

export function statusText(generation) {
  const { status, kind, queue_position: place, progress } = generation
  if (generation.cancel_requested_at && STOPPABLE.includes(status)) return w.cancelling
  if (status === 'queued' && place) return w.place(place)
  if (status !== 'in_progress') return w[status]
  return w.working[kind] + (progress === null ? '' : ` ${Math.round(progress * 100)}%`)
}

// For those who listen: that it waits, that it has begun, how it ended; not each step between.
export function spokenText(generation) {
  const { status, kind } = generation
  const said = isSettled(generation) || status === 'queued' ? w[status] : w.working[kind]
  const why = status === 'failed' ? ` ${troubleText(generation)} ${turnText(generation)}` : ''
  return `${nameOf(generation)}: ${said}${why}`
}

const TURNS = { content_policy: 'you', invalid_request: 'you', auth: 'owner', out_of_credit: 'owner' }

export const troubleText = ({ error }) => w.reasons?.[error?.code] ?? error?.message ?? ''
export const turnText = ({ error }) => w.turns[TURNS[error?.code] ?? 'nobody']

/* ---------- time and money ---------- */

function durationText(seconds) {
  return seconds < 60 ? w.seconds(seconds) : w.minutes(Math.floor(seconds / 60), seconds % 60)
}

export function startedAt({ attempt, created_at: created, submitted_at: submitted }) {
  const start = attempt > 1 ? submitted : created
  return start ? Date.parse(start) : null
}

export function tookText(generation) {
  const start = startedAt(generation)
  const end = Date.parse(generation.finished_at || '')
  return start && end >= start ? durationText(Math.round((end - start) / 1000)) : null
}

export function costText({ charged, cost_usd: cost, provider, status }) {
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

/* ---------- what it was made with ---------- */

const humanName = (id) => id.replace(/[-_]+/g, ' ').replace(/^./, (letter) => letter.toUpperCase())

export function chipsOf({ model, model_label: label, provider, params }) {
  const route = provider === 'demo' ? null : provider
  const { aspect_ratio: ratio, duration_s: seconds, resolution, size, n, seed, style } = params
  const values = [w.models[model] ?? label ?? humanName(model), route, ratio, seconds && w.seconds(seconds), resolution || size,
    n > 1 && `× ${n}`, style, (seed ?? null) !== null && `${w.seed} ${seed}`]
  return values.filter(Boolean)
}
