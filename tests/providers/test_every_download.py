"""Whatever a company hands out, as a result or as an address to ask at: our key stays at its place,
nothing inside the house is visited, and a result that is too much leaves nothing behind.

What the download itself refuses stands in test_download.py and test_download_addresses.py; here it
is shown for the results of every adapter that there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import inspect
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bench.memory import Growth
from providers.addresses import origin_of
from providers.configured import OPENERS
from providers.contract import (
    BlockedUrl,
    Job,
    Keyed,
    Malformed,
    ProviderError,
    TooLarge,
    Unreachable,
)
from providers.download import ResultClients
from providers.sink import FETCH_LIMITS, MIB
from providers.transport import Limits, open_client
from tests.canaries import spellings
from tests.providers.companies import BODY, COMPANIES, SECRET, Company, Stage, stage
from tests.providers.downloads import LIMITS, clients_by_book, files_in
from tests.providers.servers import Answer, Exchange, Server, serving
from tests.providers.test_download import drip
from tests.providers.test_download_addresses import PRIVATE, redirecting

BOMB = gzip.compress(bytes(64 * MIB))
FILM_BYTES_MAX = FETCH_LIMITS["video"].size_bytes_max
GROWTH_MIB_MAX = 50
PIECE = bytes(MIB)
QUICK = replace(LIMITS, deadline_s=2)
REDIRECTS = (301, 302, 303, 307, 308)

every_company = pytest.mark.parametrize("company", COMPANIES, ids=str)


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(Limits(connect_s=1, read_s=1)) as client:
        yield client


@pytest.fixture(scope="module")
async def clients() -> AsyncIterator[ResultClients]:
    async with clients_by_book() as clients:
        yield clients


async def reply_secret(exchange: Exchange) -> None:
    await exchange.reply(b'{"id": "j-1", "status": "COMPLETED"}')


def inside(port: int) -> Iterator[str]:
    """Every spelling of an address that is none of the public internet, by both schemes."""
    for scheme in ("http", "https"):
        yield from (f"{scheme}://{host}:{port}/r.png" for host in PRIVATE)


async def blocked(on: Stage, clients: ResultClients, folder: Path, port: int = 0) -> None:
    """Fetch what is handed out now: it is blocked, though its host is on the list where a port is
    given; or it was never more than the name of a file.
    """
    for url in await on.results():
        if on.company.names_files:
            assert origin_of(url) == on.provider.origin
            continue
        assert url == on.told.result, "handed out as it was"
        hosts = (f"*.example.com:{port}", url.split("/")[2]) if port else ()
        with pytest.raises(BlockedUrl):
            await on.fetch(clients, url, folder / "r", LIMITS, hosts)


def test_no_company_is_left_out() -> None:
    openers = {inspect.getmodule(opener).__name__ for opener in OPENERS}  # type: ignore[union-attr]
    assert len(openers) == len(COMPANIES)


@every_company
async def test_a_result_inside_the_house_is_not_visited(
    company: Company, client: httpx.AsyncClient, clients: ResultClients, tmp_path: Path
) -> None:
    """The canary listens on the port, and each name is even on the list of hosts."""
    async with serving(reply_secret) as canary, stage(company, client) as on, asyncio.timeout(20):
        for on.told.result in inside(canary.port):
            await blocked(on, clients, tmp_path, canary.port)
        assert canary.connections == 0
    assert files_in(tmp_path) == []


@every_company
async def test_a_result_at_a_strange_place_is_not_visited(
    company: Company, client: httpx.AsyncClient, clients: ResultClients, tmp_path: Path
) -> None:
    domain = company.hosts[0].removeprefix("*.") if company.hosts else "example.net"
    strange = [
        "https://media.example.org/r.png",
        f"http://media.{domain}/r.png",
        f"https://evil{domain}/r.png",
        f"https://media.{domain}.evil.org/r.png",
        f"https://media.{domain}:8443/r.png",
        f"https://media.{domain}\\@evil.org/r.png",
        f"https://key@media.{domain}/r.png",
    ]
    async with stage(company, client) as on:
        for on.told.result in strange:
            await blocked(on, clients, tmp_path)
        assert not any(map(on.is_result, on.server.seen))
    assert files_in(tmp_path) == []


def is_readable(url: str) -> bool:
    """Whether httpx can read it; if not, it breaks the redirect off before we are asked."""
    try:
        return bool(httpx.URL(url).host)
    except httpx.InvalidURL:
        return False


@every_company
async def test_a_result_that_is_sent_on_into_the_house_is_not_followed(
    company: Company, client: httpx.AsyncClient, clients: ResultClients, tmp_path: Path
) -> None:
    async with serving(reply_secret) as canary, stage(company, client) as on, asyncio.timeout(20):
        (url,) = await on.results()
        hosts = (f"*.example.com:{canary.port}",)
        for target in (*inside(canary.port), "http://169.254.169.254/latest/meta-data/"):
            on.told.body = redirecting(target)
            with pytest.raises(BlockedUrl if is_readable(target) else Unreachable):
                await on.fetch(clients, url, tmp_path / "r", LIMITS, hosts)
        assert canary.connections == 0
    assert files_in(tmp_path) == []


async def ask_everything(on: Stage, job: Job | None = None) -> None:
    """Submit, look and stop; what comes of it does not matter here."""
    with contextlib.suppress(ProviderError):
        made = job or await on.submit()
        if isinstance(made, Job):
            for call in (on.provider.poll, on.provider.cancel):
                with contextlib.suppress(ProviderError):
                    await call(on.company.route, made)


def is_unvisited(canary: Server) -> bool:
    """Whether nobody came; if somebody did, whether the key came along is told first."""
    said = [f"{name}: {value}" for one in canary.seen for name, value in one.headers.items()]
    assert not [line for line in said if SECRET in line]
    return canary.connections == 0


@every_company
async def test_no_returned_address_takes_our_key_elsewhere(
    company: Company, client: httpx.AsyncClient
) -> None:
    async with serving(reply_secret) as canary, stage(company, client) as on, asyncio.timeout(20):
        own = f"127.0.0.1:{on.server.port}"
        tricks = [f"http://{own}@127.0.0.1:{canary.port}/", f"//127.0.0.1:{canary.port}/j-1"]
        for on.told.elsewhere in (*inside(canary.port), *tricks):
            await ask_everything(on)
        assert is_unvisited(canary)
        assert company.key is None or holds_key(on.server.seen), "at home the key was there"


@every_company
async def test_no_stored_address_takes_our_key_elsewhere(
    company: Company, client: httpx.AsyncClient
) -> None:
    """What the database says of a job is believed no more than what the company said."""
    async with serving(reply_secret) as canary, stage(company, client) as on, asyncio.timeout(20):
        job = await on.submit()
        for url in inside(canary.port):
            if isinstance(job, Job):
                await ask_everything(on, replace(job, urls=dict.fromkeys(job.urls, url)))
        assert is_unvisited(canary)


@every_company
async def test_no_redirect_takes_our_key_elsewhere(
    company: Company, client: httpx.AsyncClient
) -> None:
    async with serving(reply_secret) as canary, stage(company, client) as on, asyncio.timeout(20):
        job = await on.submit()
        for scheme in ("http", "https"):
            on.told.elsewhere = f"{scheme}://127.0.0.1:{canary.port}/j-1"
            for on.told.moved in REDIRECTS:
                await ask_everything(on)
                await ask_everything(on, job if isinstance(job, Job) else None)
        assert is_unvisited(canary)


class Recorder(httpx.AsyncBaseTransport):
    """Stands for the public internet, and keeps what it is asked."""

    def __init__(self) -> None:
        self.seen: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(BODY), request=request)


def holds_key(exchanges: list[Exchange]) -> bool:
    """Whether the key stands anywhere in what was asked, in any spelling."""
    asked = [f"{one.path}\n{one.headers}".encode() for one in exchanges]
    return any(spelling in text for spelling in spellings(SECRET) for text in asked)


@pytest.mark.parametrize("company", [one for one in COMPANIES if one.hosts], ids=str)
async def test_a_result_on_the_companys_other_hosts_is_fetched_without_our_key(
    company: Company, client: httpx.AsyncClient, clients: ResultClients, tmp_path: Path
) -> None:
    recorder = Recorder()
    there = f"https://{company.hosts[0].replace('*', 'media')}/r.png"
    async with stage(company, client) as on, httpx.AsyncClient(transport=recorder) as public:
        watched = ResultClients(public=public, configured=clients.configured)
        (at_home,) = await on.results()
        on.told.body = redirecting(there)
        for url in (at_home, there):
            await on.fetch(watched, url, tmp_path / "r", LIMITS)
        asked = [f"{one.url}\n{one.headers.raw}".encode() for one in recorder.seen]
        assert len(asked) == 2
        assert not any(spelling in text for spelling in spellings(SECRET) for text in asked)
        fetched = [one for one in on.server.seen if on.is_result(one)]
        assert len(fetched) == 1
        assert holds_key(fetched) is isinstance(on.provider, Keyed), "at home, where it asks for it"


async def send_bomb(exchange: Exchange) -> None:
    await exchange.reply(BOMB, headers={"Content-Encoding": "gzip"})


async def send_endlessly(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        await exchange.send(PIECE[:65536])


@every_company
@pytest.mark.parametrize(
    ("body", "error"), [(send_bomb, Malformed), (send_endlessly, TooLarge), (drip, Unreachable)]
)
async def test_a_result_that_is_too_much_ends_in_time_and_leaves_no_file(
    company: Company,
    client: httpx.AsyncClient,
    clients: ResultClients,
    tmp_path: Path,
    body: Answer,
    error: type[ProviderError],
) -> None:
    async with stage(company, client) as on, asyncio.timeout(10):
        on.told.body = body
        (url,) = await on.results()
        with pytest.raises(error):
            await on.fetch(clients, url, tmp_path / "r", QUICK)
    assert files_in(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "size_bytes", [256 * MIB, pytest.param(FILM_BYTES_MAX, marks=pytest.mark.long)]
)
async def test_a_film_of_any_size_goes_through_a_little_memory(
    client: httpx.AsyncClient, clients: ResultClients, tmp_path: Path, size_bytes: int
) -> None:
    async def send_film(exchange: Exchange) -> None:
        await exchange.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size_bytes}\r\n\r\n".encode())
        for _ in range(size_bytes // len(PIECE)):
            await exchange.send(PIECE)

    company = next(one for one in COMPANIES if one.request.kind == "video")
    async with stage(company, client) as on:
        on.told.body = send_film
        (url,) = await on.results()
        grown = await asyncio.to_thread(Growth, os.getpid())
        fetched = await on.fetch(clients, url, tmp_path / "r", FETCH_LIMITS["video"])
        assert fetched.size_bytes == size_bytes
        assert grown.peak_mib() <= GROWTH_MIB_MAX
    (tmp_path / "r").unlink()
