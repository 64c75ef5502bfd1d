"""What the sweep sees to besides the jobs of the dead: places that came free by themselves, calls
of the engine that were lost, what nobody decided, what is too old to be kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, generations, idempotency, jobs, lines, pauses, webhook_notes
from db.lines import Limits
from generations.lifecycle import QUEUED_MAX_S, UNKNOWN_MAX_S

#: Logins that are over are kept for so long, for whoever looks into what happened.
LOGINS_KEPT = timedelta(days=7)
#: What providers told is kept as long as anything could still be learnt from it.
NOTES_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Chore:
    """Done every so many seconds, in a transaction of its own."""

    every_s: int
    do: Callable[[AsyncConnection], Awaitable[object]]


def chores(limits: Limits) -> tuple[Chore, ...]:
    """All of them, for an installation with these bounds."""

    async def pass_on(connection: AsyncConnection) -> None:
        if await lines.somebody_waits(connection):
            await lines.pass_on(connection, limits, QUEUED_MAX_S)

    async def tell_places(connection: AsyncConnection) -> None:
        if await lines.somebody_waits(connection):
            await lines.tell_places(connection, limits)

    return (
        Chore(1, pass_on),
        Chore(2, tell_places),
        Chore(10, jobs.defer_forgotten),
        Chore(60, pauses.forget_over),
        Chore(600, _settle_undecided),
        Chore(600, idempotency.forget_old),
        Chore(600, _forget_logins),
        Chore(600, _forget_notes),
    )


async def _settle_undecided(connection: AsyncConnection) -> None:
    await generations.settle_undecided(connection, UNKNOWN_MAX_S)


async def _forget_logins(connection: AsyncConnection) -> None:
    await accounts.forget_old_logins(connection, datetime.now(UTC) - LOGINS_KEPT)


async def _forget_notes(connection: AsyncConnection) -> None:
    await webhook_notes.forget_old(connection, datetime.now(UTC) - NOTES_KEPT)
