"""The attempts of a generation: what became of each is kept beside the row, whose columns the next
one will overwrite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.generation_row import SETTLED_STATUSES, Row
from db.tables import attempts


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


async def note(connection: AsyncConnection, row: Row, values: Mapping[str, Any]) -> None:
    """Keep what became of the attempt that the row stands at; `values` are what the move wrote."""
    settled = row.status in SETTLED_STATUSES
    await connection.execute(
        update(attempts)
        .where(attempts.c.generation_id == row.id, attempts.c.attempt == row.attempt)
        .values(
            submitted_at=row.submitted_at,
            finished_at=func.now() if settled else None,
            outcome=row.status if settled else None,
            provider_job_id=(row.provider_job or {}).get("id"),
            error_code=values.get("error_code"),
            message=values.get("error_message"),
            charged=row.charged,
            cost_actual_usd=row.cost_actual_usd,
        )
    )
