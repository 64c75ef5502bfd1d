"""A thread as the agent needs it: what was said, called and answered, in order, with the pictures
people gave and what an old system had made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import assets, elements, generations, steps, threads

#: More than any chat model is sent; older steps stay in the thread.
STEPS_MAX = 400
s = steps.c
SPOKEN = ("user_message", "assistant_message", "tool")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A generation of an old system whose card stands in a message: no call tells of it."""

    id: UUID
    #: Its handle in this thread; None: it has one in another thread, or none.
    number: int | None
    kind: str
    status: str
    prompt: str
    has_file: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One step: a person's message, the agent's, or a tool call with its arguments and result."""

    id: UUID
    type: str
    name: str
    input: str
    output: str
    created_at: datetime
    #: Asset and file name of each picture a person gave with it.
    pictures: tuple[tuple[UUID, str], ...]
    imported: tuple[Imported, ...] = ()


async def read(
    connection: AsyncConnection, user_id: UUID, thread_id: UUID, *, before: datetime
) -> list[Spoken]:
    """The newest steps of the user's thread before a moment, in their order."""
    query = (
        select(s.id, s.type, s.name, s.input, s.output, s.created_at)
        .join(threads, threads.c.id == s.thread_id)
        .where(
            s.thread_id == thread_id,
            threads.c.user_id == user_id,
            s.type.in_(SPOKEN),
            s.deleted_at.is_(None),
            s.created_at < before,
        )
        .order_by(s.created_at.desc(), s.seq.desc())
        .limit(STEPS_MAX)
    )
    records = (await connection.execute(query)).all()
    pictures = await _pictures(connection, thread_id)
    imported = await _imported(connection, thread_id)
    return [_spoken(record, pictures, imported) for record in reversed(records)]


async def one(connection: AsyncConnection, user_id: UUID, step_id: UUID) -> Spoken | None:
    """One step of the user's, such as the message of a turn that is taken up again."""
    query = (
        select(s.id, s.type, s.name, s.input, s.output, s.created_at, s.thread_id)
        .join(threads, threads.c.id == s.thread_id)
        .where(s.id == step_id, threads.c.user_id == user_id, s.deleted_at.is_(None))
    )
    record = (await connection.execute(query)).one_or_none()
    if record is None:
        return None
    pictures = await _pictures(connection, record.thread_id)
    return _spoken(record, pictures, {})


def _spoken(
    record: Any,
    pictures: Mapping[UUID, list[tuple[UUID, str]]],
    imported: Mapping[UUID, list[Imported]],
) -> Spoken:
    return Spoken(
        id=record.id,
        type=record.type,
        name=record.name,
        input=record.input,
        output=record.output,
        created_at=record.created_at,
        pictures=tuple(pictures.get(record.id, ())),
        imported=tuple(imported.get(record.id, ())),
    )


async def _pictures(
    connection: AsyncConnection, thread_id: UUID
) -> dict[UUID, list[tuple[UUID, str]]]:
    query = (
        select(elements.c.step_id, assets.c.id, assets.c.name)
        .join(assets, assets.c.id == elements.c.asset_id)
        .where(elements.c.thread_id == thread_id, elements.c.step_id.is_not(None))
        .order_by(elements.c.seq)
    )
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    for step_id, asset_id, name in (await connection.execute(query)).all():
        found.setdefault(step_id, []).append((asset_id, name or "picture"))
    return found


async def _imported(connection: AsyncConnection, thread_id: UUID) -> dict[UUID, list[Imported]]:
    g, e = generations.c, elements.c
    has_file = exists().where(assets.c.generation_id == g.id).label("has_file")
    query = (
        select(e.step_id, g.id, g.number, g.thread_id, g.kind, g.status, g.prompt, has_file)
        .join(generations, g.id == e.generation_id)
        .where(
            e.thread_id == thread_id,
            e.step_id.is_not(None),
            g.legacy_id.is_not(None),
            g.deleted_at.is_(None),
        )
        .order_by(e.seq)
    )
    found: dict[UUID, list[Imported]] = {}
    for record in (await connection.execute(query)).all():
        found.setdefault(record.step_id, []).append(
            Imported(
                id=record.id,
                number=record.number if record.thread_id == thread_id else None,
                kind=record.kind,
                status=record.status,
                prompt=record.prompt,
                has_file=record.has_file,
            )
        )
    return found
