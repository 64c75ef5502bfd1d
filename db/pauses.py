"""Pauses of a provider that refused us: known to all processes, ended by the first success after
them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing is sent to the provider `until` then; `streak`: the how-manieth in a row."""

    provider: str
    until: datetime
    code: str
    message: str
    streak: int


_STANDING = text(
    """
    select streak, until > now() as is_on, exists (
        select from kinora.generations g where g.provider = p.provider
        and g.placed_at > p.until and g.submitted_at > p.until) as is_over
    from kinora.provider_pauses p where provider = :provider
    """
)
_SET = text(
    """
    insert into kinora.provider_pauses (provider, until, code, message, streak)
    values (:provider, now() + make_interval(secs => :seconds), :code, :message, :streak)
    on conflict (provider) do update set
        until = greatest(provider_pauses.until, excluded.until), code = excluded.code,
        message = excluded.message, streak = excluded.streak, since = now()
    returning provider, until, code, message, streak
    """
)
_FORGET = text(
    """
    delete from kinora.provider_pauses p where until < now() - interval '1 hour' or exists (
        select from kinora.generations g where g.provider = p.provider
        and g.placed_at > p.until and g.submitted_at > p.until)
    """
)
_NOW = text("select provider, until, code, message, streak from kinora.provider_pauses")


async def begin(
    connection: AsyncConnection,
    provider: str,
    *,
    code: str,
    message: str,
    length_s: Callable[[int], float],
) -> Pause:
    """Pause a provider, longer at each time in a row; the caller holds the line's lock. Refusals
    that come home while a pause is on belong to it.
    """
    before = (await connection.execute(_STANDING, {"provider": provider})).one_or_none()
    streak = 1
    if before is not None and not before.is_over:
        streak = before.streak if before.is_on else before.streak + 1
    said = {"provider": provider, "code": code, "message": message, "streak": streak}
    found = await connection.execute(_SET, said | {"seconds": length_s(streak)})
    return Pause(**found.mappings().one())


async def read(connection: AsyncConnection) -> list[Pause]:
    """The pauses on record, also those that only wait for their first try."""
    return [Pause(**found) for found in (await connection.execute(_NOW)).mappings()]


async def forget_over(connection: AsyncConnection) -> None:
    """Take away the pauses that a success has ended, or that nobody has asked about for long."""
    await connection.execute(_FORGET)
