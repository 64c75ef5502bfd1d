"""From the line to the provider's door: a place, the intent on record, and then the send.

A generation that gets no place waits in the row alone: its driver ends, and whoever passes the next
place on has it driven again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from crash_points import crash_point
from db import lines, media, pauses
from db.generations import Row
from generations import sending
from generations.hands import Hands, is_overdue
from generations.lifecycle import QUEUED_MAX_S, Done, Settle, Status, Verdict
from generations.pace import Pace
from generations.refused import pause_note
from generations.request_of import InputGone, input_gone, request_of
from generations.whole import whole
from providers.contract import Provider, Route


async def begin(hands: Hands, row: Row, pace: Pace) -> Verdict:
    """Write down that we are about to send, and send; both or neither, as far as a stop goes."""
    if row.cancel_requested_at is not None:
        await hands.move(row, Status.CANCELLED)
        return Done()
    found = hands.route_of(row)
    if found is None:
        return await hands.wait_for_route(row)
    if is_overdue(row):
        return await hands.settle(row, _WAITED_TOO_LONG)
    _, route, provider = found
    return await whole(_begin(hands, row, pace, route, provider))


async def _begin(hands: Hands, row: Row, pace: Pace, route: Route, provider: Provider) -> Verdict:
    try:
        request = await request_of(hands, row, provider)
    except (InputGone, media.WrongType) as error:
        return await hands.settle(row, input_gone(error))
    async with hands.engine.begin() as connection:
        placed = row.placed_at or await lines.take_place(connection, row, hands.limits)
        if not placed:
            await _wait_in_line(hands, connection, row)
            return Done()
        intended = await hands.move_in(
            connection,
            row,
            Status.SUBMITTING,
            intent_claim=row.claim,
            deadline_at=datetime.now(UTC) + timedelta(seconds=route.deadline_s),
            placed_at=row.placed_at or datetime.now(UTC),
            waits=False,
            queue_position=None,
        )
    if intended is None:
        return Done()
    hands.note_move(row, intended)
    crash_point("submit.intended")
    pace.row = intended
    return await sending.submit(hands, intended, pace, route, provider, request, first=True)


async def _wait_in_line(hands: Hands, connection: AsyncConnection, row: Row) -> None:
    """In the transaction that found no place; whoever could go instead is let go in it, too."""
    known = {pause.provider: pause for pause in await pauses.read(connection)}
    pause = known.get(row.provider)
    notes = [pause_note(pause)] if pause and pause.until > datetime.now(UTC) else []
    await hands.move_in(connection, row, Status.QUEUED, waits=True, notes=notes)
    await lines.pass_on(connection, hands.limits, QUEUED_MAX_S)


_WAITED_TOO_LONG = Settle(
    status=Status.FAILED,
    code="timeout",
    message="No painter could take it for a day.",
    retryable=True,
)
