"""One stream for everything of a caller: it feeds all cards of a browser, in all its tabs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from accounts.visitor import Visitor
from api import sse
from api.caller import InRuntime, Reader
from runtime import Runtime

router = APIRouter()


@router.get("/api/events")
async def follow_all(
    runtime: InRuntime, visitor: Reader, thread_id: UUID | None = None
) -> StreamingResponse:
    """Server-sent events of every change of the caller's generations, of one thread if it is
    named.
    """
    return sse.response(_follow_all(runtime, visitor, str(thread_id) if thread_id else None))


async def _follow_all(
    runtime: Runtime, visitor: Visitor, thread_id: str | None
) -> AsyncIterator[str]:
    with sse.stream_of(runtime, visitor) as stream:
        yield sse.HEARTBEAT
        async for change in sse.changes(stream):
            if change is None:
                yield sse.HEARTBEAT
            elif change.get("deleted"):
                yield sse.event("deleted", change)
            elif thread_id is None or change["thread_id"] == thread_id:
                yield sse.event("generation", change)
