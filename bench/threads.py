"""How long the data layer takes: lists, opened threads, searches and written steps of a person with
200, 2,000 and 20,000 conversations of ten steps.

Each is asked of our layer and of a query written by hand through the same pool, in turn, and now
and then of Chainlit's own SQLAlchemy layer, whose tables stand in the same Postgres with the same
content. What ours and the hand query bring is compared first: it must be equal.

    .venv/bin/python -m bench.threads [--sizes 200 2000 20000] [--rounds 15] [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench.place import AS_A_PERSON, workplace
from bench.report import Figure, keeping
from bench.thread_rows import fill
from db.embedded import EmbeddedPostgres
from db.migrate import migrate
from settings import child_environment

SIZES = (200, 2_000, 20_000)
QUICK_SIZES, QUICK_ROUNDS = (200, 2_000), 7
HAND_GOAL, STOCK_LIST_GOAL_PERCENT = 1.3, 5


def measure(sizes: list[int], rounds: int) -> Iterator[Figure]:
    """Let a process of its own measure each size, in a database of its own."""
    with workplace() as folder:
        for name in ("data", "chainlit"):
            (folder / name).mkdir(mode=0o711)
        server = EmbeddedPostgres(folder / "data")
        address = server.enter()
        try:
            for size in sizes:
                url = make_database(address, f"threads_{size}")
                fill(url, size)
                for name, took in asyncio.run(measure_apart(folder, url, size, rounds)).items():
                    yield from figures_of(f"{size} threads, {name}", took)
        finally:
            server.leave()


def make_database(address: str, name: str) -> str:
    """A migrated database of this name; returns its address."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    url = address.replace("/kinora?", f"/{name}?")
    migrate(url)
    return url


async def measure_apart(
    folder: Path, url: str, size: int, rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Have `bench.thread_rounds` measure: what Chainlit writes at its import goes to the folder."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.thread_rounds", url, str(size), str(rounds)),
        env=child_environment() | AS_A_PERSON | {"CHAINLIT_APP_ROOT": str(folder / "chainlit")},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{size} threads could not be measured")
    measured: dict[str, Any] = json.loads(said.splitlines()[-1])
    return measured


def figures_of(name: str, took: dict[str, list[float]]) -> Iterator[Figure]:
    """Milliseconds a call, and ratios, round by round; the CPU is that of the asking process."""
    hand = f"{name}: by hand"
    yield Figure(name=f"{name}: ours", unit="ms", rounds=took["ours"], beside=hand)
    yield Figure(name=hand, unit="ms", rounds=took["hand"])
    yield ratio(f"{name}: ours / by hand", took["ours"], took["hand"], HAND_GOAL)
    yield ratio(f"{name}: ours / by hand, CPU", took["ours CPU"], took["hand CPU"])
    yield Figure(name=f"{name}: stock", unit="ms", rounds=took["stock"])
    share = ratio(f"{name}: ours / stock", took["ours"], took["stock"])
    yield replace(
        share,
        unit="%",
        rounds=[one * 100 for one in share.rounds],
        goal=STOCK_LIST_GOAL_PERCENT if "list" in name else None,
    )


def ratio(name: str, own: list[float], its: list[float], goal: float | None = None) -> Figure:
    """How many times the other, for each round both had."""
    pairs = zip(own, its, strict=False)
    return Figure(name=name, unit="x", rounds=[one / other for one, other in pairs], goal=goal)


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="lists, threads, searches and writes of the chat")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="THREADS")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="200 and 2,000 threads, few rounds")
    options = parser.parse_args()
    sizes, rounds = options.sizes, options.rounds
    if options.quick:
        sizes, rounds = QUICK_SIZES, QUICK_ROUNDS
    with keeping("threads") as figures:
        figures += measure(list(sizes), rounds)


if __name__ == "__main__":
    main()
