"""Where the old systems kept a file, and what its address tells about it.

Whether an address may be asked at all is for the guarded client to say: here it is only a text that
is an address of the web or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from importing.drafts import Kind
from importing.reading.values import is_missing

URL_CHARS_MAX = 4_000
DATA_CHARS_MAX = 30 * 1024 * 1024
_WEB = re.compile(r"https?://[^/?#\s]+(?P<path>/[^?#]*)?(?:[?#].*)?", re.IGNORECASE)
_DATA = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?:;[^,]{0,200})?,", re.IGNORECASE)
_WEB_FORM = (_WEB.fullmatch, URL_CHARS_MAX)
_MEDIA_TYPE = re.compile(r"(image|video|audio)/[\w.+-]{1,60}", re.IGNORECASE | re.ASCII)
_MEDIA_TYPES = {
    **dict.fromkeys(("jpg", "jpeg", "jfif"), "image/jpeg"),
    **{word: f"image/{word}" for word in ("png", "webp", "gif", "avif", "bmp", "heic", "tiff")},
    **dict.fromkeys(("mp4", "m4v"), "video/mp4"),
    "webm": "video/webm",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "avi": "video/x-msvideo",
    "mp3": "audio/mpeg",
    **{word: f"audio/{word}" for word in ("wav", "flac", "aac")},
    **dict.fromkeys(("ogg", "oga", "opus"), "audio/ogg"),
    "m4a": "audio/mp4",
    "weba": "audio/webm",
}
_USUAL: dict[Kind, str] = {"image": "image/png", "video": "video/mp4", "audio": "audio/mpeg"}
#: Containers of films that also hold sound alone.
_SOUND_TOO = {"video/mp4": "audio/mp4", "video/webm": "audio/webm"}
_KINDS: dict[str, Kind] = {
    "image": "image",
    "video": "video",
    **dict.fromkeys(("audio", "voiceover", "sound_effect", "music"), "audio"),
}
#: Types that are no media of ours.
OTHER_TYPES = ("text", "other")


def usable_url(value: Any) -> str | None:
    """The address with everything in it (a query may be a signature); None: there is no file to be
    had from it.
    """
    if not isinstance(value, str):
        return None
    url = value.strip()
    form, chars_max = (_DATA.match, DATA_CHARS_MAX) if is_data(url) else _WEB_FORM
    return url if len(url) <= chars_max and url.isprintable() and form(url) else None


def is_data(url: str) -> bool:
    """Whether the bytes are in the address itself."""
    return url[:5].lower() == "data:"


def first_url(values: Iterable[Any]) -> tuple[str | None, bool]:
    """The first usable address, and whether any was given at all."""
    was_given = False
    for value in values:
        if is_missing(value):
            continue
        was_given = was_given or isinstance(value, str)
        url = usable_url(value)
        if url is not None:
            return url, True
    return None, was_given


def type_by_url(url: str | None) -> str | None:
    """The media type that a `data:` address says, or the suffix of another one."""
    if url is None:
        return None
    if is_data(url):
        said = _DATA.match(url)
        return media_type(said["type"]) if said else None
    path = _WEB.fullmatch(url)
    suffix = (path["path"] or "").rpartition("/")[2].rpartition(".")[2] if path else ""
    return _MEDIA_TYPES.get(suffix.lower())


def media_type(value: Any) -> str | None:
    """A media type of ours, in lower case and without its parameters."""
    if not isinstance(value, str):
        return None
    found = _MEDIA_TYPE.fullmatch(value[:100].partition(";")[0].strip())
    return found[0].lower() if found else None


def type_of(url: str, kind: Kind, said: Any = None) -> str:
    """The best guess: what was said, the suffix, what is usual for its kind."""
    guess = media_type(said) or type_by_url(url) or _USUAL[kind]
    return _SOUND_TOO.get(guess, guess) if kind == "audio" else guess


def kind_of_type(media_type: str | None) -> Kind | None:
    """Picture, film or sound."""
    return _KINDS.get(media_type.partition("/")[0]) if media_type else None


def kind_of_word(value: Any) -> Kind | None:
    """What the old systems called it; a media type will do."""
    if not isinstance(value, str):
        return None
    word = value[:100].strip().lower().replace("-", "_").partition("/")[0]
    return _KINDS.get(word)
