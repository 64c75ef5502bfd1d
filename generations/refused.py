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
from generations.failover import pause_reason, with_another, yield_to_another
from generations.hands import Hands
from generations.lifecycle import Done, Line, Settle, Status, Verdict, pause_s
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
    if moved is None:
        return Done()
    hands.note_move(row, moved)
    why = f"The painter {row.provider} takes no more just now."
    return await yield_to_another(hands, moved, why) or Done()


async def without_credit(hands: Hands, row: Row, end: Settle, error: OutOfCredit) -> Verdict:
    """Nothing was accepted: another provider takes it, or it ends here and says why; the others
    are kept from failing one by one while nobody has topped the account up.
    """
    kept = Kept(error_code=error.code, message=error.message, request_id=error.request_id)
    async with hands.transaction() as connection:
        await _pause(hands, connection, row.provider, error, error.retry_after_s)
        back = await hands.move_in(
            connection, row, Status.QUEUED, kept, intent_claim=None, deadline_at=None
        )
    if back is None:
        return Done()
    why = f"The account at {row.provider} is out of credit; whoever runs Kinora can top it up."
    other = await yield_to_another(hands, back, why)
    return other or await hands.settle(back, end, kept, charged="no")


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
    if models := with_another(hands, provider):
        # Those in line go another way where there is one; the rest comes back.
        await lines.rouse(connection, provider, models)
    log.warning("provider paused", provider=provider, code=error.code, streak=pause.streak)
    return notes


def pause_note(pause: pauses.Pause) -> str:
    """What the card says while a provider is left alone."""
    left_s = (pause.until - datetime.now(UTC)).total_seconds()
    when = "in a moment" if left_s < SHORT_S else f"at {pause.until.astimezone(UTC):%H:%M} UTC"
    return f"{pause_reason(pause)} It is asked again {when}."
