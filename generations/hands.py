"""What a driver works with, opened once by the runtime: the database, the files, the catalogue, the
providers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import generations
from db.files import LocalFiles
from db.generations import Row
from generations.lifecycle import QUEUED_MAX_S, Again, Done, Settle, Status, Verdict, may_move
from generations.watch import Watch
from providers.catalogue import Catalogue
from providers.contract import Provider, Route
from providers.download import ResultClients
from providers.model import Model

log = structlog.get_logger(__name__)

UNCONFIGURED_GAP_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What a driver works with; opened once by the runtime."""

    engine: AsyncEngine
    watch: Watch
    files: LocalFiles
    catalogue: Catalogue
    providers: Mapping[str, Provider]
    results: ResultClients
    #: How many generations of one user may be at providers at once; 0: no bound.
    in_flight_max: int = 0

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

    async def move(self, row: Row, status: Status, **values: Any) -> Row | None:
        """Move a row on in a transaction of its own; None: it is somebody else's by now.

        Raises:
            ValueError: the chart has no such arrow.
        """
        async with self.engine.begin() as connection:
            return await self.move_in(connection, row, status, **values)

    async def move_in(
        self, connection: AsyncConnection, row: Row, status: Status, **values: Any
    ) -> Row | None:
        """Move a row on inside a transaction of the caller's; else as `move`."""
        if status != row.status and not may_move(Status(row.status), status):
            raise ValueError(f"no generation moves from {row.status} to {status}")
        moved = await generations.move(connection, row, status, **values)
        if moved is not None and moved.status != row.status:
            log.info("generation moved", old=row.status, new=moved.status, attempt=row.attempt)
        return moved

    async def settle(self, row: Row, end: Settle, **values: Any) -> Verdict:
        """End a generation with an error."""
        await self.move(
            row,
            end.status,
            error_code=end.code,
            error_message=end.message,
            error_retryable=end.retryable,
            **values,
        )
        return Done()

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
    now = datetime.now(UTC)
    if row.deadline_at is not None:
        return now > row.deadline_at
    return now - row.queued_at > timedelta(seconds=QUEUED_MAX_S)


def _not_configured(row: Row) -> Settle:
    return Settle(
        status=Status.FAILED,
        code="auth",
        message=f"{row.model} at {row.provider} is not configured here any more.",
        retryable=True,
    )
