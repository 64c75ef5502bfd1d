"""When a job is looked at: how often, and how late its end is seen.

The product is polls x mean delay / duration: looking at a fixed interval gives 0.5, however long
the interval, so whatever is less was learnt. Fifty of each kind are made first and say nothing;
those after them are counted, by the provider's own book: when each was done, when that was first
seen, and how often it was asked.

    .venv/bin/python -m bench.polls [--count 150] [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import AsyncIterator, Sequence
from typing import Any

from bench.generations_place import open_place, run_apart
from bench.report import Figure, keeping

GOAL = 0.2
#: By how much durations differ (standard deviation, in percent), and for which the goal is.
SPREADS = (0, 2, 10, 20)
GOAL_SPREAD = 10
ROUND = 50


async def measure(counted: int) -> AsyncIterator[Figure]:
    """One process makes all kinds side by side, one of each a second; rounds are of fifty."""
    async with open_place(seed=7) as place:
        settings = place.settings(place.fresh_database())
        models = ",".join(f"paced-{spread}" for spread in SPREADS)
        await run_apart("bench.generations_ours", settings, "paced", counted + ROUND, models)
        book = sorted(await place.light.book(), key=lambda job: float(job["came_at"]))
    for spread in SPREADS:
        jobs = [job for job in book if job["endpoint"] == f"s5-p{spread}"][ROUND:]
        rounds = [jobs[at : at + ROUND] for at in range(0, len(jobs), ROUND)]
        name = f"5 s, spread {spread} %"
        goal = GOAL if spread == GOAL_SPREAD else None
        what, products = f"{name}: polls x delay / duration", [product(one) for one in rounds]
        yield Figure(name=what, unit="", rounds=products, goal=goal)
        yield Figure(name=f"{name}: polls", unit="", rounds=[polls(one) for one in rounds])
        delays = [delay_s(one) * 1000 for one in rounds]
        yield Figure(name=f"{name}: mean delay", unit="ms", rounds=delays)


def polls(jobs: Sequence[dict[str, Any]]) -> float:
    """How often a job was asked after, the one included that found it done."""
    return statistics.mean(float(job["polls"]) for job in jobs)


def delay_s(jobs: Sequence[dict[str, Any]]) -> float:
    """How long a job was done before anybody saw it."""
    return statistics.mean(float(job["seen_at"] - job["done_at"]) for job in jobs)


def product(jobs: Sequence[dict[str, Any]]) -> float:
    """Polls x mean delay / duration."""
    duration_s = statistics.mean(float(job["done_at"] - job["came_at"]) for job in jobs)
    return polls(jobs) * delay_s(jobs) / duration_s


async def collected(counted: int) -> list[Figure]:
    """All figures."""
    return [figure async for figure in measure(counted)]


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="polls and delays of jobs like those before")
    parser.add_argument("--count", type=int, default=150, help="jobs that are counted, per spread")
    parser.add_argument("--quick", action="store_true", help="fifty of them")
    options = parser.parse_args()
    with keeping("polls") as figures:
        figures += asyncio.run(collected(ROUND if options.quick else options.count))


if __name__ == "__main__":
    main()
