"""The load of the soak: people who draw, cancel, try again, read, and leave streams open."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.memory import cpu_s

MODEL = "demo-image-quick"
#: Pictures a second; reads fill up what is left of the wanted share of a core.
PICTURES_PER_S = 2.0
SHARE = 0.5
READS_FIRST, READS_MAX = 20.0, 400.0
TUNED_EVERY_S = 5.0
STREAMS, STREAM_S, READERS = 4, 45.0, 4
CANCELLED, FAULTY, RETRIED = 0.05, 0.10, 0.5
#: Faults that end well, and some that do not; each is paid for once.
FAULTS = (
    "submit=status:503*2",
    "submit=drop_after",
    "poll=status:500*2",
    "poll=malformed",
    "poll=html",
    "result=status:404",
    "result=malformed",
    "poll=fail",
)


@dataclass(slots=True)
class Load:
    """A steady load on one server, until the block it runs in ends."""

    client: httpx.AsyncClient
    pid: int
    chance: random.Random
    reads_per_s: float = READS_FIRST
    counts: Counter[str] = field(default_factory=Counter)
    recent: list[str] = field(default_factory=list)

    async def run(self, seconds: float) -> None:
        """Everything side by side, for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for work in (self._draw, self._tune, *[self._read] * READERS):
                    group.create_task(work())
                for _ in range(STREAMS):
                    group.create_task(self._follow())

    async def _draw(self) -> None:
        while True:
            mark = f" [[fault: {self.chance.choice(FAULTS)}]]"
            faulty = self.chance.random() < FAULTY
            prompt = f"A lighthouse in a storm{mark if faulty else ''}"
            body = {"model": MODEL, "prompt": prompt, "seed": self.chance.randrange(10**6)}
            reading = await self._ask("POST", "/api/tools/generate_image", json=body)
            if reading is not None:
                self.counts["faults"] += faulty
                self.recent = [*self.recent[-40:], reading["id"]]
                if self.chance.random() < CANCELLED:
                    await self._ask("POST", f"/api/generations/{reading['id']}/cancel")
            await asyncio.sleep(self.chance.expovariate(PICTURES_PER_S))

    async def _read(self) -> None:
        while True:
            if self.recent:
                known = await self._ask(
                    "GET", f"/api/generations/{self.chance.choice(self.recent)}"
                )
                unlucky = known is not None and known["status"] in ("failed", "cancelled")
                if known and unlucky and self.chance.random() < RETRIED:
                    await self._ask("POST", f"/api/generations/{known['id']}/retry")
            if self.chance.random() < 0.1:
                await self._ask("GET", "/api/generations?limit=20")
            await asyncio.sleep(self.chance.expovariate(self.reads_per_s / READERS))

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any] | None:
        self.counts[path.split("/")[-1] if method == "POST" else "reads"] += 1
        try:
            answer = await self.client.request(method, path, **more)
        except httpx.TransportError:
            self.counts["unanswered"] += 1
            return None
        if answer.status_code not in (200, 202):
            # To cancel what has just been completed, or to retry what was retried, is 409.
            self.counts["conflicts" if answer.status_code == 409 else "refused"] += 1
            return None
        reading: dict[str, Any] = answer.json()
        return reading

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError, TimeoutError):
                async with (
                    asyncio.timeout(STREAM_S * self.chance.uniform(0.5, 1.5)),
                    self.client.stream("GET", "/api/events", timeout=60) as stream,
                ):
                    async for line in stream.aiter_lines():
                        self.counts["events"] += line.startswith("event:")
            self.counts["streams"] += 1

    async def _tune(self) -> None:
        """Read as much as brings the server to the wanted share of a core."""
        while True:
            began, used = time.monotonic(), cpu_s(self.pid)
            await asyncio.sleep(TUNED_EVERY_S)
            share = (cpu_s(self.pid) - used) / (time.monotonic() - began)
            wanted = self.reads_per_s * min(1.5, max(0.67, SHARE / max(share, 0.01)))
            self.reads_per_s = min(READS_MAX, max(1.0, wanted))
