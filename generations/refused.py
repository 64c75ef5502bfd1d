"""When a provider refuses everybody: it is left alone for a while, in all processes, and the cards
of those who wait for it say why.
"""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import lines, pauses
from db.attempts_of import Kept
from db.generations import Row
from generations.hands import Hands
from generations.lifecycle import Done, Line, Status, Verdict, pause_s
from providers.contract import OutOfCredit, ProviderError

log = structlog.get_logger(__name__)

#: A pause that is over so soon needs no hour on the card.
SHORT_S = 90.0


async def back_in_line(hands: Hands, row: Row, meaning: Line, error: ProviderError) -> Verdict:
    """The provider takes nothing now: this one waits with the others, and all are told why."""
    kept = Kept(error_code=error.code, message=error.message, request_id=error.request_id)
    async with hands.transaction() as connection:
        notes = await _pause(hands, connection, row.provider, error, meaning.asked_for_s)
        moved = await hands.move_in(
            connection,
            row,
            Status.QUEUED,
            kept,
            intent_claim=None,
            deadline_at=None,
            placed_at=None,
            waits=True,
            notes=notes,
        )
    if moved is not None:
        hands.note_move(row, moved)
    return Done()


async def pause_for_credit(hands: Hands, row: Row, error: OutOfCredit) -> None:
    """Keep the others from failing one by one while nobody has topped the account up."""
    async with hands.transaction() as connection:
        await _pause(hands, connection, row.provider, error, error.retry_after_s)


async def _pause(
    hands: Hands,
    connection: AsyncConnection,
    provider: str,
    error: ProviderError,
    asked_for_s: float | None,
) -> list[str]:
    await lines.hold(connection)
    pause = await pauses.begin(
        connection,
        provider,
        code=error.code,
        message=error.message,
        length_s=lambda streak: pause_s(error.code, streak, asked_for_s=asked_for_s),
    )
    notes = [pause_note(pause)]
    await lines.note_for_all(connection, provider, notes)
    log.warning("provider paused", provider=provider, code=error.code, streak=pause.streak)
    return notes


def pause_note(pause: pauses.Pause) -> str:
    """What the card says while a provider is left alone."""
    if pause.code == "out_of_credit":
        why = f"The account at {pause.provider} is out of credit; whoever runs Kinora can top it up"
    else:
        why = f"The painter {pause.provider} takes no more just now"
    left_s = (pause.until - datetime.now(UTC)).total_seconds()
    when = "in a moment" if left_s < SHORT_S else f"at {pause.until.astimezone(UTC):%H:%M} UTC"
    return f"{why}. It is asked again {when}."
