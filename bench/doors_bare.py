"""What `bench.doors` compares a read with: Starlette and the same query, and nothing else.

python -m bench.doors_bare PORT DATABASE_URL USER_ID
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from db import readings
from db.connect import open_engine


def app_of(database_url: str, user_id: UUID) -> Starlette:
    """One route."""
    engines: list[AsyncEngine] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        engine = open_engine(database_url)
        engines.append(engine)
        yield
        await engine.dispose()

    async def read(request: Request) -> JSONResponse:
        wanted = UUID(request.path_params["generation_id"])
        async with engines[0].connect() as connection:
            found = await readings.read(connection, user_id, [wanted])
        return JSONResponse(found[0])

    route = Route("/api/generations/{generation_id}", read)
    return Starlette(routes=[route], lifespan=lifespan)


if __name__ == "__main__":
    uvicorn.run(
        app_of(sys.argv[2], UUID(sys.argv[3])),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
    )
