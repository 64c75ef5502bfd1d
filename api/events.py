"""One stream for everything of a caller: it feeds all cards of a browser, in all its tabs.

An event's id is the moment at which its generation changed, so whoever comes back with the last one
they heard is told first what changed since. Such a moment is when a transaction began, not when it
was seen: hence a little is told again, and `v` says what is not new.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from accounts.visitor import Visitor
from api import sse
from api.caller import InRuntime, Reader
from db import readings
from db.connect import DATABASE_ERRORS
from runtime import Runtime

log = structlog.get_logger(__name__)

router = APIRouter()

#: Longer than any of our transactions may take, and than the clocks of two machines differ.
TOLD_AGAIN = timedelta(seconds=30)
#: Whoever was away for longer asks for a list.
CAUGHT_UP = timedelta(days=1)
_FIRST = UUID(int=0)


@router.get("/api/events")
async def follow_all(
    runtime: InRuntime,
    visitor: Reader,
    thread_id: UUID | None = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Server-sent events of every change of the caller's generations, of one thread if it is
    named.
    """
    since = _moment(last_event_id)
    return sse.response(_follow_all(runtime, visitor, thread_id, since))


async def _follow_all(
    runtime: Runtime, visitor: Visitor, thread_id: UUID | None, since: datetime | None
) -> AsyncIterator[str]:
    thread = str(thread_id) if thread_id else None
    told: dict[str, int] = {}
    with sse.stream_of(runtime, visitor) as stream:
        begun = readings.stamp(datetime.now(UTC))
        yield sse.HEARTBEAT
        try:
            async for missed in _missed(runtime, visitor, thread_id, since):
                told[missed["id"]] = missed["v"]
                yield sse.event("generation", missed, event_id=missed["updated_at"])
        except DATABASE_ERRORS as error:
            # They come back with the last id they heard.
            log.warning("nobody can be caught up", error=type(error).__name__)
            return
        # Whoever hears nothing before the line breaks has missed what comes from here on.
        yield sse.mark(begun)
        async for change in sse.changes(stream):
            if change is None:
                yield sse.HEARTBEAT
            elif change.get("deleted"):
                yield sse.event("deleted", change)
            elif thread in (None, change["thread_id"]) and change["v"] > told.get(change["id"], 0):
                yield sse.event("generation", change, event_id=change["updated_at"])


async def _missed(
    runtime: Runtime, visitor: Visitor, thread_id: UUID | None, since: datetime | None
) -> AsyncIterator[dict[str, Any]]:
    """What changed since, read page by page, so that no connection is held while it is sent."""
    after = (since, _FIRST) if since else None
    while after is not None:
        async with runtime.engine.connect() as connection:
            page, after = await readings.changed(
                connection, visitor.user_id, after, thread_id=thread_id
            )
        for reading in page:
            yield reading


def _moment(event_id: str | None) -> datetime | None:
    """From when on is told again what somebody may have missed; None: they begin here."""
    try:
        heard = datetime.fromisoformat(event_id or "")
    except ValueError:
        return None
    if heard.tzinfo is None:
        return None
    now = datetime.now(UTC)
    # As a duration: the ends of the calendar do not survive being moved.
    away = min(max(now - heard, timedelta()) + TOLD_AGAIN, CAUGHT_UP)
    return now - away
