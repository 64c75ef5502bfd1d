"""One generation as the worker needs it: its row, which statuses mean what, and how its changes are
told.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, RowMapping, Text, cast, func
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.elements import KeyedColumnElement

from db.tables import generations

OPEN_STATUSES = ("queued", "submitting", "in_progress", "storing")
SETTLED_STATUSES = ("completed", "failed", "cancelled", "unknown")
#: The channel on which every change of a generation is told: `{"id", "v", "u", "s"}`.
CHANNEL = "kinora_generations"
#: Tells of a changed row, in statements that are written out; else `told` does.
TOLD = (
    f"pg_notify('{CHANNEL}', json_build_object("
    "'id', id, 'v', version, 'u', user_id, 's', status)::text)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One generation as the worker needs it; the field names are the columns'."""

    id: UUID
    user_id: UUID
    thread_id: UUID | None
    number: int | None
    parent_id: UUID | None
    #: Its name in the old system that it was imported from; such a row is never driven.
    legacy_id: str | None
    kind: str
    status: str
    prompt: str
    model: str
    provider: str
    endpoint: str
    pinned: bool
    params: dict[str, Any]
    progress: float | None
    queue_position: int | None
    error_code: str | None
    error_message: str | None
    error_retryable: bool | None
    notes: list[str]
    detour: str | None
    charged: str
    cost_estimated_usd: Decimal | None
    cost_actual_usd: Decimal | None
    attempt: int
    claim: int
    intent_claim: int | None
    version: int
    provider_job: dict[str, Any] | None
    provider_outputs: list[str] | None
    deadline_at: datetime | None
    cancel_requested_at: datetime | None
    deleted_at: datetime | None
    submitted_at: datetime | None
    finished_at: datetime | None
    queued_at: datetime
    waits: bool
    placed_at: datetime | None
    created_at: datetime
    updated_at: datetime


COLUMNS: tuple[KeyedColumnElement[Any], ...] = tuple(
    generations.c[field.name] for field in fields(Row)
)


def row_or_none(record: RowMapping | None) -> Row | None:
    return None if record is None else known(record)


def known(record: RowMapping) -> Row:
    return Row(**{field.name: record[field.name] for field in fields(Row)})


def told(changed: CTE) -> ColumnElement[Any]:
    """Tells everybody of a changed row, once the transaction commits."""
    news = func.json_build_object(
        *("id", changed.c.id, "v", changed.c.version, "u", changed.c.user_id),
        *("s", changed.c.status),
    )
    return func.pg_notify(CHANNEL, cast(news, Text))
