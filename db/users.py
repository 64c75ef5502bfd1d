"""Users: who owns what. An identifier is unique; in local mode there is one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import null, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.ids import new_id
from db.tables import users


async def ensure(connection: AsyncConnection, identifier: str) -> UUID:
    """The user of this identifier, made if there is none."""
    stub = insert(users).values(id=new_id(), identifier=identifier).on_conflict_do_nothing()
    await connection.execute(stub)
    found = select(users.c.id).where(users.c.identifier == identifier)
    user_id: UUID = (await connection.execute(found)).scalar_one()
    return user_id


async def keep_page_context(
    connection: AsyncConnection, user_id: UUID, said: dict[str, Any]
) -> None:
    """Keep what the page says in which the user has the widget; nothing, when it says nothing."""
    kept = update(users).where(users.c.id == user_id).values(page_context=said or null())
    await connection.execute(kept)


async def page_context(connection: AsyncConnection, user_id: UUID) -> dict[str, Any] | None:
    """What the page has said that the user had the widget in last."""
    query = select(users.c.page_context).where(users.c.id == user_id)
    said: dict[str, Any] | None = (await connection.execute(query)).scalar_one_or_none()
    return said
