"""Generations over HTTP: list, read, wait, follow, cancel, retry, delete. Every answer is a reading
of the row.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response

from accounts.visitor import Visitor
from api import etags, sse
from api.caller import InRuntime, MakeCaller, ReadCaller, Reader
from api.problems import Problem
from api.repeats import read_key
from api.waiting import is_settled, wait_for
from db.ids import parse_id
from generations.contract import Caller
from generations.lifecycle import Status
from runtime import Runtime
from tools.registry import repeat_of

router = APIRouter(prefix="/api/generations")

_VERSION = re.compile(r"[0-9]{1,18}")

WAIT_MAX_S = 60
IDS_MAX = 100
#: Postgres knows no such character.
NO_NUL = r"^[^\x00]*$"


@router.get("")
async def list_generations(
    runtime: InRuntime,
    caller: ReadCaller,
    kind: Literal["image", "video", "audio"] | None = None,
    status: Status | None = None,
    model: Annotated[str | None, Query(max_length=200, pattern=NO_NUL)] = None,
    q: Annotated[str | None, Query(max_length=200, pattern=NO_NUL)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    ids: Annotated[str | None, Query(max_length=40 * IDS_MAX)] = None,
) -> dict[str, Any]:
    """A page, newest first; or with `ids` exactly those that are the caller's, to catch up after a
    gap.
    """
    if ids is not None:
        wanted = [found for text in ids.split(",") if (found := parse_id(text.strip()))]
        if len(wanted) > IDS_MAX:
            raise Problem(422, "invalid_request", f"At most {IDS_MAX} ids at once.")
        return {"data": await runtime.admission.get_many(caller, wanted), "next_cursor": None}
    return await runtime.admission.find(
        caller, query=q, kind=kind, status=status, model=model, limit=limit, cursor=cursor
    )


@router.get("/{generation_id}")
async def get_generation(
    generation_id: str,
    request: Request,
    runtime: InRuntime,
    visitor: Reader,
    wait: Annotated[float, Query(ge=0, le=WAIT_MAX_S)] = 0,
) -> Response:
    """The generation; `wait` holds the answer for so many seconds, or until it is settled."""
    reading = await runtime.admission.get(Caller(user_id=visitor.user_id), generation_id)
    if wait:
        [reading] = await wait_for(runtime, visitor, [reading], wait)
    return etags.answer(request, reading)


@router.get("/{generation_id}/events")
async def follow_generation(
    generation_id: str,
    runtime: InRuntime,
    visitor: Reader,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Server-sent events: the whole JSON at once, then at each change; ends when it is settled."""
    caller = Caller(user_id=visitor.user_id)
    reading = await runtime.admission.get(caller, generation_id)
    known = int(last_event_id) if last_event_id and _VERSION.fullmatch(last_event_id) else 0
    if is_settled(reading) and known >= reading["v"]:
        # The one answer that keeps an EventSource from coming back for ever.
        return Response(status_code=204)
    return sse.response(_follow(runtime, visitor, reading, known))


async def _follow(
    runtime: Runtime, visitor: Visitor, reading: dict[str, Any], known: int
) -> AsyncIterator[str]:
    with sse.stream_of(runtime, visitor) as stream:
        # Read again: what changed before the stream was open would be missed.
        caller = Caller(user_id=visitor.user_id)
        current = await runtime.admission.get_many(caller, [_id(reading)])
        for first in current:
            reading = first
            if first["v"] > known:
                yield sse.event("generation", first, event_id=first["v"])
        if not current or is_settled(reading):
            return
        async for change in sse.changes(stream):
            if change is None:
                yield sse.HEARTBEAT
            elif change["id"] != reading["id"]:
                continue
            elif change.get("deleted"):
                return
            else:
                yield sse.event("generation", change, event_id=change["v"])
                if is_settled(change):
                    return


@router.post("/{generation_id}/cancel")
async def cancel_generation(
    generation_id: str, runtime: InRuntime, caller: MakeCaller
) -> dict[str, Any]:
    """Ask for a cancel; the status moves when the provider has answered."""
    return await runtime.admission.cancel(caller, generation_id)


@router.post("/{generation_id}/retry", status_code=202)
async def retry_generation(
    generation_id: str, request: Request, runtime: InRuntime, caller: MakeCaller
) -> dict[str, Any]:
    """Start the next attempt of a failed, cancelled or unknown generation; under the same
    `Idempotency-Key` once, also when one of the two calls is the tool's.
    """
    if key := read_key(request):
        arguments = {"generation": generation_id}
        caller = replace(caller, repeat=repeat_of(key, "retry_generation", arguments))
    return await runtime.admission.retry(caller, generation_id)


@router.delete("/{generation_id}", status_code=204)
async def delete_generation(generation_id: str, runtime: InRuntime, caller: MakeCaller) -> Response:
    """Delete from any status; it is 404 from then on."""
    await runtime.admission.delete(caller, generation_id)
    return Response(status_code=204)


def _id(reading: dict[str, Any]) -> Any:
    return parse_id(reading["id"])
