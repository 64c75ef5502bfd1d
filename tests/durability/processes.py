"""Houses as processes: started, ordered from, killed, and started again by a supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from settings import ROOT, child_environment

START_S = 40.0
END_S = 30.0


class Ended(Exception):
    """The house has died, or refused just now; what it was asked may or may not be accepted."""


@dataclass(kw_only=True)
class House:
    """One life of a house process."""

    process: asyncio.subprocess.Process
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[str, asyncio.Future[str]] = field(default_factory=dict)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=400))
    reader: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        """Hear what it says until it ends; whoever still waits then hears of the end."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if line.startswith(b"{"):
                self._hear(json.loads(line))
            else:
                self.lines.append(line.decode(errors="replace").rstrip())
        await self.process.wait()
        self.over.set()
        for waiting in self.waiting.values():
            if not waiting.done():
                waiting.set_exception(Ended("it died"))

    def _hear(self, said: dict[str, Any]) -> None:
        if said.get("ready"):
            self.ready.set()
        waiting = self.waiting.get(said.get("key", ""))
        if waiting is None or waiting.done():
            return
        if "id" in said:
            waiting.set_result(said["id"])
        else:
            waiting.set_exception(Ended(said["error"]))

    async def until_ready(self) -> bool:
        """Whether it got ready before it ended."""
        tasks = [asyncio.create_task(event.wait()) for event in (self.ready, self.over)]
        await asyncio.wait(tasks, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        return self.ready.is_set()

    async def order(self, **order: Any) -> str:
        """The id under which it is accepted. Raises: Ended."""
        assert self.process.stdin is not None
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.waiting[order["key"]] = answer
        if self.over.is_set():
            raise Ended("it is dead")
        with contextlib.suppress(ConnectionError):
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
        return await answer

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still lives."""
        if self.process.returncode is None:
            os.kill(self.process.pid, number)

    async def ended(self, within_s: float = END_S) -> int:
        """Its exit code; minus nine after a kill."""
        async with asyncio.timeout(within_s):
            await self.over.wait()
        code = self.process.returncode
        assert code is not None
        return code

    async def close(self) -> None:
        """End it, hard if need be."""
        if self.process.returncode is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
        if self.reader is not None:
            await self.reader
        assert self.process.stdin is not None
        self.process.stdin.close()


async def start_house(how: dict[str, Any], **environ: str) -> House:
    """Start a house process; it is not ready yet."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.durability.house_process", json.dumps(how)),
        cwd=ROOT,
        env=child_environment() | {"PYTHONWARNINGS": "ignore", **environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    house = House(process=process)
    house.reader = asyncio.create_task(house.listen())
    return house


class Supervised:
    """A house that is started again whenever it ends; what `environ` says holds for its first life
    only.
    """

    def __init__(self, start: Callable[..., Awaitable[House]], **environ: str) -> None:
        self._start = start
        self._environ = environ
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self.house: House | None = None
        self.lives = 0
        self.codes: list[int] = []

    async def open(self) -> House:
        """Begin; the first life, ready."""
        self._task = asyncio.create_task(self._live())
        return await self.ready()

    async def _live(self) -> None:
        environ = self._environ
        while not self._closing:
            self.house = await self._start(**environ)
            environ = {}
            self.lives += 1
            self._changed.set()
            await self.house.over.wait()
            await self.house.close()
            assert self.house.process.returncode is not None
            self.codes.append(self.house.process.returncode)
            self._changed.set()

    async def ready(self, within_s: float = 60.0) -> House:
        """The present life once it is ready, or the next one."""
        async with asyncio.timeout(within_s):
            while True:
                if self.house is not None and not self.house.over.is_set():
                    house = self.house
                    if await house.until_ready():
                        return house
                else:
                    self._changed.clear()
                    await self._changed.wait()

    async def died(self, within_s: float = END_S) -> int:
        """Wait for the end of the first life; its exit code."""
        async with asyncio.timeout(within_s):
            while not self.codes:
                self._changed.clear()
                await self._changed.wait()
        return self.codes[0]

    async def close(self) -> None:
        """End it for good."""
        self._closing = True
        if self.house is not None and not self.house.over.is_set():
            self.house.signal(signal.SIGCONT)
            self.house.signal(signal.SIGKILL)
        if self._task is not None:
            await self._task
