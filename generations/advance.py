"""One step of a generation: submit, look, or collect. `drive` repeats it until the row is settled
or somebody else's.

    queued       intend   write down that we are about to send
    submitting   send     or find out what became of a request that may have been sent
    in_progress  look     ask the provider, write when something changed
    storing      collect  copy the result to our storage

A step may be repeated from its row at any time, by any worker: whoever takes the row over first
bumps its claim, and every move of an older claim changes nothing.
"""

from __future__ import annotations

import time
from typing import assert_never
from uuid import UUID

import structlog

from crash_points import crash_point
from db import durations, generations
from db.attempts_of import Kept
from db.connect import DATABASE_ERRORS
from db.generations import Row
from generations import beginning, collecting, news, sending
from generations.clearing import leave
from generations.hands import Hands, is_overdue
from generations.lifecycle import (
    Again,
    Done,
    Settle,
    Status,
    Verdict,
    Wait,
    after_look,
    after_look_error,
    backoff_s,
    look_again_s,
)
from generations.pace import Pace
from providers.contract import (
    Cancelled,
    Failed,
    Gone,
    Job,
    JobState,
    ProviderError,
    Route,
    Running,
    Succeeded,
    Waiting,
)

log = structlog.get_logger(__name__)

#: Unexpected errors (ours) in a row before a generation is given up as `internal`.
CRASHES_MAX = 5
PROGRESS_STEP = 0.01
#: However quiet it is, a row is read anew so often.
READ_AGAIN_S = 30.0


async def drive(hands: Hands, generation_id: UUID) -> None:
    """Take a generation over and take it through its steps until it is settled or somebody
    else's; then what was deleted goes, also an upload, which has no other step to take.
    """
    # Listening before claiming: news that comes during a step ends the wait after it.
    with (
        hands.watch.attention(generation_id) as attention,
        structlog.contextvars.bound_contextvars(generation_id=str(generation_id)),
    ):
        async with hands.connection() as connection:
            row = await generations.claim(connection, generation_id)
        crash_point("drive.claimed")
        pace = Pace()
        while row is not None:
            verdict = await _guarded_step(hands, row, pace)
            if isinstance(verdict, Done):
                break
            known = pace.row or row
            if await attention.wait(known.version, verdict.after_s):
                pace.is_sure = False
            row = await _still_ours(hands, known, pace)
        await leave(hands, generation_id)


async def _still_ours(hands: Hands, known: Row, pace: Pace) -> Row | None:
    """The row as it stands. One that the step knew for sure, and of whose change nobody has told
    while we could hear, is as it was; a claim taken in silence is met by the next move, which then
    changes nothing, and right before a request leaves the row is read in any case.
    """
    hears = hands.watch.listening.is_set()
    if pace.is_sure and hears and time.monotonic() - pace.read_at < READ_AGAIN_S:
        return known
    async with hands.connection() as connection:
        current = await generations.load(connection, known.id)
    pace.read_at = time.monotonic()
    return current if current is not None and current.claim == known.claim else None


async def _guarded_step(hands: Hands, row: Row, pace: Pace) -> Verdict:
    """The worker's step boundary: an error nobody foresaw costs this generation, never the
    worker.
    """
    try:
        verdict = await advance(hands, row, pace)
    except DATABASE_ERRORS:
        raise
    except Exception:  # noqa: BLE001 - the worker's boundary, as said above
        pace.crashes += 1
        log.exception("generation step failed", status=row.status, crashes=pace.crashes)
        if pace.crashes < CRASHES_MAX:
            return Again(backoff_s(pace.crashes))
        return await _give_up(hands, row)
    pace.crashes = 0
    return verdict


async def _give_up(hands: Hands, row: Row) -> Verdict:
    """Our own mistake keeps this one from going on: tell the provider, and say what it may have
    cost.
    """
    await _tell_to_stop(hands, row)
    end = Settle(
        status=Status.FAILED,
        code="internal",
        message="Kinora made a mistake here; the log of the server tells more.",
        retryable=True,
    )
    return await hands.settle(row, end, charged="no" if row.status == "queued" else "maybe")


async def _tell_to_stop(hands: Hands, row: Row) -> None:
    """Ask the provider to stop a job that nobody will fetch any more; not hearing us costs money,
    but no truth.
    """
    found = hands.route_of(row)
    if found is None or row.provider_job is None:
        return
    _, route, provider = found
    try:
        await provider.cancel(route, Job(**row.provider_job))
    except ProviderError as error:
        log.warning("cancel not heard", error=type(error).__name__)


async def advance(hands: Hands, row: Row, pace: Pace) -> Verdict:
    """Take the one step that the row's status asks for."""
    pace.row, pace.is_sure = row, False
    if not pace.read_older:
        pace.read_older = True
        await news.read_older(hands, row)
    status = Status(row.status)
    match status:
        case Status.QUEUED:
            return await beginning.begin(hands, row, pace)
        case Status.SUBMITTING:
            return await sending.send(hands, row, pace)
        case Status.IN_PROGRESS:
            return await _look(hands, row, pace)
        case Status.STORING:
            return await collecting.collect(hands, row, pace)
        case Status.UNKNOWN:
            return await news.rescue(hands, row)
        case Status.COMPLETED | Status.FAILED | Status.CANCELLED:
            return Done()
        case _:
            assert_never(status)


async def _look(hands: Hands, row: Row, pace: Pace) -> Verdict:
    """Ask the provider how the job stands, and follow what it says."""
    found = hands.route_of(row)
    if found is None or row.provider_job is None:
        return await hands.wait_for_route(row)
    _, route, provider = found
    job = Job(**row.provider_job)
    try:
        if row.cancel_requested_at is not None and pace.cancel_is_due():
            await provider.cancel(route, job)
        hands.meters.polled(row.provider)
        state = await provider.poll(route, job)
    except ProviderError as error:
        return await _look_failed(hands, row, pace, error)
    crash_point("look.asked")
    pace.failures = pace.malformed = pace.last_asks = 0
    pace.polls += 1
    verdict = await _follow(hands, row, pace, route, state)
    pace.looked_s = hands.passed_s(row)
    return verdict


async def _look_failed(hands: Hands, row: Row, pace: Pace, error: ProviderError) -> Verdict:
    meaning = after_look_error(error, pace.failed(error))
    log.warning("look failed", error=type(error).__name__, failures=pace.failures)
    if isinstance(meaning, Wait):
        overdue = is_overdue(row)
        pace.last_asks += overdue
        after_s = look_again_s(meaning, overdue=overdue, last_asks=pace.last_asks)
        if after_s is not None:
            return Again(after_s)
        meaning = _too_late(row)
    if not isinstance(error, Gone):
        await _tell_to_stop(hands, row)
    elif row.cancel_requested_at is not None:
        # Some forget what was stopped while it waited: that is how they say that it has stopped.
        await hands.move(row, Status.CANCELLED, _kept(error))
        return Done()
    return await hands.settle(row, meaning, _kept(error))


def _kept(error: ProviderError) -> Kept:
    return Kept(error_code=error.code, message=error.message, request_id=error.request_id)


async def _follow(hands: Hands, row: Row, pace: Pace, route: Route, state: JobState) -> Verdict:
    match state:
        case Waiting() | Running():
            return await _still_going(hands, row, pace, route, state)
        case Succeeded():
            return await _succeeded(hands, row, pace, route, state)
        case Failed():
            end = Settle(
                status=Status.FAILED,
                code=state.code,
                message=state.message,
                retryable=state.retryable,
            )
            return await hands.settle(row, end, charged=_charged(state.charged))
        case Cancelled():
            if _after_look(row, state) is Status.FAILED:
                return await hands.settle(row, _too_late(row))
            await hands.move(row, Status.CANCELLED)
            return Done()
        case _:
            assert_never(state)


def _after_look(row: Row, state: JobState) -> Status:
    is_cancelled = row.cancel_requested_at is not None
    return after_look(state, overdue=is_overdue(row), is_cancelled=is_cancelled)


def _charged(told: bool | None) -> str:
    return "maybe" if told is None else "yes" if told else "no"


async def _still_going(
    hands: Hands, row: Row, pace: Pace, route: Route, state: Waiting | Running
) -> Verdict:
    """Write only what changed: a waiting film costs the database nothing."""
    if _after_look(row, state) is Status.FAILED:
        await _tell_to_stop(hands, row)
        return await hands.settle(row, _too_late(row))
    progress = state.progress if isinstance(state, Running) else None
    position = state.position if isinstance(state, Waiting) else None
    if progress is not None:
        progress = max(progress, row.progress or 0.0)
    moved = progress is not None and progress - (row.progress or 0.0) >= PROGRESS_STEP
    if moved or position != row.queue_position:
        shown = progress if moved else row.progress
        changed = await hands.move(row, Status.IN_PROGRESS, queue_position=position, progress=shown)
        if changed is None:
            return Done()
        row = changed
    pace.know(row)
    return Again(await hands.gap_s(row, pace, route))


async def _succeeded(hands: Hands, row: Row, pace: Pace, route: Route, state: Succeeded) -> Verdict:
    """Note what the provider made and what it cost, before a byte of it is fetched."""
    pace.outputs = tuple(output.url for output in state.outputs)
    # Bytes inside the answer are not copied into the row: `collect` asks for them again if it must.
    inline = any(url.startswith("data:") for url in pace.outputs)
    crash_point("look.succeeded")
    took = Kept(alike=durations.alike(row), duration_s=pace.seen_done_s(hands.passed_s(row)))
    moved = await hands.move(
        row,
        Status.STORING,
        took,
        provider_outputs=None if inline else list(pace.outputs),
        cost_actual_usd=state.cost_usd if route.tells_cost else row.cost_estimated_usd,
        charged="yes",
        progress=None,
        queue_position=None,
    )
    crash_point("collect.begun")
    if moved is None:
        return Done()
    pace.know(moved)
    return Again()


def _too_late(row: Row) -> Settle:
    return Settle(
        status=Status.FAILED,
        code="timeout",
        message=f"{row.model} did not finish in time. It may have been charged.",
        retryable=True,
    )
