"""The rows of stored files. Who asks stands in each query; a deleted generation has no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import assets, generations


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
    storage_key: str
    thumbnail_key: str | None = None
    #: The database's moment; None until the row is written.
    created_at: datetime | None = None


_COLUMNS = tuple(assets.c[field.name] for field in fields(Asset))


def _asset(record: Mapping[str, Any]) -> Asset:
    return Asset(**{field.name: record[field.name] for field in fields(Asset)})


def _living() -> Select[Any]:
    return (
        select(*_COLUMNS)
        .outerjoin(generations, generations.c.id == assets.c.generation_id)
        .where(or_(assets.c.generation_id.is_(None), generations.c.deleted_at.is_(None)))
    )


async def add(connection: AsyncConnection, asset: Asset) -> None:
    """Write the row of a file whose bytes are stored."""
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
