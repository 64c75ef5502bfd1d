// On a phone Chainlit's list of chats goes away again by itself when it is opened for the first time after a
// chat began: as soon as it is filled it leads from / to the chat's own address, and the page is built anew.
// Whoever opened it wants to see it.
const PHONE = matchMedia('(max-width: 767px)')
const OPENER = '#header #sidebar-trigger-button'

let wanted = false
const rest = () => (wanted = false)

// At each change of the page. The page's head has its opener only while the list is closed.
export function reopen() {
  if (!wanted || location.pathname === '/') return
  const opener = document.querySelector(OPENER)
  if (!opener) return
  rest()
  opener.click()
}

export function keepSidebarOpen() {
  // What a person does closes it rightly.
  for (const deed of ['pointerdown', 'keydown']) addEventListener(deed, rest, true)
  addEventListener('click', ({ isTrusted, target }) => {
    wanted = isTrusted && PHONE.matches && location.pathname === '/' && Boolean(target.closest?.(OPENER))
  }, true)
}
