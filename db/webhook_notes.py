"""What providers told us by webhook: noted and passed on, and acted upon by nobody here.

A note wakes whoever drives the generation; where nobody does, because it is unknown or the news are
of an older attempt, it has the generation driven once more.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, Text, bindparam, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.generation_row import CHANNEL, OPEN_STATUSES
from db.jobs import defer_drive
from db.tables import generations, webhook_notes

#: More news of one attempt tell nothing: whoever drives it has been woken so often.
NOTES_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The newest news of one job of one attempt."""

    attempt: int
    provider_job_id: str
    event: str
    received_at: datetime


async def note(
    connection: AsyncConnection,
    generation_id: UUID,
    attempt: int,
    event: str,
    provider_job_id: str | None,
) -> bool:
    """Note news once, however often they are told, and tell the driver; False: of no generation,
    or of one imported from an old system, of which no provider here knows.

    The row is locked, so that news and the end of a drive cannot miss each other: either the note
    is there when the row settles, or the settled row is seen here.
    """
    g = generations.c
    query = select(g.user_id, g.version, g.status, g.attempt, g.deleted_at).where(
        g.id == generation_id, g.legacy_id.is_(None)
    )
    row = (await connection.execute(query.with_for_update(key_share=True))).one_or_none()
    if row is None:
        return False
    if not await _is_new(connection, generation_id, attempt, event, provider_job_id):
        return True
    news = {"id": str(generation_id), "v": row.version, "u": str(row.user_id), "s": row.status}
    told = json.dumps({**news, "w": True})
    await connection.execute(select(func.pg_notify(CHANNEL, told)))
    is_gone = row.status not in OPEN_STATUSES and row.deleted_at is not None
    # Whoever drives an open one has been woken, and a settled one has nothing more to hear.
    if (row.status == "unknown" or attempt != row.attempt) and not is_gone:
        await defer_drive(connection, generation_id)
    return True


_OF_THE_ATTEMPT = (
    select(func.count())
    .select_from(webhook_notes)
    .where(
        webhook_notes.c.generation_id == bindparam("generation_id"),
        webhook_notes.c.attempt == bindparam("attempt"),
    )
    .scalar_subquery()
)
_NOTE = (
    insert(webhook_notes)
    .from_select(
        ["generation_id", "attempt", "event", "provider_job_id"],
        select(
            bindparam("generation_id", type_=PgUUID(as_uuid=True)),
            bindparam("attempt", type_=Integer),
            bindparam("event", type_=Text),
            bindparam("provider_job_id", type_=Text),
        ).where(literal(NOTES_MAX) > _OF_THE_ATTEMPT),
    )
    .on_conflict_do_nothing()
    .returning(webhook_notes.c.event)
)


async def _is_new(
    connection: AsyncConnection,
    generation_id: UUID,
    attempt: int,
    event: str,
    provider_job_id: str | None,
) -> bool:
    values = {
        "generation_id": generation_id,
        "attempt": attempt,
        "event": event,
        "provider_job_id": provider_job_id,
    }
    return (await connection.execute(_NOTE, values)).one_or_none() is not None


async def job_of(connection: AsyncConnection, generation_id: UUID, attempt: int) -> str | None:
    """The provider's job of an attempt, by the newest news that name one."""
    n = webhook_notes.c
    query = (
        select(n.provider_job_id)
        .where(
            n.generation_id == generation_id,
            n.attempt == attempt,
            n.provider_job_id.is_not(None),
        )
        .order_by(n.received_at.desc())
        .limit(1)
    )
    return (await connection.execute(query)).scalar_one_or_none()


async def unread(
    connection: AsyncConnection, generation_id: UUID, before_attempt: int
) -> Sequence[Note]:
    """The jobs of older attempts of which there are news that nobody has followed yet."""
    n = webhook_notes.c
    query = (
        select(n.attempt, n.provider_job_id, n.event, n.received_at)
        .ext(distinct_on(n.attempt, n.provider_job_id))
        .where(
            n.generation_id == generation_id,
            n.attempt < before_attempt,
            n.provider_job_id.is_not(None),
            n.read_at.is_(None),
        )
        .order_by(n.attempt, n.provider_job_id, n.received_at.desc())
    )
    return [Note(**found) for found in (await connection.execute(query)).mappings()]


async def mark_read(connection: AsyncConnection, generation_id: UUID, attempt: int) -> None:
    """All news of an attempt so far have been followed."""
    n = webhook_notes.c
    await connection.execute(
        update(webhook_notes)
        .where(n.generation_id == generation_id, n.attempt == attempt, n.read_at.is_(None))
        .values(read_at=func.now())
    )


async def forget_old(connection: AsyncConnection, before: datetime) -> int:
    """Delete what was received before; returns how many."""
    query = delete(webhook_notes).where(webhook_notes.c.received_at < before)
    return (await connection.execute(query)).rowcount
