"""API keys as rows: who may use one, and for what. Of its secret only a hash is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.accounts import tell
from db.ids import new_id
from db.readings import stamp
from db.tables import api_keys, users

#: "Last used" is written down this often at most, so that a busy key costs no write a request.
USED_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key that holds."""

    id: UUID
    user_id: UUID
    secret_sha256: bytes
    scopes: frozenset[str]
    is_noted: bool


async def create(
    connection: AsyncConnection,
    user_id: UUID,
    *,
    name: str,
    prefix: str,
    secret_sha256: bytes,
    scopes: Sequence[str],
) -> dict[str, Any]:
    """Store a new key and return its reading."""
    query = (
        insert(api_keys)
        .values(
            id=new_id(),
            user_id=user_id,
            name=name,
            prefix=prefix,
            secret_sha256=secret_sha256,
            scopes=list(scopes),
        )
        .returning(api_keys)
    )
    return _reading((await connection.execute(query)).mappings().one())


async def find(connection: AsyncConnection, prefix: str) -> KeyRow | None:
    """The key of this prefix, unless it was revoked or its user is disabled."""
    row = (await connection.execute(_holding(), {"shown": prefix})).one_or_none()
    if row is None:
        return None
    return KeyRow(
        id=row[0],
        user_id=row[1],
        secret_sha256=row[2],
        scopes=frozenset(row[3]),
        is_noted=row[4],
    )


@cache
def _holding() -> Select[Any]:
    """Made once, so that it is compiled once: it is asked at every request with a key."""
    k = api_keys.c
    used_lately = k.last_used_at > func.now() - func.make_interval(0, 0, 0, 0, 0, 0, USED_EVERY_S)
    return (
        select(k.id, k.user_id, k.secret_sha256, k.scopes, func.coalesce(used_lately, false()))
        .join(users, users.c.id == k.user_id)
        .where(k.prefix == bindparam("shown"), k.revoked_at.is_(None))
        .where(users.c.disabled_at.is_(None))
    )


async def note_use(connection: AsyncConnection, key_id: UUID) -> None:
    """Write down that the key is used now, unless that was done a moment ago."""
    k = api_keys.c
    long_ago = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, USED_EVERY_S)
    due = or_(k.last_used_at.is_(None), k.last_used_at < long_ago)
    await connection.execute(
        update(api_keys).where(k.id == key_id, due).values(last_used_at=func.now())
    )


async def of_user(connection: AsyncConnection, user_id: UUID) -> list[dict[str, Any]]:
    """The readings of a user's keys, the newest first, revoked ones left out."""
    k = api_keys.c
    query = (
        select(api_keys)
        .where(k.user_id == user_id, k.revoked_at.is_(None))
        .order_by(k.created_at.desc(), k.id.desc())
    )
    return [_reading(row) for row in (await connection.execute(query)).mappings()]


async def revoke(connection: AsyncConnection, prefix: str, user_id: UUID | None = None) -> bool:
    """End a key and what it has opened; with a user only one of theirs. False: there is none."""
    k = api_keys.c
    query = update(api_keys).where(k.prefix == prefix, k.revoked_at.is_(None))
    if user_id is not None:
        query = query.where(k.user_id == user_id)
    ended = await connection.execute(query.values(revoked_at=func.now()).returning(k.id))
    key_id: UUID | None = ended.scalar_one_or_none()
    if key_id is None:
        return False
    await tell(connection, grant=key_id)
    return True


def _reading(row: Any) -> dict[str, Any]:
    return {
        "prefix": row["prefix"],
        "name": row["name"],
        "scopes": row["scopes"],
        "created_at": stamp(row["created_at"]),
        "last_used_at": stamp(row["last_used_at"]),
    }
