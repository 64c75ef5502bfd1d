"""The doors beside the chat: tool calls, generations, events, media, uploads, providers' news,
health. Each is thin: who asks, what, the answer.
"""

from __future__ import annotations

from fastapi import APIRouter

from api import (
    events,
    feedback,
    generations,
    health,
    keys,
    login,
    mcp_door,
    media,
    metrics,
    openapi,
    stickiness,
    tools,
    unknown,
    usage,
    v1,
    webhooks,
    widget,
)


def routes() -> APIRouter:
    """All doors, in the order in which they are tried; the last one keeps programs' paths from the
    page.
    """
    router = APIRouter()
    doors = (
        *(health, metrics, login, stickiness, keys, tools, usage, events),
        *(generations, media, mcp_door, feedback, webhooks, widget, v1, openapi, unknown),
    )
    for door in doors:
        router.include_router(door.router)
    return router
