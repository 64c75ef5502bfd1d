// Which conversation is whose. Chainlit's Copilot keeps one thread for all people of a browser, in the
// storage of the page that it stands in; here each user of that page has their own.
const THEIRS = 'chainlit-copilot-thread-id'
const OURS = 'kinora-widget-threads'
const USERS_MAX = 50

const drawer = (server, user) => `${server} ${user}`

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key))
  } catch {
    return null
  }
}

// This user's, if there is one. What is in the Copilot's own drawer is somebody's of before.
export function threadOf(server, user) {
  localStorage.removeItem(THEIRS)
  return read(OURS)?.[drawer(server, user)]
}

export function keepThread(server, user) {
  const thread = read(THEIRS)
  const { [drawer(server, user)]: old, ...others } = read(OURS) ?? {}
  if (!thread || thread === old) return
  const kept = Object.entries(others).slice(1 - USERS_MAX)
  localStorage.setItem(OURS, JSON.stringify({ ...Object.fromEntries(kept), [drawer(server, user)]: thread }))
}

// After it is gone: nobody else finds it.
export function leaveThread(server, user) {
  keepThread(server, user)
  localStorage.removeItem(THEIRS)
}
