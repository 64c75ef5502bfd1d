"""The chat door's own words, in the languages we speak; every other language gets English."""

from __future__ import annotations

from dataclasses import dataclass

from agent import words


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Everything the door itself says; `{name}` and `{reason}` are filled in where they stand."""

    starters: tuple[tuple[str, str], ...]
    not_taken: str
    failed: str
    not_stored: str
    pictures_gone: str
    answer_not_stored: str
    agent: words.Words


ENGLISH = Texts(
    starters=(
        ("Draw a red fox in the snow", "Draw a red fox in the snow, 16:9"),
        ("A film of the sea at night", "Make a 4 second video of the sea at night, 16:9"),
        ("A poster in portrait", "Draw a rocket over mountains at sunset, 9:16"),
        ("What can you make?", "What can you make?"),
    ),
    not_taken="{name} cannot be used: {reason}",
    failed="Something went wrong on Kinora's side. Your message is kept; please try again.",
    not_stored=(
        "The database cannot be reached just now, so your message was not stored. "
        "Please send it again in a moment."
    ),
    pictures_gone=(
        "The pictures were lost with the connection, so your message was not sent. "
        "Please add them again."
    ),
    answer_not_stored="The database went away: this answer could not be stored.",
    agent=words.ENGLISH,
)
RUSSIAN = Texts(
    starters=(
        ("Нарисуй рыжую лису в снегу", "Нарисуй рыжую лису в снегу, 16:9"),
        ("Фильм: море ночью", "Сделай видео на 4 секунды: море ночью, 16:9"),
        ("Вертикальный плакат", "Нарисуй ракету над горами на закате, 9:16"),
        ("Что ты умеешь?", "Что ты умеешь?"),
    ),
    # The reasons are said in English only, so this one says what would do.
    not_taken="«{name}» использовать нельзя. Подойдёт целая картинка PNG, JPEG, WebP или GIF.",
    failed="У Kinora что-то пошло не так. Сообщение сохранено, попробуйте ещё раз.",
    not_stored=(
        "База данных сейчас недоступна, сообщение не сохранено. Отправьте его ещё раз чуть позже."
    ),
    pictures_gone=(
        "Картинки пропали вместе с соединением, поэтому сообщение не отправлено. "
        "Добавьте их ещё раз."
    ),
    answer_not_stored="База данных пропала: этот ответ не удалось сохранить.",
    agent=words.RUSSIAN,
)


def texts(language: str | None) -> Texts:
    """The words for a language tag such as `ru-RU`."""
    return RUSSIAN if (language or "").lower().startswith("ru") else ENGLISH
