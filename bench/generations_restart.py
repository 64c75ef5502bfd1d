"""What a restart costs a generation: kill -9 with a hundred at the provider, the same server again.

Counted is what the provider does not explain: from when a job was done there, or the server could
be reached again if that was later, until its result was stored and shown.
"""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import psycopg

from bench.generations_place import Place
from tests.house import Served, serve

AT_ONCE = 100
#: Killed so long after the last was sent: the jobs take 20 s, the server is back after a few.
MODEL, KILL_AFTER_S = "restart", 3.0
PATIENCE_S = 120.0


async def restart(place: Place) -> dict[str, float]:
    """One kill and one restart; seconds."""
    url = place.fresh_database()
    settings = place.settings(url)
    data_dir = Path(settings.pop("DATA_DIR"))
    await place.light.forget()
    async with serve(data_dir, **settings) as first:
        await _ask(first)
        await _until(url, "in_progress", AT_ONCE)
        await asyncio.sleep(KILL_AFTER_S)
        first.signal(signal.SIGKILL)
        killed_at = time.time()
        await first.ended()
    async with serve(data_dir, **settings):
        ready_at = time.time()
        await _until(url, "completed", AT_ONCE)
    done = {job["key"]: job for job in await place.light.book()}
    beyond = [
        finished_at - max(ready_at, done[f"{generation_id}-1"]["done_at"])
        for generation_id, finished_at in _finished(url)
    ]
    last_done_at = max(job["done_at"] for job in done.values())
    last_at = max(finished_at for _, finished_at in _finished(url))
    return {
        "ready_s": ready_at - killed_at,
        "beyond_need_s": last_at - max(last_done_at, ready_at),
        "longest_s": max(beyond),
        "sent_twice": float(sum(job["submits"] > 1 for job in done.values())),
        "jobs": float(len(done)),
    }


async def _ask(served: Served) -> None:
    body = {"model": MODEL, "prompt": "A lighthouse in a storm"}

    async def one() -> None:
        answer = await served.client.post("/api/tools/generate_image", json=body)
        answer.raise_for_status()

    for _ in range(0, AT_ONCE, 10):
        await asyncio.gather(*(one() for _ in range(10)))


async def _until(url: str, status: str, count: int) -> None:
    query = "select count(*) from kinora.generations where status = %s"
    async with asyncio.timeout(PATIENCE_S):
        while (await asyncio.to_thread(_rows, url, query, status))[0][0] < count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def _finished(url: str) -> list[tuple[Any, ...]]:
    query = "select id::text, extract(epoch from finished_at)::float8 from kinora.generations"
    return _rows(url, query)


def _rows(url: str, query: str, *values: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode(), values).fetchall()
