"""A user's threads as the rest of us needs them, without Chainlit: does it exist, is it theirs,
make its stub.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import threads


class Refused(Exception):
    """A write names something that is not the asker's: the thing stays as it is."""


class Deleted(Refused):
    """A write comes too late: the thread, or the thing in it, was deleted, and stays so."""


async def ensure(connection: AsyncConnection, user_id: UUID, thread_id: UUID) -> bool:
    """Make the thread's row if nobody has yet: the first message, step and card of a chat race each
    other. False when the thread is somebody else's, or was deleted.

    The row is locked: while this transaction lasts, nobody deletes the thread.
    """
    stub = insert(threads).values(id=thread_id, user_id=user_id).on_conflict_do_nothing()
    await connection.execute(stub)
    query = select(threads.c.user_id).where(threads.c.id == thread_id)
    living = query.where(threads.c.deleted_at.is_(None)).with_for_update(key_share=True)
    return bool((await connection.execute(living)).scalar_one_or_none() == user_id)


async def is_deleted(connection: AsyncConnection, user_id: UUID, thread_id: UUID) -> bool:
    """Whether this was a thread of the user's."""
    t = threads.c
    query = select(t.id).where(t.id == thread_id, t.user_id == user_id, t.deleted_at.is_not(None))
    return (await connection.execute(query)).first() is not None
