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
from functools import cache
from uuid import UUID

from sqlalchemy import ScalarSelect, Select, bindparam, case, func, null, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from db.tables import attempts, generations

#: First number of the locks; the second tells one user from the other.
INSTALLATION_LOCK = 546675
USER_LOCK = 546676
IN_FLIGHT = ("submitting", "in_progress", "storing")

_INSTALLATION = f"select pg_advisory_xact_lock({INSTALLATION_LOCK}, 0)"
_USER = f"select pg_advisory_xact_lock({USER_LOCK}, hashtext(:user_id))"
_LOCK_INSTALLATION, _LOCK_USER = text(_INSTALLATION), text(_USER)
#: The user's lock is asked for only when the other one is held.
_LOCK_BOTH = text(f"with first as materialized ({_INSTALLATION}) {_USER} from first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the day has cost so far; a sum that was not asked for is None."""

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
    if everybody and own:
        await connection.execute(_LOCK_BOTH, {"user_id": str(user_id)})
    elif everybody:
        await connection.execute(_LOCK_INSTALLATION)
    elif own:
        await connection.execute(_LOCK_USER, {"user_id": str(user_id)})


async def read(connection: AsyncConnection, user_id: UUID, *, own: bool, everybody: bool) -> Spent:
    """The sums that are asked for."""
    found = (await connection.execute(_sums(own, everybody), {"user_id": user_id})).one()
    return Spent(by_user_usd=found[0], by_all_usd=found[1])


async def usage(connection: AsyncConnection, user_id: UUID) -> Usage:
    """What the user has spent today, what runs, and when the day ends."""
    g = generations.c
    running = (
        select(func.count())
        .select_from(generations)
        .where(g.user_id == user_id, g.status.in_(IN_FLIGHT), g.legacy_id.is_(None))
        .scalar_subquery()
    )
    tomorrow = _day() + func.make_interval(0, 0, 0, 1)
    query = select(_sum(of_user=True), running, tomorrow)
    found = (await connection.execute(query, {"user_id": user_id})).one()
    return Usage(today_usd=found[0], in_flight=found[1], resets_at=found[2])


def _day() -> ColumnElement[datetime]:
    """When the UTC day began, by the database's clock."""
    day: ColumnElement[datetime] = func.date_trunc("day", func.now(), "UTC")
    return day


@cache
def _sums(own: bool, everybody: bool) -> Select[Decimal | None, Decimal | None]:
    """Made once, so that it is compiled once: it is asked before every attempt."""
    return select(
        _sum(of_user=True) if own else null(), _sum(of_user=False) if everybody else null()
    )


def _sum(*, of_user: bool) -> ScalarSelect[Decimal]:
    """The day's sum of one user, or of all: what was really paid, else the estimate; an attempt
    that ended without a charge is free, one that is still open is not.
    """
    a = attempts.c
    is_free = a.finished_at.is_not(None) & (a.charged == "no")
    usd = func.coalesce(a.cost_actual_usd, a.cost_estimated_usd, 0)
    query = select(func.coalesce(func.sum(case((is_free, 0), else_=usd)), 0))
    query = query.where(a.created_at >= _day())
    if of_user:
        query = query.where(a.user_id == bindparam("user_id", type_=a.user_id.type))
    return query.scalar_subquery()
