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
    media,
    metrics,
    stickiness,
    tools,
    unknown,
    usage,
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
        *(generations, media, feedback, webhooks, widget, unknown),
    )
    for door in doors:
        router.include_router(door.router)
    return router
