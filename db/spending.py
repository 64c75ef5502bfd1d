"""What a day has cost: summed over the attempts, under the locks of those whose money it is.

Whoever wants to spend takes the locks first and reads the sums in a statement of its own, which
then sees everything that was admitted before; the locks fall with the transaction. So calls that
run side by side, in any number of processes, cannot both spend the same rest, and a process that
dies leaves nothing behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ScalarSelect, case, func, null, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from db.tables import attempts, generations, users

#: First number of the locks; the second tells one user from the other.
INSTALLATION_LOCK = 546675
USER_LOCK = 546676
IN_FLIGHT = ("submitting", "in_progress", "storing")

_LOCK_INSTALLATION = text("select pg_advisory_xact_lock(:lock, 0)")
_LOCK_USER = text("select pg_advisory_xact_lock(:lock, hashtext(:user_id))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A user's standing; a sum that was not asked for is None."""

    is_shut_out: bool
    by_user_usd: Decimal | None
    by_all_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A user's day."""

    today_usd: Decimal
    in_flight: int
    resets_at: datetime


async def hold(connection: AsyncConnection, user_id: UUID, *, own: bool, everybody: bool) -> None:
    """Let nobody else spend from these budgets until the transaction ends; the installation's lock
    always comes first, so that no two wait for each other.
    """
    if everybody:
        await connection.execute(_LOCK_INSTALLATION, {"lock": INSTALLATION_LOCK})
    if own:
        await connection.execute(_LOCK_USER, {"lock": USER_LOCK, "user_id": str(user_id)})


async def read(connection: AsyncConnection, user_id: UUID, *, own: bool, everybody: bool) -> Spent:
    """Whether the user may do anything at all, and the sums that were asked for."""
    query = select(
        users.c.disabled_at.is_not(None),
        _sum_of(user_id) if own else null(),
        _sum_of(None) if everybody else null(),
    ).where(users.c.id == user_id)
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        return Spent(is_shut_out=True, by_user_usd=None, by_all_usd=None)
    return Spent(is_shut_out=found[0], by_user_usd=found[1], by_all_usd=found[2])


async def usage(connection: AsyncConnection, user_id: UUID) -> Usage:
    """What the user has spent today, what runs, and when the day ends."""
    g = generations.c
    running = (
        select(func.count())
        .select_from(generations)
        .where(g.user_id == user_id, g.status.in_(IN_FLIGHT))
        .scalar_subquery()
    )
    tomorrow = _day() + func.make_interval(0, 0, 0, 1)
    found = (await connection.execute(select(_sum_of(user_id), running, tomorrow))).one()
    return Usage(today_usd=found[0], in_flight=found[1], resets_at=found[2])


def _day() -> ColumnElement[datetime]:
    """When the UTC day began, by the database's clock."""
    day: ColumnElement[datetime] = func.date_trunc("day", func.now(), "UTC")
    return day


def _sum_of(user_id: UUID | None) -> ScalarSelect[Decimal]:
    """The day's sum of one user, or of all: what was really paid, else the estimate; an attempt
    that ended without a charge is free, one that is still open is not.
    """
    a = attempts.c
    is_free = a.finished_at.is_not(None) & (a.charged == "no")
    usd = func.coalesce(a.cost_actual_usd, a.cost_estimated_usd, 0)
    query = select(func.coalesce(func.sum(case((is_free, 0), else_=usd)), 0))
    query = query.where(a.created_at >= _day())
    if user_id is not None:
        query = query.where(a.user_id == user_id)
    return query.scalar_subquery()
