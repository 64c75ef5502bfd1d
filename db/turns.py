"""Turns of the agent: a turn whose process is gone was interrupted, and can be taken up by another.

A process shows that it lives by a session lock in Postgres. Reading thus needs no clock: an open
turn whose lock nobody holds is one that nobody answers any more.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import JSON, ScalarSelect, bindparam, column, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import threads, turns
from db.threads_of import Deleted

#: First number of the lock; the second is the process's instance.
INSTANCE_LOCK = 546674

_ELSEWHERE = text(
    """
    with others as materialized (
        select instance, ended_at from kinora.turns
        where thread_id = :thread and instance <> :mine
          and (ended_at is null or ended_at > now() - interval '2 s')
    )
    select exists (select from others), exists (
        select from others
        where ended_at is null and not pg_try_advisory_xact_lock_shared(:lock, instance))
    """
)
_INTERRUPTED = """
    with open_ones as materialized (
        select step_id, instance, started_at from kinora.turns
        where thread_id = :thread and ended_at is null
    )
    select step_id, started_at from open_ones
    where pg_try_advisory_xact_lock_shared(:lock, instance)
    order by started_at
"""


async def hold_instance(connection: asyncpg.Connection, instance: int) -> None:
    """Live: the lock falls with this connection."""
    await connection.execute("select pg_advisory_lock($1, $2)", INSTANCE_LOCK, instance)


async def begin(connection: AsyncConnection, step_id: UUID, thread_id: UUID, instance: int) -> None:
    """Note that this process answers a message, also when another began to.

    Raises:
        Deleted: the message's thread is gone.
    """
    known = (literal(step_id, turns.c.step_id.type), threads.c.id, literal(instance))
    living = select(*known).where(threads.c.id == thread_id, threads.c.deleted_at.is_(None))
    new = insert(turns).from_select(
        ["step_id", "thread_id", "instance"], living.with_for_update(key_share=True)
    )
    again = {"instance": instance, "started_at": func.now(), "ended_at": None}
    begun = await connection.execute(
        new.on_conflict_do_update(
            index_elements=[turns.c.step_id], set_=again, where=turns.c.thread_id == thread_id
        )
    )
    if not begun.rowcount:
        raise Deleted("the thread of this turn was deleted")


async def end(connection: AsyncConnection, step_id: UUID, instance: int) -> None:
    """The answer is stored, or the person stopped it: nothing is left to do."""
    await connection.execute(
        update(turns)
        .where(turns.c.step_id == step_id, turns.c.instance == instance)
        .values(ended_at=func.now())
    )


async def elsewhere(
    connection: AsyncConnection, thread_id: UUID, instance: int
) -> tuple[bool, bool]:
    """Whether another process than this one has answered in the thread, or died over it, since it
    was read a moment ago; and whether one still answers.
    """
    known = {"thread": thread_id, "mine": instance, "lock": INSTANCE_LOCK}
    concerns, goes_on = (await connection.execute(_ELSEWHERE, known)).one()
    return bool(concerns), bool(goes_on)


def interrupted() -> ScalarSelect[Any]:
    """The messages of the thread `:thread` whose answer was cut by the end of its process, as JSON
    `[{"step_id", "started_at"}]`, null for none; part of the statement that reads the thread.
    """
    rows = f"select json_agg(cut order by cut.started_at) as cuts from ({_INTERRUPTED}) cut"
    found = text(rows).bindparams(bindparam("lock", INSTANCE_LOCK))
    return found.columns(column("cuts", JSON)).scalar_subquery()


async def thread_of_interrupted(
    connection: AsyncConnection, user_id: UUID, step_id: UUID
) -> UUID | None:
    """The thread of an interrupted turn of this user's; None when it runs, ended, or is
    another's.
    """
    query = (
        select(turns.c.thread_id)
        .join(threads, threads.c.id == turns.c.thread_id)
        .where(turns.c.step_id == step_id, threads.c.user_id == user_id)
        .with_for_update(of=turns)
    )
    thread_id: UUID | None = (await connection.execute(query)).scalar_one_or_none()
    if thread_id is None:
        return None
    known = {"thread": thread_id, "lock": INSTANCE_LOCK}
    open_ones = set((await connection.execute(text(_INTERRUPTED), known)).scalars())
    return thread_id if step_id in open_ones else None
