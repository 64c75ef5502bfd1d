"""The official client of the Model Context Protocol at our door, and a bare one beside it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, ImageContent, ResourceLink, TextContent
from PIL import Image

import api
from api.access import Access
from api.guard import Guard
from api.problems import install
from runtime import Runtime

DOOR = "/api/mcp"
BOTH = {"Accept": "application/json, text/event-stream"}
QUICK = {"prompt": "a red fox", "model": "demo-image-quick"}
QUICK_FILM = {"prompt": "a red fox runs", "model": "demo-video-quick"}


@contextlib.asynccontextmanager
async def mcp_session(url: str, key: str | None = None) -> AsyncIterator[ClientSession]:
    """The official client, connected to the server at this address."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx.AsyncClient(headers=headers, trust_env=False, timeout=60) as client,
        streamable_http_client(f"{url}{DOOR}", http_client=client) as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        yield session


class Heard:
    """What a call told of its progress."""

    def __init__(self) -> None:
        self.amounts: list[float] = []
        self.words: list[str] = []
        self.first = asyncio.Event()

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        assert total == 1.0
        self.amounts.append(progress)
        self.words.append(message or "")
        self.first.set()


def structured(result: CallToolResult) -> dict[str, Any]:
    """The answer, which stands there as text, too."""
    assert result.structuredContent is not None, result
    [text, *_] = result.content
    assert isinstance(text, TextContent)
    assert json.loads(text.text) == result.structuredContent
    return result.structuredContent


def refusal(result: CallToolResult) -> dict[str, Any]:
    """The refusal that a model reads."""
    assert result.isError, result
    [text] = result.content
    assert isinstance(text, TextContent)
    error: dict[str, Any] = json.loads(text.text)["error"]
    return error


def pictures(result: CallToolResult) -> list[Image.Image]:
    """The pictures among the content, decoded."""
    shown = [one for one in result.content if isinstance(one, ImageContent)]
    found: list[Image.Image] = [Image.open(BytesIO(base64.b64decode(one.data))) for one in shown]
    for image, one in zip(found, shown, strict=True):
        image.load()
        assert Image.MIME[image.format or ""] == one.mimeType
    return found


def links(result: CallToolResult) -> list[ResourceLink]:
    """The links among the content."""
    return [one for one in result.content if isinstance(one, ResourceLink)]


def message(method: str, request_id: int | None = 1, **params: Any) -> dict[str, Any]:
    """A JSON-RPC message as a client without an SDK sends it."""
    sent: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
    return sent if request_id is None else {**sent, "id": request_id}


@contextlib.asynccontextmanager
async def serve_here(runtime: Runtime) -> AsyncIterator[str]:
    """Our doors behind guard and access on a real socket, in the test's own process."""
    app = FastAPI(openapi_url=None)
    app.state.runtime = runtime
    install(app)
    app.include_router(api.routes())
    server = uvicorn.Server(
        uvicorn.Config(Guard(Access(app, lambda: runtime)), port=0, lifespan="off", log_config=None)
    )
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(20):
            while not server.started:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving
