// What a generation says: its statuses in plain words, its shape, its time and its money. Pure.
import { words as w } from './words.js'

const FINAL = ['completed', 'failed', 'cancelled']
const SETTLED = [...FINAL, 'unknown']
const STOPPABLE = ['queued', 'submitting', 'in_progress']

// Who painted it before it was brought here; nothing of theirs goes on, and nothing can be asked of them.
const OLD_SYSTEMS = { superduper: 'SuperDuperAI', chatbot: 'Super Chatbot' }
export const originOf = ({ provider }) => OLD_SYSTEMS[provider] ?? null
// It was still being made over there when it was brought here.
export const wasLeftOpen = (generation) => Boolean(originOf(generation)) && !SETTLED.includes(generation.status)
export const hasLostFile = (generation) => Boolean(originOf(generation)) && generation.status === 'completed' && !generation.assets.length

// `state` is what the hub knows: { generation, gone }.
export const isOpen = (state) => !state.gone && !FINAL.includes(state.generation?.status)
export const isLive = (state) => !state.gone && !(state.generation && isSettled(state.generation))

// Nothing more comes of it by itself.
export const isSettled = (generation) => SETTLED.includes(generation.status) || wasLeftOpen(generation)
export const canCancel = (generation) => STOPPABLE.includes(generation.status) && !generation.cancel_requested_at && !wasLeftOpen(generation)
export const canRetry = ({ status, error, provider }) =>
  !OLD_SYSTEMS[provider] && (status === 'cancelled' || status === 'unknown' || (status === 'failed' && error?.retryable !== false))

// Its handle is that of its own conversation; in another one the same #3 is something else.
export const seenIn = (threadId, generation) =>
  threadId && generation?.thread_id !== threadId ? generation && { ...generation, handle: null } : generation

/* ---------- shape ---------- */

function askedRatio({ aspect_ratio: ratio, size }) {
  const [, width, height] = /^([\d.]+)\s*[:x×]\s*([\d.]+)$/i.exec(ratio || size || '') || []
  return Number(width) / Number(height) || null
}

// A painter's 1344 x 768 stays in the 16:9 that was reserved for it: nothing jumps by a few pixels.
function ratioOf({ kind, params, assets }) {
  if (kind === 'audio') return 6 // nothing but the bar to play it with
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

// What it has come to, in a word or two.
function endText(generation) {
  if (wasLeftOpen(generation)) return w.leftOpen
  return hasLostFile(generation) ? w.lostFile : w[generation.status]
}

export function statusText(generation) {
  const { status, kind, queue_position: place, progress } = generation
  if (isSettled(generation)) return endText(generation)
  if (generation.cancel_requested_at && STOPPABLE.includes(status)) return w.cancelling
  if (status === 'queued' && place) return w.place(place)
  if (status !== 'in_progress') return w[status]
  return w.working[kind] + (progress === null ? '' : ` ${Math.round(progress * 100)}%`)
}

// For those who listen: that it waits, that it has begun, how it ended; not each step between.
export function spokenText(generation) {
  const { status, kind } = generation
  const said = isSettled(generation) ? endText(generation) : status === 'queued' ? w.queued : w.working[kind]
  const why = status === 'failed' ? ` ${troubleText(generation)} ${turnText(generation)}`.trimEnd() : ''
  return `${nameOf(generation)}: ${said}${why}`
}

const TURNS = { content_policy: 'you', invalid_request: 'you', auth: 'owner', out_of_credit: 'owner' }

// Of what went wrong in an old system only its own sentence tells; and nobody can try it again.
export function troubleText(generation) {
  const { code, message } = generation.error ?? {}
  return originOf(generation) ? w.note(message ?? '') : w.reasons?.[code] ?? message ?? ''
}
export const turnText = (generation) => (originOf(generation) ? '' : w.turns[TURNS[generation.error?.code] ?? 'nobody'])

/* ---------- time and money ---------- */

function durationText(seconds) {
  return seconds < 60 ? w.seconds(seconds) : w.minutes(Math.floor(seconds / 60), seconds % 60)
}

export function startedAt({ attempt, created_at: created, submitted_at: submitted }) {
  const start = attempt > 1 ? submitted : created
  return start ? Date.parse(start) : null
}

export function tookText(generation) {
  if (originOf(generation)) return null // what is known is one moment
  const start = startedAt(generation)
  const end = Date.parse(generation.finished_at || '')
  return start && end >= start ? durationText(Math.round((end - start) / 1000)) : null
}

export function costText({ charged, cost_usd: cost, provider, status }) {
  if (OLD_SYSTEMS[provider]) return null
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

// Old systems have a path before the name: google-cloud/veo2.
const humanName = (id) => id.split('/').pop().replace(/[-_]+/g, ' ').trim().replace(/^./, (letter) => letter.toUpperCase())

export function chipsOf({ kind, model, model_label: label, provider, params }) {
  const imported = Boolean(OLD_SYSTEMS[provider])
  const route = provider === 'demo' || imported ? null : provider
  const name = imported && model === 'unknown' ? null : w.models[model] ?? label ?? humanName(model)
  const { aspect_ratio: ratio, duration_s: seconds, resolution, size, n, seed, style } = params
  // Old forms asked for a length even where a picture was made, and for a ratio of sounds.
  const length = seconds && kind !== 'image' && w.seconds(seconds)
  const values = [name, route, kind !== 'audio' && ratio, length, resolution || size,
    n > 1 && `× ${n}`, imported && style ? humanName(style) : style, (seed ?? null) !== null && `${w.seed} ${seed}`]
  return values.filter(Boolean)
}
