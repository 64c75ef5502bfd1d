"""A provider that costs little to run: RunPod's wire on bare sockets, jobs of known length.

The endpoint's name says how long its jobs take: `s5-p10` is 5 s, give or take 10 %. The lengths are
drawn from a seeded chance, so that all who are compared wait for the same ones. `/book` tells of
each job when it came, when it was done, when somebody first saw that, and how often it was asked.

    .venv/bin/python -m bench.light_provider [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import random
import re
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any, cast

import httpx
import uvloop
from PIL import Image

from settings import ROOT, child_environment

RUN = re.compile(r"/v2/(s(\d+)-p(\d+))/run")
STATUS = re.compile(r"/v2/[^/]+/status/(j-\d+)")
CANCEL = re.compile(r"/v2/[^/]+/cancel/(j-\d+)")
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
KEY = re.compile(rb"idempotency-key: *([^\r]+)", re.IGNORECASE)
HOST = re.compile(rb"host: *([^\r]+)", re.IGNORECASE)
START_S = 20.0


@dataclass(slots=True, kw_only=True)
class Job:
    """What the provider knows of a job; moments in seconds since 1970."""

    id: str
    endpoint: str
    key: str
    came_at: float
    done_at: float
    polls: int = 0
    seen_at: float | None = None
    submits: int = 1
    is_cancelled: bool = False


class Book:
    """All jobs of this run."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - lengths of jobs are no secret
        self.jobs: dict[str, Job] = {}
        self._by_key: dict[str, Job] = {}

    def begin(self, key: str, endpoint: str, seconds: float, spread: float) -> Job:
        """Start a job, or find the one that this key has started before."""
        if key and (known := self._by_key.get(key)):
            known.submits += 1
            return known
        now = time.time()
        length_s = seconds * max(0.1, self._chance.gauss(1.0, spread))
        number = len(self.jobs) + 1
        job = Job(id=f"j-{number}", endpoint=endpoint, key=key, came_at=now, done_at=now + length_s)
        self.jobs[job.id] = job
        if key:
            self._by_key[key] = job
        return job

    def look(self, job: Job, host: str) -> dict[str, Any]:
        """How a job stands, for somebody who asks."""
        job.polls += 1
        now = time.time()
        if job.is_cancelled:
            return {"id": job.id, "status": "CANCELLED"}
        if now < job.done_at:
            return {"id": job.id, "status": "IN_PROGRESS", "delayTime": 31, "workerId": "w1"}
        job.seen_at = job.seen_at or now
        return {
            "id": job.id,
            "status": "COMPLETED",
            "output": {"image_url": f"http://{host}/out/{job.id}.png", "cost": 0.002},
        }

    def forget(self) -> None:
        """A new round begins; numbers go on, so that no id is given twice."""
        for job in self.jobs.values():
            job.key = ""
        self._by_key.clear()


class Answering(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self, book: Book, picture: bytes) -> None:
        self._book, self._picture = book, picture
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is none by name

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[: end + 2]
            length = LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        if path.startswith("/out/"):
            return _response(200, self._picture, "image/png")
        said = self._said(method, path, head)
        status = 404 if said is None else 200
        return _response(status, json.dumps(said or {}).encode(), "application/json")

    def _said(self, method: str, path: str, head: bytes) -> object:
        jobs = self._book.jobs
        if (found := STATUS.fullmatch(path)) and (job := jobs.get(found[1])):
            host = HOST.search(head)
            return self._book.look(job, host[1].decode() if host else "")
        if method == "POST" and (found := RUN.fullmatch(path)):
            key = KEY.search(head)
            lengths = float(found[2]), int(found[3]) / 100
            job = self._book.begin(key[1].decode() if key else "", found[1], *lengths)
            return {"id": job.id, "status": "IN_QUEUE"}
        if method == "POST" and (found := CANCEL.fullmatch(path)) and (job := jobs.get(found[1])):
            job.is_cancelled = job.is_cancelled or time.time() < job.done_at
            return {"id": job.id, "status": "CANCELLED"}
        if path == "/book":
            return [asdict(job) for job in jobs.values() if job.key]
        if path == "/forget":
            self._book.forget()
            return {}
        return None


def _response(status: int, body: bytes, media_type: str) -> bytes:
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def picture() -> bytes:
    """A small PNG, as cheap to read as can be."""
    made = io.BytesIO()
    Image.new("RGB", (64, 64), (40, 90, 160)).save(made, "PNG")
    return made.getvalue()


async def serve(seed: int) -> None:
    """Answer until killed; the port is the first line of the output."""
    book, small = Book(seed), picture()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(book, small), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """The running provider."""

    url: str
    pid: int

    async def book(self) -> list[dict[str, Any]]:
        """Its jobs since the last `forget`."""
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            jobs: list[dict[str, Any]] = (await client.get(f"{self.url}/book")).json()
        return jobs

    async def forget(self) -> None:
        """Begin a new round."""
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.get(f"{self.url}/forget")).raise_for_status()


@contextlib.asynccontextmanager
async def light_provider(seed: int = 1) -> AsyncIterator[Light]:
    """Run it in a process of its own for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.light_provider", "--seed", str(seed)),
        cwd=ROOT,
        env=child_environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the provider says nothing")
        async with asyncio.timeout(START_S):
            port = int(await process.stdout.readline())
        yield Light(url=f"http://127.0.0.1:{port}", pid=process.pid)
    finally:
        process.kill()
        await process.wait()


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description="a provider of known lengths")
    parser.add_argument("--seed", type=int, default=1)
    uvloop.run(serve(parser.parse_args().seed))


if __name__ == "__main__":
    main()
