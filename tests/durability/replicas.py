"""Several servers and workers on one Postgres and one bucket, behind a balancer, with people."""

from __future__ import annotations

import asyncio
import contextlib
import io
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from db.s3_files import S3Files
from tests.demo_process import Demo
from tests.durability.book import Book
from tests.durability.processes import House
from tests.durability.routes import settings_for
from tests.durability.servers import Server, environment, listening, start, start_worker
from tests.house import free_port
from tests.people import PASSWORD, SECRET, add_account
from tests.s3_server import S3Server
from tests.sticky_proxy import COOKIE, Balancer, Replica, balance

BUCKET = "pictures"
END_S, READY_S = 60.0, 60.0
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=none"
)
DOING = """
    select worker_id, count(*) from jobs.procrastinate_jobs
    where status = 'doing' group by worker_id
"""


@dataclass(kw_only=True)
class Place:
    """Who runs, by name: replicas `a` and `b` as the balancer calls them, workers as we do."""

    book: Book
    demo: Demo
    s3: S3Server
    balancer: Balancer
    how: dict[str, Any]
    running: dict[str, House] = field(default_factory=dict)
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    #: Whoever was ended, to be cleared away.
    past: list[House] = field(default_factory=list)

    async def start(self, *names: str) -> None:
        """Start these, replicas until they are ready for visitors."""
        await asyncio.gather(*(self._start(name) for name in names))

    async def _start(self, name: str) -> None:
        replica = self.replica(name)
        if replica is None:
            self.running[name] = await start_worker(self.how)
            return
        more = {"PORT": str(replica.port), "WORKER": "off"}
        process = await start("server.py", environment(self.how) | more)
        client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{replica.port}", trust_env=False, timeout=30
        )
        house = self.running[name] = listening(Server(process=process, client=client))
        assert await house.until_ready(), "\n".join(house.lines)
        async with asyncio.timeout(READY_S):
            while not replica.is_ready:
                await replica.look()

    def replica(self, name: str) -> Replica | None:
        """The balancer's view of it; None for a worker."""
        return next((one for one in self.balancer.replicas if one.name == name), None)

    async def kill(self, *names: str) -> None:
        """By `kill -9`, at once."""
        await self._end(signal.SIGKILL, names, -signal.SIGKILL)

    async def stop(self, *names: str) -> float:
        """By SIGTERM, to their good end; the seconds that took."""
        told = time.monotonic()
        await self._end(signal.SIGTERM, names, 0)
        return time.monotonic() - told

    async def _end(self, number: signal.Signals, names: Sequence[str], code: int) -> None:
        houses = [self.running.pop(name) for name in names]
        self.past += houses
        for house in houses:
            house.signal(number)
        for name, house in zip(names, houses, strict=True):
            assert await house.ended(END_S) == code, (name, list(house.lines)[-20:])

    async def person(self, email: str) -> httpx.AsyncClient:
        """A browser of somebody with a new account, logged in."""
        await add_account(self.book.url, email)
        client = self.browser()
        entered = await client.post("/login", data={"username": email, "password": PASSWORD})
        assert entered.status_code == 200, entered.text
        return client

    def browser(self, of: httpx.AsyncClient | None = None) -> httpx.AsyncClient:
        """A browser that has not been here yet, with somebody's login."""
        client = httpx.AsyncClient(base_url=self.balancer.url, trust_env=False, timeout=60)
        self.clients.append(client)
        for name, value in of.cookies.items() if of else ():
            if name != COOKIE:
                client.cookies.set(name, value, domain="127.0.0.1", path="/")
        return client

    async def shares(self) -> dict[int, int]:
        """How many generations each worker drives just now, by its number in the queue."""
        return {int(worker): int(count) for worker, count in await self.book.fetch(DOING) if worker}

    async def close(self) -> None:
        """End everybody."""
        await asyncio.gather(*(one.close() for one in (*self.running.values(), *self.past)))
        await asyncio.gather(*(client.aclose() for client in self.clients))


@contextlib.asynccontextmanager
async def open_place(book: Book, demo: Demo, s3: S3Server, folder: Path) -> AsyncIterator[Place]:
    """Two replicas and two workers, ready."""
    bucket = S3Files(folder / "unused", s3.bucket(BUCKET))
    async with bucket.opened():
        await bucket.make_bucket()
    async with balance([free_port(), free_port()]) as balancer:
        settings = {
            **settings_for(folder, demo.url),
            **s3.settings(),
            "STORAGE_URL": f"s3://{BUCKET}",
            "AUTH_MODE": "password",
            "CHAINLIT_AUTH_SECRET": SECRET,
            "PUBLIC_URL": balancer.url,
            "MAX_IN_FLIGHT_PER_USER": "0",
        }
        how = {
            "database_url": book.url,
            "demo_url": demo.url,
            "folder": str(folder),
            "settings": settings,
        }
        place = Place(book=book, demo=demo, s3=s3, balancer=balancer, how=how)
        try:
            await place.start("a", "b", "first worker", "second worker")
            yield place
        finally:
            await place.close()


async def not_whole(place: Place) -> list[str]:
    """Pictures of completed generations that do not decode as they lie in the bucket, and those
    that are not there; read past everything of ours.

    Whoever signs may read there, and nobody looks at the signature.
    """
    query = """
        select g.id::text, a.storage_key, a.width_px from kinora.generations g
        left join kinora.assets a on a.generation_id = g.id where g.status = 'completed'
    """
    wrong = []
    signed = {"Authorization": SIGNED}
    async with httpx.AsyncClient(base_url=place.s3.url, headers=signed, trust_env=False) as client:
        for one, key, width_px in await place.book.fetch(query):
            answer = await client.get(f"/{BUCKET}/{key}")
            try:
                with Image.open(io.BytesIO(answer.content)) as picture:
                    picture.load()
                    if picture.width != width_px:
                        wrong.append(f"{one}: {picture.width} px")
            except OSError as error:
                wrong.append(f"{one}: {answer.status_code} {error}")
    return wrong


async def not_bought_once(demo: Demo, ids: Sequence[str]) -> dict[str, Any]:
    """Those that the provider accepted never or more than once, with its own page of each."""
    pages = (await demo.client.get("/_ledger")).json()["generations"]
    return {
        one: pages.get(one)
        for one in ids
        if one not in pages or (pages[one]["submits"], len(pages[one]["jobs"])) != (1, 1)
    }
