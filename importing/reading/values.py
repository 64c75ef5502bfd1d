"""Strangers' values, read with care: what is of another type than it should be is a remark, never
an exception.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from db.thread_rows import storable
from importing.drafts import NotTaken
from importing.reading.moments import moment
from importing.reading.rows import Row, read_row

ID_CHARS_MAX = 200
#: Longer texts of JSON are poison, or carry a picture as a `data:` address.
PLAIN_JSON_CHARS_MAX = 200_000
_WHOLE = re.compile(r"[+-]?\d{1,19}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_WORD_CHARS_MAX = 40
#: A tuple is looked through faster than a union is made.
_ID_TYPES = (str, int, UUID)


def is_missing(value: Any) -> bool:
    """Whether nothing was said: null or an empty text."""
    return value is None or (isinstance(value, str) and not value.strip())


def first(row: Mapping[str, Any], *keys: str) -> Any:
    """The first of these fields that says something."""
    for key in keys:
        value = row.get(key)
        if value is not None and not is_missing(value):
            return value
    return None


def clean(text: str) -> str:
    """The same text as Postgres takes it."""
    try:
        # Far faster than looking for what is hardly ever there.
        text.encode()
    except UnicodeEncodeError:
        return str(storable(text))
    return str(storable(text)) if "\0" in text else text


def read_id(value: Any) -> str | None:
    """An id as it stands in the ledger's names; None: it has no sane form.

    The two systems need not spell a UUID alike, and it is to be one name.
    """
    if isinstance(value, bool) or not isinstance(value, _ID_TYPES):
        return None
    if isinstance(value, int) and abs(value) >= 10**18:
        # Python refuses to spell the longest numbers.
        return None
    text = str(value).strip()
    if not 0 < len(text) <= ID_CHARS_MAX or not text.isprintable():
        return None
    return text.lower() if len(text) == 36 and _UUID.fullmatch(text) else text


def identity(row: Mapping[str, Any], *keys: str) -> str | NotTaken:
    """The id of a row."""
    value = first(row, *keys)
    if value is None:
        return NotTaken(reason="no_id", detail=f"It has no {' or '.join(keys)}.")
    found = read_id(value)
    if found is None:
        return NotTaken(reason="broken_id", detail=f"Its id cannot be one: {shown(value)}")
    return found


def other_id(row: Mapping[str, Any], remarks: list[str], *keys: str) -> str | None:
    """The id of something else that a row names."""
    value = first(row, *keys)
    if value is None:
        return None
    found = read_id(value)
    if found is None:
        remarks.append(f"unreadable: {keys[0]}")
    return found


def shown(value: Any) -> str:
    """The beginning of a value, for a remark: one line, printable."""
    if isinstance(value, Mapping | list | tuple):
        return "an object" if isinstance(value, Mapping) else "a list"
    if isinstance(value, int) and abs(value) >= 10**18:
        return "a large number"
    text = str(value)[: _WORD_CHARS_MAX + 1]
    line = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return line if len(line) <= _WORD_CHARS_MAX else line[:_WORD_CHARS_MAX] + "\u2026"


def short_text(
    value: Any, field: str, remarks: list[str], chars_max: int = ID_CHARS_MAX
) -> str | None:
    """A text of one line, or None."""
    if is_missing(value):
        return None
    if isinstance(value, str) and len(value) <= chars_max:
        return " ".join(clean(value).split())
    remarks.append(f"unreadable: {field}")
    return None


def whole_number(value: Any, low: int, high: int) -> int | None:
    """A whole number in these bounds, also as a text or a float; None: it is none."""
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if _WHOLE.fullmatch(text) else None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) and value == int(value) else None
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if low <= value <= high else None


def positive_number(value: Any, high: float) -> float | None:
    """A number above zero, also as a text; None: it is none."""
    if isinstance(value, str) and len(value) <= _WORD_CHARS_MAX:
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # NaN is not above zero either.
    return float(value) if 0 < value <= high else None


def mapping(value: Any) -> Mapping[str, Any]:
    """The object; what is none is an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> Sequence[Any]:
    """The list; what is none is an empty one."""
    return value if isinstance(value, list | tuple) else ()


def parsed(text: str) -> Any:
    """What a text of JSON says; None also when it is none, or too much."""
    if len(text) > PLAIN_JSON_CHARS_MAX:
        # As careful about memory as with a row.
        row = read_row(text.encode("utf-8", "replace"))
        return row.values if isinstance(row, Row) else None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def opened(value: Any) -> Any:
    """An object or list, also where it was stored as a text of JSON once more."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        return parsed(value)
    return value


def date(
    row: Mapping[str, Any], now: datetime | None, remarks: list[str], *keys: str
) -> datetime | None:
    """When it was made, if the row says so."""
    value = first(row, *keys)
    found = moment(value, now)
    if found is None and value is not None:
        remarks.append("date_out_of_range")
    return found


def unique(names: Iterable[str | None]) -> tuple[str, ...]:
    """In their order, each once."""
    return tuple(dict.fromkeys(name for name in names if name))
