"""Our side of `bench.generations`: the runtime as the server opens it, without the server.

DATABASE_URL=... python -m bench.generations_ours load COUNT [USERS]
DATABASE_URL=... python -m bench.generations_ours waiting COUNT SECONDS
DATABASE_URL=... python -m bench.generations_ours paced COUNT MODEL,MODEL
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import uvloop

from bench.generations_place import parent_of, say, tree_cpu_s
from bench.memory import weigh
from db import users
from generations.contract import Caller, Wanted
from logs import configure_logging
from runtime import Runtime, open_runtime
from settings import load

WARM_UP = 20
LOOK_S = 0.05
PATIENCE_S = 300.0
#: So many people press the button at the same moment.
AT_ONCE = 8
#: From one of a kind to the next.
CALM_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A runtime that works, and an eye on its rows that costs it nothing."""

    runtime: Runtime
    eye: asyncpg.Connection
    postmaster: int

    async def accept(self, model: str, count: int, user_ids: list[UUID]) -> None:
        """Have so many accepted, of these users in turn."""
        doors = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            caller = Caller(user_id=user_ids[number % len(user_ids)])
            async with doors:
                await self.runtime.admission.submit(
                    caller, Wanted(kind="image", prompt="A lighthouse in a storm", model=model)
                )

        await asyncio.gather(*(one(number) for number in range(count)))

    async def reach(self, model: str, status: str, count: int) -> None:
        """Return when so many of a model have this status. Raises: TimeoutError."""
        query = "select count(*) from kinora.generations where model = $1 and status = $2"
        async with asyncio.timeout(PATIENCE_S):
            while await self.eye.fetchval(query, model, status) < count:  # noqa: ASYNC110 - rows tell
                await asyncio.sleep(LOOK_S)

    async def people(self, count: int) -> list[UUID]:
        """So many users."""
        async with self.runtime.engine.begin() as connection:
            return [await users.ensure(connection, f"password:u{n}@x.org") for n in range(count)]


@asynccontextmanager
async def open_bench() -> AsyncIterator[Bench]:
    """The runtime, warm."""
    loaded = load()
    configure_logging("json")
    assert loaded.settings.database_url is not None
    eye = await asyncpg.connect(loaded.settings.database_url.get_secret_value())
    postmaster = parent_of(await eye.fetchval("select pg_backend_pid()"))
    async with open_runtime(loaded) as runtime:
        bench = Bench(runtime=runtime, eye=eye, postmaster=postmaster)
        await bench.accept("warm", WARM_UP, [runtime.local_user_id])
        await bench.reach("warm", "completed", WARM_UP)
        yield bench
    await eye.close()


async def load_at_once(bench: Bench, count: int, people: int) -> dict[str, Any]:
    """So many of 5 s at once; from the first accepted to the last completed."""
    who = await bench.people(people) if people else [bench.runtime.local_user_id]
    began, cpu = time.time(), time.process_time()
    database = tree_cpu_s(bench.postmaster)
    await bench.accept("five", count, who)
    accepted_s = time.time() - began
    await bench.reach("five", "completed", count)
    cpu_s = time.process_time() - cpu
    last, sent = await bench.eye.fetchrow(
        """
        select extract(epoch from max(finished_at))::float8,
               extract(epoch from max(submitted_at))::float8
        from kinora.generations where model = 'five'
        """
    )
    return {
        "makespan_s": last - began,
        "accepted_s": accepted_s,
        "sent_s": sent - began,
        "cpu_s": cpu_s,
        "database_cpu_s": tree_cpu_s(bench.postmaster) - database,
    }


async def wait_at_provider(bench: Bench, count: int, seconds: float) -> dict[str, Any]:
    """So many whose status does not change: what they weigh, and what a look at one costs."""
    me = os.getpid()
    before = weigh(me).rss_mib
    await bench.accept("waiting", count, [bench.runtime.local_user_id])
    await bench.reach("waiting", "in_progress", count)
    await asyncio.sleep(2.0)
    grown = weigh(me).rss_mib - before
    began, cpu = time.time(), time.process_time()
    await asyncio.sleep(seconds)
    return {
        "grown_mib": grown,
        "cpu_s": time.process_time() - cpu,
        "began": began,
        "ended": time.time(),
    }


async def paced(bench: Bench, count: int, models: list[str]) -> dict[str, Any]:
    """One after the other at a calm pace, as people ask; the provider's book says the rest."""
    for _ in range(count):
        for model in models:
            await bench.accept(model, 1, [bench.runtime.local_user_id])
        await asyncio.sleep(CALM_S)
    for model in models:
        await bench.reach(model, "completed", count)
    return {"count": count}


async def main(what: str, count: int, more: str) -> None:
    """Measure, and print it as JSON."""
    async with open_bench() as bench:
        match what:
            case "load":
                say(await load_at_once(bench, count, int(more)))
            case "waiting":
                say(await wait_at_provider(bench, count, float(more)))
                # Nobody needs the results of the thousands that still wait at the provider.
                sys.stdout.flush()
                os._exit(0)
            case _:
                say(await paced(bench, count, more.split(",")))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
