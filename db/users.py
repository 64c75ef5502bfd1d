"""Users: who owns what. An identifier is unique; in local mode there is one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
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
