"""A thread as the agent needs it: what was said, called and answered, in order, with the pictures
people gave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import assets, elements, steps, threads

#: More than any chat model is sent; older steps stay in the thread.
STEPS_MAX = 400
SPOKEN = ("user_message", "assistant_message", "tool")


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


async def read(
    connection: AsyncConnection, user_id: UUID, thread_id: UUID, *, without: UUID
) -> list[Spoken]:
    """The newest steps of the user's thread in their order, but for one (the message being
    answered).
    """
    s = steps.c
    query = (
        select(s.id, s.type, s.name, s.input, s.output, s.created_at)
        .join(threads, threads.c.id == s.thread_id)
        .where(
            s.thread_id == thread_id,
            threads.c.user_id == user_id,
            s.type.in_(SPOKEN),
            s.id != without,
        )
        .order_by(s.created_at.desc(), s.seq.desc())
        .limit(STEPS_MAX)
    )
    records = (await connection.execute(query)).all()
    pictures = await _pictures(connection, thread_id)
    return [
        Spoken(
            id=r.id,
            type=r.type,
            name=r.name,
            input=r.input,
            output=r.output,
            created_at=r.created_at,
            pictures=tuple(pictures.get(r.id, ())),
        )
        for r in reversed(records)
    ]


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
