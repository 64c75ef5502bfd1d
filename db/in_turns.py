"""One connection that several readings ask in turns: while the rows of one come in, another may
want to know something.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import asyncpg


class InTurns:
    """Who asks waits until the connection is free."""

    def __init__(self, connection: asyncpg.Connection, prefetch: int) -> None:
        self._connection = connection
        self._prefetch = prefetch
        self._turn = asyncio.Lock()

    async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        """All rows of a query."""
        async with self._turn:
            found: list[asyncpg.Record] = await self._connection.fetch(query, *values)
        return found

    async def fetchval(self, query: str, *values: object) -> Any:
        """The first value of its first row."""
        async with self._turn:
            return await self._connection.fetchval(query, *values)

    async def rows(self, query: str, *values: object) -> AsyncIterator[asyncpg.Record]:
        """Its rows, so many at a time; nobody waits for more than those."""
        async with self._turn:
            cursor = await self._connection.cursor(query, *values)
        while True:
            async with self._turn:
                found = deque(await cursor.fetch(self._prefetch))
            if not found:
                return
            while found:
                # They are large: none is kept longer than it is needed.
                yield found.popleft()
