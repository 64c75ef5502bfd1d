"""Collecting: the provider's result becomes our files, and only then is the generation completed.

Results are fetched once a file, decoded to find out what they really are, and stored under names
made of (id, attempt, position): a repeated step overwrites with the same bytes, so a crash costs a
download and never leaves half a set.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import structlog

from crash_points import crash_point
from db import assets, generations, media
from db.assets import Asset
from db.generations import Row
from db.ids import new_id
from generations import made
from generations.hands import Hands, is_overdue
from generations.lifecycle import (
    Again,
    Done,
    Settle,
    Status,
    Verdict,
    Wait,
    after_look_error,
    backoff_s,
)
from generations.pace import Pace
from generations.storing import store
from providers.contract import (
    Gone,
    Job,
    Keyed,
    Kind,
    Provider,
    ProviderError,
    Route,
    Succeeded,
)
from providers.download import fetch_result
from providers.sink import FETCH_LIMITS

log = structlog.get_logger(__name__)

#: A result whose address has expired is asked for again so often.
FRESH_ADDRESSES_MAX = 3
#: So many downloads in a row that are not what they should be, and the provider means it.
SPOILED_MAX = 3
#: Our own disk may be full or slow, or the way to the result broken: what is paid for is tried so
#: often at least, and until the deadline.
STORE_FAILURES_MAX = 20


async def collect(hands: Hands, row: Row, pace: Pace) -> Verdict:
    """Bring every output of the job into our storage and complete the generation."""
    if row.deleted_at is not None:
        await hands.move(row, Status.CANCELLED)
        return Done()
    found = hands.route_of(row)
    if found is None:
        return await hands.wait_for_route(row)
    _, route, provider = found
    try:
        urls = await _addresses(row, pace, route, provider)
        stored = [
            await _store(hands, row, provider, route, position, url)
            for position, url in enumerate(urls)
        ]
    except ProviderError as error:
        return await _fetch_failed(hands, row, pace, error)
    except media.WrongType as error:
        # A proxy's page, or half a file that looked whole: what is paid for is fetched again.
        pace.spoiled += 1
        if pace.spoiled < SPOILED_MAX:
            log.warning("what was fetched is spoiled", reason=str(error), times=pace.spoiled)
            return Again(backoff_s(pace.spoiled))
        return await hands.settle(row, _wrong_type(str(error)))
    except OSError as error:
        return await _storage_failed(hands, row, pace, error)
    verdict = await _complete(hands, row, stored)
    await made.forget(hands, urls)
    return verdict


async def _addresses(row: Row, pace: Pace, route: Route, provider: Provider) -> tuple[str, ...]:
    """Where the outputs lie: as noted, or as the provider tells when asked again."""
    if pace.outputs is not None:
        return pace.outputs
    if row.provider_outputs is not None:
        return tuple(row.provider_outputs)
    state = await provider.poll(route, Job(**(row.provider_job or {})))
    if not isinstance(state, Succeeded):
        raise Gone(f"{row.model} had a result, but does not give it out any more.")
    return tuple(output.url for output in state.outputs)


async def _store(
    hands: Hands, row: Row, provider: Provider, route: Route, position: int, url: str
) -> Asset:
    with hands.files.scratch() as scratch:
        limits = FETCH_LIMITS[cast(Kind, row.kind)]
        if url.startswith(made.KEPT):
            fetched = await made.read_kept(hands, url, scratch, limits)
        else:
            fetched = await fetch_result(
                hands.results,
                url,
                scratch,
                allowed_hosts=route.result_hosts,
                origin=provider.origin,
                limits=limits,
                headers_for=provider.result_headers if isinstance(provider, Keyed) else None,
            )
        name = f"generations/{row.id}/{row.attempt}-{position}"
        look = partial(media.inspect, kind=row.kind)
        stored = await store(hands.files, scratch, name, look)
    crash_point("collect.stored")
    return Asset(
        id=new_id(),
        user_id=row.user_id,
        generation_id=row.id,
        position=position,
        media_type=stored.found.media_type,
        width_px=stored.found.width_px,
        height_px=stored.found.height_px,
        duration_s=stored.found.duration_s,
        size_bytes=fetched.size_bytes,
        sha256=fetched.sha256,
        storage_key=stored.key,
        thumbnail_key=stored.thumbnail_key,
    )


async def _complete(hands: Hands, row: Row, stored: list[Asset]) -> Verdict:
    """The status and the files' rows change together: a reader sees all of the result or none."""
    wanted = int(row.params.get("n", 1))
    values: dict[str, Any] = {"progress": 1.0}
    if len(stored) < wanted:
        values["notes"] = [*row.notes, f"{len(stored)} of {wanted} came back."]
    async with hands.transaction() as connection:
        moved = await generations.move(connection, row, Status.COMPLETED, **values)
        if moved is None:
            return Done()
        for asset in stored:
            await assets.add(connection, asset)
    crash_point("collect.completed")
    hands.note_move(row, moved)
    return Done()


async def _fetch_failed(hands: Hands, row: Row, pace: Pace, error: ProviderError) -> Verdict:
    tries = pace.failed(error)
    log.warning("fetch failed", error=type(error).__name__, failures=pace.failures)
    if isinstance(error, Gone) and pace.gone < FRESH_ADDRESSES_MAX:
        pace.gone += 1
        pace.outputs = None
        moved = await hands.move(row, Status.IN_PROGRESS, provider_outputs=None)
        return Again(backoff_s(pace.gone)) if moved else Done()
    meaning = after_look_error(error, tries)
    if isinstance(meaning, Wait):
        if pace.failures > STORE_FAILURES_MAX and is_overdue(row):
            return await hands.settle(row, _unfetched(error.message))
        return Again(meaning.after_s)
    return await hands.settle(row, meaning)


async def _storage_failed(hands: Hands, row: Row, pace: Pace, error: OSError) -> Verdict:
    pace.failures += 1
    log.error("storing failed", error=str(error), failures=pace.failures)
    if pace.failures > STORE_FAILURES_MAX and is_overdue(row):
        return await hands.settle(row, _unfetched("Kinora's own storage refused the file."))
    return Again(backoff_s(pace.failures))


def _unfetched(reason: str) -> Settle:
    return Settle(
        status=Status.FAILED,
        code="unavailable",
        message=f"It was made, but could not be fetched: {reason}",
        retryable=True,
    )


def _wrong_type(reason: str) -> Settle:
    return Settle(
        status=Status.FAILED,
        code="wrong_type",
        message=f"What came back is not what it should be: {reason}",
        retryable=True,
    )
