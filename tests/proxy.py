"""A wire to Postgres that can be cut: a socket of our own in front of the real one."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
CHUNK_BYTES = 65536


@dataclass(kw_only=True)
class Wire:
    """Connections through here reach the real server until the wire is cut."""

    real: str
    url: str
    whole: bool = True
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Break every connection, and refuse new ones until `mend`."""
        self.whole = False
        for writer in list(self.writers):
            writer.transport.abort()

    def mend(self) -> None:
        """Let connections through again."""
        self.whole = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if not self.whole:
            writer.transport.abort()
            return
        there, back = await asyncio.open_unix_connection(self.real)
        self.writers |= {writer, back}
        try:
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        finally:
            self.writers -= {writer, back}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@contextlib.asynccontextmanager
async def wire_to(database_url: str, folder: Path) -> AsyncIterator[Wire]:
    """A wire to the Postgres behind a socket address; `Wire.url` leads through it."""
    found = re.search(r"host=([^&]+)", database_url)
    assert found is not None
    wire = Wire(real=f"{found[1]}/{SOCKET}", url=database_url.replace(found[0], f"host={folder}"))
    server = await asyncio.start_unix_server(wire.serve, path=str(folder / SOCKET))
    try:
        yield wire
    finally:
        wire.cut()
        server.close()
