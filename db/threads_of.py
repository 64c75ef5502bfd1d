"""A user's threads as the rest of us needs them, without Chainlit: does it exist, is it theirs,
make its stub.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import threads


async def ensure(connection: AsyncConnection, user_id: UUID, thread_id: UUID) -> bool:
    """Make the thread's row if nobody has yet: the first message, step and card of a chat race each
    other. False when the thread is somebody else's.
    """
    stub = insert(threads).values(id=thread_id, user_id=user_id).on_conflict_do_nothing()
    await connection.execute(stub)
    owner = select(threads.c.user_id).where(threads.c.id == thread_id)
    return bool((await connection.execute(owner)).scalar_one() == user_id)
