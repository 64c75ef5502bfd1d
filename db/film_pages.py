"""Pages of a user's films in either direction, from the film that was shown last."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import generations


async def film_ids(
    connection: AsyncConnection, user_id: UUID, *, after: UUID | None, limit: int, ascending: bool
) -> list[UUID] | None:
    """At most so many, those that follow `after`; None when the user never had such a film."""
    g = generations.c
    place = tuple_(g.created_at, g.id)
    query = select(g.id).where(g.user_id == user_id, g.kind == "video", g.deleted_at.is_(None))
    if after is not None:
        # Also a film that was deleted meanwhile, as a client does that deletes page by page.
        known = select(g.created_at, g.id).where(
            g.id == after, g.user_id == user_id, g.kind == "video"
        )
        shown = (await connection.execute(known)).one_or_none()
        if shown is None:
            return None
        there = tuple_(shown.created_at, shown.id)
        query = query.where(place > there if ascending else place < there)
    order = (g.created_at, g.id) if ascending else (g.created_at.desc(), g.id.desc())
    return list((await connection.execute(query.order_by(*order).limit(limit))).scalars())
