"""What the tests of downloads share: a book of names, and the place of a configured provider."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from providers.addresses import origin_of
from providers.download import ResultClients, fetch_result, open_result_clients
from providers.sink import Fetched, FetchLimits
from providers.transport import Limits
from tests.providers.servers import Exchange, Server

LIMITS = FetchLimits(size_bytes_max=3_000_000, deadline_s=5, patience_s=0.2)
BODY = bytes(range(256)) * 10_000


class Book(AbstractResolver):
    """A book of names before the system's own."""

    def __init__(self, **addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return what the book says about the first part of a name, else what the system says."""
        if host.partition(".")[0] not in self._addresses:
            return await aiohttp.ThreadedResolver().resolve(host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in self._addresses[host.partition(".")[0]]
        ]

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def clients_by_book() -> AsyncIterator[ResultClients]:
    """Open result clients that know a few names of example.com by the book."""
    book = Book(home=["127.0.0.1"], mixed=["93.184.216.34", "127.0.0.1"], six=["::1"])
    async with open_result_clients(Limits(connect_s=1, read_s=1), book) as clients:
        yield clients


async def fetch(
    clients: ResultClients,
    server: Server,
    path: Path,
    url: str = "/r.png",
    limits: FetchLimits = LIMITS,
) -> Fetched:
    """Fetch from a server at which the provider is configured."""
    url = f"{server.url}{url}" if url in ("/r.png", "/1") else url
    origin = origin_of(server.url)
    return await fetch_result(
        clients, url, path, allowed_hosts=["*.example.com"], origin=origin, limits=limits
    )


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def reply_body(exchange: Exchange) -> None:
    await exchange.reply(BODY, headers={"Content-Type": "image/png"})
