"""The attempts of a generation: what became of each is kept beside the row, whose columns the next
one will overwrite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.generation_row import SETTLED_STATUSES, Row
from db.tables import attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an attempt keeps that its row does not show: the provider's number of the request that
    went wrong, an error that was overcome, how long the provider took.
    """

    request_id: str | None = None
    error_code: str | None = None
    message: str | None = None
    alike: str | None = None
    duration_s: float | None = None


async def begin(connection: AsyncConnection, row: Row) -> None:
    """Begin the attempt that the row stands at."""
    await connection.execute(
        insert(attempts).values(
            generation_id=row.id,
            attempt=row.attempt,
            user_id=row.user_id,
            provider=row.provider,
            cost_estimated_usd=row.cost_estimated_usd,
        )
    )


async def reroute(connection: AsyncConnection, row: Row) -> None:
    """The attempt that the row stands at goes to another provider."""
    await connection.execute(
        update(attempts)
        .where(attempts.c.generation_id == row.id, attempts.c.attempt == row.attempt)
        .values(provider=row.provider, cost_estimated_usd=row.cost_estimated_usd)
    )


async def note(
    connection: AsyncConnection, row: Row, values: Mapping[str, Any], kept: Kept
) -> None:
    """Keep what became of the attempt that the row stands at; `values` are what the move wrote."""
    settled = row.status in SETTLED_STATUSES
    said = {
        "error_code": values.get("error_code") or kept.error_code,
        "message": values.get("error_message") or kept.message,
        "request_id": kept.request_id,
        "alike": kept.alike,
        "duration_s": kept.duration_s,
    }
    await connection.execute(
        update(attempts)
        .where(attempts.c.generation_id == row.id, attempts.c.attempt == row.attempt)
        .values(
            submitted_at=row.submitted_at,
            finished_at=func.now() if settled else None,
            outcome=row.status if settled else None,
            provider_job_id=(row.provider_job or {}).get("id"),
            charged=row.charged,
            cost_actual_usd=row.cost_actual_usd,
            # What an earlier step has kept stays.
            **{name: value for name, value in said.items() if value is not None},
        )
    )


async def note_cost(
    connection: AsyncConnection, generation_id: UUID, attempt: int, cost_usd: Decimal | None
) -> None:
    """An attempt that is over was carried out by the provider after all, and paid for."""
    a = attempts.c
    values: dict[str, Any] = {"charged": "yes"}
    if cost_usd is not None:
        values["cost_actual_usd"] = func.coalesce(a.cost_actual_usd, cost_usd)
    await connection.execute(
        update(attempts)
        .where(a.generation_id == generation_id, a.attempt == attempt)
        .values(**values)
    )
