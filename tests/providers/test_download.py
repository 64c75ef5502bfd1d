"""Results come from where they may come from, whole and in time, or not at all."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from providers.addresses import BlockedAddress, CheckedResolver, is_public, open_socket, origin_of
from providers.contract import (
    BlockedUrl,
    Gone,
    Malformed,
    Origin,
    ProviderError,
    TooLarge,
    Unreachable,
)
from providers.download import ResultClients, fetch_result, is_host, open_result_clients
from providers.sink import FETCH_LIMITS, Fetched, FetchLimits
from providers.transport import Limits
from tests.providers.servers import Answer, Exchange, Server, serving

PATIENT = Limits(connect_s=1, read_s=1)
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


@pytest.fixture
async def clients() -> AsyncIterator[ResultClients]:
    book = Book(home=["127.0.0.1"], mixed=["93.184.216.34", "127.0.0.1"], six=["::1"])
    async with open_result_clients(PATIENT, book) as clients:
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


async def test_a_result_is_written_whole_and_summed_up(
    clients: ResultClients, tmp_path: Path
) -> None:
    async with serving(reply_body) as server:
        fetched = await fetch(clients, server, tmp_path / "r")
        assert (tmp_path / "r").read_bytes() == BODY
        assert fetched == Fetched(
            size_bytes=len(BODY), sha256=hashlib.sha256(BODY).hexdigest(), media_type="image/png"
        )
        sent = server.seen[0].headers
        assert sent["accept-encoding"] == "identity"
        assert not {"authorization", "cookie", "x-key"} & set(sent)


PRIVATE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",
    "localhost",
    "localhost.",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fc00::1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.192",
    "192.88.99.1",
    "224.0.0.1",
    "255.255.255.255",
    "user@127.0.0.1",
    "media.example.com@127.0.0.1",
    "home.example.com",
    "mixed.example.com",
    "six.example.com",
]


@pytest.mark.parametrize("host", PRIVATE)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_spelling_of_a_private_address_is_visited(
    clients: ResultClients, tmp_path: Path, scheme: str, host: str
) -> None:
    """The canary listens on the port, and each name is even on the list of hosts."""
    async with serving(reply_body) as canary, asyncio.timeout(5):
        with pytest.raises(BlockedUrl) as raised:
            await fetch_result(
                clients,
                f"{scheme}://{host}:{canary.port}/r.png",
                tmp_path / "r",
                allowed_hosts=[f"*.example.com:{canary.port}", f"{host}:{canary.port}"],
                origin=Origin("https", "api.example.com", 443),
                limits=LIMITS,
            )
        assert raised.value.code == "blocked_url"
        assert canary.connections == 0
        assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "url",
    [
        "https://media.example.org/r.png",
        "https://example.com/r.png",
        "https://evilexample.com/r.png",
        "https://media.example.com.evil.org/r.png",
        "https://media.example.com:8443/r.png",
        "http://media.example.com/r.png",
        "ftp://media.example.com/r.png",
        "file:///etc/passwd",
        "//media.example.com/r.png",
        "media.example.com/r.png",
        "https://",
        "",
        "?",
        "https://media.example.com\\@evil.org/r.png",
        "https://media.example.com /r.png",
        "https://media.example.com/\r\nX: 1",
        "https://media.example.com:99999999/",
        "https://[::1/",
    ],
)
async def test_what_is_not_on_the_list_is_not_visited(
    clients: ResultClients, tmp_path: Path, url: str
) -> None:
    async with serving(reply_body) as server:
        with pytest.raises(BlockedUrl):
            await fetch(clients, server, tmp_path / "r", url)
        assert not server.seen


@pytest.mark.parametrize(
    ("pattern", "address", "fits"),
    [
        ("media.example.com", "https://media.example.com/", True),
        ("media.example.com", "https://MEDIA.example.com./", True),
        ("*.example.com", "https://a.b.example.com/", True),
        ("*.example.com", "https://example.com/", False),
        ("*.example.com", "https://badexample.com/", False),
        ("media.example.com:8443", "https://media.example.com:8443/", True),
        ("media.example.com:8443", "https://media.example.com/", False),
        ("media.example.com", "https://media.example.com:8443/", False),
    ],
)
def test_a_host_fits_its_pattern_and_port(pattern: str, address: str, fits: bool) -> None:
    assert is_host(pattern, origin_of(address)) is fits


async def test_only_the_configured_place_itself_may_be_private(
    clients: ResultClients, tmp_path: Path
) -> None:
    async with serving(reply_body) as server, serving(reply_body) as other:
        await fetch(clients, server, tmp_path / "r")
        for url in (
            other.url,
            f"http://localhost:{server.port}",
            f"https://127.0.0.1:{server.port}",
        ):
            with pytest.raises(BlockedUrl):
                await fetch(clients, server, tmp_path / "s", f"{url}/r.png")
        assert not other.seen
        assert len(server.seen) == 1


def redirecting(*targets: str) -> Answer:
    steps = iter(targets)

    async def answer(exchange: Exchange) -> None:
        if target := next(steps, None):
            await exchange.reply(status=302, headers={"Location": target})
        else:
            await exchange.reply(BODY)

    return answer


async def test_redirects_are_followed_three_times_at_most(
    clients: ResultClients, tmp_path: Path
) -> None:
    async with serving(redirecting("/2", "3", "/4?x=1")) as server:
        await fetch(clients, server, tmp_path / "r", "/1")
        assert [one.path for one in server.seen] == ["/1", "/2", "/3", "/4?x=1"]
    async with serving(redirecting("/2", "/3", "/4", "/5")) as server:
        with pytest.raises(BlockedUrl, match="more than 3"):
            await fetch(clients, server, tmp_path / "r", "/1")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_redirect_to_a_private_place_is_not_followed(
    clients: ResultClients, tmp_path: Path, scheme: str
) -> None:
    async with serving(reply_body) as canary:
        target = f"{scheme}://127.0.0.1:{canary.port}/secret"
        async with serving(redirecting(target)) as server:
            with pytest.raises(BlockedUrl):
                await fetch(clients, server, tmp_path / "r")
        assert canary.connections == 0


async def reply_packed(exchange: Exchange) -> None:
    await exchange.reply(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})


async def break_off(exchange: Exchange) -> None:
    await exchange.reply(BODY[:1000], headers={"Content-Length": str(len(BODY))})
    exchange.writer.close()


async def reset_midway(exchange: Exchange) -> None:
    await exchange.reply(BODY[:1000], headers={"Content-Length": str(len(BODY))})
    exchange.reset()


async def break_off_a_chunked_body(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    exchange.writer.close()


async def announce_too_much(exchange: Exchange) -> None:
    await exchange.reply(b"", headers={"Content-Length": "3000001"})


async def send_too_much(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(100):
        await exchange.send(bytes(100_000))
    exchange.writer.close()


async def reply_nothing(exchange: Exchange) -> None:
    await exchange.reply(b"")


async def stop_talking(exchange: Exchange) -> None:
    await exchange.reply(b"x", headers={"Content-Length": "10"})
    await asyncio.Event().wait()


async def drip(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    clock = asyncio.get_running_loop()
    while True:
        await exchange.send(b".")
        tick = asyncio.Event()
        clock.call_later(0.05, tick.set)
        await tick.wait()


def refusing(status: int) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(status=status)

    answer.__name__ = f"status_{status}"
    return answer


SPOILED: list[tuple[Answer, type[ProviderError]]] = [
    (reply_packed, Malformed),
    (break_off, Unreachable),
    (reset_midway, Unreachable),
    (break_off_a_chunked_body, Unreachable),
    (announce_too_much, TooLarge),
    (send_too_much, TooLarge),
    (reply_nothing, Unreachable),
    (stop_talking, Unreachable),
    (drip, Unreachable),
    (refusing(403), Gone),
    (refusing(404), Gone),
    (refusing(410), Gone),
    (refusing(401), Unreachable),
    (refusing(500), Unreachable),
    (refusing(206), Unreachable),
    (refusing(304), Unreachable),
]


@pytest.mark.parametrize(
    ("answer", "error"), SPOILED, ids=[answer.__name__ for answer, _ in SPOILED]
)
async def test_a_spoiled_result_leaves_no_file(
    clients: ResultClients, tmp_path: Path, answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(answer) as server, asyncio.timeout(10):
        with pytest.raises(error) as raised:
            await fetch(clients, server, tmp_path / "r")
        assert type(raised.value) is error
        assert not files_in(tmp_path)


async def test_a_drip_fast_enough_for_the_rate_still_ends_at_the_deadline(
    clients: ResultClients, tmp_path: Path
) -> None:
    lenient = replace(LIMITS, deadline_s=0.4, rate_min_bytes_s=1)
    async with serving(drip) as server, asyncio.timeout(5):
        with pytest.raises(Unreachable, match=r"within 0\.4 s"):
            await fetch(clients, server, tmp_path / "r", limits=lenient)
        assert not files_in(tmp_path)


async def test_a_fetch_that_is_cancelled_leaves_no_file(
    clients: ResultClients, tmp_path: Path
) -> None:
    arrived = asyncio.Event()

    async def begin(exchange: Exchange) -> None:
        await exchange.reply(bytes(2_000_000), headers={"Content-Length": "2000001"})
        arrived.set()
        await asyncio.Event().wait()

    async with serving(begin) as server, asyncio.timeout(5):
        task = asyncio.create_task(fetch(clients, server, tmp_path / "r"))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not files_in(tmp_path)


async def test_a_result_in_the_answer_itself_is_written_like_one_that_was_fetched(
    clients: ResultClients, tmp_path: Path
) -> None:
    uri = f"data:image/png;base64,{base64.b64encode(BODY).decode()}"
    fetched = await fetch_result(
        clients, uri, tmp_path / "r", allowed_hosts=(), origin=None, limits=LIMITS
    )
    assert (tmp_path / "r").read_bytes() == BODY
    assert (fetched.size_bytes, fetched.media_type) == (len(BODY), "image/png")
    assert fetched.sha256 == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("data:image/png;base64,@@@@", Malformed),
        ("data:image/png;base64,abc", Malformed),
        ("data:image/png,plain", Malformed),
        ("data:image/png;base64", Malformed),
        ("data:image/png;base64,", Unreachable),
        (f"data:image/png;base64,{'A' * 4_100_000}", TooLarge),
    ],
    ids=["signs", "padding", "plain", "no comma", "empty", "large"],
)
async def test_a_broken_data_uri_leaves_no_file(
    clients: ResultClients, tmp_path: Path, uri: str, error: type[ProviderError]
) -> None:
    with pytest.raises(error):
        await fetch_result(
            clients, uri, tmp_path / "r", allowed_hosts=(), origin=None, limits=LIMITS
        )
    assert not files_in(tmp_path)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "2a00:1450:4001::1"]
)
async def test_public_addresses_are_connected_to(address: str) -> None:
    assert is_public(ip_address(address))
    found = await CheckedResolver(Book(media=[address])).resolve("media.example.com")
    assert [one["host"] for one in found] == [address]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    open_socket((family, socket.SOCK_STREAM, 6, "", (address, 443))).close()


def test_an_address_is_judged_again_when_it_is_connected_to() -> None:
    with pytest.raises(BlockedAddress):
        open_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443)))
    with pytest.raises(BlockedAddress):
        open_socket((socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1%eth0", 443, 0, 2)))


def test_the_limits_are_those_we_promise() -> None:
    assert FETCH_LIMITS["image"].size_bytes_max == 50 * 1024**2
    assert FETCH_LIMITS["video"].size_bytes_max == 2 * 1024**3
