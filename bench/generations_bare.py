"""The bare side of `bench.generations`: a task for each generation, the same HTTP by the same
client and the same row updates, and nothing that would outlive the process.

    DATABASE_URL=... RUNPOD_BASE_URL=... python -m bench.generations_bare COUNT [stores]

`stores`: also read, made small and stored, as every result of ours is.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import uvloop

from bench.generations_place import parent_of, say, tree_cpu_s
from db import media
from db.files import LocalFiles
from db.ids import new_id
from generations.pace import Pace
from providers.catalogue import load_catalogue
from providers.contract import Route
from providers.transport import open_client
from providers.wire import portions
from settings import load

POOL = 10
WARM_UP = 20
TABLE = """
    create table bare (id uuid primary key, status text, prompt text, job text, made_at timestamptz
        default now(), finished_at timestamptz)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """What a task works with."""

    client: httpx.AsyncClient
    pool: asyncpg.Pool[asyncpg.Record]
    files: LocalFiles
    base_url: str
    stores: bool

    async def make(self, route: Route) -> None:
        """One generation from its row to its file."""
        one, execute = new_id(), self.pool.execute
        await execute("insert into bare (id, status, prompt) values ($1, 'queued', 'p')", one)
        await execute("update bare set status = 'submitting' where id = $1", one)
        job = await self._submit(route, one)
        await execute("update bare set status = 'in_progress', job = $2 where id = $1", one, job)
        pace = Pace()
        answer = None
        while answer is None or answer["status"] != "COMPLETED":
            await asyncio.sleep(pace.gap_s(route, (), 0.0))
            pace.polls += 1
            url = f"{self.base_url}/{route.endpoint}/status/{job}"
            answer = json.loads((await self.client.get(url)).content)
        picture = (await self.client.get(answer["output"]["image_url"])).content
        await self._keep(one, picture)
        await execute(
            "update bare set status = 'completed', finished_at = now() where id = $1", one
        )

    async def _submit(self, route: Route, one: UUID) -> str:
        body = json.dumps({"input": {"prompt": "p"}}).encode()
        answer = await self.client.post(
            f"{self.base_url}/{route.endpoint}/run",
            content=portions(body),
            headers={"Content-Length": str(len(body)), "Idempotency-Key": f"{one}-1"},
        )
        job: str = json.loads(answer.content)["id"]
        return job

    async def _keep(self, one: UUID, picture: bytes) -> None:
        key = f"generations/{one}/1-0.png"
        if not self.stores:
            await self.files.put_bytes(key, picture)
            return
        with self.files.scratch() as scratch:
            await asyncio.to_thread(scratch.write_bytes, picture)
            found = await asyncio.to_thread(media.inspect, scratch, "image")
            small = await asyncio.to_thread(media.thumbnail, scratch, found, 512)
            await self.files.put_bytes(f"generations/{one}/1-0-w512.webp", small)
            await self.files.put_file(key, scratch)


def route_of(name: str, models_file: Path | None) -> Route:
    """The route of one of the bench's models."""
    return load_catalogue(models_file).find(name)[0].routes[0]


async def main(count: int, stores: bool) -> None:
    """Make so many at once, and print what it took as JSON."""
    settings = load().settings
    assert settings.database_url and settings.data_dir  # noqa: PT018
    url = settings.database_url.get_secret_value()
    async with open_client() as client, asyncpg.create_pool(url, max_size=POOL) as pool:
        await pool.execute(TABLE)
        postmaster = parent_of(await pool.fetchval("select pg_backend_pid()"))
        bare = Bare(
            client=client,
            pool=pool,
            files=LocalFiles(settings.data_dir / "files"),
            base_url=settings.runpod_base_url,
            stores=stores,
        )
        warm, five = (route_of(name, settings.models_file) for name in ("warm", "five"))
        await asyncio.gather(*(bare.make(warm) for _ in range(WARM_UP)))
        began, cpu, database = time.time(), time.process_time(), tree_cpu_s(postmaster)
        await asyncio.gather(*(asyncio.create_task(bare.make(five)) for _ in range(count)))
        cpu_s = time.process_time() - cpu
        database_s = tree_cpu_s(postmaster) - database
    say({"makespan_s": time.time() - began, "cpu_s": cpu_s, "database_cpu_s": database_s})


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), "stores" in sys.argv[2:]))
