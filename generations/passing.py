"""Passing places on: once for all who leave one at about the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from db import lines
from db.lines import Limits
from generations.lifecycle import QUEUED_MAX_S


@dataclass(slots=True)
class Passing:
    """One round at a time, and at most one that has not begun: it sees every place left before.

    Whoever relies on a round that is cancelled meanwhile is served by the sweep.
    """

    _round: asyncio.Lock = field(default_factory=asyncio.Lock)
    _is_due: bool = False

    @asynccontextmanager
    async def turn(self, *, is_bounded: bool) -> AsyncIterator[None]:
        """One after the other where places are counted: whoever waits for the line's lock in the
        database would keep a connection that others need.
        """
        if not is_bounded:
            yield
            return
        async with self._round:
            yield

    async def pass_on(self, engine: AsyncEngine, limits: Limits) -> None:
        """Give the places that are free to those who are next, unless somebody is about to."""
        if self._is_due:
            return
        self._is_due = True
        try:
            await self._round.acquire()
        finally:
            self._is_due = False
        try:
            async with engine.begin() as connection:
                await lines.pass_on(connection, limits, QUEUED_MAX_S)
        finally:
            self._round.release()
