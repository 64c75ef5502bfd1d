// A conversation grows after its messages stand: its cards come one after the other. Chainlit then keeps
// the newest in sight, but only looks when a message changes or the window; so it is told.
const growth = new ResizeObserver(() => dispatchEvent(new Event('resize')))
let watched

export function followGrowth() {
  const content = document.querySelector('[data-step-type]')?.parentElement
  if (content === watched) return
  growth.disconnect()
  watched = content
  if (content) growth.observe(content)
}
