"""Sending the one paid request, and finding out what became of it when its answer was lost.

The intent stands in the row before the request leaves. Only the claim that wrote the intent may
send, once; whoever else finds the row `submitting` must first ask what became of the request, by
the way the model's route allows. There is no way here to a second blind submit.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from crash_points import crash_point
from db import generations, jobs, media
from db.attempts_of import Kept
from db.generations import JobTaken, Row
from generations import made, news, refused
from generations.failover import yield_to_another
from generations.hands import Hands, is_overdue
from generations.insisting import insist
from generations.lifecycle import (
    GIVEN_UP,
    Again,
    Ask,
    Done,
    Line,
    Settle,
    Status,
    Verdict,
    Wait,
    after_look_error,
    after_submit_error,
    backoff_s,
    before_send,
    clear_up,
    is_stray,
    is_unwanted,
    look_again_s,
)
from generations.pace import Pace
from generations.request_of import InputGone, InputLate, request_of
from generations.whole import whole
from providers.contract import Job, Made, OutOfCredit, Provider, ProviderError, Request, Route

log = structlog.get_logger(__name__)

#: A word of the provider that was told while nobody listened is found this much later.
WORD_LOOK_S = 15.0
WAITS_FOR_WORD = "The answer to the request was lost; waiting for the provider's own word."


async def send(hands: Hands, row: Row, pace: Pace) -> Verdict:
    """Clear up a request that may have been sent: by a driver that is gone, or with an answer that
    was lost.
    """
    found = hands.route_of(row)
    if found is None:
        return await hands.wait_for_route(row)
    _, route, provider = found
    # Whatever the way: a word that has come is the answer.
    if (job := await news.heard_job(hands, row, route, provider)) is not None:
        stored = await whole(_store_job(hands, row, pace, route, provider, job))
        # The word may have been its last.
        return Again() if isinstance(stored, Again) else stored
    meaning = clear_up(
        route.on_lost_submit,
        hears=hands.hears,
        overdue=is_overdue(row),
        unwanted=is_unwanted(datetime.now(UTC), row.cancel_requested_at),
    )
    if isinstance(meaning, Settle):
        return await hands.settle(row, meaning, charged="maybe")
    log.info("lost submit", way=route.on_lost_submit)
    match meaning.way:
        case "key":
            # The same key brings the same job: the one case in which sending again is looking.
            return await whole(_send_again(hands, row, pace, route, provider))
        case "lookup":
            return await whole(_look_up(hands, row, pace, route, provider))
        case _:
            return await _wait_for_word(hands, row, pace)


async def _wait_for_word(hands: Hands, row: Row, pace: Pace) -> Verdict:
    """The provider knows where to send its news; this one holds its place until they come, or until
    the job could not run any more.
    """
    if WAITS_FOR_WORD not in row.notes:
        pace.row = await hands.move(
            row, Status.SUBMITTING, notes=[*row.notes, WAITS_FOR_WORD], charged="maybe"
        )
        if pace.row is None:
            return Done()
    return Again(WORD_LOOK_S)


async def _send_again(
    hands: Hands, row: Row, pace: Pace, route: Route, provider: Provider
) -> Verdict:
    try:
        request = await request_of(hands, row, provider)
    except (InputGone, media.WrongType):
        # What was sent cannot be made again, so its key cannot be repeated.
        return await hands.settle(row, GIVEN_UP, charged="maybe")
    except InputLate as error:
        return Again(error.after_s)
    return await submit(hands, row, pace, route, provider, request, first=False)


async def _look_up(hands: Hands, row: Row, pace: Pace, route: Route, provider: Provider) -> Verdict:
    try:
        job = await provider.find(route, key_of(row))
    except ProviderError as error:
        answer = after_look_error(error, pace.failed(error))
        log.warning("lookup failed", error=type(error).__name__, failures=pace.failures)
        over = is_overdue(row) or is_unwanted(datetime.now(UTC), row.cancel_requested_at)
        pace.last_asks += over
        if isinstance(answer, Wait):
            after_s = look_again_s(answer, overdue=over, last_asks=pace.last_asks)
            if after_s is not None:
                return Again(after_s)
        job = None
    if job is not None:
        return await _store_job(hands, row, pace, route, provider, job)
    return await hands.settle(row, GIVEN_UP, charged="maybe")


async def submit(
    hands: Hands,
    row: Row,
    pace: Pace,
    route: Route,
    provider: Provider,
    request: Request,
    *,
    first: bool,
) -> Verdict:
    """Send, if the row is still ours in the very moment."""
    async with hands.connection() as connection:
        current = await generations.load(connection, row.id)
    to = current and before_send(
        claim=row.claim,
        claim_now=current.claim,
        first=first,
        is_cancelled=current.cancel_requested_at is not None,
    )
    if to is Status.CANCELLED:
        await hands.move(row, to)
    if to is not Status.SUBMITTING:
        return Done()
    key, hook = key_of(row), hands.hooks.url_for(row.provider, row.id, row.attempt)
    try:
        answer = await provider.submit(route, request, key=key, webhook_url=hook)
    except ProviderError as error:
        return await _send_failed(hands, row, pace, route, error, first=first)
    crash_point("submit.answered")
    if isinstance(answer, Made):
        return await made.record(hands, row, pace, route, provider, answer)
    return await _store_job(hands, row, pace, route, provider, answer)


def key_of(row: Row) -> str:
    """The idempotency key of an attempt: the same through every take-over and repeat."""
    return f"{row.id}-{row.attempt}"


async def _send_failed(
    hands: Hands, row: Row, pace: Pace, route: Route, error: ProviderError, *, first: bool
) -> Verdict:
    """Follow what the error means; of a repeat it says nothing about the send before it."""
    pace.failures += 1
    log.warning("submit failed", error=type(error).__name__, failures=pace.failures)
    meaning = (
        after_submit_error(error, route.on_lost_submit, pace.failures, hears=hands.hears)
        if first
        else after_look_error(error, pace.failures)
    )
    kept = Kept(error_code=error.code, message=error.message, request_id=error.request_id)
    match meaning:
        case Line():
            return await refused.back_in_line(hands, row, meaning, error)
        case Wait(after_s=after_s) if not first:
            return Again(after_s)
        case Wait(after_s=after_s):
            nothing = {"intent_claim": None, "deadline_at": None}
            pace.row = await hands.move(row, Status.QUEUED, kept, notes=[error.message], **nothing)
            if pace.row is None:
                return Done()
            why = f"The painter {row.provider} cannot be reached."
            return await yield_to_another(hands, pace.row, why) or Again(after_s)
        case Settle() if first and isinstance(error, OutOfCredit):
            return await refused.without_credit(hands, row, meaning, error)
        case Settle():
            sure = first and meaning is not GIVEN_UP
            return await hands.settle(row, meaning, kept, charged="no" if sure else "maybe")
        case Ask():
            return Again(backoff_s(pace.failures))
        case _:
            assert_never(meaning)


async def _store_job(
    hands: Hands, row: Row, pace: Pace, route: Route, provider: Provider, job: Job
) -> Verdict:
    """Write down what the provider answered, however long the database is away."""
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "submitted_at": now,
        "deadline_at": now + timedelta(seconds=route.deadline_s),
        "charged": "maybe",
    }

    async def write() -> Verdict:
        try:
            moved = await hands.move(
                row, Status.IN_PROGRESS, provider_job=asdict(job), notes=[], **values
            )
        except JobTaken:
            return await hands.settle(row, _ANOTHERS, charged="maybe")
        if moved is None:
            return await _store_late(hands, row, route, provider, job, values)
        crash_point("submit.stored")
        pace.know(moved)
        pace.looked_s = 0.0
        return Again(await hands.gap_s(moved, pace, route))

    return await insist(write, job.id)


async def _store_late(
    hands: Hands, row: Row, route: Route, provider: Provider, job: Job, values: dict[str, Any]
) -> Verdict:
    """The row has been given up meanwhile: rescue it if it still waits to be decided on, else stop
    the job, which nobody will fetch, and note what it may cost.
    """
    async with hands.transaction() as connection:
        late = await generations.attach_late(connection, row, asdict(job), **values)
        stray = late is None and await _is_stray(connection, row, job)
        if late is not None:
            # Nobody drives it any more: this driver's claim is old, the others are done.
            await jobs.defer_drive(connection, row.id)
        elif stray:
            await generations.note_stray_job(connection, row, job.id)
    log.warning("late answer of a submit", attached=late is not None, stray=stray, job=job.id)
    if stray:
        try:
            await provider.cancel(route, job)
        except ProviderError as error:
            log.warning("cancel not heard", error=type(error).__name__)
    return Done()


async def _is_stray(connection: AsyncConnection, row: Row, job: Job) -> bool:
    now = await generations.load(connection, row.id)
    return now is None or is_stray(
        attempt=row.attempt,
        job_id=job.id,
        attempt_now=now.attempt,
        job_id_now=(now.provider_job or {}).get("id"),
    )


_ANOTHERS = Settle(
    status=Status.UNKNOWN,
    code="submit_unknown",
    message=(
        "The provider took the request, but named a job that is another generation's. It may have "
        "been charged. Try again, or drop it."
    ),
    retryable=True,
)
