"""Moving in: `manage.py import` on two old systems of 100,000 files, 20,000 chats with 20 messages,
50,000 media rows and 10,000 documents; and once more, when there is nothing to do.

Beside it stands what Postgres alone needs for the same rows. On two cores the old databases, the
new one and the command share them, as they would on a small machine.

    .venv/bin/python -m bench.imports [--rounds 1] [--quick]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bench.imports_bare import copy_bare
from bench.imports_place import Ran, Size, open_place
from bench.report import Figure, keeping

FULL = Size(files=100_000, media=50_000, documents=10_000, chats=20_000)
QUICK_PART = 20
#: 2,000 rows a second.
ROW_GOAL_MS, PEAK_GOAL_MIB = 0.5, 200
UNITS = {
    "first run": "min",
    "Postgres alone, COPY": "min",
    "second run": "min",
    "rows in the old systems": "",
    "rows a second": "/s",
    "a row": "ms",
    "CPU of a row, Python": "ms",
    "CPU of a row, Postgres": "ms",
    "rows a second, second run": "/s",
    "peak memory": "MiB",
    "peak memory, second run": "MiB",
    "rows not read": "",
    "rows with no fate, or two": "",
    "things made by the second run": "",
}
BESIDE = {"first run": "Postgres alone, COPY", "second run": "first run"}
GOALS = {
    "a row": ROW_GOAL_MS,
    "peak memory": PEAK_GOAL_MIB,
    "peak memory, second run": PEAK_GOAL_MIB,
    "rows not read": 0,
    "rows with no fate, or two": 0,
    "things made by the second run": 0,
}


def measure(size: Size, rounds: int) -> Iterator[Figure]:
    """Fill, move, move again, copy: round by round, each in a Postgres of its own."""
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, value in one_round(size).items():
            took[name].append(value)
    for name, unit in UNITS.items():
        yield Figure(
            name=name,
            unit=unit,
            rounds=took[name],
            goal=GOALS.get(name),
            beside=BESIDE.get(name),
        )


def one_round(size: Size) -> dict[str, float]:
    """All figures, once."""
    with open_place(size) as place:
        first, again = place.bring(), place.bring()
        bare_s = copy_bare(place.database_url, place.folder)
    rows = place.rows
    return {
        "first run": first.took_s / 60,
        "Postgres alone, COPY": bare_s / 60,
        "second run": again.took_s / 60,
        "rows in the old systems": rows,
        "rows a second": rows / first.took_s,
        "a row": first.took_s * 1000 / rows,
        "CPU of a row, Python": first.cpu_s * 1000 / rows,
        "CPU of a row, Postgres": first.postgres_cpu_s * 1000 / rows,
        "rows a second, second run": rows / again.took_s,
        "peak memory": first.peak_mib,
        "peak memory, second run": again.peak_mib,
        "rows not read": abs(rows - first.report["rows_read"]),
        "rows with no fate, or two": strays(first) + strays(again),
        "things made by the second run": sum(again.report["made"].values()),
    }


def strays(ran: Ran) -> int:
    """By how many the counts of a report's tables miss the rows that were read."""
    tables: list[dict[str, Any]] = list(ran.report["tables"].values())
    return sum(
        abs(
            table["read"]
            - sum(table[fate] for fate in ("taken", "merged", "unchanged"))
            - sum(table["left_out"].values())
            - sum(table["not_taken"].values())
        )
        for table in tables
    )


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="moving in from two old systems")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the rows")
    options = parser.parse_args()
    size = FULL.part(QUICK_PART) if options.quick else FULL
    with keeping("imports") as figures:
        figures += measure(size, options.rounds)


if __name__ == "__main__":
    main()
