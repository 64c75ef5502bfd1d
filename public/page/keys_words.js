// The words of the dialog for API keys.
const EN = {
  language: 'en',
  title: 'API keys',
  about: 'A key lets your own programs make pictures and films in your name. Whoever has it can do what you can.',
  none: 'No keys yet.',
  name: 'What is it for?',
  example: 'for example: my script',
  may: 'It may',
  scopes: {
    generate: 'start, cancel and delete',
    read: 'look and download',
    widget: 'log in guests of a widget',
    admin: 'operate this installation'
  },
  make: 'Make a key',
  once: 'Copy it now: it is shown this once.',
  copy: 'Copy',
  copied: 'Copied',
  never: 'never used',
  used: (day) => `used ${day}`,
  made: (day) => `made ${day}`,
  revoke: 'Revoke',
  sure: 'Really? Programs that use it stop working.',
  keep: 'Keep',
  revoked: 'The key is revoked.',
  close: 'Close',
  tick: 'Tick what it may do.',
  refused: {
    401: 'You are logged out.',
    404: 'There is no such key any more.',
    409: 'There are as many keys as there may be. Revoke one first.'
  },
  failed: 'That did not work; try again in a moment.'
}
const RU = {
  language: 'ru',
  title: 'Ключи API',
  about: 'С ключом ваши программы делают картинки и фильмы от вашего имени. У кого он есть, тот может всё, что вы.',
  none: 'Ключей пока нет.',
  name: 'Для чего он?',
  example: 'например: мой скрипт',
  may: 'Ему можно',
  scopes: {
    generate: 'запускать, отменять и удалять',
    read: 'смотреть и скачивать',
    widget: 'впускать гостей виджета',
    admin: 'управлять этой установкой'
  },
  make: 'Создать ключ',
  once: 'Скопируйте сейчас: ключ показывается только один раз.',
  copy: 'Копировать',
  copied: 'Скопировано',
  never: 'не использовался',
  used: (day) => `использован ${day}`,
  made: (day) => `создан ${day}`,
  revoke: 'Отозвать',
  sure: 'Точно? Программы с этим ключом перестанут работать.',
  keep: 'Оставить',
  revoked: 'Ключ отозван.',
  close: 'Закрыть',
  tick: 'Отметьте, что ему можно.',
  refused: {
    401: 'Вы вышли из учётной записи.',
    404: 'Такого ключа уже нет.',
    409: 'Больше ключей создать нельзя. Сначала отзовите один из них.'
  },
  failed: 'Не получилось; попробуйте чуть позже.'
}

export const words = (navigator.language || 'en').toLowerCase().startsWith('ru') ? RU : EN
