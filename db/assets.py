"""The rows of stored files. Who asks stands in each query; a deleted generation has no files.

A picture that a person gave lives as long as somebody uses it: a conversation that shows it, or a
generation made from it. Released by a conversation, it goes with its last user. One that was never
shown in a conversation is not released by anybody, and stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import jobs
from db.tables import assets, elements, generations, inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One stored file; the field names are the columns'. What is None is not known."""

    id: UUID
    user_id: UUID
    #: The generation that made it; None for a picture a person gave.
    generation_id: UUID | None = None
    #: Which of its generation's files it is, from 0.
    position: int = 0
    #: What the person calls it: shown, never part of a path.
    name: str | None = None
    media_type: str
    width_px: int | None
    height_px: int | None
    duration_s: float | None
    size_bytes: int | None
    sha256: str | None
    #: None: the bytes are elsewhere as yet, where an old system kept them (`db.remote_files`).
    storage_key: str | None
    thumbnail_key: str | None = None
    #: The database's moment; None until the row is written.
    created_at: datetime | None = None

    @property
    def key(self) -> str:
        """Where its bytes lie, of one that is known to have them here.

        Raises: ValueError: they are elsewhere.
        """
        if self.storage_key is None:
            raise ValueError(f"the bytes of {self.id} have not been brought here")
        return self.storage_key


_COLUMNS = tuple(assets.c[field.name] for field in fields(Asset))


def _asset(record: Mapping[str, Any]) -> Asset:
    return Asset(**{field.name: record[field.name] for field in fields(Asset)})


def _living() -> Select[Any]:
    return (
        select(*_COLUMNS)
        .outerjoin(generations, generations.c.id == assets.c.generation_id)
        .where(or_(assets.c.generation_id.is_(None), generations.c.deleted_at.is_(None)))
        .where(assets.c.deleted_at.is_(None))
    )


async def add(connection: AsyncConnection, asset: Asset) -> None:
    """Write the row of a file whose bytes are stored, or known to be elsewhere."""
    values = {name: value for name, value in asdict(asset).items() if name != "created_at"}
    await connection.execute(insert(assets).values(**values))


async def find(connection: AsyncConnection, user_id: UUID, asset_id: UUID) -> Asset | None:
    """The file, if it is this user's."""
    return (await find_many(connection, user_id, [asset_id])).get(asset_id)


async def find_many(
    connection: AsyncConnection, user_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, Asset]:
    """Those of these files that are this user's, by id."""
    if not ids:
        return {}
    query = _living().where(assets.c.id.in_(ids), assets.c.user_id == user_id)
    records = (await connection.execute(query)).mappings()
    return {record["id"]: _asset(record) for record in records}


async def find_signed(connection: AsyncConnection, asset_id: UUID) -> Asset | None:
    """The file, for a caller who has checked a signature that names this very file."""
    query = _living().where(assets.c.id == asset_id)
    record = (await connection.execute(query)).mappings().one_or_none()
    return _asset(record) if record else None


async def of_generation(
    connection: AsyncConnection, user_id: UUID, generation_id: UUID
) -> list[Asset]:
    """The files that a generation of this user's has made, in their order."""
    query = _living().where(assets.c.generation_id == generation_id, assets.c.user_id == user_id)
    records = (await connection.execute(query.order_by(assets.c.position))).mappings()
    return [_asset(record) for record in records]


async def hold(connection: AsyncConnection, ids: Sequence[UUID]) -> bool:
    """Keep these files from being deleted for as long as this transaction lasts; False when one is
    gone already.
    """
    if not ids:
        return True
    query = select(assets.c.id).where(assets.c.id.in_(ids), assets.c.deleted_at.is_(None))
    held = query.order_by(assets.c.id).with_for_update(read=True)
    return len((await connection.execute(held)).all()) == len(set(ids))


async def let_go(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Release pictures that a conversation shows no more; those that nobody uses go at once."""
    await _lock(connection, ids)
    released = update(assets).where(*_given(ids)).values(released_at=func.now())
    await connection.execute(released)
    await _delete_unused(connection, ids)


async def let_go_of_inputs(connection: AsyncConnection, generation_ids: Sequence[UUID]) -> None:
    """After a delete of generations: released pictures whose last users they were go along."""
    query = select(inputs.c.asset_id).where(inputs.c.generation_id.in_(generation_ids))
    joined = query.join(assets, assets.c.id == inputs.c.asset_id)
    released = joined.where(assets.c.released_at.is_not(None))
    ids = list((await connection.execute(released)).scalars())
    await _lock(connection, ids)
    await _delete_unused(connection, ids)


def _given(ids: Sequence[UUID]) -> tuple[ColumnElement[bool], ...]:
    a = assets.c
    return a.id.in_(ids), a.generation_id.is_(None), a.deleted_at.is_(None)


async def _lock(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Wait for those who are about to use one of these: the next statement sees that they do."""
    query = select(assets.c.id).where(*_given(ids)).order_by(assets.c.id)
    await connection.execute(query.with_for_update())


async def _delete_unused(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Nobody sees them from now on; the engine is called for the files."""
    a = assets.c
    shown = select(elements.c.id).where(elements.c.asset_id == a.id).exists()
    made_from = and_(inputs.c.asset_id == a.id, generations.c.deleted_at.is_(None))
    living = inputs.join(generations, generations.c.id == inputs.c.generation_id)
    used = select(inputs.c.asset_id).select_from(living).where(made_from).exists()
    unused = update(assets).where(*_given(ids), a.released_at.is_not(None), ~shown, ~used)
    gone = await connection.execute(unused.values(deleted_at=func.now()).returning(a.id))
    for asset_id in gone.scalars().all():
        await jobs.defer_drive(connection, asset_id)


async def keys_of_generation(connection: AsyncConnection, generation_id: UUID) -> list[str]:
    """Where the files of a generation lie, thumbnails included; also of a deleted one."""
    query = select(assets.c.storage_key, assets.c.thumbnail_key).where(
        assets.c.generation_id == generation_id
    )
    found = (await connection.execute(query)).all()
    return [key for pair in found for key in pair if key is not None]


async def forget_of_generation(connection: AsyncConnection, generation_id: UUID) -> None:
    """Delete the rows of a generation's files; the files themselves are gone by then."""
    await connection.execute(delete(assets).where(assets.c.generation_id == generation_id))


async def keys_of_deleted(connection: AsyncConnection, asset_id: UUID) -> list[str] | None:
    """Where the files of a deleted upload lie, which may never have come here; None when it
    lives.
    """
    a = assets.c
    query = select(a.storage_key, a.thumbnail_key).where(
        a.id == asset_id, a.deleted_at.is_not(None)
    )
    found = (await connection.execute(query)).one_or_none()
    return None if found is None else [key for key in found if key is not None]


async def forget(connection: AsyncConnection, asset_id: UUID) -> None:
    """Delete the row of a deleted upload; its files are gone by then."""
    gone = delete(assets).where(assets.c.id == asset_id, assets.c.deleted_at.is_not(None))
    await connection.execute(gone)
