// The form of the page that shows the widget: mounts it with a pasted token.
const form = document.querySelector('form')
const news = document.getElementById('news')
const { server, token, mode, theme } = form.elements
const served = location.pathname.startsWith('/public/')

function tell(text) {
  news.append(Object.assign(document.createElement('li'), { textContent: text }))
}

function describe() {
  const address = server.value.replace(/\/+$/, '') || 'https://chat.example.com'
  const wanted = JSON.stringify({ user: { id: '42', name: 'Ann' }, origin: location.origin })
  document.getElementById('curl').textContent = `curl ${address}/api/widget/tokens -H "Authorization: Bearer kn_..." -H "Content-Type: application/json" -d '${wanted}'`
}

server.value = new URLSearchParams(location.search).get('server') ?? (served ? location.origin : `${location.protocol}//${location.hostname}:8000`)
document.getElementById('place').textContent = served
  ? 'You opened this page at the chat itself, where the widget is not at home: open it at another origin.'
  : `This page is at ${location.origin}; a token for it is made so:`
server.addEventListener('input', describe)
describe()

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const options = { server: server.value, mode: mode.value, theme: theme.value, opened: true, token: async () => token.value.trim() }
  const stands = await window.Kinora.mount({ ...options, context: { page: document.title, url: location.href } })
  tell(stands ? 'The chat is open.' : 'The chat did not open; the notice at the button says why.')
})

addEventListener('kinora:generation', ({ detail }) => tell(`${detail.kind} ${detail.handle ?? detail.id}: ${detail.status}`))
