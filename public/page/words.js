// The page's language and words. What Chainlit names in its own tooltips is taken from its catalogue,
// in any of its languages; what it has no word for is here, in the languages we speak.
const EN = {
  language: 'en',
  called: {},
  free: 'nothing here costs money',
  paid: 'may cost money',
  title: 'In use',
  chat: 'Chat model',
  painters: 'Painters',
  models: 'Models',
  close: 'Close',
  nothing: 'none',
  noPrice: 'price unknown',
  noCost: 'free',
  units: { image: 'a picture', second: 'a second', megapixel: 'a megapixel' },
  theme: 'Light or dark',
  account: 'Account',
  options: 'Options of this chat',
  down: 'To the newest message',
  sidebar: 'Show or hide the list of chats',
  notices: 'Notices',
  skip: 'To the message field',
  photoFirst: 'The picture is still on its way. Your message goes along with it.',
  photoLost: 'The picture did not arrive, so your message was not sent. Add it again, or send without it.',
  photoKept: 'The picture is added as soon as Kinora is ready.',
  sendLater: 'Not connected yet. Your message goes as soon as Kinora answers.',
  away: {
    database: 'The database is away. Sending works again by itself once it is back.',
    line: 'The connection is lost. It comes back by itself.'
  },
  back: 'Kinora is back.',
  returned: 'Your message was not stored. It is back in the field, to be sent again.',
  wrongKind: 'Only PNG, JPEG, WebP and GIF pictures can be added.',
  tooMany: 'These are too many pictures for one message.',
  tooLarge: (megabytes) => `A picture may have up to ${megabytes} MB.`,
  stopped: 'Stopped.',
  refused: 'the server did not take it',
  cutOff: 'the connection broke off',
  notListed: 'The chats could not be searched: ',
  notCopied: 'Could not copy: '
}
const RU = {
  language: 'ru',
  // What the server calls them.
  called: {
    'built in': 'встроено',
    'Demo chat model': 'Демо-модель чата',
    'Demo painter': 'Демо-художник',
    'Demo picture': 'Демо-картинка',
    'Demo picture, small': 'Демо-картинка, маленькая',
    'Demo film': 'Демо-фильм',
    'Demo film, small': 'Демо-фильм, маленький'
  },
  free: 'здесь всё бесплатно',
  paid: 'может стоить денег',
  title: 'Что работает',
  chat: 'Модель чата',
  painters: 'Художники',
  models: 'Модели',
  close: 'Закрыть',
  nothing: 'нет',
  noPrice: 'цена неизвестна',
  noCost: 'бесплатно',
  units: { image: 'за картинку', second: 'за секунду', megapixel: 'за мегапиксель' },
  theme: 'Светлая или тёмная тема',
  account: 'Учётная запись',
  options: 'Действия с чатом',
  down: 'К последнему сообщению',
  sidebar: 'Показать или скрыть список чатов',
  notices: 'Уведомления',
  skip: 'К полю ввода',
  photoFirst: 'Картинка ещё загружается. Сообщение уйдёт вместе с ней.',
  photoLost: 'Картинка не загрузилась, поэтому сообщение не отправлено. Добавьте её снова или отправьте без неё.',
  photoKept: 'Картинка добавится, как только Kinora будет готова.',
  sendLater: 'Связи пока нет. Сообщение уйдёт, как только Kinora ответит.',
  away: {
    database: 'База данных недоступна. Отправка заработает сама, как только база вернётся.',
    line: 'Связь прервалась. Она восстановится сама.'
  },
  back: 'Kinora снова на связи.',
  returned: 'Сообщение не сохранено. Текст снова в поле ввода, отправьте его ещё раз.',
  wrongKind: 'Добавить можно только картинки PNG, JPEG, WebP и GIF.',
  tooMany: 'Для одного сообщения картинок слишком много.',
  tooLarge: (megabytes) => `Картинка может занимать не больше ${megabytes} МБ.`,
  stopped: 'Остановлено.',
  refused: 'сервер её не принял',
  cutOff: 'связь прервалась',
  notListed: 'Найти чаты не удалось: ',
  notCopied: 'Не удалось скопировать: '
}

const asked = navigator.language || 'en'
export const words = asked.toLowerCase().startsWith('ru') ? RU : EN

export async function get(path) {
  const answer = await fetch(path)
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
  return answer.json()
}

let catalogue

export async function loadCatalogue() {
  catalogue = (await get(`/project/translations?language=${asked}`)).translation
  document.documentElement.lang = spoken()
}

// Chainlit answers in English where it has no file for a language, and does not say so.
function spoken() {
  if (words === RU) return RU.language
  return word('threadHistory.sidebar.timeframes.today') === 'Today' ? EN.language : asked
}

// A word of ours, or of Chainlit's catalogue by its path; undefined before that is there.
export function word(path) {
  return words[path] ?? path.split('.').reduce((branch, key) => branch?.[key], catalogue)
}
