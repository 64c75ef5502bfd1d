"""Servers on loopback that answer in whatever odd way a test wants, byte by byte."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close sends RST


@dataclass(slots=True)
class Exchange:
    """One request as it came in, and the way back."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter

    async def send(self, *pieces: bytes) -> None:
        """Send bytes as they are."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def reply(
        self, body: bytes = b"{}", status: int = 200, *, headers: dict[str, str] | None = None
    ) -> None:
        """Send a well-formed answer."""
        fields = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        fields |= headers or {}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        await self.send(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode(), body)

    def reset(self) -> None:
        """Cut the connection with a reset."""
        peer = self.writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.writer.transport.abort()


Answer = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class Server:
    """A running server with everything that was asked of it."""

    port: int
    seen: list[Exchange] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Exchange | None:
    """Return the next request of a connection, None at its end."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Exchange(method, path, headers, body, writer)


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Server]:
    """Run a server; `answer` gets each request, and may do to the connection what it likes."""
    server = Server(0)
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        writers.append(writer)
        try:
            while exchange := await read_request(reader, writer):
                server.seen.append(exchange)
                await answer(exchange)
                if writer.is_closing():
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Otherwise whoever runs when they are collected hears that they were left open.
        for writer in writers:
            writer.transport.abort()
        closed = [writer.wait_closed() for writer in writers]
        await asyncio.gather(*closed, return_exceptions=True)


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@dataclass(slots=True)
class Mailbox:
    """Takes news as a webhook's address would."""

    url: str
    came: asyncio.Queue[Exchange]

    async def take(self, count: int, within_s: float = 10.0) -> list[Exchange]:
        """The next ones, as they come."""
        async with asyncio.timeout(within_s):
            return [await self.came.get() for _ in range(count)]


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """Run a mailbox."""
    came: asyncio.Queue[Exchange] = asyncio.Queue()

    async def receive(exchange: Exchange) -> None:
        came.put_nowait(exchange)
        await exchange.reply()

    async with serving(receive) as server:
        yield Mailbox(server.url, came)
