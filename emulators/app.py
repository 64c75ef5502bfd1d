"""The ASGI app: the wires and the handles for tests, over one desk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from emulators import (
    bfl_wire,
    comfyui_socket,
    comfyui_wire,
    control,
    fal_wire,
    gemini_wire,
    images_wire,
    openai_wire,
    replicate_wire,
    results,
    runpod_wire,
)
from emulators.desk import Desk, open_desk


class State(TypedDict):
    """What every request can reach."""

    desk: Desk


async def not_found(_request: Request, _error: Exception) -> Response:
    """Answer an unknown path in JSON."""
    return JSONResponse({"error": "not found"}, status_code=404)


class NoWebPages:
    """Refuses what a web page in a browser would change here: pages have no business with us."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let everything pass but changes that name an origin."""
        is_change = scope["type"] == "http" and scope["method"] not in ("GET", "HEAD")
        if is_change and "origin" in Headers(scope=scope):
            refusal = JSONResponse({"error": "not for web pages"}, status_code=403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def create_app(data_dir: Path) -> Starlette:
    """Return the demo provider whose memory lies in `data_dir`."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[State]:
        async with open_desk(data_dir) as desk:
            yield {"desk": desk}

    return Starlette(
        routes=[
            *openai_wire.ROUTES,
            *runpod_wire.ROUTES,
            *fal_wire.ROUTES,
            *replicate_wire.ROUTES,
            *bfl_wire.ROUTES,
            *comfyui_wire.ROUTES,
            *comfyui_socket.ROUTES,
            *gemini_wire.ROUTES,
            *images_wire.ROUTES,
            *results.ROUTES,
            *control.ROUTES,
        ],
        lifespan=lifespan,
        exception_handlers={404: not_found},
        middleware=[Middleware(NoWebPages)],
    )
