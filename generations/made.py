"""Results that come as the answer of the one paid request: there is no job to ask about later, so
the bytes are ours before the row says that they are.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import structlog

from db import generations, jobs
from db.attempts_of import Kept
from db.durations import alike
from db.generations import JobTaken, Row
from generations.hands import Hands
from generations.insisting import insist
from generations.lifecycle import Again, Done, Settle, Status, Verdict
from generations.pace import Pace
from providers.contract import Failed, Kind, Made, Output, Provider, ProviderError, Route
from providers.download import fetch_result
from providers.sink import FETCH_LIMITS, Fetched, FetchLimits, Sink

log = structlog.get_logger(__name__)

#: How the row names a result that lies in our storage already.
KEPT = "kept:"


async def record(
    hands: Hands, row: Row, pace: Pace, route: Route, provider: Provider, made: Made
) -> Verdict:
    """Write down what a provider answered that answers only when it is done."""
    if isinstance(made.state, Failed):
        return await hands.settle(row, _failed(made.state), charged=_charged(made.state.charged))
    state = made.state
    began = row.updated_at
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "submitted_at": began,
        "deadline_at": now + timedelta(seconds=route.deadline_s),
        "cost_actual_usd": state.cost_usd if route.tells_cost else row.cost_estimated_usd,
        "charged": "yes",
    }
    took = Kept(alike=alike(row), duration_s=(now - began).total_seconds())

    async def write() -> Verdict:
        try:
            # A full disk is waited for, too: what is paid for is in our hands.
            values["provider_outputs"] = await _keep(hands, row, route, provider, state.outputs)
        except ProviderError as error:
            return await hands.settle(row, _spoiled(error), charged="yes")
        try:
            moved = await hands.move(
                row, Status.STORING, took, provider_job=asdict(made.job), notes=[], **values
            )
        except JobTaken:
            # The name is the provider's and means nothing: what came is ours.
            own = {"id": f"{row.id}-{row.attempt}", "urls": {}}
            moved = await hands.move(
                row, Status.STORING, took, provider_job=own, notes=[], **values
            )
        if moved is None:
            return await _rescue(hands, row, made, values)
        pace.know(moved)
        return Again()

    return await insist(write, made.job.id)


async def _rescue(hands: Hands, row: Row, made: Made, values: dict[str, Any]) -> Verdict:
    """The row has been given up meanwhile: a result that is here is better than a question."""
    async with hands.transaction() as connection:
        late = await generations.attach_late(
            connection, row, asdict(made.job), status=Status.STORING, **values
        )
        if late is not None:
            await jobs.defer_drive(connection, row.id)
        else:
            await generations.note_stray_job(connection, row, made.job.id)
    log.warning("late result of a submit", attached=late is not None, job=made.job.id)
    return Done()


async def _keep(
    hands: Hands, row: Row, route: Route, provider: Provider, outputs: tuple[Output, ...]
) -> list[str]:
    """The results in our storage, under names made of (id, attempt, position); addresses stay what
    they are.
    """
    kept = []
    for position, output in enumerate(outputs):
        if not output.url.startswith("data:"):
            kept.append(output.url)
            continue
        key = f"generations/{row.id}/{row.attempt}-{position}.answer"
        with hands.files.scratch() as scratch:
            await fetch_result(
                hands.results,
                output.url,
                scratch,
                allowed_hosts=route.result_hosts,
                origin=provider.origin,
                limits=FETCH_LIMITS[cast(Kind, row.kind)],
            )
            await hands.files.put_file(key, scratch)
        kept.append(f"{KEPT}{key}")
    return kept


async def read_kept(hands: Hands, url: str, path: Path, limits: FetchLimits) -> Fetched:
    """Copy a result of our storage to where downloads are written. Raises: OSError."""
    async with hands.files.local(url.removeprefix(KEPT)) as source:
        return await asyncio.to_thread(_copy, source, path, limits)


def _copy(source: Path, path: Path, limits: FetchLimits) -> Fetched:
    sink = Sink(path, limits)
    try:
        sink.write(source.read_bytes())
        return sink.finish(None)
    finally:
        sink.close()


async def forget(hands: Hands, urls: tuple[str, ...]) -> None:
    """Take the answers away, once they are stored as what they are."""
    for url in urls:
        if url.startswith(KEPT):
            await hands.files.delete(url.removeprefix(KEPT))


def _spoiled(error: ProviderError) -> Settle:
    return Settle(status=Status.FAILED, code=error.code, message=error.message, retryable=True)


def _failed(state: Failed) -> Settle:
    return Settle(
        status=Status.FAILED,
        code=state.code,
        message=state.message,
        retryable=state.retryable,
    )


def _charged(told: bool | None) -> str:
    return "maybe" if told is None else "yes" if told else "no"
