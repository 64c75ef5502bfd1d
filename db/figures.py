"""Figures of the whole installation for its operator, in one query, and of this process's pool.

The query reads rows that are unsettled, through indexes that hold no others, so that its cost does
not grow with what was ever made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

from db.jobs import HEARTBEAT_MAX_S

_FIGURES = text(
    """
    select 'open' as about, status, kind, model, provider, count(*)::float8 as number,
        count(*) filter (where waits) as waiting,
        max(extract(epoch from now() - queued_at)) filter (where status = 'queued')::float8 as age_s
    from kinora.generations
    where status in ('queued', 'submitting', 'in_progress', 'storing') and legacy_id is null
    group by status, kind, model, provider
    union all
    select 'pause', code, '', '', provider, extract(epoch from until - now())::float8, 0, null
    from kinora.provider_pauses where until > now()
    union all
    select 'undecided', '', '', '', '', count(*)::float8, 0, null
    from kinora.generations where status = 'unknown' and legacy_id is null and deleted_at is null
    union all
    select 'workers', '', '', '', '', count(*)::float8, 0, null
    from jobs.procrastinate_workers
    where last_heartbeat > now() - make_interval(secs => :heartbeat)
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOnes:
    """Unsettled generations that are alike; `oldest_s`: how long the first has been queued."""

    status: str
    kind: str
    model: str
    provider: str
    count: int
    waiting: int
    oldest_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A provider to which nothing is sent just now."""

    provider: str
    code: str
    left_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the database knows of all processes together."""

    open_ones: Sequence[OpenOnes]
    pauses: Sequence[Pause]
    undecided: int
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Connections of this process; `overflow` are those beyond the pool's usual size."""

    size: int
    checked_out: int
    overflow: int


async def read(connection: AsyncConnection) -> Figures:
    """The installation's figures."""
    rows = (await connection.execute(_FIGURES, {"heartbeat": HEARTBEAT_MAX_S})).all()
    counts = {row.about: int(row.number) for row in rows}
    return Figures(
        open_ones=[
            OpenOnes(
                status=row.status,
                kind=row.kind,
                model=row.model,
                provider=row.provider,
                count=int(row.number),
                waiting=row.waiting,
                oldest_s=row.age_s,
            )
            for row in rows
            if row.about == "open"
        ],
        pauses=[
            Pause(provider=row.provider, code=row.status, left_s=row.number)
            for row in rows
            if row.about == "pause"
        ],
        undecided=counts["undecided"],
        workers=counts["workers"],
    )


def pool_of(engine: AsyncEngine) -> Pool:
    """How the connections of this process stand."""
    pool = engine.pool
    if not isinstance(pool, QueuePool):
        raise TypeError("the application's pool is one with a size")
    # Until the pool has filled once, SQLAlchemy counts its overflow from below zero.
    return Pool(size=pool.size(), checked_out=pool.checkedout(), overflow=max(0, pool.overflow()))
