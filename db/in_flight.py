"""The line in which a user's generations wait when as many as may be are at the providers.

Whose turn it is is decided in the transaction that moves the row on, under the user's lock: exact
over all processes, oldest first. A row that was put aside (its route is not configured, or the
provider takes no more) carries a note and keeps nobody waiting behind it.
"""

from __future__ import annotations

from sqlalchemy import func, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from db.generations import Row
from db.spending import IN_FLIGHT
from db.tables import generations

#: First number of the lock; the second tells one user from the other.
LINE_LOCK = 546677

_LOCK = text("select pg_advisory_xact_lock(:lock, hashtext(:user_id))")


async def take_turn(connection: AsyncConnection, row: Row, at_once: int) -> bool:
    """Whether a queued row may go to its provider now; nobody else of the user's is told so before
    this transaction ends.
    """
    await connection.execute(_LOCK, {"lock": LINE_LOCK, "user_id": str(row.user_id)})
    return await is_turn(connection, row, at_once)


async def is_turn(connection: AsyncConnection, row: Row, at_once: int) -> bool:
    """Whether fewer than `at_once` of the user's are in flight or wait longer than this row."""
    g = generations.c
    waits_longer = (
        (g.status == "queued")
        & g.cancel_requested_at.is_(None)
        & (func.cardinality(g.notes) == 0)
        & (tuple_(g.queued_at, g.id) < tuple_(row.queued_at, row.id))
    )
    query = (
        select(func.count())
        .select_from(generations)
        .where(g.user_id == row.user_id, or_(g.status.in_(IN_FLIGHT), waits_longer))
    )
    return int((await connection.execute(query)).scalar_one()) < at_once
