// One generation as it stands now: made, being made, or why not. The card knows an id; everything it
// shows comes from our own event stream, so it lives on while Chainlit's socket sleeps.
import * as hub from './hub.js'
import { Lightbox } from './lightbox.js'
import { Frame } from './media.js'
import { Button, DownloadLink, Note, Prompt } from './parts.js'
import { Fragment, h, icons, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from './react.js'
import * as reading from './reading.js'
import { words as w } from './words.js'

function useGeneration(id, snapshot) {
  const first = useMemo(() => ({ generation: snapshot, gone: false }), [id])
  const subscribe = useCallback((listener) => hub.mount(id, snapshot, listener), [id])
  useEffect(() => {
    if (snapshot) hub.put(snapshot)
  }, [snapshot])
  return useSyncExternalStore(subscribe, () => hub.read(id) ?? first)
}

// What a person asks of a generation, and what became of that. A button that was pressed and is gone
// leaves the focus to its card.
function useAction(id, card) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState(null)
  const pressed = useRef(null)
  useEffect(() => {
    if (!pressed.current || pressed.current.isConnected) return
    pressed.current = null
    const focused = card.current.getRootNode().activeElement
    if (!focused || focused === document.body) card.current.focus({ preventScroll: true })
  })
  const run = async (verb, button) => {
    pressed.current = button
    setBusy(true)
    setProblem(null)
    await hub.act(id, verb).catch((error) => setProblem(error.answered ? error.message || w.refused : w.unreachable))
    setBusy(false)
  }
  return { busy, problem, run }
}

// What was left open in an old system can be deleted, and nothing else: nobody hears of anything more.
function Actions({ generation, run, busy }) {
  const { status, assets } = generation
  const does = (verb) => ({ busy, onClick: (button) => run(verb, button) })
  return h('div', { className: 'kn-actions' },
    reading.canCancel(generation) && h(Button, { icon: icons.X, ...does('cancel') }, w.cancel),
    reading.canRetry(generation) && h(Button, { icon: icons.RotateCcw, ...does('retry'), strong: true }, w.retry),
    status === 'unknown' && h(Button, { icon: icons.X, ...does('cancel') }, w.drop),
    reading.wasLeftOpen(generation) && h(Button, { icon: icons.X, ...does('delete') }, w.delete),
    status === 'completed' && assets.length === 1 && h(DownloadLink, { asset: assets[0], className: 'kn-button', label: w.download }, w.download))
}

function Troubles({ generation, problem }) {
  const { status, error, notes } = generation
  const said = reading.troubleText(generation)
  const turn = status === 'failed' && reading.turnText(generation)
  const origin = reading.originOf(generation)
  const lost = reading.wasLeftOpen(generation) ? w.nothingFollows : reading.hasLostFile(generation) && !notes?.length && w.lostBefore
  return h(Fragment, null,
    status === 'failed' && said && h(Note, { className: 'kn-trouble', icon: icons.AlertCircle }, said),
    status === 'failed' && error?.message && !origin && said !== error.message && h('p', { className: 'kn-detail', lang: 'en' }, error.message),
    turn && h(Note, { className: 'kn-note', icon: icons.Info }, turn),
    lost && h(Note, { className: 'kn-note', icon: icons.Info }, lost),
    status === 'unknown' && h(Note, { className: 'kn-note', icon: icons.Info }, w.lost),
    problem && h(Note, { className: 'kn-trouble', icon: icons.AlertCircle, role: 'alert' }, problem),
    notes?.map((note, index) => h(Note, { className: 'kn-note', icon: icons.Info, key: index }, w.note(note))))
}

function Chips({ generation }) {
  const cost = reading.costText(generation)
  const origin = reading.originOf(generation)
  return h('div', { className: 'kn-chips' },
    h('ul', null, reading.chipsOf(generation).map((chip, index) => h('li', { key: index }, chip))),
    origin && h('span', { className: 'kn-cost' }, w.imported(origin)),
    cost && h('span', { className: 'kn-cost' }, cost))
}

function Head({ generation, run, busy }) {
  const took = reading.isSettled(generation) && reading.tookText(generation)
  return h('div', { className: 'kn-head' },
    generation.handle && h('span', { className: 'kn-handle' }, generation.handle),
    h('span', { className: 'kn-status' }, reading.statusText(generation), ' ', took && h('span', { className: 'kn-quiet' }, `· ${took}`)),
    h(Actions, { generation, run, busy }))
}

function Living({ generation }) {
  const card = useRef(null)
  const [shown, setShown] = useState(null)
  const { busy, problem, run } = useAction(generation.id, card)
  const { id, kind, status, prompt } = generation
  const label = prompt.slice(0, 300) || reading.nameOf(generation)
  const shape = reading.shapeOf(generation)
  const about = { 'data-generation': id, 'data-status': status, 'data-kind': kind, 'aria-label': reading.nameOf(generation), lang: w.language }
  return h('article', { ...about, ref: card, tabIndex: -1, className: 'kn-card', style: { '--kn-shape': shape.whole } },
    h(Frame, { generation, shape, label, onOpen: setShown }),
    h('div', { className: 'kn-body' },
      h(Head, { generation, run, busy }),
      h(Troubles, { generation, problem }),
      (prompt || generation.params.negative_prompt) && h(Prompt, { generation }),
      h(Chips, { generation })),
    h('span', { className: 'kn-spoken', role: 'status' }, reading.spokenText(generation)),
    shown !== null && h(Lightbox, { generation, label, index: shown, onIndex: setShown, onClose: () => setShown(null) }))
}

export function Card({ id, snapshot, threadId, api }) {
  hub.connect(api)
  const { generation: known, gone } = useGeneration(id, snapshot)
  const generation = useMemo(() => reading.seenIn(threadId, known), [threadId, known])
  const plain = { className: 'kn-card kn-plain', 'data-generation': id, lang: w.language }
  if (gone) return h('article', { ...plain, 'data-status': 'deleted' }, w.deleted)
  if (!generation) return h('article', { ...plain, 'aria-busy': true }, w.loading)
  return h(Living, { generation })
}
