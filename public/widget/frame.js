// The page in a frame of somebody's site before the chat is there: it asks the page around it for a token,
// exchanges that for a login, and makes way for the chat. Where that cannot be it says why.
import { enter, framed, listen, post } from './framed_talk.js'

const PATIENCE_MS = 10000

const EN = {
  alone: 'This page belongs into a frame of another page.',
  noToken: 'The page around this chat has no token for it.',
  refused: 'The chat did not accept the token of this page.',
  away: 'The chat cannot be reached. Try again in a moment.',
  insecure: 'In a frame the chat works only over https.',
  blocked: 'This browser keeps no login for a chat inside another page, so the chat cannot work here.'
}
const RU = {
  alone: 'Эта страница предназначена для фрейма на другой странице.',
  noToken: 'У страницы вокруг этого чата нет пропуска в него.',
  refused: 'Чат не принял пропуск этой страницы.',
  away: 'Чат недоступен. Попробуйте чуть позже.',
  insecure: 'Во фрейме чат работает только по https.',
  blocked: 'Этот браузер не хранит вход в чат внутри другой страницы, поэтому здесь чат работать не может.'
}

const asked = new URLSearchParams(location.search)
const language = asked.get('language') || navigator.language || 'en'
const words = language.toLowerCase().startsWith('ru') ? RU : EN
const origin = asked.get('origin')
const theme = asked.get('theme')
document.documentElement.lang = words === RU ? 'ru' : 'en'
if (theme) document.documentElement.classList.add(theme)

let attempts = 0
let timer

function say(sentence) {
  clearTimeout(timer)
  document.getElementById('said').textContent = sentence
  post('failed', { sentence }, origin ?? '*')
}

// Where the browser keeps our drawers shut, it keeps the cookie out, too.
function hasDrawers() {
  try {
    sessionStorage.setItem('kinora-frame', JSON.stringify({ origin, theme }))
    localStorage.getItem('kinora-frame')
    return true
  } catch {
    return false
  }
}

function ask() {
  post('wants-token', {}, origin ?? '*')
}

// Where this person left off. Chainlit's page keeps its address to itself where it has no list of chats.
async function lastPath() {
  const sent = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ pagination: { first: 1 }, filter: {} }) }
  const answer = await fetch('/project/threads', sent)
  const [last] = answer.ok ? (await answer.json()).data : []
  return last ? `/thread/${last.id}` : '/'
}

async function hear({ kinora, token }, from) {
  if (kinora === 'no-token') say(words.noToken)
  if (kinora !== 'token' || !token || (origin && from !== origin)) return
  clearTimeout(timer)
  try {
    await enter(String(token), from)
    const known = await fetch('/user')
    if (!known.ok) return say(known.status === 401 ? words.blocked : words.away)
    location.replace(await lastPath())
  } catch (error) {
    attempts += 1
    if (error.refused && attempts < 2) return ask()
    say((words === EN && error.detail) || (error.refused ? words.refused : words.away))
  }
}

if (!framed) say(words.alone)
else if (!isSecureContext) say(words.insecure)
else if (!hasDrawers()) say(words.blocked)
else {
  listen(hear)
  ask()
  timer = setTimeout(say, PATIENCE_MS, words.noToken)
}
