"""Heads of requests end: too long or too slow ones are cut off, and cost no memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from uvicorn.server import ServerState

from api.heads import HEAD_BYTES_MAX, BoundedHeads
from tests.house import Served

ANSWER_S = 10.0
PIECE = b"a" * HEAD_BYTES_MAX


class Impatient(BoundedHeads):
    head_lasts_s = 0.2


@contextlib.asynccontextmanager
async def knock(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def sent(port: int, *pieces: bytes) -> bytes:
    """What comes back, until the connection ends."""
    async with asyncio.timeout(ANSWER_S), knock(port) as (reader, writer):
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        with contextlib.suppress(ConnectionError):
            return await reader.read()
    return b""


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server whose heads are in a hurry."""
    config = uvicorn.Config(PlainTextResponse("here"), lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Impatient(config, state, {}), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTTP/1.1\r\nX-Long: ",
        b"GET /",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-After: ",
    ],
    ids=["a value", "an address", "what follows a body"],
)
async def test_a_head_without_an_end_is_cut_off(server: Served, begun: bytes) -> None:
    port = urlsplit(server.url).port
    assert port is not None
    answer = await sent(port, begun, *[PIECE] * 64)
    # Who is still sending may miss the answer, and meets a closed door all the same.
    assert answer == b"" or b" 431 " in answer or b" 403 " in answer


async def test_a_head_that_does_not_come_is_not_waited_for(port: int) -> None:
    for begun in (b"", b"GET / HTTP/1.1\r\nHost: local"):
        assert await sent(port, begun) == b""


async def test_two_requests_that_come_in_time_are_answered(port: int) -> None:
    async with asyncio.timeout(ANSWER_S), knock(port) as (reader, writer):
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200" in await reader.readuntil(b"here")
            await asyncio.sleep(0)


async def test_a_body_may_be_longer_and_slower_than_a_head(port: int) -> None:
    async with asyncio.timeout(ANSWER_S), knock(port) as (reader, writer):
        length = 4 * len(PIECE)
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % length)
        for _ in range(4):
            writer.write(PIECE)
            await writer.drain()
        assert b"200" in await reader.readuntil(b"here")
