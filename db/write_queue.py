"""The order of writes: those of one thread in line, and none left behind when the process ends.

Without it, two writes of one message that are asked for in turn may reach the database in the other
order, over two connections of the pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class WriteQueue:
    """Transactions, in line by what they are about, in the order in which they were asked for."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.lines: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self.in_flight: set[asyncio.Task[Any]] = set()
        self.begun: dict[UUID, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def transaction(self, about: UUID) -> AsyncIterator[AsyncConnection]:
        """A transaction that begins when all earlier ones about the same thing have ended."""
        line = self.lines.setdefault(about, asyncio.Lock())
        task = asyncio.current_task()
        if task is not None:
            # The loop holds tasks weakly only, and Chainlit does not hold those it fires off.
            self.in_flight.add(task)
        try:
            async with line, self.engine.begin() as connection:
                yield connection
        finally:
            if task is not None:
                self.in_flight.discard(task)

    @contextmanager
    def beginning(self, about: UUID) -> Iterator[None]:
        """Something is written for the first time in this block; whoever waits for it in `begun`
        learns how that went.
        """
        begun = self.begun[about] = asyncio.get_running_loop().create_future()
        try:
            yield
            begun.set_result(None)
        except BaseException as error:
            begun.set_exception(error) if isinstance(error, Exception) else begun.cancel()
            raise
        finally:
            # Most often nobody waits, and nobody asks how it went.
            begun.cancelled() or begun.exception()
            if self.begun.get(about) is begun:
                del self.begun[about]

    async def drained(self, limit_s: float) -> int:
        """Wait for what is on its way, at most so long; returns how many did not make it."""
        # What was asked for in this very moment has not begun yet.
        await asyncio.sleep(0)
        writing = self.in_flight - {asyncio.current_task()}
        if not writing:
            return 0
        _, late = await asyncio.wait(writing, timeout=limit_s)
        return len(late)
