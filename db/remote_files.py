"""Files of which we have only the address so far: where an old system kept them, how often they
were asked for, and the moment in which they become ours.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import all_, and_, case, delete, exists, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.assets import Asset
from db.decoding import Media
from db.generation_row import told
from db.tables import assets, generations, remote_files

#: After a first failure it is asked for again so much later, then after twice as long, and so on.
AGAIN_FIRST_S, AGAIN_MAX_S = 60.0, 3600.0
#: As much of an address as is listed: data URIs hold whole files.
URL_SHOWN_CHARS = 2000


class NotHere(Exception):
    """The bytes of a file are not here and did not come; the message is for a person.

    `is_gone`: they never will. `retry_after_s`: when to ask again, otherwise.
    """

    def __init__(self, message: str, *, is_gone: bool, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message, self.is_gone, self.retry_after_s = message, is_gone, retry_after_s


#: What a generation says of a file that will never come.
LOST = "Its file cannot be had any more from where the old system kept it."


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file as it is elsewhere, or was: the first four tell of its row here."""

    asset_id: UUID
    generation_id: UUID | None
    position: int
    storage_key: str | None
    #: What it is said to be.
    media_type: str
    #: Of the generation that made it; None for what a person gave.
    kind: str | None
    #: None: nothing is known of a place elsewhere.
    url: str | None
    failure: str | None
    is_gone: bool
    #: For so long it is not asked for again.
    rest_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One that is still to be copied; `url` may be cut off."""

    asset_id: UUID
    legacy_id: str | None
    url: str


def again_s(tries: int) -> float:
    """How long after so many failures in a row nobody asks."""
    return 0.0 if tries < 1 else min(AGAIN_MAX_S, AGAIN_FIRST_S * 2.0 ** min(tries - 1, 16))


async def find(connection: AsyncConnection, asset_id: UUID) -> RemoteFile | None:
    """The file, whether its bytes are here already or not; None when it was deleted."""
    a, g, r = assets.c, generations.c, remote_files.c
    since = func.extract("epoch", func.now() - r.tried_at)
    query = (
        select(
            *(a.id.label("asset_id"), a.generation_id, a.position, a.storage_key, a.media_type),
            *(g.kind, r.url, r.tries, r.failure, r.is_gone, since.label("since_s")),
        )
        .select_from(assets)
        .outerjoin(generations, g.id == a.generation_id)
        .outerjoin(remote_files, r.asset_id == a.id)
        .where(a.id == asset_id, a.deleted_at.is_(None), g.deleted_at.is_(None))
    )
    record = (await connection.execute(query)).mappings().one_or_none()
    if record is None:
        return None
    values: dict[str, Any] = dict(record)
    tries, since_s = values.pop("tries") or 0, values.pop("since_s")
    rest_s = 0.0 if since_s is None else max(0.0, again_s(tries) - float(since_s))
    return RemoteFile(**{**values, "is_gone": bool(values["is_gone"]), "rest_s": rest_s})


async def left(connection: AsyncConnection, after: UUID | None, limit: int) -> list[Listed]:
    """The next ones that may still come, in the order of their ids."""
    a, g, r = assets.c, generations.c, remote_files.c
    query = (
        select(r.asset_id, g.legacy_id, func.left(r.url, URL_SHOWN_CHARS).label("url"))
        .join(assets, a.id == r.asset_id)
        .outerjoin(generations, g.id == a.generation_id)
        .where(~r.is_gone, a.deleted_at.is_(None), g.deleted_at.is_(None))
        .order_by(r.asset_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(r.asset_id > after)
    return [Listed(**record) for record in (await connection.execute(query)).mappings()]


async def count(connection: AsyncConnection) -> tuple[int, int]:
    """How many files are elsewhere that may still come, and how many never will."""
    gone = func.count().filter(remote_files.c.is_gone)
    every, lost = (await connection.execute(select(func.count(), gone))).one()
    return int(every) - int(lost), int(lost)


async def arrived(
    connection: AsyncConnection,
    asset_id: UUID,
    found: Media,
    *,
    size_bytes: int,
    sha256: str,
    storage_key: str,
    thumbnail_key: str | None,
) -> Asset | None:
    """Its bytes are ours, and what decoding has shown is true from now on; None: somebody else
    brought them meanwhile, or it was deleted. Within a transaction of the caller's.
    """
    a = assets.c
    if not await _lives(connection, asset_id):
        return None
    was: str = (await connection.execute(select(a.media_type).where(a.id == asset_id))).scalar_one()
    changed = (
        update(assets)
        .where(a.id == asset_id, a.storage_key.is_(None), a.deleted_at.is_(None))
        .values(
            media_type=found.media_type,
            width_px=found.width_px,
            height_px=found.height_px,
            duration_s=found.duration_s,
            size_bytes=size_bytes,
            sha256=sha256,
            storage_key=storage_key,
            thumbnail_key=thumbnail_key,
        )
        .returning(*(a[field.name] for field in fields(Asset)))
    )
    record = (await connection.execute(changed)).mappings().one_or_none()
    if record is None:
        return None
    await connection.execute(delete(remote_files).where(remote_files.c.asset_id == asset_id))
    asset = Asset(**record)
    if asset.generation_id is not None:
        await _correct(connection, asset, was=_kind_of(was))
    return asset


async def failed(
    connection: AsyncConnection, asset_id: UUID, failure: str, *, is_gone: bool
) -> float | None:
    """Note that it did not come; for so many seconds nobody asks again. None: it is no longer
    elsewhere, since somebody else brought or deleted it meanwhile.
    """
    r = remote_files.c
    if is_gone:
        await _tell_of_loss(connection, asset_id)
    noted = (
        update(remote_files)
        .where(r.asset_id == asset_id)
        .values(tries=r.tries + 1, tried_at=func.now(), failure=failure, is_gone=is_gone)
        .returning(r.tries)
    )
    tries = (await connection.execute(noted)).scalar_one_or_none()
    return None if tries is None else again_s(tries)


async def _tell_of_loss(connection: AsyncConnection, asset_id: UUID) -> None:
    """Have the generation say that a file of it will never come, once, to everybody who looks."""
    a, g = assets.c, generations.c
    its = select(a.generation_id).where(a.id == asset_id).scalar_subquery()
    changed = (
        update(generations)
        .where(g.id == its, g.legacy_id.is_not(None), literal(LOST) != all_(g.notes))
        .values(
            notes=func.array_append(g.notes, LOST), version=g.version + 1, updated_at=func.now()
        )
        .returning(g.id, g.version, g.user_id, g.status)
        .cte("changed")
    )
    await connection.execute(select(told(changed)))


async def _lives(connection: AsyncConnection, asset_id: UUID) -> bool:
    """Whether nobody has deleted it; nobody does until the transaction ends, so that whoever takes
    the files of a deleted one away knows of these.
    """
    a, g = assets.c, generations.c
    made = select(g.deleted_at).join(assets, a.generation_id == g.id).where(a.id == asset_id)
    ends = (await connection.execute(made.with_for_update(of=generations))).scalars().all()
    return all(end is None for end in ends)


async def _correct(connection: AsyncConnection, asset: Asset, *, was: str) -> None:
    """An old system did not always know what it had made: who looks at the generation hears of
    it.
    """
    a, g = assets.c, generations.c
    kind = _kind_of(asset.media_type)
    others = exists().where(a.generation_id == asset.generation_id, a.id != asset.id)
    wrong_kind = and_(g.kind != kind, ~others)
    changed = (
        update(generations)
        .where(g.id == asset.generation_id, g.legacy_id.is_not(None))
        .where(or_(wrong_kind, literal(was != kind)))
        .values(
            kind=case((others, g.kind), else_=kind),
            version=g.version + 1,
            updated_at=func.now(),
        )
        .returning(g.id, g.version, g.user_id, g.status)
        .cte("changed")
    )
    await connection.execute(select(told(changed)))


def _kind_of(media_type: str) -> str:
    return media_type.partition("/")[0]
