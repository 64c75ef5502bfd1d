"""One generation as the worker needs it: its row, and which statuses mean what."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.sql.elements import KeyedColumnElement

from db.tables import generations

OPEN_STATUSES = ("queued", "submitting", "in_progress", "storing")
SETTLED_STATUSES = ("completed", "failed", "cancelled", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One generation as the worker needs it; the field names are the columns'."""

    id: UUID
    user_id: UUID
    thread_id: UUID | None
    kind: str
    status: str
    prompt: str
    model: str
    provider: str
    endpoint: str
    params: dict[str, Any]
    progress: float | None
    queue_position: int | None
    notes: list[str]
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
    queued_at: datetime
    created_at: datetime
    updated_at: datetime


COLUMNS: tuple[KeyedColumnElement[Any], ...] = tuple(
    generations.c[field.name] for field in fields(Row)
)


def row_or_none(record: RowMapping | None) -> Row | None:
    return None if record is None else known(record)


def known(record: RowMapping) -> Row:
    return Row(**{field.name: record[field.name] for field in fields(Row)})
