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
from generations.failover import yield_if_paused
from generations.hands import Hands, is_overdue
from generations.lifecycle import Again, Done, Settle, Status, Verdict, before_intent
from generations.pace import Pace
from generations.refused import pause_note
from generations.request_of import InputGone, InputLate, input_gone, request_of
from generations.whole import whole
from providers.contract import Provider, Route


async def begin(hands: Hands, row: Row, pace: Pace) -> Verdict:
    """Write down that we are about to send, and send; both or neither, as far as a stop goes."""
    to = before_intent(is_cancelled=row.cancel_requested_at is not None, overdue=is_overdue(row))
    if to is Status.CANCELLED:
        await hands.move(row, to)
        return Done()
    found = hands.route_of(row)
    if found is None:
        return await hands.wait_for_route(row)
    if to is Status.FAILED:
        return await hands.settle(row, _WAITED_TOO_LONG)
    if (other := await yield_if_paused(hands, row)) is not None:
        return other
    _, route, provider = found
    return await whole(_begin(hands, row, pace, route, provider))


async def _begin(hands: Hands, row: Row, pace: Pace, route: Route, provider: Provider) -> Verdict:
    try:
        request = await request_of(hands, row, provider)
    except (InputGone, media.WrongType) as error:
        return await hands.settle(row, input_gone(error))
    except InputLate as error:
        return Again(error.after_s)
    is_bounded = row.placed_at is None and hands.limits.are_for(row.provider)
    async with (
        hands.passing.turn(is_bounded=is_bounded),
        hands.transaction() as connection,
    ):
        placed = row.placed_at or await lines.take_place(connection, row, hands.limits)
        if placed:
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
        else:
            intended = await _wait_in_line(hands, connection, row)
    if not placed:
        # Whoever could go instead is let go.
        await hands.passing.pass_on(hands.engine, hands.limits)
    if intended is None or not placed:
        return Done()
    hands.note_move(row, intended)
    crash_point("submit.intended")
    pace.row = intended
    return await sending.submit(hands, intended, pace, route, provider, request, first=True)


async def _wait_in_line(hands: Hands, connection: AsyncConnection, row: Row) -> Row | None:
    """In the transaction that found no place."""
    known = {pause.provider: pause for pause in await pauses.read(connection)}
    pause = known.get(row.provider)
    notes = [pause_note(pause)] if pause and pause.until > datetime.now(UTC) else []
    return await hands.move_in(connection, row, Status.QUEUED, waits=True, notes=notes)


_WAITED_TOO_LONG = Settle(
    status=Status.FAILED,
    code="timeout",
    message="No painter could take it for a day.",
    retryable=True,
)
