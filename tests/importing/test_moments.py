"""Moments: every spelling of the old systems is one moment, and none is out of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importing.reading.moments import moment

NOW = datetime(2026, 1, 1, tzinfo=UTC)
THEN = datetime(2025, 6, 14, 17, 44, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2025-06-14T17:44:15Z",
        "2025-06-14T17:44:15.000Z",
        " 2025-06-14 17:44:15 ",
        "2025-06-14 17:44:15+00",
        "2025-06-14 23:14:15+05:30",
        "2025-06-14T17:44:15",
        1749923055,
        1749923055.0,
        1749923055000,
        1749923055000000,
        "1749923055",
        "1749923055000",
        THEN.replace(tzinfo=None),
        THEN.astimezone(timezone(timedelta(hours=3))),
    ],
)
def test_all_spellings_are_one_moment(written: Any) -> None:
    assert moment(written, NOW) == THEN


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2025-06-14", datetime(2025, 6, 14, tzinfo=UTC)),
        ("2025-06-14 17:44:15.12", THEN.replace(microsecond=120_000)),
        ("2025-06-14T17:44:15.123456789Z", THEN.replace(microsecond=123_456)),
        ("2000-01-01", datetime(2000, 1, 1, tzinfo=UTC)),
        ("2026-01-02T00:00:00Z", NOW + timedelta(days=1)),
    ],
)
def test_as_exact_as_it_was_written(written: str, read: datetime) -> None:
    assert moment(written, NOW) == read


@pytest.mark.parametrize(
    "written",
    [
        *("infinity", "-infinity", "0044-03-15 00:00:00 BC", "yesterday", "", "12025-01-01"),
        *("1999-12-31T23:59:59Z", "2026-01-02T00:00:01Z", "9999-12-31T23:59:59-10:00"),
        *("0001-01-01T00:00:00+10:00", "2025-02-30", "9" * 400, "\ud800", "2025-06-14\0"),
        *(0, -1, 1e300, -1e300, float("nan"), float("inf"), 10**400, 5, True, None),
        *([], {}, ["2025-06-14"]),
    ],
)
def test_what_no_calendar_has_is_none(written: Any) -> None:
    assert moment(written, NOW) is None


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.datetimes()))
def test_nothing_breaks_the_reading(written: Any) -> None:
    found = moment(written, NOW)
    assert found is None or (found.tzinfo is UTC and found <= NOW + timedelta(days=1))


def test_the_end_is_this_moment_unless_it_is_said() -> None:
    assert moment(datetime.now(UTC).isoformat()) is not None
    assert moment((datetime.now(UTC) + timedelta(days=2)).isoformat()) is None
