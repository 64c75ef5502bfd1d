"""Keys of requests that may be sent twice: the first one's generation answers all that follow."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import idempotency_keys

KEPT_H = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a key was first used for."""

    request_sha256: bytes
    generation_id: UUID


async def find(connection: AsyncConnection, user_id: UUID, key: str) -> Remembered | None:
    """The request that this user has sent under this key."""
    k = idempotency_keys.c
    query = select(k.request_sha256, k.generation_id).where(k.user_id == user_id, k.key == key)
    found = (await connection.execute(query)).one_or_none()
    return found and Remembered(request_sha256=found[0], generation_id=found[1])


async def claim(connection: AsyncConnection, user_id: UUID, key: str, first: Remembered) -> bool:
    """Put a key on record, for as long as this transaction's work stands; False when it is there.

    While another transaction has the same key under way, this waits for its end.
    """
    new = insert(idempotency_keys).values(
        user_id=user_id,
        key=key,
        request_sha256=first.request_sha256,
        generation_id=first.generation_id,
    )
    claimed = new.on_conflict_do_nothing().returning(idempotency_keys.c.key)
    return (await connection.execute(claimed)).one_or_none() is not None


async def forget_old(connection: AsyncConnection) -> None:
    """Delete the keys that nobody may count on any more."""
    age = func.make_interval(0, 0, 0, 0, KEPT_H)
    old = idempotency_keys.c.created_at < func.now() - age
    await connection.execute(delete(idempotency_keys).where(old))
