"""What a driver works with, opened once by the runtime: the database, the files, the catalogue, the
providers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import durations, generations
from db.attempts_of import Kept
from db.connect import POOL_SIZE, at_once
from db.generations import Row
from db.lines import Limits
from db.storage import Storage
from generations import lifecycle
from generations.hearing import Hooks
from generations.lifecycle import SETTLED, Again, Settle, Status, Verdict, after_end, may_move
from generations.meters import Meters
from generations.pace import Pace
from generations.passing import Passing
from generations.remote import RemoteFiles
from generations.watch import Watch
from providers.catalogue import Catalogue
from providers.contract import Provider, Route
from providers.download import ResultClients
from providers.model import Model

log = structlog.get_logger(__name__)

UNCONFIGURED_GAP_S = 30.0
#: Past durations are read anew so often at most, for each kind of work.
PAST_KEPT_S = 20.0
#: Drivers use so many connections at once.
DOORS = POOL_SIZE * 3 // 4
PAST_KINDS_MAX = 1000


@dataclass(slots=True)
class Past:
    """How long the like of it took, read now and then."""

    _known: dict[str, tuple[float, list[float]]] = field(default_factory=dict)

    async def of(self, hands: Hands, row: Row) -> list[float]:
        """The seconds that the latest of its like took, ascending."""
        word, now = durations.alike(row), time.monotonic()
        if word in self._known and now - self._known[word][0] < PAST_KEPT_S:
            return self._known[word][1]
        if len(self._known) > PAST_KINDS_MAX:
            self._known.clear()
        # Others that ask meanwhile take what was known.
        self._known[word] = now, self._known.get(word, (0.0, []))[1]
        async with hands.connection() as connection:
            found = await durations.latest(connection, word)
        self._known[word] = now, found
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What a driver works with; opened once by the runtime."""

    engine: AsyncEngine
    watch: Watch
    files: Storage
    catalogue: Catalogue
    providers: Mapping[str, Provider]
    results: ResultClients
    remote_files: RemoteFiles
    hooks: Hooks
    limits: Limits = field(default_factory=Limits)
    meters: Meters = field(default_factory=Meters)
    past: Past = field(default_factory=Past)
    passing: Passing = field(default_factory=Passing)
    #: Drivers by the thousand leave some of the pool's connections to people's requests.
    doors: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DOORS))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """The database, for single statements: they need no transaction around them."""
        async with self.doors, at_once(self.engine).connect() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """The database, for statements that hold together."""
        async with self.doors, self.engine.begin() as connection:
            yield connection

    @property
    def hears(self) -> bool:
        """Whether webhooks can reach us."""
        return self.hooks.public_url is not None

    def route_of(self, row: Row) -> tuple[Model, Route, Provider] | None:
        """The model, route and provider of a row; None when it is no longer configured."""
        model = next((model for model in self.catalogue.models if model.id == row.model), None)
        provider = self.providers.get(row.provider)
        if model is None or provider is None:
            return None
        for route in model.routes:
            if (route.provider, route.endpoint) == (row.provider, row.endpoint):
                return model, route, provider
        return None

    async def move(
        self, row: Row, status: Status, kept: Kept | None = None, **values: Any
    ) -> Row | None:
        """Move a row on in a transaction of its own; None: it is somebody else's by now.

        Raises:
            ValueError: the chart has no such arrow.
        """
        async with self.connection() as connection:
            moved = await self.move_in(connection, row, status, kept, **values)
        if moved is not None:
            self.note_move(row, moved)
        return moved

    async def move_in(
        self,
        connection: AsyncConnection,
        row: Row,
        status: Status,
        kept: Kept | None = None,
        **values: Any,
    ) -> Row | None:
        """Move a row on inside a transaction of the caller's; else as `move`."""
        if status != row.status and not may_move(Status(row.status), status):
            raise ValueError(f"no generation moves from {row.status} to {status}")
        return await generations.move(connection, row, status, kept, **values)

    def note_move(self, old: Row, new: Row) -> None:
        """Say in log and figures that a row has moved, once that is committed."""
        if new.status == old.status:
            return
        log.info("generation moved", old=old.status, new=new.status, attempt=new.attempt)
        if Status(new.status) in SETTLED:
            took_s = None
            if new.submitted_at is not None and new.finished_at is not None:
                took_s = (new.finished_at - new.submitted_at).total_seconds()
            self.meters.settled(new.kind, new.model, new.provider, new.status, took_s)

    async def settle(
        self, row: Row, end: Settle, kept: Kept | None = None, **values: Any
    ) -> Verdict:
        """End a generation with an error."""
        await self.move(
            row,
            end.status,
            kept,
            error_code=end.code,
            error_message=end.message,
            error_retryable=end.retryable,
            **values,
        )
        return after_end(end.status, hears=self.hears)

    def passed_s(self, row: Row) -> float:
        """Seconds since the submit of this attempt."""
        now = datetime.now(UTC)
        return (now - (row.submitted_at or now)).total_seconds()

    async def gap_s(self, row: Row, pace: Pace, route: Route) -> float:
        """Seconds until the next look at the provider."""
        past = await self.past.of(self, row)
        return pace.gap_s(route, past, self.passed_s(row))

    async def wait_for_route(self, row: Row) -> Verdict:
        """The model or the key was taken away: wait for it, since what was bought is not thrown
        away for a start without a key; by the deadline it is over.
        """
        if is_overdue(row):
            maybe = Status(row.status) is not Status.QUEUED
            return await self.settle(row, _not_configured(row), charged="maybe" if maybe else "no")
        note = f"{row.model} at {row.provider} is not configured here just now; waiting for it."
        if note not in row.notes:
            await self.move(row, Status(row.status), notes=[*row.notes, note])
        return Again(UNCONFIGURED_GAP_S)


def is_overdue(row: Row) -> bool:
    """Whether the time is up: of the job since its submit, else of the waiting for one."""
    return lifecycle.is_overdue(
        datetime.now(UTC), deadline_at=row.deadline_at, queued_at=row.queued_at
    )


def _not_configured(row: Row) -> Settle:
    return Settle(
        status=Status.FAILED,
        code="auth",
        message=f"{row.model} at {row.provider} is not configured here any more.",
        retryable=True,
    )
