// On a phone Chainlit's list of chats goes away again by itself, as soon as it is filled, when it is opened
// for the first time after a chat began; whoever opened it wants to see it.
const WATCHED_MS = 2000
const PHONE = matchMedia('(max-width: 767px)')
const isOpen = () => Boolean(document.querySelector('[data-mobile=true][data-state=open]'))

let watching
const rest = () => clearInterval(watching)

function watch() {
  const until = performance.now() + WATCHED_MS
  let seen = false
  watching = setInterval(() => {
    if (seen && !isOpen()) document.querySelector('#header #sidebar-trigger-button')?.click()
    if ((seen && !isOpen()) || performance.now() > until) rest()
    seen ||= isOpen()
  }, 50)
}

export function keepSidebarOpen() {
  // What a person does closes it rightly.
  for (const deed of ['pointerdown', 'keydown']) addEventListener(deed, rest, true)
  addEventListener('click', ({ isTrusted, target }) => {
    if (isTrusted && PHONE.matches && target.closest?.('#header #sidebar-trigger-button')) watch()
  }, true)
}
