"""One row of an old system, from its JSON to something that can be stored, whatever it holds.

Reading takes time and memory in proportion to the row, and never fails: what cannot be read is
`Broken`, and says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from db.old_databases import ROW_BYTES_MAX, TooLong
from db.thread_rows import storable

#: Lists and objects within each other; what an old system wrote has a dozen.
DEPTH_MAX = 100
#: Values in one row: each takes a hundred times the memory that it takes in JSON, at worst.
VALUES_MAX = 400_000
_INTEGER_DIGITS_MAX = 40
_EXCERPT_CHARS = 120
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
#: A NUL, or half a surrogate pair, which the other half may follow.
_ODD = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
#: Names of a column that holds whole objects of an API.
_WRAPPERS = ("data", "object", "payload", "json", "body", "raw")
#: A row that has one of these of its own is no wrapper; the object within has one, or a type.
_OF_A_FILE = ("url", "download_url", "prompt", "image_generation", "video_generation")


@dataclass(frozen=True, slots=True)
class Row:
    """What stood there, storable."""

    values: dict[str, Any]
    #: What was odd: `bad_encoding`, `duplicate_keys`, `not_a_number`, `huge_number`.
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """No row: `reason` is one of too_long, too_deep, too_many_values, bad_json, no_object."""

    reason: str
    #: A sentence.
    detail: str
    #: Its first characters, printable.
    excerpt: str


def read_row(data: bytes | TooLong) -> Row | Broken:
    """Read one JSON object."""
    if isinstance(data, TooLong) or len(data) > ROW_BYTES_MAX:
        head, size = (
            (data.head, data.size_bytes) if isinstance(data, TooLong) else (data, len(data))
        )
        return _broken("too_long", f"it has {size} bytes, {ROW_BYTES_MAX} are read", head)
    if len(data) > VALUES_MAX and _has_too_many(data):
        return _broken("too_many_values", f"it has more than {VALUES_MAX} values", data)
    reading = _Reading()
    try:
        value = reading.parse(data)
    except RecursionError:
        return _broken("too_deep", f"it is nested deeper than {DEPTH_MAX} levels", data)
    except ValueError as error:
        return _broken("bad_json", f"it is no JSON: {error}", data)
    if not isinstance(value, dict):
        return _broken("no_object", "it is JSON, but no object", data)
    # So few of them cannot be nested so deep.
    if data.count(b"[") + data.count(b"{") > DEPTH_MAX and _is_deep(value):
        return _broken("too_deep", f"it is nested deeper than {DEPTH_MAX} levels", data)
    if reading.may_be_unstorable:
        value = storable(value)
    return Row(_unwrapped(value), tuple(reading.remarks))


class _OddError(Exception):
    """Something in a row is worth a remark."""


def _plain_integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS_MAX:
        raise _OddError
    return int(digits)


def _plain_float(digits: str) -> float:
    number = float(digits)
    if abs(number) == float("inf"):
        raise _OddError
    return number


def _plain_constant(_: str) -> None:
    raise _OddError


def _plain_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise _OddError
    return values


#: For nearly all rows: made once. Not strict: bare line breaks and other control characters in a
#: text are no harm.
_DECODER = json.JSONDecoder(
    strict=False,
    parse_int=_plain_integer,
    parse_float=_plain_float,
    parse_constant=_plain_constant,
    object_pairs_hook=_plain_object,
)


@dataclass(slots=True)
class _Reading:
    """Notes what is odd while it parses."""

    remarks: dict[str, None] = field(default_factory=dict)
    may_be_unstorable: bool = False

    def parse(self, data: bytes) -> Any:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("utf-8", "replace")
            self.remarks["bad_encoding"] = None
        # No other way leads to a NUL or half a surrogate pair in a text.
        self.may_be_unstorable = "\0" in text or ("\\u" in text and bool(_ODD.search(text)))
        text = text.removeprefix("\ufeff")
        try:
            return _DECODER.decode(text)
        except _OddError:
            return json.loads(
                text,
                strict=False,
                parse_int=self._integer,
                parse_float=self._float,
                parse_constant=self._constant,
                object_pairs_hook=self._object,
            )

    def _integer(self, digits: str) -> int | None:
        if len(digits.removeprefix("-")) <= _INTEGER_DIGITS_MAX:
            return int(digits)
        self.remarks["huge_number"] = None
        return None

    def _float(self, digits: str) -> float | None:
        number = float(digits)
        if abs(number) != float("inf"):
            return number
        self.remarks["huge_number"] = None
        return None

    def _constant(self, _: str) -> None:
        self.remarks["not_a_number"] = None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Of several with one name the last counts, as everywhere."""
        values = dict(pairs)
        if len(values) < len(pairs):
            self.remarks["duplicate_keys"] = None
        return values


def _has_too_many(data: bytes) -> bool:
    """Whether it would become more than `VALUES_MAX` values, told without parsing it."""
    if _separators(data) <= VALUES_MAX:
        return False
    # They may stand in a text.
    count = end = 0
    for string in _STRING.finditer(data):
        count += 1 + _separators(data, end, string.start())
        end = string.end()
        if count > VALUES_MAX:
            return True
    return count + _separators(data, end) > VALUES_MAX


def _separators(data: bytes, begin: int = 0, end: int | None = None) -> int:
    """One for each value but the first, at least."""
    return sum(data.count(mark, begin, end) for mark in (b",", b"[", b"{"))


def _is_deep(value: dict[str, Any]) -> bool:
    """Whether it is nested beyond `DEPTH_MAX`; level by level, as it may be nested very deep."""
    level: list[Any] = [value]
    for _ in range(DEPTH_MAX):
        level = [item for one in level for item in _items(one) if isinstance(item, dict | list)]
        if not level:
            return False
    return True


def _items(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _unwrapped(values: dict[str, Any]) -> dict[str, Any]:
    """The object of an API that a row keeps in a single column, with what stands beside it."""
    held = [name for name in _WRAPPERS if isinstance(values.get(name), dict)]
    if len(held) != 1 or any(name in values for name in _OF_A_FILE):
        return values
    inner: dict[str, Any] = values[held[0]]
    if len(values) > 1 and not any(name in inner for name in ("type", *_OF_A_FILE)):
        return values
    beside = {name: value for name, value in values.items() if name != held[0]}
    return {**beside, **inner}


def _broken(reason: str, detail: str, data: bytes) -> Broken:
    """`detail` and the excerpt are for a report: one line each, of sensible length."""
    head = data[: _EXCERPT_CHARS * 4].decode("utf-8", "replace")
    printable = "".join(char if char.isprintable() else "\ufffd" for char in head[:_EXCERPT_CHARS])
    return Broken(reason, " ".join(detail.split())[:300], printable)
