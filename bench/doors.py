"""The doors for programs: what a read costs beside a bare route with the same query, and what five
hundred open streams cost one process.

Reads: the same number of keep-alive connections asks both servers in turn, from a process of its
own. Streams: one of them is what a browser, or a program that waits, holds open; each change goes
to all of them. A change's delay is from the beginning of the transaction that made it (the row's
`updated_at`) to the moment at which a stream has it whole.

    .venv/bin/python -m bench.doors [--rounds 5] [--requests 3000] [--streams 500] [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench.doors_streams import streams
from bench.memory import cpu_s
from bench.place import AS_A_PERSON, workplace
from bench.report import Figure, keeping
from bench.threads import make_database, ratio
from db.embedded import EmbeddedPostgres
from settings import ROOT
from tests.demo_process import start_demo
from tests.house import Served, free_port, serve

CONNECTIONS = 16
WARM_UP = 400
QUICK_ROUNDS, QUICK_REQUESTS, QUICK_STREAMS = 2, 800, 100
READY_S = 30.0
#: Requests a second: at least half of the bare route's, so the bare one's at most twice ours.
READ_GOAL = 2.0
UNLIMITED = {"REQUESTS_PER_MINUTE": "0"}


async def measure(rounds: int, requests: int, count: int) -> list[Figure]:
    """One database, one server of ours, one bare one."""
    with workplace() as folder:
        (folder / "data").mkdir(mode=0o711)
        server = EmbeddedPostgres(folder / "data")
        address = await asyncio.to_thread(server.enter)
        try:
            url = await asyncio.to_thread(make_database, address, "doors")
            return await beside(folder, url, rounds, requests, count)
        finally:
            await asyncio.to_thread(server.leave)


async def beside(folder: Path, url: str, rounds: int, requests: int, count: int) -> list[Figure]:
    """Reads of both, then the streams of ours."""
    async with start_demo(folder / "demo") as demo:
        settings = {"DATABASE_URL": url, "DEMO_BASE_URL": demo.url, **AS_A_PERSON, **UNLIMITED}
        async with serve(folder / "served", **settings) as served:
            figures = await reads(served, url, rounds, requests)
            return figures + await streams(served, url, count)


async def reads(served: Served, url: str, rounds: int, requests: int) -> list[Figure]:
    """Ours, ours by a key, and the bare route, in turn."""
    path, key = await something_made(served)
    async with bare_server(url) as (bare_port, bare_pid), a_client() as client:
        port = int(served.url.rpartition(":")[2])
        ways: dict[str, tuple[dict[str, Any], int]] = {
            "ours": ({"port": port}, served.process.pid),
            "ours, by a key": ({"port": port, "key": key}, served.process.pid),
            "bare": ({"port": bare_port}, bare_pid),
        }
        took: dict[str, list[float]] = {}
        for number in range(rounds + 1):
            for name, (where, pid) in ways.items():
                asked = requests if number else WARM_UP
                wanted = where | {"path": path, "requests": asked, "connections": CONNECTIONS}
                worked = cpu_s(pid)
                seconds = await said_by(client, wanted)
                if number:
                    took.setdefault(name, []).append(seconds * 1000 / requests)
                    worked_ms = (cpu_s(pid) - worked) * 1000 / requests
                    took.setdefault(f"{name}: CPU", []).append(worked_ms)
    return read_figures(took)


def read_figures(took: dict[str, list[float]]) -> list[Figure]:
    """Milliseconds a request, and how much longer ours takes."""
    figures = [
        Figure(name=f"read a generation, {name}", unit="ms", rounds=rounds)
        for name, rounds in took.items()
    ]
    for name in ("ours", "ours, by a key"):
        goal = READ_GOAL if name == "ours" else None
        figures.append(ratio(f"time of a read, {name} / bare", took[name], took["bare"], goal))
    return figures


async def something_made(served: Served) -> tuple[str, str]:
    """The path of a completed generation, and a key that may read it."""
    wanted = {"prompt": "a lighthouse", "model": "demo-image-quick"}
    made = await served.client.post("/api/tools/generate_image", json=wanted)
    path = made.headers["location"]
    await served.client.get(path, params={"wait": 30})
    key = (await served.client.post("/api/keys", json={"name": "bench"})).json()["key"]
    return path, key


@asynccontextmanager
async def bare_server(url: str) -> AsyncIterator[tuple[int, int]]:
    """The bare route in a process of its own: its port and pid."""
    with psycopg.connect(url) as connection:
        [(user_id,)] = connection.execute("select id from kinora.users").fetchall()
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.doors_bare", str(port), url, str(user_id)), cwd=ROOT
    )
    try:
        async with asyncio.timeout(READY_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                writer.close()
                break
        yield port, process.pid
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def a_client() -> AsyncIterator[asyncio.subprocess.Process]:
    """Somebody who asks what each line tells."""
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.doors_client"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield client
    finally:
        client.terminate()
        await client.wait()


async def said_by(client: asyncio.subprocess.Process, wanted: dict[str, Any]) -> float:
    """How many seconds the client took for it."""
    if client.stdin is None or client.stdout is None:
        raise RuntimeError("the client has no pipes")
    client.stdin.write(json.dumps(wanted).encode() + b"\n")
    line = await client.stdout.readline()
    if not line:
        raise RuntimeError("the client went away")
    return float(line)


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="reads and streams of programs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=3000, help="of each round")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--quick", action="store_true", help="fewer of all")
    options = parser.parse_args()
    rounds, requests, count = options.rounds, options.requests, options.streams
    if options.quick:
        rounds, requests, count = QUICK_ROUNDS, QUICK_REQUESTS, QUICK_STREAMS
    with keeping("doors") as figures:
        figures += asyncio.run(measure(rounds, requests, count))


if __name__ == "__main__":
    main()
