"""What an import writes of conversations: threads, messages, what stands in them, votes.

Many rows a statement, and any of them may be done again: what is there stays as it is, and what a
person has deleted since does not come back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.ids import new_id
from db.imported import as_json
from db.thread_rows import CARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A conversation that is to be."""

    id: UUID
    user_id: UUID
    name: str | None
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Place:
    """A conversation that is there, and how many handles (#1, #2, ...) it has given out."""

    id: UUID
    user_id: UUID
    identifier: str
    generation_count: int
    is_deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that is to be."""

    id: UUID
    thread_id: UUID
    name: str
    type: str
    output: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What stands in a message: the card of a generation, or a picture a person gave."""

    thread_id: UUID
    step_id: UUID
    generation_id: UUID | None = None
    asset_id: UUID | None = None
    name: str = CARD
    mime: str | None = None
    created_at: datetime
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A thumb up (1) or down (0) on a message."""

    id: UUID
    step_id: UUID
    value: int


_THREADS = text(
    """
    insert into kinora.threads (id, user_id, name, created_at, updated_at)
    select id, user_id, name, created_at, created_at from jsonb_to_recordset(cast(:rows as jsonb))
        as n(id uuid, user_id uuid, name text, created_at timestamptz)
    on conflict (id) do nothing returning id
    """
)
_PLACES = text(
    """
    select t.id, t.user_id, u.identifier, t.generation_count, t.deleted_at is not null as is_deleted
    from kinora.threads t join kinora.users u on u.id = t.user_id
    where t.id = any(:ids) order by t.id for no key update of t
    """
)
_STEPS = text(
    """
    insert into kinora.steps (id, thread_id, name, type, output, created_at, started_at, ended_at)
    select n.id, n.thread_id, n.name, n.type, n.output, n.created_at, n.created_at, n.created_at
    from jsonb_array_elements(cast(:rows as jsonb)) with ordinality as r(row, at)
    cross join lateral jsonb_to_record(r.row) as n(id uuid, thread_id uuid, name text, type text,
        output text, created_at timestamptz)
    order by r.at
    on conflict (id) do nothing returning id
    """
)
_STEPS_THERE = text("select id, thread_id from kinora.steps where id = any(:ids)")
_ELEMENTS = text(
    """
    insert into kinora.elements (id, thread_id, step_id, type, name, mime, url, generation_id,
        asset_id, created_at)
    select n.id, n.thread_id, n.step_id,
        case when n.asset_id is null then 'custom' else 'image' end, n.name, n.mime,
        '/media/' || n.asset_id, n.generation_id, n.asset_id, n.created_at
    from jsonb_array_elements(cast(:rows as jsonb)) with ordinality as r(row, at)
    cross join lateral jsonb_to_record(r.row) as n(id uuid, thread_id uuid, step_id uuid,
        name text, mime text, generation_id uuid, asset_id uuid, created_at timestamptz)
    order by r.at
    """
)
_COUNTS = text(
    """
    update kinora.threads t set generation_count = n.generation_count
    from jsonb_to_recordset(cast(:rows as jsonb)) as n(id uuid, generation_count int)
    where t.id = n.id and t.generation_count <> n.generation_count
    """
)
#: One vote a message: the old system has no more, and a person may have voted here since.
_VOTES = text(
    """
    insert into kinora.feedbacks (id, step_id, value, created_at)
    select n.id, n.step_id, n.value, s.created_at
    from jsonb_to_recordset(cast(:rows as jsonb)) as n(id uuid, step_id uuid, value int)
    join kinora.steps s on s.id = n.step_id and s.deleted_at is null
    where not exists (select from kinora.feedbacks f where f.step_id = n.step_id)
    on conflict (id) do nothing returning id
    """
)


async def add_threads(connection: AsyncConnection, rows: Sequence[Thread]) -> set[UUID]:
    """Insert threads; returns those that were not there."""
    if not rows:
        return set()
    made = await connection.execute(_THREADS, {"rows": as_json(rows)})
    return set(made.scalars())


async def places(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Place]:
    """Threads as they stand, locked until the transaction ends."""
    rows = (await connection.execute(_PLACES, {"ids": list(ids)})).mappings()
    return {row["id"]: Place(**row) for row in rows}


async def keep_counts(connection: AsyncConnection, rows: Iterable[Place]) -> None:
    """Remember which handles have been given out."""
    said = [{"id": str(row.id), "generation_count": row.generation_count} for row in rows]
    if said:
        await connection.execute(_COUNTS, {"rows": json.dumps(said)})


async def add_messages(connection: AsyncConnection, rows: Sequence[Message]) -> set[UUID]:
    """Insert messages in this order; returns those that were not there."""
    if not rows:
        return set()
    made = await connection.execute(_STEPS, {"rows": as_json(rows)})
    return set(made.scalars())


async def threads_of_messages(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """In which threads these messages stand, deleted ones too."""
    rows = (await connection.execute(_STEPS_THERE, {"ids": list(ids)})).all()
    return {row.id: row.thread_id for row in rows}


async def add_shown(connection: AsyncConnection, rows: Sequence[Shown]) -> None:
    """Insert what stands in messages, in this order."""
    if rows:
        await connection.execute(_ELEMENTS, {"rows": as_json(rows)})


async def add_votes(connection: AsyncConnection, rows: Sequence[Vote]) -> set[UUID]:
    """Insert votes; returns those that were not there. One whose message is gone is left out."""
    if not rows:
        return set()
    made = await connection.execute(_VOTES, {"rows": as_json(rows)})
    return set(made.scalars())
