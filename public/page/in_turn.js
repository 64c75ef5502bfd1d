// Chainlit's page opens two sessions when it comes to a thread: one of its own, and, a moment later, the
// thread's. Each asks for a cookie before it connects, and the one that connects last closes the other; so
// answers that overtake each other would leave the page empty, its words in another conversation. Here the
// second asks when the first has its answer.
const PATH = '/set-session-cookie'

async function settled(answer) {
  try {
    await (await answer).clone().text()
  } catch {
    // What becomes of the one before is its own affair.
  }
}

export function keepTurns() {
  const { fetch } = window
  let last = Promise.resolve()
  window.fetch = (asked, ...more) => {
    if (new URL(asked.url ?? asked, location.href).pathname !== PATH) return fetch(asked, ...more)
    const answer = last.then(() => fetch(asked, ...more))
    last = settled(answer)
    return answer
  }
}
