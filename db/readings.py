"""Readings: the one JSON form of a generation, made from its row whenever somebody asks. No status
is stored twice.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row as Record
from sqlalchemy import Select, any_, bindparam, func, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from db import search
from db.generation_row import Row
from db.ids import parse_id
from db.tables import assets, generations, inputs

THUMBNAIL_WIDTH_PX = 512
PAGE_MAX = 100
_COLUMNS = tuple(column for column in generations.c if column.name != "search")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which of the caller's generations are wanted; None: no condition."""

    query: str | None = None
    kind: str | None = None
    status: str | None = None
    model: str | None = None
    thread_id: UUID | None = None


@cache
def _query() -> Select[Any]:
    """All of the `owner`'s; made once, as a statement that is compiled once."""
    g = generations.c
    made = (
        select(
            func.json_agg(
                aggregate_order_by(
                    func.json_build_object(
                        *("id", assets.c.id, "media_type", assets.c.media_type),
                        *("width_px", assets.c.width_px, "height_px", assets.c.height_px),
                        *("duration_s", assets.c.duration_s, "size_bytes", assets.c.size_bytes),
                    ),
                    assets.c.position,
                )
            )
        )
        .where(assets.c.generation_id == g.id)
        .scalar_subquery()
    )
    given = (
        select(
            func.json_agg(
                aggregate_order_by(
                    func.json_build_object("role", inputs.c.role, "asset_id", inputs.c.asset_id),
                    inputs.c.position,
                )
            )
        )
        .where(inputs.c.generation_id == g.id)
        .scalar_subquery()
    )
    return select(*_COLUMNS, made.label("assets"), given.label("inputs")).where(
        g.user_id == bindparam("owner", type_=g.user_id.type), g.deleted_at.is_(None)
    )


@cache
def _these() -> Select[Any]:
    g = generations.c
    among = g.id == any_(bindparam("ids", type_=ARRAY(g.id.type)))
    return _query().where(among).order_by(g.created_at.desc(), g.id.desc())


async def read(
    connection: AsyncConnection, user_id: UUID, ids: Sequence[UUID]
) -> list[dict[str, Any]]:
    """The readings of these generations, as far as they are the user's and not deleted, newest
    first.
    """
    if not ids:
        return []
    asked = {"owner": user_id, "ids": list(ids)}
    return [_reading(record) for record in (await connection.execute(_these(), asked)).all()]


async def page(
    connection: AsyncConnection,
    user_id: UUID,
    wanted: Filter,
    *,
    limit: int,
    cursor: str | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of the caller's generations, newest first, and the cursor of the next.

    Raises:
        ValueError: the cursor is not one of ours.
    """
    g = generations.c
    query = _query().order_by(g.created_at.desc(), g.id.desc()).limit(limit + 1)
    if wanted.kind:
        query = query.where(g.kind == wanted.kind)
    if wanted.status:
        query = query.where(g.status == wanted.status)
    if wanted.model:
        query = query.where(g.model == wanted.model)
    if wanted.thread_id:
        query = query.where(g.thread_id == wanted.thread_id)
    if words := search.asked(wanted.query):
        query = query.where(search.matching_generations(words))
    if cursor:
        query = query.where(tuple_(g.created_at, g.id) < tuple_(*_decode(cursor)))
    records = (await connection.execute(query, {"owner": user_id})).all()
    more = len(records) > limit
    shown = records[:limit]
    following = _encode(shown[-1].created_at, shown[-1].id) if more else None
    return [_reading(record) for record in shown], following


async def by_number(
    connection: AsyncConnection, user_id: UUID, thread_id: UUID, number: int
) -> UUID | None:
    """The generation that a handle (`#3`) means inside a thread."""
    g = generations.c
    query = select(g.id).where(
        g.user_id == user_id,
        g.thread_id == thread_id,
        g.number == number,
        g.deleted_at.is_(None),
    )
    found: UUID | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def finished_since(
    connection: AsyncConnection, user_id: UUID, thread_id: UUID, since: datetime
) -> list[dict[str, Any]]:
    """What was settled in a thread after a moment, in the order in which it was settled."""
    g = generations.c
    query = (
        _query()
        .where(g.thread_id == thread_id, g.finished_at > since)
        .order_by(g.finished_at)
        .limit(PAGE_MAX)
    )
    records = (await connection.execute(query, {"owner": user_id})).all()
    return [_reading(record) for record in records]


async def changed(
    connection: AsyncConnection,
    user_id: UUID,
    since: tuple[datetime, UUID],
    *,
    limit: int = PAGE_MAX,
    thread_id: UUID | None = None,
) -> tuple[list[dict[str, Any]], tuple[datetime, UUID] | None]:
    """What changed after a moment, as it is now, in the order in which it did; and from where to
    ask for more.
    """
    g = generations.c
    query = _query().where(tuple_(g.updated_at, g.id) > tuple_(*since))
    if thread_id:
        query = query.where(g.thread_id == thread_id)
    query = query.order_by(g.updated_at, g.id).limit(limit)
    records = (await connection.execute(query, {"owner": user_id})).all()
    last = records[-1] if len(records) == limit else None
    return [_reading(record) for record in records], last and (last.updated_at, last.id)


async def count_in_flight(connection: AsyncConnection) -> dict[str, int]:
    """How many generations of ours stand in each status that is not final, for the doctor."""
    g = generations.c
    query = (
        select(g.status, func.count(literal_column("*")))
        .where(g.status.notin_(("completed", "failed", "cancelled")), g.legacy_id.is_(None))
        .group_by(g.status)
    )
    return {status: int(count) for status, count in (await connection.execute(query)).all()}


def _encode(created_at: datetime, generation_id: UUID) -> str:
    raw = json.dumps([created_at.isoformat(), str(generation_id)]).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime, UUID]:
    try:
        created_at, text = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment, generation_id = datetime.fromisoformat(created_at), parse_id(text)
    except (ValueError, TypeError) as error:
        raise ValueError("this cursor is not one of ours") from error
    # The driver turns it into UTC, which the ends of the calendar do not survive.
    if generation_id is None or moment.tzinfo is None or not 1970 <= moment.year < 9999:
        raise ValueError("this cursor is not one of ours")
    return moment, generation_id


def stamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds, as all our JSON has it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def asset_reading(asset: dict[str, Any]) -> dict[str, Any]:
    """The JSON of one asset; its address stays valid, who may open it is decided when it is
    opened.
    """
    url = f"/media/{asset['id']}"
    is_sound = asset["media_type"].startswith("audio/")
    return {
        "id": str(asset["id"]),
        "url": url,
        "thumbnail_url": None if is_sound else f"{url}?w={THUMBNAIL_WIDTH_PX}",
        "media_type": asset["media_type"],
        "width_px": asset["width_px"],
        "height_px": asset["height_px"],
        "duration_s": asset["duration_s"],
        "size_bytes": asset["size_bytes"],
    }


def _error(record: Record[Any] | Row) -> dict[str, Any] | None:
    if record.status not in ("failed", "unknown"):
        return None
    return {
        "code": record.error_code or "internal",
        "message": record.error_message or "Something went wrong.",
        "retryable": bool(record.error_retryable),
    }


def _usd(value: object) -> float | None:
    return None if value is None else float(str(value))


def of_new(row: Row, input_roles: Sequence[tuple[str, UUID]]) -> dict[str, Any]:
    """The reading of a row that was inserted just now: nothing is made of it yet."""
    return _of(row, [{"role": role, "asset_id": str(asset)} for role, asset in input_roles], [])


def _reading(record: Record[Any]) -> dict[str, Any]:
    given = [given for given in record.inputs or [] if given["asset_id"]]
    return _of(record, given, [asset_reading(asset) for asset in record.assets or []])


def _of(
    record: Record[Any] | Row, given: list[dict[str, Any]], made: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "id": str(record.id),
        "handle": f"#{record.number}" if record.number else None,
        "kind": record.kind,
        "status": record.status,
        "progress": 1.0 if record.status == "completed" else record.progress,
        "queue_position": record.queue_position,
        "prompt": record.prompt,
        "model": record.model,
        "provider": record.provider,
        "params": record.params,
        "parent_id": str(record.parent_id) if record.parent_id else None,
        "thread_id": str(record.thread_id) if record.thread_id else None,
        "inputs": given,
        "assets": made,
        "error": _error(record),
        "notes": [*filter(None, [record.detour]), *record.notes],
        "charged": record.charged,
        "cost_usd": {
            "estimated": _usd(record.cost_estimated_usd),
            "actual": _usd(record.cost_actual_usd),
        },
        "attempt": record.attempt,
        "cancel_requested_at": stamp(record.cancel_requested_at),
        "created_at": stamp(record.created_at),
        "submitted_at": stamp(record.submitted_at),
        "finished_at": stamp(record.finished_at),
        "updated_at": stamp(record.updated_at),
        "v": record.version,
    }
