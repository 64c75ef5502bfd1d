"""How figures are shown and kept: a table for people, JSON under `results/` for comparing.

A figure is the median of its rounds. Beside it stands what was measured in the same rounds, and
their ratio, round by round: the ratio holds on other machines, the seconds do not. Each run says
how busy the machine was with other things, since nobody measures on an idle one.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
LOOK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that was measured, a value for each round."""

    name: str
    unit: str
    rounds: Sequence[float]
    #: It should be at most so much; None where nothing was promised.
    goal: float | None = None
    #: The name of the figure of the same rounds that it is compared with.
    beside: str | None = None

    @property
    def median(self) -> float:
        """The middle round."""
        return statistics.median(self.rounds)

    def ratio_to(self, other: Figure) -> float:
        """How many times the other, by the median of the rounds' ratios."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return statistics.median(own / its for own, its in pairs)


@contextmanager
def keeping(name: str) -> Iterator[list[Figure]]:
    """Yield the list to put figures into; they are shown and written down in the end."""
    before = conditions()
    figures: list[Figure] = []
    yield figures
    after = conditions()
    for line in table(name, figures):
        print(line)
    for when, seen in (("before", before), ("after", after)):
        print(f"  machine {when}: {describe(seen)}")
    print(flush=True)
    known = {figure.name: figure for figure in figures}
    facts = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "before": before, "after": after},
        "figures": [
            asdict(figure)
            | {"median": figure.median}
            | ({"ratio": figure.ratio_to(known[figure.beside])} if figure.beside else {})
            for figure in figures
        ],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n")


def table(name: str, figures: Sequence[Figure]) -> Iterator[str]:
    """The lines that a person reads; what something is compared with stands below it."""
    known = {figure.name: figure for figure in figures}
    wide = max(len(figure.name) for figure in figures)
    yield f"{name:{wide}}  {'median':>9}      {'goal':14}{'ratio to below':>15}  rounds"
    for figure in figures:
        goal = ratio = ""
        if figure.goal is not None:
            met = "met" if figure.median <= figure.goal else "MISSED"
            goal = f"<= {figure.goal:g} {met}"
        if figure.beside is not None:
            ratio = f"{figure.ratio_to(known[figure.beside]):.2f}"
        value = f"{shown(figure.median):>9} {figure.unit:3}"
        rounds = " ".join(shown(one) for one in figure.rounds)
        yield f"{figure.name:{wide}}  {value}  {goal:14}{ratio:>15}  {rounds}"


def shown(value: float) -> str:
    """A number as precise as it deserves."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def machine() -> dict[str, object]:
    """What kind of machine this is."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.system(),
        "architecture": platform.machine(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
    }


def conditions() -> dict[str, float]:
    """How busy the machine is while we do nothing: load average, and the share of its cores."""
    busy, all_ = cpu_ticks()
    time.sleep(LOOK_S)
    busy_then, all_then = cpu_ticks()
    return {
        "load_1min": round(os.getloadavg()[0], 2),
        "busy_share": round((busy_then - busy) / max(1, all_then - all_), 2),
    }


def describe(seen: dict[str, float]) -> str:
    """The conditions in words."""
    return f"load {seen['load_1min']:.2f}, cores {seen['busy_share']:.0%} busy with other things"


def cpu_ticks() -> tuple[int, int]:
    """Busy ticks and all ticks of all cores since the machine started."""
    first, *_ = Path("/proc/stat").read_text("ascii").splitlines()
    ticks = [int(field) for field in first.split()[1:9]]
    idle, waiting = ticks[3], ticks[4]
    return sum(ticks) - idle - waiting, sum(ticks)
