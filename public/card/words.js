// The card's own words, in the person's language where we speak it. Chainlit's own way to ask for the
// language is ten hooks deep, and a conversation may have hundreds of cards.

// The server speaks of times in UTC; a person's clock shows its own.
function localTime(_, hours, minutes) {
  const moment = new Date()
  moment.setUTCHours(hours, minutes, 0, 0)
  return moment.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
}
const onThisClock = (text) => text.replace(/\b(\d\d):(\d\d) UTC/g, localTime)

const EN = {
  language: 'en',
  models: {},
  kinds: { image: 'Picture', video: 'Film', audio: 'Sound' },
  working: { image: 'Painting…', video: 'Filming…', audio: 'Recording…' },
  queued: 'Waiting for its turn',
  place: (n) => `Number ${n} in line`,
  submitting: 'Sending to the painter…',
  storing: 'Saving…',
  cancelling: 'Cancelling…',
  completed: 'Ready',
  cancelled: 'Cancelled',
  failed: 'It did not work',
  unknown: 'The answer was lost',
  loading: 'Looking it up…',
  deleted: 'This generation was deleted.',
  imported: (system) => `Imported from ${system}`,
  leftOpen: 'Left unfinished',
  nothingFollows: 'It was still in progress in the old system when it was brought here. Nothing follows.',
  lostFile: 'Its file is missing',
  lostBefore: 'The old system had no file of it any more when it was brought here.',
  lost: 'The provider may have charged for this. Try again, or drop it.',
  turns: {
    you: 'It is your turn: say it in another way.',
    owner: 'Whoever runs this Kinora has to mend this: the key or the credit at the provider.',
    nobody: 'It is not your doing. A later try may well succeed.'
  },
  reasons: null, // the server's sentence says it
  note: onThisClock,
  cancel: 'Cancel',
  retry: 'Try again',
  drop: 'Drop',
  delete: 'Delete',
  download: 'Download',
  downloadOne: (n) => `Download number ${n}`,
  copy: 'Copy the prompt',
  copied: 'Copied',
  more: 'Show more',
  less: 'Show less',
  without: 'Without',
  enlarge: 'Open large',
  close: 'Close',
  previous: 'Previous',
  next: 'Next',
  progress: 'Progress',
  notLoaded: 'It could not be loaded.',
  unreachable: 'Kinora cannot be reached right now. Try again in a moment.',
  refused: 'That was not possible.',
  seed: 'seed',
  free: 'free',
  about: 'about',
  playMoney: 'in play money',
  charged: 'was charged',
  maybeCharged: 'may have been charged',
  notCharged: 'not charged',
  seconds: (s) => `${s} s`,
  minutes: (m, s) => `${m} min ${s} s`
}

const RU = {
  language: 'ru',
  models: {
    'demo-image': 'Демо-картинка',
    'demo-image-quick': 'Демо-картинка, маленькая',
    'demo-video': 'Демо-фильм',
    'demo-video-quick': 'Демо-фильм, маленький'
  },
  kinds: { image: 'Картинка', video: 'Фильм', audio: 'Звук' },
  working: { image: 'Рисую…', video: 'Снимаю…', audio: 'Записываю…' },
  queued: 'Ждёт своей очереди',
  place: (n) => `В очереди, место ${n}`,
  submitting: 'Отправляю художнику…',
  storing: 'Сохраняю…',
  cancelling: 'Отменяю…',
  completed: 'Готово',
  cancelled: 'Отменено',
  failed: 'Не получилось',
  unknown: 'Ответ потерялся',
  loading: 'Ищу…',
  deleted: 'Эта работа удалена.',
  imported: (system) => `Перенесено из ${system}`,
  leftOpen: 'Осталось незаконченным',
  nothingFollows: 'Когда это переносили сюда, в прежней системе работа ещё шла. Продолжения не будет.',
  lostFile: 'Файла нет',
  lostBefore: 'Когда это переносили сюда, файла в прежней системе уже не было.',
  lost: 'Провайдер мог списать за это деньги. Попробуйте ещё раз или откажитесь.',
  turns: {
    you: 'Слово за вами: опишите иначе.',
    owner: 'Исправить это может владелец этой Kinora: дело в ключе или счёте у провайдера.',
    nobody: 'Вы тут ни при чём. Позже может получиться.'
  },
  reasons: {
    content_policy: 'Провайдер не стал делать это из-за содержания.',
    invalid_request: 'Такого эта модель не может.',
    auth: 'Провайдер не принял ключ.',
    out_of_credit: 'На счету у провайдера кончились деньги.',
    rate_limited: 'У провайдера сейчас слишком много заказов.',
    unavailable: 'Провайдер не отвечает.',
    provider_error: 'У провайдера что-то сломалось.',
    timeout: 'Работа не успела к сроку.',
    expired: 'Провайдер уже удалил результат.',
    submit_unknown: 'Ответ провайдера потерялся; деньги могли быть списаны.',
    blocked_url: 'Результат лежит там, откуда брать его нельзя.',
    wrong_type: 'Пришло не то, что было заказано.',
    internal: 'Ошиблась сама Kinora.'
  },
  note: (text) => onThisClock(NOTES_RU.reduce((said, [pattern, words]) => said.replace(pattern, words), text)),
  cancel: 'Отменить',
  retry: 'Ещё раз',
  drop: 'Отказаться',
  delete: 'Удалить',
  download: 'Скачать',
  downloadOne: (n) => `Скачать: ${n}`,
  copy: 'Скопировать запрос',
  copied: 'Скопировано',
  more: 'Показать всё',
  less: 'Свернуть',
  without: 'Без',
  enlarge: 'Открыть крупно',
  close: 'Закрыть',
  previous: 'Назад',
  next: 'Вперёд',
  progress: 'Ход работы',
  notLoaded: 'Не удалось загрузить.',
  unreachable: 'Kinora сейчас не отвечает. Попробуйте чуть позже.',
  refused: 'Это не удалось.',
  seed: 'зерно',
  free: 'бесплатно',
  about: 'около',
  playMoney: 'понарошку',
  charged: 'оплачено',
  maybeCharged: 'возможно, оплачено',
  notCharged: 'без оплаты',
  seconds: (s) => `${s} с`,
  minutes: (m, s) => `${m} мин ${s} с`
}

// What the server notes on a card, sentence by sentence; the last ones of what comes from an old system.
const NOTES_RU = [
  [/^(\d+) of (\d+) came back\.$/, 'Получилось $1 из $2.'],
  [/^The painter (\S+) takes no more just now\./, 'Художник $1 сейчас больше ничего не берёт.'],
  [/^The account at (\S+) is out of credit; whoever runs Kinora can top it up\./, 'На счету у $1 кончились деньги; пополнить его может владелец этой Kinora.'],
  [/ It is asked again in a moment\.$/, ' Скоро спросим снова.'],
  [/ It is asked again at (\S+) UTC\.$/, ' Снова спросим в $1 UTC.'],
  [/^The answer to the request was lost; waiting for the provider's own word\.$/, 'Ответ на запрос потерялся; ждём вестей от провайдера.'],
  [/^(\S+) at (\S+) is not configured here just now; waiting for it\.$/, '$1 у $2 сейчас здесь не настроена; ждём её.'],
  [/^It had failed in the old system/, 'В прежней системе это не получилось'],
  [/^It was cancelled in the old system/, 'В прежней системе это отменили'],
  [/^Imported without a result: it was still in progress when it was brought over\.$/, 'Перенесено без результата: в прежней системе работа ещё шла.'],
  [/^Its file cannot be had any more from where the old system kept it\.$/, 'Файла больше нет там, где его хранила прежняя система.'],
  [/^The old system called it completed, but kept no file of it\.$/, 'В прежней системе это значилось готовым, но файла там не осталось.'],
  [/^Its file could not be brought over: the old system's address of it is none of the web\.$/, 'Файл не удалось перенести: его адрес в прежней системе не ведёт в сеть.'],
  [/^The old system named a file of it all the same; it was not brought over\.$/, 'В прежней системе у него всё же был файл; он не перенесён.'],
  [/^It was made with (?:a reference picture|(\d+) reference pictures) of the old system, to which the link is not kept\.$/,
    (_, n) => `Сделано по ${n ? `картинкам-образцам (${n})` : 'картинке-образцу'} из прежней системы; связь с ${n ? 'ними' : 'ней'} не сохранилась.`],
  [/^The (negative )?prompt had ([\d,]+) characters in the old system; the first ([\d,]+) are kept\.$/,
    (_, negative, all, kept) => `${negative ? 'Описание нежелательного' : 'Запрос'} в прежней системе: ${all.replace(/,/g, ' ')} знаков; сохранены первые ${kept.replace(/,/g, ' ')}.`]
]

// A page that the widget stands in may have a language of its own.
export const words = (globalThis.__kinoraLanguage || navigator.language || 'en').toLowerCase().startsWith('ru') ? RU : EN
