"""Server-sent events, written by hand: a name, an id, one line of JSON, and a heartbeat for
proxies.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi.responses import StreamingResponse

from accounts.visitor import Visitor
from generations.watch import Stream
from runtime import Runtime

HEARTBEAT_EVERY_S = 15.0
HEARTBEAT = ": still here\n\n"
#: Browsers come back after so long when a stream ends.
RETRY_AFTER_MS = 500


def response(events: AsyncIterator[str]) -> StreamingResponse:
    """A stream that no cache or proxy holds back."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_with_retry(events), media_type="text/event-stream", headers=headers)


async def _with_retry(events: AsyncIterator[str]) -> AsyncIterator[str]:
    yield f"retry: {RETRY_AFTER_MS}\n\n"
    async for event_text in events:
        yield event_text


@contextlib.contextmanager
def stream_of(runtime: Runtime, visitor: Visitor) -> Iterator[Stream]:
    """The visitor's changes, for as long as the block runs and what let them in holds."""
    with (
        runtime.watch.stream(visitor.user_id) as stream,
        runtime.presence.here(visitor, lambda: stream.push(None)),
        runtime.meters.streams.track_inprogress(),
    ):
        yield stream


def event(name: str, data: dict[str, Any], *, event_id: object = None) -> str:
    """One event; JSON has no line breaks, so one data line will do."""
    lines = [f"event: {name}"]
    if event_id is not None:
        lines.append(f"id: {event_id}")
    lines.append(f"data: {json.dumps(data, ensure_ascii=False)}")
    return "\n".join(lines) + "\n\n"


def mark(event_id: object) -> str:
    """An id without an event: where whoever comes back has to begin."""
    return f"id: {event_id}\n\n"


async def changes(stream: Stream) -> AsyncIterator[dict[str, Any] | None]:
    """The changes of a stream until it ends; None stands for a pause in which a heartbeat is
    due.
    """
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT_EVERY_S):
                change = await stream.queue.get()
        except TimeoutError:
            yield None
            continue
        if change is None:
            return
        yield change
