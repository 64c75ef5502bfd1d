"""Purchases: which of several requests for the same thing are one, when a client that repeats a
request by itself sends no key with it.

A purchase stands in the table of keys, under a name that no key of a person's can have, and in the
place of a generation stands its own id; the generations that it starts stand under keys made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, any_, func, or_, select, update
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.ids import new_id
from db.tables import generations, idempotency_keys

#: A repeat joins what is under way, and what ended so long ago at most.
JOINS_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What requests for the same thing have in common."""

    user_id: UUID
    key: str
    request_sha256: bytes


async def begin(connection: AsyncConnection, name: Name) -> UUID:
    """A new purchase, which later repeats join instead of any before it."""
    k = idempotency_keys.c
    fresh = {"generation_id": new_id(), "created_at": func.now()}
    new = _new(name).on_conflict_do_update(index_elements=[k.user_id, k.key], set_=fresh)
    begun: UUID = (await connection.execute(new.returning(k.generation_id))).scalar_one()
    return begun


async def join(connection: AsyncConnection, name: Name, parts: Sequence[str]) -> UUID:
    """The purchase that a repeat belongs to; a new one when there is none that it could mean.

    `parts`: what the keys of a purchase's generations end in.
    """
    k = idempotency_keys.c
    while True:
        found = (await connection.execute(_find(name))).one_or_none()
        if found is None:
            made = _new(name).on_conflict_do_nothing().returning(k.generation_id)
        elif found.is_recent or await _is_alive(connection, name, found.generation_id, parts):
            old: UUID = found.generation_id
            return old
        else:
            made = _replacement(name, found.generation_id)
        # Nothing comes back when another repeat was quicker: its purchase is the one to join.
        if begun := (await connection.execute(made)).scalar_one_or_none():
            fresh: UUID = begun
            return fresh


def part_key(purchase: UUID | str, part: str) -> str:
    """The key of one generation of a purchase."""
    return f"v1\n{purchase}\n{part}"


def _new(name: Name) -> Any:
    return insert(idempotency_keys).values(
        user_id=name.user_id,
        key=name.key,
        request_sha256=name.request_sha256,
        generation_id=new_id(),
    )


def _find(name: Name) -> Select[Any]:
    k = idempotency_keys.c
    is_recent = (k.created_at > _limit()).label("is_recent")
    return select(k.generation_id, is_recent).where(k.user_id == name.user_id, k.key == name.key)


def _replacement(name: Name, old: UUID) -> Any:
    k = idempotency_keys.c
    mine = (k.user_id == name.user_id, k.key == name.key, k.generation_id == old)
    fresh = update(idempotency_keys).where(*mine)
    return fresh.values(generation_id=new_id(), created_at=func.now()).returning(k.generation_id)


async def _is_alive(
    connection: AsyncConnection, name: Name, purchase: UUID, parts: Sequence[str]
) -> bool:
    """Whether something of it is under way, or was settled a short while ago: a client that waits
    for ten minutes and then asks again does not buy the same twice.
    """
    k, g = idempotency_keys.c, generations.c
    keys = array([part_key(purchase, part) for part in parts])
    query = (
        select(k.generation_id)
        .join(generations, g.id == k.generation_id)
        .where(k.user_id == name.user_id, k.key == any_(keys))
        .where(or_(g.finished_at.is_(None), g.finished_at > _limit()))
        .limit(1)
    )
    return (await connection.execute(query)).one_or_none() is not None


def _limit() -> ColumnElement[Any]:
    return func.now() - func.make_interval(0, 0, 0, 0, 0, 0, JOINS_S)
