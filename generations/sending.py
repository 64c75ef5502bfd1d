"""Sending the one paid request, and finding out what became of it when its answer was lost.

The intent stands in the row before the request leaves. Only the claim that wrote the intent may
send, once; whoever else finds the row `submitting` must first ask what became of the request, by
the way the model's route allows. There is no way here to a second blind submit.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never, cast

import structlog

from db import assets, generations, in_flight, jobs, media
from db.connect import DATABASE_ERRORS
from db.generations import Row
from generations.hands import Hands, is_overdue
from generations.lifecycle import (
    GIVEN_UP,
    Again,
    Ask,
    Done,
    Settle,
    Status,
    Verdict,
    Wait,
    after_look_error,
    after_submit_error,
    backoff_s,
    lost_submit,
)
from generations.pace import Pace
from generations.watch import Attention
from generations.whole import whole
from providers.contract import InputFile, Job, Kind, Provider, ProviderError, Request, Role, Route

log = structlog.get_logger(__name__)

#: A provider's answer is worth money: writing it down is tried for so long when the database is
#: away.
STORE_TRIES = 60
STORE_GAP_S = 1.0
INPUT_SIDE_MAX_PX = 2048
#: A request that nobody wants any more is not asked about for longer.
UNWANTED_TRIES = 3
#: Whose turn it is, is told; this is for what was told while nobody listened.
IN_LINE_LOOK_S = 20.0


class InputGone(Exception):
    """A picture that this generation was to be made from has been deleted."""


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
    # In line before asking for a place: one that comes free meanwhile is heard of.
    with hands.watch.in_line(row) as turn:
        if not pace.waited or await _is_turn(hands, row):
            begun = await whole(_begin(hands, row, pace, route, provider, turn))
            if begun is not None:
                return begun
        pace.waited = True
        await turn.wait(row.version, IN_LINE_LOOK_S)
    return Again()


async def _is_turn(hands: Hands, row: Row) -> bool:
    """A look without the lock: a request is not made ready anew at every stir of the line."""
    async with hands.engine.connect() as connection:
        return await in_flight.is_turn(connection, row, hands.in_flight_max)


async def _begin(
    hands: Hands, row: Row, pace: Pace, route: Route, provider: Provider, turn: Attention
) -> Verdict | None:
    """None: as many of the user's as may be are in flight, and it stays queued."""
    try:
        request = await _request(hands, row, provider)
    except (InputGone, media.WrongType) as error:
        return await hands.settle(row, _input_gone(error))
    intent = {
        "intent_claim": row.claim,
        "deadline_at": datetime.now(UTC) + timedelta(seconds=route.deadline_s),
    }
    async with hands.engine.begin() as connection:
        limit = hands.in_flight_max
        if limit and not await in_flight.take_turn(connection, row, limit):
            return None
        intended = await hands.move_in(connection, row, Status.SUBMITTING, **intent)
    hands.watch.leave_line(row.user_id, turn)
    if intended is None:
        return Done()
    pace.row = intended
    return await _submit(hands, intended, pace, route, provider, request, first=True)


async def send(hands: Hands, row: Row, pace: Pace) -> Verdict:
    """Clear up a request that may have been sent: by a driver that is gone, or with an answer that
    was lost.
    """
    found = hands.route_of(row)
    if found is None:
        return await hands.wait_for_route(row)
    _, route, provider = found
    meaning = lost_submit(route.on_lost_submit)
    unwanted = row.cancel_requested_at is not None and pace.failures >= UNWANTED_TRIES
    if isinstance(meaning, Settle) or is_overdue(row) or unwanted:
        return await hands.settle(row, GIVEN_UP, charged="maybe")
    log.info("lost submit", way=route.on_lost_submit)
    # The same key brings the same job: the one case in which sending again is looking.
    if meaning.way == "key":
        return await whole(_send_again(hands, row, pace, route, provider))
    return await whole(_look_up(hands, row, pace, route, provider))


async def _send_again(
    hands: Hands, row: Row, pace: Pace, route: Route, provider: Provider
) -> Verdict:
    try:
        request = await _request(hands, row, provider)
    except (InputGone, media.WrongType):
        # What was sent cannot be made again, so its key cannot be repeated.
        return await hands.settle(row, GIVEN_UP, charged="maybe")
    return await _submit(hands, row, pace, route, provider, request, first=False)


async def _look_up(hands: Hands, row: Row, pace: Pace, route: Route, provider: Provider) -> Verdict:
    try:
        job = await provider.find(route, key_of(row))
    except ProviderError as error:
        pace.failures += 1
        log.warning("lookup failed", error=type(error).__name__, failures=pace.failures)
        answer = after_look_error(error, pace.failures)
        if isinstance(answer, Wait):
            return Again(answer.after_s)
        job = None
    if job is not None:
        return await _store_job(hands, row, route, provider, job)
    return await hands.settle(row, GIVEN_UP, charged="maybe")


async def _submit(
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
    async with hands.engine.connect() as connection:
        current = await generations.load(connection, row.id)
    if current is None or current.claim != row.claim:
        return Done()
    if first and current.cancel_requested_at is not None:
        await hands.move(row, Status.CANCELLED)
        return Done()
    try:
        job = await provider.submit(route, request, key=key_of(row))
    except ProviderError as error:
        return await _send_failed(hands, row, pace, route, error, first=first)
    return await _store_job(hands, row, route, provider, job)


def key_of(row: Row) -> str:
    """The idempotency key of an attempt: the same through every take-over and repeat."""
    return f"{row.id}-{row.attempt}"


async def _send_failed(
    hands: Hands, row: Row, pace: Pace, route: Route, error: ProviderError, *, first: bool
) -> Verdict:
    """Follow what the error means; of a repeat it says nothing about the send before it."""
    pace.failures += 1
    log.warning("submit failed", error=type(error).__name__, failures=pace.failures)
    meaning = after_submit_error(error, route.on_lost_submit, pace.failures)
    match meaning:
        case Wait(after_s=after_s) if not first:
            return Again(after_s)
        case Wait(after_s=after_s):
            nothing = {"intent_claim": None, "deadline_at": None}
            pace.row = await hands.move(row, Status.QUEUED, notes=[error.message], **nothing)
            return Again(after_s) if pace.row else Done()
        case Settle():
            sure = first and meaning is not GIVEN_UP
            return await hands.settle(row, meaning, charged="no" if sure else "maybe")
        case Ask():
            return Again(backoff_s(pace.failures))
        case _:
            assert_never(meaning)


async def _store_job(hands: Hands, row: Row, route: Route, provider: Provider, job: Job) -> Verdict:
    """Write down what the provider answered, however long the database is away."""
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "submitted_at": now,
        "deadline_at": now + timedelta(seconds=route.deadline_s),
        "charged": "maybe",
    }
    for tries in range(STORE_TRIES):
        try:
            moved = await hands.move(
                row, Status.IN_PROGRESS, provider_job=asdict(job), notes=[], **values
            )
            if moved is not None:
                return Again(route.poll_s)
            return await _store_late(hands, row, route, provider, job, values)
        except DATABASE_ERRORS as error:
            log.warning("provider's answer not stored yet", error=type(error).__name__, tries=tries)
            await asyncio.sleep(STORE_GAP_S)
    log.error("provider's answer could not be stored", job=job.id)
    return Done()


async def _store_late(
    hands: Hands, row: Row, route: Route, provider: Provider, job: Job, values: dict[str, Any]
) -> Verdict:
    """The row has been given up meanwhile: rescue it if it still waits to be decided on, else stop
    the job, which nobody will fetch, and note what it may cost.
    """
    async with hands.engine.begin() as connection:
        late = await generations.attach_late(connection, row, asdict(job), **values)
        if late is not None:
            # Nobody drives it any more: this driver's claim is old, the others are done.
            await jobs.defer_drive(connection, row.id)
        else:
            await generations.note_stray_job(connection, row, job.id)
    log.warning("late answer of a submit", attached=late is not None, job=job.id)
    if late is None:
        try:
            await provider.cancel(route, job)
        except ProviderError as error:
            log.warning("cancel not heard", error=type(error).__name__)
    return Done()


async def _request(hands: Hands, row: Row, provider: Provider) -> Request:
    """The neutral request, made anew from the row, with its pictures scaled to what may travel."""
    async with hands.engine.connect() as connection:
        given = await generations.input_assets(connection, row.id)
        ids = [asset_id for _, asset_id in given if asset_id is not None]
        found = await assets.find_many(connection, row.user_id, ids)
    files: list[InputFile] = []
    bytes_max = provider.input_bytes_max // max(1, len(given))
    for role, asset_id in given:
        asset = found.get(asset_id) if asset_id is not None else None
        if asset is None:
            raise InputGone(role)
        try:
            data, media_type = await asyncio.to_thread(
                media.scaled_data,
                hands.files.path(asset.storage_key),
                bytes_max=bytes_max,
                side_max_px=INPUT_SIDE_MAX_PX,
            )
        except FileNotFoundError:
            raise InputGone(role) from None
        files.append(InputFile(role=cast(Role, role), media_type=media_type, data=data))
    return Request(kind=cast(Kind, row.kind), prompt=row.prompt, inputs=tuple(files), **row.params)


def _input_gone(error: InputGone | media.WrongType) -> Settle:
    log.warning("input not usable", error=type(error).__name__)
    return Settle(
        status=Status.FAILED,
        code="invalid_request",
        message="A picture it was to be made from is no longer there.",
        retryable=False,
    )


_WAITED_TOO_LONG = Settle(
    status=Status.FAILED,
    code="timeout",
    message="No painter could take it for a day.",
    retryable=True,
)
