"""A wire that can be cut: in front of Postgres at its socket, or of our server at its port."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
CHUNK_BYTES = 65536

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(kw_only=True)
class Wire:
    """Connections through here reach the real server until the wire is cut, or freezes."""

    url: str
    reach: Callable[[], Awaitable[Ends]]
    whole: bool = True
    writers: set[asyncio.StreamWriter] = field(default_factory=set)
    flowing: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.flowing.set()

    def cut(self) -> None:
        """Break every connection, and refuse new ones until `mend`."""
        self.whole = False
        for writer in list(self.writers):
            writer.transport.abort()

    def freeze(self) -> None:
        """Hold back every byte until `mend`: nobody is refused, and nobody hears anything."""
        self.flowing.clear()

    def mend(self) -> None:
        """Let connections, and what was held back, through again."""
        self.whole = True
        self.flowing.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if not self.whole:
            writer.transport.abort()
            return
        try:
            there, back = await self.reach()
        except OSError:
            writer.transport.abort()
            return
        self.writers |= {writer, back}
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        finally:
            self.writers -= {writer, back}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self.flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@contextlib.asynccontextmanager
async def wire_to(database_url: str, folder: Path) -> AsyncIterator[Wire]:
    """A wire to the Postgres behind a socket address; `Wire.url` leads through it."""
    found = re.search(r"host=([^&]+)", database_url)
    assert found is not None
    real = f"{found[1]}/{SOCKET}"
    wire = Wire(
        url=database_url.replace(found[0], f"host={folder}"),
        reach=lambda: asyncio.open_unix_connection(real),
    )
    server = await asyncio.start_unix_server(wire.serve, path=str(folder / SOCKET))
    async with _until_cut(wire, server):
        yield wire


@contextlib.asynccontextmanager
async def wire_to_port(port: int) -> AsyncIterator[Wire]:
    """A wire to a server at a port of this machine; `Wire.url` is the address of its other end."""
    wire = Wire(url="", reach=lambda: asyncio.open_connection("127.0.0.1", port))
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with _until_cut(wire, server):
        yield wire


@contextlib.asynccontextmanager
async def _until_cut(wire: Wire, server: asyncio.Server) -> AsyncIterator[None]:
    try:
        yield
    finally:
        server.close()
        wire.mend()
        wire.cut()
