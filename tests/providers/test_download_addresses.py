"""Results come from where they may come from, and from nowhere else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from providers.addresses import BlockedAddress, CheckedResolver, is_public, open_socket, origin_of
from providers.contract import BlockedUrl, Origin
from providers.download import ResultClients, fetch_result, is_host
from tests.providers.downloads import BODY, LIMITS, Book, clients_by_book, fetch, reply_body
from tests.providers.servers import Answer, Exchange, serving


@pytest.fixture(scope="module")
async def clients() -> AsyncIterator[ResultClients]:
    async with clients_by_book() as clients:
        yield clients


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
    ("url", "says"),
    [
        ("http://media.example.com:443/r.png", "not offered over https"),
        ("https://user:word@media.example.com/r.png", "no plain web address"),
        ("https://media.example.org/r.png", "none of the provider's result hosts"),
        ("https://media.example.com\\@evil.org/", "characters no address has"),
        ("https://home.example.com/r.png", "leads to an address that is not public"),
    ],
)
async def test_what_is_blocked_is_told_why(
    clients: ResultClients, tmp_path: Path, url: str, says: str
) -> None:
    async with serving(reply_body) as server:
        with pytest.raises(BlockedUrl, match=says):
            await fetch(clients, server, tmp_path / "r", url)


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


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "2a00:1450:4001::1"]
)
async def test_public_addresses_are_connected_to(address: str) -> None:
    assert is_public(ip_address(address))
    found = await CheckedResolver(Book(media=[address])).resolve("media.example.com")
    assert [one["host"] for one in found] == [address]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    open_socket((family, socket.SOCK_STREAM, 6, "", (address, 443))).close()


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "100.64.0.1", "192.0.0.192", "192.88.99.1", "224.0.0.1"),
        *("240.0.0.1", "255.255.255.255", "0.0.0.0", "169.254.169.254", "198.18.0.1"),
        *("::", "::1", "::7f00:1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1"),
        *("2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "fec0::1", "fe80::1", "fd00::1"),
        *("ff02::1", "4000::1", "5f00::1"),
    ],
)
async def test_no_other_address_is(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(BlockedAddress):
        await CheckedResolver(Book(media=["93.184.216.34", address])).resolve("media.example.com")


def test_an_address_is_judged_again_when_it_is_connected_to() -> None:
    with pytest.raises(BlockedAddress):
        open_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443)))
    with pytest.raises(BlockedAddress):
        open_socket((socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1%eth0", 443, 0, 2)))
