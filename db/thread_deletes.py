"""Deleting what was said, for good. Chainlit's writes come late and in any order, so what was
deleted leaves a tombstone: the row with its id and nothing in it, which takes no write in.

A thread's tombstone is enough for all that hung on it, so those rows go. A step's and an element's
go with their thread. Every function here holds the thread's lock, as every write of it does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import assets, threads_of
from db.tables import elements, feedbacks, steps, threads, turns
from db.thread_writes import theirs

#: What stays of a row: whose it is, where it stood, and when.
_KEPT = {"id", "user_id", "thread_id", "step_id", "seq", "created_at", "updated_at", "deleted_at"}


def _emptied(table: Any, **more: Any) -> dict[str, Any]:
    """The values that make a row a tombstone."""
    nothing = {
        column.name: column.server_default.arg if column.server_default is not None else null()
        for column in table.c
        if column.name not in _KEPT and column.computed is None
    }
    return {**nothing, **more, "deleted_at": func.now()}


async def delete_thread(
    connection: AsyncConnection,
    thread_id: UUID,
    user_id: UUID | None,
    delete_generations: Callable[[AsyncConnection, UUID], Awaitable[None]],
) -> None:
    """Delete a thread of the user's with all it holds, also before its first write has come; no
    user: the caller sees to whose it is.
    """
    t, shown = threads.c, elements.c
    if user_id is not None and not await threads_of.ensure(connection, user_id, thread_id):
        return
    living = select(t.id).where(t.id == thread_id, t.deleted_at.is_(None)).with_for_update()
    if (await connection.execute(living)).first() is None:
        return
    pictures = await _pictures(connection, shown.thread_id == thread_id)
    await delete_generations(connection, thread_id)
    for table in (elements, turns, steps):
        await connection.execute(delete(table).where(table.c.thread_id == thread_id))
    gone = update(threads).where(t.id == thread_id)
    await connection.execute(gone.values(**_emptied(threads, updated_at=func.now())))
    await assets.let_go(connection, pictures)


async def delete_step(
    connection: AsyncConnection, step_id: UUID, thread_id: UUID, user_id: UUID
) -> None:
    """Delete a step of the user's, with what hangs on it; `thread_id` is where it would come."""
    if not await threads_of.ensure(connection, user_id, thread_id):
        return
    stub = insert(steps).values(id=step_id, thread_id=thread_id).on_conflict_do_nothing()
    await connection.execute(stub)
    mine = theirs(user_id)
    gone = update(steps).where(steps.c.id == step_id, steps.c.thread_id.in_(mine))
    if not (await connection.execute(gone.values(**_emptied(steps)))).rowcount:
        return
    await connection.execute(delete(feedbacks).where(feedbacks.c.step_id == step_id))
    await connection.execute(delete(turns).where(turns.c.step_id == step_id))
    hanging = (elements.c.step_id == step_id) & elements.c.thread_id.in_(mine)
    await _delete_elements(connection, hanging)


async def delete_element(
    connection: AsyncConnection, element_id: UUID, thread_id: UUID, user_id: UUID
) -> None:
    """Delete an element of the user's; `thread_id` is where it would come."""
    if not await threads_of.ensure(connection, user_id, thread_id):
        return
    stub = insert(elements).values(id=element_id, thread_id=thread_id, type="")
    await connection.execute(stub.on_conflict_do_nothing())
    this = (elements.c.id == element_id) & elements.c.thread_id.in_(theirs(user_id))
    await _delete_elements(connection, this)


async def _delete_elements(connection: AsyncConnection, which: Any) -> None:
    pictures = await _pictures(connection, which)
    gone = update(elements).where(which)
    await connection.execute(gone.values(**_emptied(elements, type="")))
    await assets.let_go(connection, pictures)


async def let_go_of(connection: AsyncConnection, user_id: UUID, asset_id: UUID | None) -> None:
    """Release a picture of the user's that was brought into a thread which is gone."""
    if asset_id is not None and await assets.find(connection, user_id, asset_id):
        await assets.let_go(connection, [asset_id])


async def _pictures(connection: AsyncConnection, which: Any) -> list[UUID]:
    query = select(elements.c.asset_id).where(which, elements.c.asset_id.is_not(None)).distinct()
    return list((await connection.execute(query)).scalars())


async def was_deleted(
    connection: AsyncConnection, user_id: UUID, thread_id: UUID, thing_id: UUID
) -> bool:
    """Whether a thread of the user's, or a step or an element in it, was deleted."""
    t = threads.c
    buried = [
        select(table.c.id)
        .where(table.c.id == thing_id, table.c.thread_id == t.id, table.c.deleted_at.is_not(None))
        .exists()
        for table in (steps, elements)
    ]
    query = select(t.id).where(t.id == thread_id, t.user_id == user_id)
    found = await connection.execute(query.where(or_(t.deleted_at.is_not(None), *buried)))
    return found.first() is not None
