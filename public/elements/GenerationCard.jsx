// The element that Chainlit knows. Chainlit fetches and compiles this file for every card in a page, and
// evaluates it again at every render; so it only opens the door to the card itself (../card/card.js),
// once. What it keeps stands on globalThis, and it exports an element, not a function: a new function
// would be a new component, its state lost, its film starting over.
import { useConfig } from '@chainlit/react-client'
import * as icons from 'lucide-react'
import * as React from 'react'

const Door = (globalThis.__kinoraCard ??= open())

function open() {
  globalThis.__kinoraReact = { React, useConfig, icons }
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

export default <Door id={props.generation_id} snapshot={props.snapshot ?? null} api={apiClient} />
