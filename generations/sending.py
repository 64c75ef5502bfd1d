"""Sending the one paid request, and finding out what became of it when its answer was lost.

The intent stands in the row before the request leaves. Only the claim that wrote the intent may
send, once; whoever else finds the row `submitting` must first ask what became of the request, by
the way the model's route allows. There is no way here to a second blind submit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never, cast

import structlog

from db import assets, generations, jobs, media
from db.connect import DATABASE_ERRORS
from db.generations import Row
from generations.hands import Hands, not_configured
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
from providers.contract import InputFile, Job, Kind, Provider, ProviderError, Request, Role, Route

log = structlog.get_logger(__name__)

#: A provider's answer is worth money: writing it down is tried for so long when the database is
#: away.
STORE_TRIES = 60
STORE_GAP_S = 1.0
INPUT_SIDE_MAX_PX = 2048


class InputGone(Exception):
    """A picture that this generation was to be made from has been deleted."""


async def send(hands: Hands, row: Row, pace: Pace) -> Verdict:
    """Send the request, or clear up one that may have been sent; never cut in half by a stop."""
    found = hands.route_of(row)
    if found is None:
        return await hands.settle(row, not_configured(row))
    _, route, provider = found
    if row.intent_claim != row.claim or pace.sent:
        return await _resolve(hands, row, pace, route, provider)
    return await _whole(_send(hands, row, pace, route, provider))


async def _send(hands: Hands, row: Row, pace: Pace, route: Route, provider: Provider) -> Verdict:
    try:
        request = await _request(hands, row, provider)
    except (InputGone, media.WrongType, OSError) as error:
        return await hands.settle(row, _input_gone(error))
    async with hands.engine.connect() as connection:
        current = await generations.load(connection, row.id)
    if current is None or current.claim != row.claim:
        return Done()
    first = row.intent_claim == row.claim and not pace.sent
    if first and current.cancel_requested_at is not None:
        await hands.move(row, Status.CANCELLED)
        return Done()
    pace.sent = True
    try:
        job = await provider.submit(route, request, key=key_of(row))
    except ProviderError as error:
        return await _send_failed(hands, row, pace, route, error, first=first)
    return await _store_job(hands, row, route, job)


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
            moved = await hands.move(row, Status.QUEUED, intent_claim=None, notes=[error.message])
            pace.sent = False
            return Again(after_s) if moved else Done()
        case Settle():
            sure = first and meaning is not GIVEN_UP
            return await hands.settle(row, meaning, charged="no" if sure else "maybe")
        case Ask():
            return Again(backoff_s(pace.failures))
        case _:
            assert_never(meaning)


async def _resolve(hands: Hands, row: Row, pace: Pace, route: Route, provider: Provider) -> Verdict:
    """The request may have been sent, by a driver that is gone or with an answer that was lost."""
    meaning = lost_submit(route.on_lost_submit)
    log.info("lost submit", way=route.on_lost_submit)
    if isinstance(meaning, Settle):
        return await hands.settle(row, meaning, charged="maybe")
    # The same key brings the same job: the one case in which sending again is looking.
    if meaning.way == "key":
        return await _whole(_send(hands, row, pace, route, provider))
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
        return await _store_job(hands, row, route, job)
    return await hands.settle(row, GIVEN_UP, charged="maybe")


async def _store_job(hands: Hands, row: Row, route: Route, job: Job) -> Verdict:
    """Write down what the provider answered; should the row have been given up meanwhile, attach it
    late.
    """
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "submitted_at": now,
        "deadline_at": now + timedelta(seconds=route.deadline_s),
        "charged": "maybe",
    }
    record = asdict(job)
    for tries in range(STORE_TRIES):
        try:
            moved = await hands.move(
                row, Status.IN_PROGRESS, provider_job=record, notes=[], **values
            )
            if moved is not None:
                return Again(route.poll_s)
            async with hands.engine.begin() as connection:
                late = await generations.attach_late(connection, row, record, **values)
                if late is not None:
                    # Nobody drives it any more: this driver's claim is old, the others are done.
                    await jobs.defer_drive(connection, row.id)
        except DATABASE_ERRORS as error:
            log.warning("provider's answer not stored yet", error=type(error).__name__, tries=tries)
            await asyncio.sleep(STORE_GAP_S)
        else:
            log.warning("late answer of a submit", attached=late is not None, job=job.id)
            return Done()
    log.error("provider's answer could not be stored", job=job.id)
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
        data, media_type = await asyncio.to_thread(
            media.scaled_data,
            hands.files.path(asset.storage_key),
            bytes_max=bytes_max,
            side_max_px=INPUT_SIDE_MAX_PX,
        )
        files.append(InputFile(role=cast(Role, role), media_type=media_type, data=data))
    return Request(kind=cast(Kind, row.kind), prompt=row.prompt, inputs=tuple(files), **row.params)


def _input_gone(error: Exception) -> Settle:
    if isinstance(error, OSError):
        log.error("input file unreadable", error=str(error))
    return Settle(
        status=Status.FAILED,
        code="invalid_request",
        message="A picture it was to be made from is no longer there.",
        retryable=False,
    )


async def _whole(step: Coroutine[Any, Any, Verdict]) -> Verdict:
    """Run a step that must not be cut in half: a stop, told once or often, waits until the answer
    is written down.
    """
    task = asyncio.ensure_future(step)
    stopped: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            stopped = error
    verdict = task.result()
    if stopped is not None:
        raise stopped
    return verdict
