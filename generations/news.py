"""What providers told by webhook, as the driver reads it: whose job it is, and what became of one
that had been given up. What is told is never believed further than that; the provider is asked.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import structlog

from db import attempts_of, webhook_notes
from db.generations import JobTaken, Row
from db.webhook_notes import Note
from generations.hands import Hands
from generations.lifecycle import Again, Done, Status, Verdict, may_rescue
from providers.contract import (
    Failed,
    Gone,
    Job,
    Malformed,
    Provider,
    ProviderError,
    Route,
    Succeeded,
)

log = structlog.get_logger(__name__)


async def heard_job(hands: Hands, row: Row, route: Route, provider: Provider) -> Job | None:
    """The provider's job of this attempt, if a webhook has named it."""
    if not hands.hears:
        return None
    async with hands.connection() as connection:
        job_id = await webhook_notes.job_of(connection, row.id, row.attempt)
    if job_id is None:
        return None
    try:
        return provider.job(route, job_id)
    except Malformed as error:
        log.warning("webhook named no job", error=error.message)
        return None


async def rescue(hands: Hands, row: Row) -> Verdict:
    """Take an unknown generation up again when the provider has told of its job after all."""
    found = hands.route_of(row)
    if found is None or not may_rescue(Status(row.status), has_job=row.provider_job is not None):
        return Done()
    _, route, provider = found
    job = await heard_job(hands, row, route, provider)
    if job is None:
        return Done()
    now = datetime.now(UTC)
    try:
        moved = await hands.move(
            row,
            Status.IN_PROGRESS,
            provider_job=asdict(job),
            submitted_at=row.submitted_at or now,
            deadline_at=now + timedelta(seconds=route.deadline_s),
            **dict.fromkeys(("error_code", "error_message", "error_retryable", "finished_at")),
        )
    except JobTaken:
        return Done()
    return Again() if moved else Done()


async def read_older(hands: Hands, row: Row) -> None:
    """Note what attempts before this one have cost after all; nothing is moved by that."""
    if not hands.hears or row.attempt == 1:
        return
    async with hands.connection() as connection:
        notes = await webhook_notes.unread(connection, row.id, row.attempt)
    found = hands.route_of(row)
    if found is None:
        return
    _, route, provider = found
    for note in notes:
        await _read(hands, row, note, route, provider)


async def _read(hands: Hands, row: Row, note: Note, route: Route, provider: Provider) -> None:
    try:
        state = await provider.poll(route, provider.job(route, note.provider_job_id))
    except (Gone, Malformed):
        state = None
    except ProviderError as error:
        log.warning("older attempt not looked at", error=type(error).__name__)
        return
    async with hands.transaction() as connection:
        if isinstance(state, Succeeded):
            cost_usd = state.cost_usd if route.tells_cost else None
            exact = None if cost_usd is None else Decimal(f"{cost_usd:.6f}")
            await attempts_of.note_cost(connection, row.id, note.attempt, exact)
        if state is None or isinstance(state, (Succeeded, Failed)):
            await webhook_notes.mark_read(connection, row.id, note.attempt)
