"""What one poll costs by each HTTP client: the figures of docs/adr/0002-http-transport.md.

Many provider jobs are looked at once a second, by every candidate in turn and for several rounds,
against a server in a process of its own. Counted is this process's CPU time for each poll, the
loop's share included; the ratios hold on other machines, the milliseconds do not.

    .venv/bin/python -m bench.transport [--jobs 500] [--seconds 4] [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import cast

import aiohttp
import httpx
import uvloop

from providers.catalogue import load_catalogue
from providers.contract import Job
from providers.runpod import RunPod
from providers.transport import Limits, open_client

RESULTS = Path(__file__).parent / "results" / "transport.json"
ANSWER = (
    b'{"id":"j-1","status":"IN_PROGRESS","delayTime":31,"workerId":"w1","output":{"progress":0.4}}'
)
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(ANSWER),
    ANSWER,
)
PATH = "/v2/demo-video/status/j-1"
HEADERS = {"Authorization": "Bearer x", "Accept-Encoding": "identity"}

Poll = Callable[[], Awaitable[object]]


class Answering(asyncio.Protocol):
    """A server that gives every request the same answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is none by name
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        self._transport.write(RESPONSE * len(requests))


async def serve() -> None:
    """Answer until killed; the port is the first line of the output."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@asynccontextmanager
async def raw_sockets(url: str) -> AsyncIterator[Poll]:
    """What cannot be beaten: bytes on kept connections, and the answer's JSON."""
    host, port = httpx.URL(url).host, httpx.URL(url).port
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    request = f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\n{head}\r\n".encode()
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def poll() -> object:
        reader, writer = idle.pop() if idle else await asyncio.open_connection(host, port)
        writer.write(request)
        await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(len(ANSWER))
        idle.append((reader, writer))
        return json.loads(body)

    yield poll
    for _, writer in idle:
        writer.close()


def plain_aiohttp(pool: int) -> Callable[[str], AbstractAsyncContextManager[Poll]]:
    """aiohttp by its own API."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Poll]:
        connector = aiohttp.TCPConnector(limit=pool)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def poll() -> object:
                async with session.get(url, headers=HEADERS) as response:
                    return json.loads(await response.read())

            yield poll

    return opened


def plain_httpx(pool: int) -> Callable[[str], AbstractAsyncContextManager[Poll]]:
    """httpx on its own pool."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Poll]:
        limits = httpx.Limits(max_connections=pool, max_keepalive_connections=pool)
        async with httpx.AsyncClient(limits=limits, trust_env=False) as client:

            async def poll() -> object:
                return json.loads((await client.get(url, headers=HEADERS)).content)

            yield poll

    return opened


def our_client(pool: int) -> Callable[[str], AbstractAsyncContextManager[Poll]]:
    """httpx's API on aiohttp's connections, as the product opens it."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Poll]:
        async with open_client(Limits(connections=pool)) as client:

            async def poll() -> object:
                return json.loads((await client.get(url, headers=HEADERS)).content)

            yield poll

    return opened


def our_adapter(pool: int) -> Callable[[str], AbstractAsyncContextManager[Poll]]:
    """The whole of a poll as the product does it: adapter, limits and parsing too."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Poll]:
        route = load_catalogue().find("demo-video")[0].routes[0]
        job = Job(id="j-1", urls={"status": PATH.removeprefix("/v2/")})
        async with open_client(Limits(connections=pool)) as client:
            runpod = RunPod("demo", url.removesuffix(PATH) + "/v2", "x", client)
            yield lambda: runpod.poll(route, job)

    return opened


CANDIDATES: dict[str, Callable[[str], AbstractAsyncContextManager[Poll]]] = {
    "raw sockets": raw_sockets,
    "aiohttp, pool 100": plain_aiohttp(100),
    "httpx, pool 10": plain_httpx(10),
    "httpx, pool 100": plain_httpx(100),
    "httpx on aiohttp, pool 10": our_client(10),
    "httpx on aiohttp, pool 100": our_client(100),
    "RunPod.poll on it, pool 200": our_adapter(200),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one candidate did in one round."""

    cpu_ms: float
    polls_per_s: float


async def measure(poll: Poll, jobs: int, seconds: float) -> Round:
    """Let each job be looked at once a second; who cannot keep up is measured as it goes."""
    polls = 0
    loop = asyncio.get_running_loop()

    async def follow(first_at: float, until: float) -> None:
        nonlocal polls
        due = first_at
        while due < until:
            await asyncio.sleep(due - loop.time())
            await poll()
            polls += 1
            due += 1.0

    start = loop.time()
    began, cpu_began = time.perf_counter(), time.process_time()
    await asyncio.gather(*(follow(start + at / jobs, start + seconds) for at in range(jobs)))
    cpu_s, wall_s = time.process_time() - cpu_began, time.perf_counter() - began
    return Round(cpu_ms=cpu_s / polls * 1000, polls_per_s=polls / wall_s)


async def compare(port: int, jobs: int, seconds: float, rounds: int) -> dict[str, list[Round]]:
    """Run every candidate in every round, side by side in time."""
    url = f"http://127.0.0.1:{port}{PATH}"
    found: dict[str, list[Round]] = {name: [] for name in CANDIDATES}
    for _ in range(rounds):
        for name, opened in CANDIDATES.items():
            async with opened(url) as poll:
                await measure(poll, jobs, 0.5)  # connections open, caches warm
                found[name].append(await measure(poll, jobs, seconds))
    return found


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """The server in a process of its own; yields its port."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.transport", "--serve", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        yield int(await server.stdout.readline())
    finally:
        server.kill()
        await server.wait()


async def run(jobs: int, seconds: float, rounds: int) -> dict[str, list[Round]]:
    """Compare against the server."""
    async with serving() as port:
        return await compare(port, jobs, seconds, rounds)


def report(found: dict[str, list[Round]], jobs: int) -> None:
    """Print the table and write it down."""
    medians = {name: statistics.median(r.cpu_ms for r in all_) for name, all_ in found.items()}
    ours, raw = medians["httpx on aiohttp, pool 100"], medians["raw sockets"]
    head = f"{'CPU ms for each poll':28}{'median':>8}  {'rounds':24}"
    print(f"{head}{'polls/s':>8}{'x raw':>7}{'x ours':>8}")
    for name, all_ in found.items():
        rounds = " ".join(f"{one.cpu_ms:.3f}" for one in all_)
        rate = statistics.median(one.polls_per_s for one in all_)
        ms = medians[name]
        print(f"{name:28}{ms:8.3f}  {rounds:24}{rate:8.0f}{ms / raw:7.1f}{ms / ours:8.2f}")
    RESULTS.parent.mkdir(exist_ok=True)
    facts = {
        "cpu_ms_per_poll": {name: [r.cpu_ms for r in all_] for name, all_ in found.items()},
        "polls_per_s": {name: [r.polls_per_s for r in all_] for name, all_ in found.items()},
        "jobs": jobs,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("httpx", "httpx-aiohttp", "aiohttp")},
    }
    RESULTS.write_text(json.dumps(facts, indent=1) + "\n")


def main() -> None:
    """Compare the clients, or be the server that they are compared against."""
    parser = argparse.ArgumentParser(description="CPU time for each poll, by HTTP client")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(serve())
    else:
        report(uvloop.run(run(options.jobs, options.seconds, options.rounds)), options.jobs)


if __name__ == "__main__":
    main()
