"""The page about the life of a generation says what the rules say: its diagram, its table, the
chart in the module's docstring and the table of moves are one chart; what it names exists.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from generations import lifecycle
from generations.lifecycle import MOVES, OPEN, SETTLED, Status
from settings import ROOT

PAGE = (ROOT / "docs/lifecycle.md").read_text("utf-8")
DRAWN = re.compile(r"^ +([a-z_]+) --> ([a-z_]+): ([a-z, ]+)$", re.MULTILINE)
LISTED = re.compile(r"^\| `([a-z_]+)` \| `([a-z_]+)` \| ([a-z, ]+) \| (.+?) \| (.+) \|$", re.M)
CHARTED = re.compile(r"^ {4}([a-z_ ]{12,27}?)-- (\w+): .+? -+> ([a-z_]+)$")
GROUPS = {"any open": OPEN, "settled but completed": SETTLED - {Status.COMPLETED}}
#: (from, to) -> who moves it.
Chart = dict[tuple[str, str], set[str]]


def drawn(page: str) -> Chart:
    """The diagram."""
    return {(old, new): set(who.split(", ")) for old, new, who in DRAWN.findall(page)}


def listed(page: str) -> Chart:
    """The table."""
    return {(old, new): set(who.split(", ")) for old, new, who, _, _ in LISTED.findall(page)}


def charted(docstring: str) -> Chart:
    """The chart of the module; a line without a source has that of the line before."""
    found: Chart = {}
    sources: frozenset[Status] = frozenset()
    for line in docstring.splitlines():
        if arrow := CHARTED.match(line):
            if named := arrow[1].strip():
                sources = GROUPS.get(named) or frozenset({Status(named)})
            for source in sources:
                found.setdefault((source.value, arrow[3]), set()).add(arrow[2])
    return found


def moves() -> set[tuple[str, str]]:
    return {(old.value, new.value) for old, news in MOVES.items() for new in news}


def faults(page: str) -> list[str]:
    """Where the page is not the chart, each by its arrow."""
    docstring = charted(lifecycle.__doc__ or "")
    wrong = [
        f"{name}: {old} -> {new}"
        for name, chart in (("diagram", drawn(page)), ("table", listed(page)))
        for old, new in sorted(chart.keys() ^ moves())
    ]
    wrong += [
        f"movers: {old} -> {new}"
        for chart in (drawn(page), listed(page))
        for (old, new), who in chart.items()
        if who != docstring.get((old, new))
    ]
    return wrong


def test_the_page_is_the_chart_of_the_rules() -> None:
    assert set(charted(lifecycle.__doc__ or "")) == moves()
    assert faults(PAGE) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda p: p.replace("    unknown --> failed: sweep\n", ""), "diagram: unknown -> failed"),
        (
            lambda p: p.replace("    completed -->", "    completed --> queued: worker\n    x -->"),
            "diagram: completed -> queued",
        ),
        (lambda p: re.sub(r"\| `storing` \| `failed`.*\n", "", p), "table: storing -> failed"),
        (
            lambda p: p + "\n| `failed` | `storing` | worker | never | `nothing` |\n",
            "table: failed -> storing",
        ),
        (
            lambda p: p.replace("unknown --> failed: sweep", "unknown --> failed: worker"),
            "movers: unknown -> failed",
        ),
    ],
    ids=["a lost line", "a new line", "a lost row", "a new row", "another mover"],
)
def test_a_planted_arrow_is_found(change: Callable[[str], str], fault: str) -> None:
    planted = change(PAGE)
    assert planted != PAGE
    assert fault in faults(planted)


def unknown_names(page: str) -> list[str]:
    """Tests and crash points that the table names and nobody has."""
    tests = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "tests").rglob("*.py")))
    rooms = [path for room in ("generations", "providers") for path in (ROOT / room).rglob("*.py")]
    code = "\n".join(Path(path).read_text("utf-8") for path in rooms)
    named = [name for *_, cell in LISTED.findall(page) for name in re.findall(r"`([^`]+)`", cell)]
    return [
        name
        for name in named
        if not re.search(rf"def {re.escape(name)}\(", tests)
        and f'crash_point("{name}")' not in code
    ]


def test_what_holds_an_arrow_exists() -> None:
    assert unknown_names(PAGE) == []
    gone = PAGE.replace("`submit.intended`", "`submit.imagined`").replace("_is_made_", "_was_made_")
    assert {"submit.imagined", "test_a_picture_was_made_stored_and_paid_for_once"} <= set(
        unknown_names(gone)
    )


def test_every_arrow_has_a_reason_and_somebody_who_holds_it() -> None:
    assert all(when.strip() and "`" in held for *_, when, held in LISTED.findall(PAGE))


def test_the_page_tells_what_the_card_shows_in_each_status() -> None:
    shown = PAGE.split("## What the card shows")[1]
    assert re.findall(r"^\| `([a-z_]+)` \|", shown, re.MULTILINE) == [one.value for one in Status]
