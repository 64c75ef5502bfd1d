"""The line in front of the providers: who may go next, when not all may.

A place is given under one lock, by counting rows: exact over all processes, and nothing to repair
after a crash. Places go to the user with the fewest at work first, then to whoever is queued
longest. Who fits in goes; who does not `waits`, and nobody drives it until whoever leaves a place,
or the sweep, passes the place on.

What was imported from an old system takes no place: it goes to no provider.

What takes room away: a user's bound, a provider's own bounds (so many at once, so many in so many
seconds), and a pause, which a provider gets by refusing us. After a pause one goes first, to try.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import jobs
from db.generation_row import TOLD, Row

LINE_LOCK = 546677
#: So many are let go in one round; the next round is a second away at most.
ROUND_MAX = 500
#: A place in line is told anew when it is among the first, or has become this much better.
TOLD_BELOW = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLimit:
    """What a provider takes: so many jobs at once, and `submits` in `per_s` seconds; None: any."""

    at_once: int | None = None
    submits: int | None = None
    per_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """All bounds of this installation; `per_user` 0: none."""

    per_user: int = 0
    providers: Mapping[str, ProviderLimit] = field(default_factory=dict)

    def bind(self) -> dict[str, Any]:
        """As the statements here want them."""
        rows = [
            {"provider": name, "at_once": one.at_once, "submits": one.submits, "per_s": one.per_s}
            for name, one in self.providers.items()
        ]
        return {"limits": json.dumps(rows), "per_user": self.per_user}

    def are_for(self, provider: str) -> bool:
        """Whether anything bounds this provider's line, but for a pause."""
        return bool(self.per_user) or provider in self.providers


#: How many may still go to each provider that anybody waits for, or that is asked about.
_ROOM = """
with busy as (
    select provider, user_id, count(*) as n,
           count(*) filter (where status in ('queued', 'submitting')) as unsent
    from kinora.generations
    where legacy_id is null and (status in ('submitting', 'in_progress', 'storing')
       or (status = 'queued' and placed_at is not null))
    group by provider, user_id
), at_work as (
    select user_id, sum(n) as n from busy group by user_id
), pauses as (
    select p.provider, p.until > now() as is_on, exists (
        select from kinora.generations g where g.provider = p.provider
        and g.placed_at > p.until and g.submitted_at > p.until
    ) as is_over from kinora.provider_pauses p
), asked as (
    select distinct provider from kinora.generations where waits
    union select cast(:provider as text)
), room as (
    select provider, least(
        l.at_once - (select coalesce(sum(n), 0) from busy b where b.provider = asked.provider),
        l.submits - (
            select count(*) from kinora.generations g where g.provider = asked.provider
            and g.placed_at > now() - make_interval(secs => l.per_s)),
        case when p.is_on then 0 when not p.is_over then 1 - (
            select coalesce(sum(unsent), 0) from busy b where b.provider = asked.provider) end,
        cast(:round as bigint)
    ) as n
    from asked
    left join jsonb_to_recordset(cast(:limits as jsonb))
        as l(provider text, at_once int, submits int, per_s float8) using (provider)
    left join pauses p using (provider)
)
"""
#: Those without a place, in their order, and who of them fits in now. `free`: how many more of its
#: user's may be at work; `own`: the how-manieth of its user it is. One whose driver is still on its
#: way is counted, or a younger one would overtake it; one with a note waits for something else.
_LINE = """
, bound as (
    select coalesce(nullif(cast(:per_user as int), 0), 1000000) as per_user
), waiting as (
    select g.id, g.provider, g.user_id, g.queued_at, g.queue_position, g.waits,
           coalesce(w.n, 0) as at_work, bound.per_user - coalesce(w.n, 0) as free,
           room.n as room,
           row_number() over (
               partition by g.user_id, g.provider order by g.queued_at, g.id) as own
    from bound, kinora.generations g
    join room using (provider) left join at_work w using (user_id)
    where g.status = 'queued' and g.legacy_id is null
      and g.placed_at is null and g.cancel_requested_at is null
      and (g.waits or cardinality(g.notes) = 0)
), fair as (
    select *, row_number() over (
        partition by provider order by at_work + own, queued_at, id) as place
    from waiting where room > 0 and own <= free
), fitting as (
    select *, row_number() over (partition by user_id order by queued_at, id) as mine
    from fair where place <= room
)
"""
_FITS = text(_ROOM + _LINE + "select exists (select from fitting where id = :id and mine <= free)")
_NEXT = text(
    _ROOM
    + _LINE
    + """
    select id from kinora.generations
    where waits and (
        id in (select id from fitting where mine <= free)
        -- Whatever kept it waiting: its driver says that its time is over.
        or queued_at < now() - make_interval(secs => cast(:waits_max_s as float8)))
    limit cast(:round as bigint) for update skip locked
    """
)
_LET_GO = text(
    f"""
    with gone as (
        update kinora.generations set waits = false, placed_at = now(), queue_position = null,
            notes = '{{}}', version = version + 1, updated_at = now()
        where id = any(:ids) returning *
    ) select {TOLD} from gone
    """
)
_PLACES = text(
    _ROOM
    + _LINE
    + f"""
    , places as (
        select id, queue_position as old, row_number() over (
            partition by provider order by at_work + own, queued_at, id) as place
        from waiting
    ), moved as (
        update kinora.generations g
        set queue_position = place, version = version + 1, updated_at = now()
        from places where places.id = g.id and g.waits and place is distinct from old
            and (old is null or place <= {TOLD_BELOW} or abs(place - old) * 10 >= old)
        returning g.*
    ) select {TOLD} from moved
    """
)
_ROUSE = text("update kinora.generations set waits = false, notes = '{}' where id = any(:ids)")
_AT_WORK = text(
    """
    select count(*) from kinora.generations where user_id = :user_id and legacy_id is null and (
        status in ('submitting', 'in_progress', 'storing')
        or (status = 'queued' and placed_at is not null))
    """
)
_LOCK = text("select pg_advisory_xact_lock(:lock, 0)")
_TRY_LOCK = text("select pg_try_advisory_xact_lock(:lock, 0)")
_SOMEBODY = text("select exists (select from kinora.generations where waits)")
_LEFT = text(
    """
    select exists (select from kinora.generations where waits), not exists (
        select from kinora.generations where id = :id and deleted_at is null)
    """
)
_UNTROUBLED = text(
    """
    select not exists (select from kinora.provider_pauses where provider = cast(:provider as text))
       and not exists (select from kinora.generations where waits and provider = :provider)
    """
)


async def take_place(connection: AsyncConnection, row: Row, limits: Limits) -> bool:
    """Whether a queued row may go to its provider now; nobody else is told so before this
    transaction ends. The caller moves the row on in it, or has it wait.
    """
    if not limits.are_for(row.provider):
        # The common case of an installation without bounds needs no lock.
        found = await connection.execute(_UNTROUBLED, {"provider": row.provider})
        if found.scalar_one():
            return True
    await hold(connection)
    if limits.per_user:
        # The usual reason is found without counting everybody.
        busy = await connection.execute(_AT_WORK, {"user_id": row.user_id})
        if busy.scalar_one() >= limits.per_user:
            return False
    asked = {"provider": row.provider, "id": row.id, "round": ROUND_MAX}
    return bool((await connection.execute(_FITS, asked | limits.bind())).scalar_one())


async def hold(connection: AsyncConnection) -> None:
    """Let nobody else give or take places until this transaction ends."""
    await connection.execute(_LOCK, {"lock": LINE_LOCK})


async def somebody_waits(connection: AsyncConnection) -> bool:
    """Whether there is a line at all."""
    return bool((await connection.execute(_SOMEBODY)).scalar_one())


async def left_by(connection: AsyncConnection, generation_id: UUID) -> tuple[bool, bool]:
    """When a driver ends: whether anybody waits for a place, and whether files may have to go."""
    found = (await connection.execute(_LEFT, {"id": generation_id})).one()
    return bool(found[0]), bool(found[1])


async def pass_on(connection: AsyncConnection, limits: Limits, waits_max_s: float) -> list[UUID]:
    """Give the places that are free to those who are next, and have them driven; who waits longer
    than `waits_max_s` is driven too, to be told that it is over. Returns whom.
    """
    await hold(connection)
    asked = {"provider": None, "round": ROUND_MAX, "waits_max_s": waits_max_s}
    found = await connection.execute(_NEXT, asked | limits.bind())
    ids = list(found.scalars())
    if ids:
        await connection.execute(_LET_GO, {"ids": ids})
        await jobs.defer_drives(connection, ids)
    return ids


async def tell_places(connection: AsyncConnection, limits: Limits) -> None:
    """Write to the rows in line how many are before them; skipped while the line is moving."""
    if (await connection.execute(_TRY_LOCK, {"lock": LINE_LOCK})).scalar_one():
        asked = {"provider": None, "round": ROUND_MAX}
        await connection.execute(_PLACES, asked | limits.bind())


async def note_for_all(connection: AsyncConnection, provider: str, notes: Sequence[str]) -> None:
    """Say to everybody in a provider's line why it does not move."""
    query = text(
        f"""
        with told as (
            update kinora.generations
            set notes = :notes, version = version + 1, updated_at = now()
            where waits and provider = :provider and notes <> :notes returning *
        ) select {TOLD} from told
        """
    )
    await connection.execute(query, {"provider": provider, "notes": list(notes)})


async def rouse(connection: AsyncConnection, provider: str, models: Sequence[str]) -> None:
    """Have those in a provider's line driven that may have another way: of these models, and not
    pinned to it. The caller holds the line.
    """
    found = await connection.execute(
        text(
            """
            select id from kinora.generations
            where waits and provider = :provider and not pinned and model = any(:models)
            limit cast(:round as bigint) for update skip locked
            """
        ),
        {"provider": provider, "models": list(models), "round": ROUND_MAX},
    )
    if ids := list(found.scalars()):
        await connection.execute(_ROUSE, {"ids": ids})
        await jobs.defer_drives(connection, ids)
