// The element that Chainlit knows. Chainlit fetches and compiles this file for every card in a page, and
// evaluates it again at every render; so it only opens the door to the card itself (../card/card.js),
// once. What it keeps stands on globalThis, and it exports an element, not a function: a new function
// would be a new component, its state lost, its film starting over. Icons are taken by their names: the
// whole set would be copied at every evaluation.
import { AlertCircle, Check, ChevronLeft, ChevronRight, Copy, Download, Info, RotateCcw, X } from 'lucide-react'
import React from 'react'

const Door = (globalThis.__kinoraCard ??= open())

function open() {
  const icons = { AlertCircle, Check, ChevronLeft, ChevronRight, Copy, Download, Info, RotateCcw, X }
  globalThis.__kinoraReact = { React, icons }
  const load = new Function('address', 'return import(address)') // the compiler knows no import()
  const Card = React.lazy(async () => {
    const { Card } = await load(apiClient.buildEndpoint('/public/card/card.js'))
    return { default: Card }
  })
  const empty = <article className="kn-card kn-plain" aria-busy="true" />
  return function Door(card) {
    return <React.Suspense fallback={empty}><Card {...card} /></React.Suspense>
  }
}

export default <Door id={props.generation_id} snapshot={props.snapshot ?? null} threadId={props.thread_id} api={apiClient} />
