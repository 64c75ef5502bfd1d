"""The ASGI app: two wires and the handles for tests, over one desk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulators import control, openai_wire, results, runpod_wire
from emulators.desk import Desk, open_desk


class State(TypedDict):
    """What every request can reach."""

    desk: Desk


async def not_found(_request: Request, _error: Exception) -> Response:
    """Answer an unknown path in JSON."""
    return JSONResponse({"error": "not found"}, status_code=404)


def create_app(data_dir: Path) -> Starlette:
    """Return the demo provider whose memory lies in `data_dir`."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[State]:
        async with open_desk(data_dir) as desk:
            yield {"desk": desk}

    return Starlette(
        routes=[*openai_wire.ROUTES, *runpod_wire.ROUTES, *results.ROUTES, *control.ROUTES],
        lifespan=lifespan,
        exception_handlers={404: not_found},
    )
