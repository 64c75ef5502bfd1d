"""Moments as the old systems and their dumps wrote them: many spellings, one calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

#: Neither system is older.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
#: Clocks differ, and a text without a zone may be ahead of UTC.
AHEAD = timedelta(days=1)
#: From here on a number of seconds would be the year 5138: it counts milliseconds, then
#: microseconds.
_MILLISECONDS_FROM, _MICROSECONDS_FROM = 10**11, 10**14
#: Shorter texts of nothing but digits are dates.
_EPOCH_DIGITS_MIN, _EPOCH_DIGITS_MAX = 9, 16


def moment(value: Any, now: datetime | None = None) -> datetime | None:
    """The aware moment in UTC that is meant; a text without a zone is UTC.

    ISO texts with a T or a space, and seconds, milliseconds or microseconds since 1970 as numbers
    or digits. None: unreadable, before 2000 or more than a day after `now` (this moment).
    """
    try:
        found = _read(value)
        if found is None or found < EARLIEST:
            return None
        return found if found <= (now or datetime.now(UTC)) + AHEAD else None
    except (ValueError, OverflowError, OSError):
        # Of them: no date, no number a clock has, a date that leaves the calendar in UTC.
        return None


def _read(value: Any) -> datetime | None:
    if isinstance(value, str):
        text = value.strip()
        if text.isascii() and text.isdigit() and len(text) >= _EPOCH_DIGITS_MIN:
            return _since_1970(int(text)) if len(text) <= _EPOCH_DIGITS_MAX else None
        return _in_utc(datetime.fromisoformat(text))
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _since_1970(value)
    return None


def _in_utc(read: datetime) -> datetime:
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def _since_1970(count: float) -> datetime:
    if count >= _MICROSECONDS_FROM:
        count = count / 1_000_000
    elif count >= _MILLISECONDS_FROM:
        count = count / 1_000
    return datetime.fromtimestamp(count, UTC)
