"""The streams of `bench.doors`: how much memory one takes, how late a change is, and how many
connections to the database all of them need.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from datetime import datetime
from typing import Any

import psycopg

from bench.memory import cpu_s, weigh
from bench.report import Figure
from tests.house import Served

MADE = 20
WANTED = {"prompt": "a fox", "model": "demo-image-quick"}
PATIENCE_S = 60.0
#: What has to fit into a stream's reader: some changes, whole.
LINE_BYTES_MAX = 1 << 20
#: The database's books of the connections of this installation.
CONNECTIONS = "select count(*) from pg_stat_activity where datname = current_database()"


class Listener:
    """One open stream, on a bare socket: what it heard and when, looked into only afterwards."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._heard: list[tuple[float, bytes]] = []

    async def until_completed(self) -> None:
        """Read changes until a generation is completed."""
        while True:
            line = await self._reader.readline()
            if not line:
                raise RuntimeError("a stream ended")
            if line.startswith(b"data: "):
                self._heard.append((time.time(), line))
                if b'"status": "completed"' in line:
                    return

    def delays_ms(self) -> list[float]:
        """How late each change was."""
        found = []
        for heard_at, line in self._heard:
            change: dict[str, Any] = json.loads(line[6:])
            changed_at = datetime.fromisoformat(change["updated_at"]).timestamp()
            found.append((heard_at - changed_at) * 1000)
        return found

    def close(self) -> None:
        """Go away."""
        self._writer.close()


async def open_one(port: int) -> Listener:
    """A stream that has said its first heartbeat."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LINE_BYTES_MAX)
    writer.write(f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    await reader.readuntil(b"still here")
    return Listener(reader, writer)


async def streams(served: Served, url: str, count: int) -> list[Figure]:
    """Open them, have pictures made, look at the books."""
    port, pid = int(served.url.rpartition(":")[2]), served.process.pid
    async with asyncio.timeout(PATIENCE_S):
        # What the first ones bring into memory once is no stream's own.
        for first in [await open_one(port) for _ in range(5)]:
            first.close()
    before_mib, before = weigh(pid).own_mib, connections(url)
    async with asyncio.timeout(PATIENCE_S):
        listeners = [await open_one(port) for _ in range(count)]
    kib = (weigh(pid).own_mib - before_mib) * 1024 / count
    worked = cpu_s(pid)
    for _ in range(MADE):
        async with asyncio.timeout(PATIENCE_S):
            made = await served.client.post("/api/tools/generate_image", json=WANTED)
            made.raise_for_status()
            await asyncio.gather(*(listener.until_completed() for listener in listeners))
    worked = cpu_s(pid) - worked
    more = connections(url) - before
    delays = [delay for listener in listeners for delay in listener.delays_ms()]
    for listener in listeners:
        listener.close()
    name = f"{count} streams"
    return [
        Figure(name=f"{name}: memory of one", unit="KiB", rounds=[kib]),
        Figure(name=f"{name}: delay of a change, p50", unit="ms", rounds=[_at(delays, 50)]),
        Figure(name=f"{name}: delay of a change, p95", unit="ms", rounds=[_at(delays, 95)]),
        Figure(name=f"{name}: changes sent", unit="", rounds=[len(delays)]),
        Figure(
            name=f"{name}: CPU of a change sent", unit="ms", rounds=[worked * 1000 / len(delays)]
        ),
        Figure(name=f"{name}: further connections to the database", unit="", rounds=[more]),
    ]


def connections(url: str) -> int:
    """How many connections to the database there are, ours here among them."""
    with psycopg.connect(url) as connection:
        [(count,)] = connection.execute(CONNECTIONS).fetchall()
    return int(count)


def _at(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]
