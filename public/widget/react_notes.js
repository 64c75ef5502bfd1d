// The sockets that Chainlit's Copilot holds. It gives nobody a way to close them and leaves them open when
// it is unmounted; but each of its callbacks depends on them, and React notes that with its components.
// Should those notes ever look different, none is found, and a socket stays until the page is left.
export function socketsOf(container) {
  const key = Object.keys(container ?? {}).find((name) => name.startsWith('__reactContainer$'))
  const found = new Set()
  const waiting = [container?.[key]?.stateNode?.current]
  while (waiting.length) {
    const fibre = waiting.pop()
    if (!fibre) continue
    waiting.push(fibre.child, fibre.sibling)
    for (let hook = fibre.memoizedState; hook?.next !== undefined && hook !== null; hook = hook.next) noteSockets(hook.memoizedState, found)
  }
  return [...found]
}

// A hook with dependencies keeps [value, dependencies].
function noteSockets(kept, found) {
  if (!Array.isArray(kept) || !Array.isArray(kept[1])) return
  for (const one of kept[1]) if (typeof one?.disconnect === 'function' && one.io) found.add(one)
}
