"""What is open because of a login or a key: sockets and streams, to be closed when that ends.

The database tells of an end at once (`db.accounts.CHANNEL`). A message that was missed, and a login
whose time ran out, are found by asking now and then which of the grants present still hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from accounts.visitor import Visitor
from db import accounts
from db.connect import DATABASE_ERRORS
from db.ids import parse_id

log = structlog.get_logger(__name__)

RECHECK_EVERY_S = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """One thing that is open, and how it is ended."""

    user_id: UUID
    grant: UUID
    end: Callable[[], None]


class Presence:
    """The open sockets and streams of this process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._open: set[Opened] = set()

    @contextlib.contextmanager
    def here(self, visitor: Visitor | None, end: Callable[[], None]) -> Iterator[None]:
        """Have `end` called if the visitor's grant ends while the block runs."""
        if visitor is None or visitor.grant is None:
            yield
            return
        opened = Opened(visitor.user_id, visitor.grant, end)
        self._open.add(opened)
        try:
            yield
        finally:
            self._open.discard(opened)

    def hear(self, payload: object) -> None:
        """Act on a message of the channel."""
        try:
            said = json.loads(str(payload))
            grant, user_id = parse_id(said.get("grant")), parse_id(said.get("user"))
        except (ValueError, AttributeError, TypeError):
            log.warning("access channel said something strange")
            return
        for opened in list(self._open):
            if grant == opened.grant or user_id == opened.user_id:
                opened.end()

    async def recheck(self) -> None:
        """End what is open by a grant that holds no more."""
        grants = {opened.grant for opened in self._open}
        if not grants:
            return
        async with self._engine.connect() as connection:
            held = await accounts.still_hold(connection, grants)
        for opened in list(self._open):
            if opened.grant in grants - held:
                opened.end()

    async def run(self) -> None:
        """Recheck until cancelled."""
        while True:
            await asyncio.sleep(RECHECK_EVERY_S)
            try:
                await self.recheck()
            except DATABASE_ERRORS as error:
                log.warning("logins not rechecked", error=type(error).__name__)
