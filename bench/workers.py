"""One, two and four workers on one database: how many generations get done, how often jobs are
looked at, and what each costs in CPU, in Postgres and in its log.

Orders are accepted in this process, which drives nothing; the workers are `worker.py` as anybody
starts them. On two cores more workers bring no more throughput than the cores have room for: what
counts is that a generation costs no more when there are more of them.

    .venv/bin/python -m bench.workers [--count 400] [--rounds 2] [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import structlog
import uvloop

from bench.generations_place import Place, open_place, parent_of, tree_cpu_s
from bench.memory import cpu_s
from bench.place import AS_A_PERSON
from bench.report import Figure, keeping
from generations.contract import Caller, Wanted
from runtime import Runtime, open_runtime
from settings import ROOT, child_environment, load

WORKERS = (1, 2, 4)
WARM_UP = 20
AT_ONCE = 8
LOOK_S = 0.05
PATIENCE_S = 300.0
LOOKED_S = 10.0
#: Looked at twice a second each: more than two cores can do of it is not asked for.
WAITING = 600
Took = dict[str, list[float]]


class Round:
    """So many workers on a fresh database, and an eye on its rows."""

    def __init__(self, runtime: Runtime, eye: asyncpg.Connection, pids: list[int]) -> None:
        self.runtime, self.eye, self.pids = runtime, eye, pids

    async def accept(self, model: str, count: int) -> None:
        """Have so many accepted."""
        doors = asyncio.Semaphore(AT_ONCE)
        caller = Caller(user_id=self.runtime.local_user_id)

        async def one() -> None:
            async with doors:
                wanted = Wanted(kind="image", prompt="A lighthouse in a storm", model=model)
                await self.runtime.admission.submit(caller, wanted)

        await asyncio.gather(*(one() for _ in range(count)))

    async def reach(self, model: str, status: str, count: int) -> None:
        """Return when so many of a model have this status. Raises: TimeoutError."""
        query = "select count(*) from kinora.generations where model = $1 and status = $2"
        async with asyncio.timeout(PATIENCE_S):
            while await self.eye.fetchval(query, model, status) < count:  # noqa: ASYNC110 - rows tell
                await asyncio.sleep(LOOK_S)

    def worked_s(self) -> float:
        """The CPU of all workers so far."""
        return sum(cpu_s(pid) for pid in self.pids)


@asynccontextmanager
async def workers(place: Place, count: int) -> AsyncIterator[Round]:
    """Start them, and warm them up."""
    settings = place.settings(place.fresh_database(), WORKER="off", REQUESTS_PER_MINUTE="0")
    environ = child_environment() | AS_A_PERSON | settings | {"LOG_FORMAT": "json"}
    async with AsyncExitStack() as stack:
        pids = [await stack.enter_async_context(a_worker(environ)) for _ in range(count)]
        eye = await asyncpg.connect(settings["DATABASE_URL"])
        async with open_runtime(load(settings, Path(settings["DATA_DIR"]) / "none")) as runtime:
            one = Round(runtime, eye, pids)
            await one.accept("warm", WARM_UP * count)
            await one.reach("warm", "completed", WARM_UP * count)
            yield one
        await eye.close()


@asynccontextmanager
async def a_worker(environ: dict[str, str]) -> AsyncIterator[int]:
    """A worker process, until the block ends; its pid."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "worker.py")),
        env=environ,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def completed(place: Place, number: int, count: int) -> dict[str, float]:
    """So many of one second at once, until the last is completed."""
    async with workers(place, number) as one:
        postmaster = parent_of(await one.eye.fetchval("select pg_backend_pid()"))
        before = await one.eye.fetchval("select pg_current_wal_lsn()")
        began, worked, database = time.time(), one.worked_s(), tree_cpu_s(postmaster)
        await one.accept("second", count)
        await one.reach("second", "completed", count)
        took_s = time.time() - began
        wal = await one.eye.fetchval(
            "select pg_wal_lsn_diff(pg_current_wal_lsn(), $1)::float8", before
        )
        return {
            "a second": count / took_s,
            "CPU of workers each": (one.worked_s() - worked) * 1000 / count,
            "CPU of Postgres each": (tree_cpu_s(postmaster) - database) * 1000 / count,
            "WAL each": wal / 1024 / count,
        }


async def looked(place: Place, number: int, count: int) -> dict[str, float]:
    """Many that wait at the provider, looked at twice a second."""
    await place.light.forget()
    async with workers(place, number) as one:
        await one.accept("looked", count)
        await one.reach("looked", "in_progress", count)
        polls, worked = await polls_of(place), one.worked_s()
        await asyncio.sleep(LOOKED_S)
        made = await polls_of(place) - polls
        return {
            "looks a second": made / LOOKED_S,
            "CPU of a look": (one.worked_s() - worked) * 1000 / made,
        }


async def polls_of(place: Place) -> int:
    """How often the provider was asked after a job that waits."""
    return sum(job["polls"] for job in await place.light.book() if job["endpoint"] == "s900-p0")


def figures_of(number: int, took: Took) -> Iterator[Figure]:
    """The figures of so many workers."""
    units = {
        "a second": "/s",
        "CPU of workers each": "ms",
        "CPU of Postgres each": "ms",
        "WAL each": "KiB",
        "looks a second": "/s",
        "CPU of a look": "ms",
    }
    name = "1 worker" if number == 1 else f"{number} workers"
    for what, unit in units.items():
        yield Figure(name=f"{name}: {what}", unit=unit, rounds=took[what])


async def measure(count: int, waiting: int, rounds: int) -> list[Figure]:
    """All numbers of workers in turn, round by round."""
    took: dict[int, Took] = {number: defaultdict(list) for number in WORKERS}
    async with open_place() as place:
        for _ in range(rounds):
            for number in WORKERS:
                done = await completed(place, number, count)
                seen = await looked(place, number, waiting)
                for what, value in (done | seen).items():
                    took[number][what].append(value)
    return [figure for number in WORKERS for figure in figures_of(number, took[number])]


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="one, two and four workers")
    parser.add_argument("--count", type=int, default=400, help="generations at once")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="100 at once, one round")
    options = parser.parse_args()
    # Each accepted request would leave a line here.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    count, waiting, rounds = options.count, WAITING, options.rounds
    if options.quick:
        count, waiting, rounds = 100, WAITING // 4, 1
    with keeping("workers") as figures:
        figures += uvloop.run(measure(count, waiting, rounds))


if __name__ == "__main__":
    main()
