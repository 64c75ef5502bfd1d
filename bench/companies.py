"""All companies against the emulator: what a look costs by each adapter, and a thousand generations
of all of them at once in one process.

A look is at a job that waits, since that is most of them; beside it stand the same requests, with
their JSON read, by plain httpx and by the client that the adapters have. Counted is the CPU of our
process alone; the emulator has one of its own, and its painters set the pace of the thousand.

    .venv/bin/python -m bench.companies [polls mixed] [--count 1000] [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import uvloop

from bench.companies_place import PLAIN, models_text, switched_on
from bench.generations_place import run_apart
from bench.place import workplace
from bench.report import Figure, keeping
from bench.threads import make_database
from db.embedded import EmbeddedPostgres
from tests.demo_process import start_demo

PARTS = ("polls", "mixed")
COUNT, QUICK_COUNT = 1000, 100
DATABASE = "companies"


def settings_in(folder: Path, emulator: str) -> dict[str, str]:
    """The settings of our process, its files in this folder."""
    data_dir = folder / "data"
    data_dir.mkdir(mode=0o711, parents=True)
    models = folder / "models.toml"
    models.write_text(models_text(), encoding="utf-8")
    there = {"DATA_DIR": str(data_dir), "MODELS_FILE": str(models)}
    return {**there, **switched_on(emulator)}


async def polls(folder: Path, count: int) -> AsyncIterator[Figure]:
    """What a look costs."""
    async with start_demo(folder / "emulator") as demo:
        settings = settings_in(folder, demo.url)
        took = await run_apart("bench.companies_ours", settings, "polls", count)
    for name, rounds in took.items():
        beside = f"{name}{PLAIN}: CPU of a look" if f"{name}{PLAIN}" in took else None
        yield Figure(name=f"{name}: CPU of a look", unit="ms", rounds=rounds, beside=beside)


async def mixed(folder: Path, count: int) -> AsyncIterator[Figure]:
    """All at once. Raises: RuntimeError: not all were completed, or one was sent twice."""
    (folder / "postgres").mkdir(mode=0o711, parents=True)
    server = EmbeddedPostgres(folder / "postgres")
    address = await asyncio.to_thread(server.enter)
    try:
        url = await asyncio.to_thread(make_database, address, DATABASE)
        async with start_demo(folder / "emulator") as demo:
            settings = {**settings_in(folder, demo.url), "DATABASE_URL": url}
            took = await run_apart("bench.companies_ours", settings, "mixed", count)
    finally:
        await asyncio.to_thread(server.leave)
    if (took["completed"], took["submits"]) != (count, count):
        raise RuntimeError(f"of {count}: {took['completed']} completed, {took['submits']} sent")
    name = f"{count:,} of all companies at once"
    for what, unit, key in (
        ("last completed", "s", "makespan_s"),
        ("all accepted", "s", "accepted_s"),
        ("CPU of each", "ms", "cpu_ms"),
        ("completed", "", "completed"),
        ("submits in the providers' book", "", "submits"),
    ):
        yield Figure(name=f"{name}: {what}", unit=unit, rounds=[took[key]])


async def collected(parts: list[str], count: int) -> list[Figure]:
    """All figures of these parts."""
    makers = {"polls": polls, "mixed": mixed}
    with workplace() as folder:
        return [figure for part in parts async for figure in makers[part](folder / part, count)]


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="all companies, by looks and by the thousand")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all by default")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_COUNT} of each")
    options = parser.parse_args()
    with keeping("companies") as figures:
        count = QUICK_COUNT if options.quick else options.count
        figures += uvloop.run(collected(options.parts or list(PARTS), count))


if __name__ == "__main__":
    main()
