"""An old system may have pointed anywhere; nothing is fetched from where nobody may go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from providers.contract import Origin
from providers.download import open_result_clients, public_hosts
from tests.db.samples import encoded, picture
from tests.generations.bringing import Place, a_place, refused
from tests.providers.servers import serving

PNG = encoded(picture(), "PNG")


@pytest.fixture
async def place(database_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    async with a_place(database_url, tmp_path / "files") as place:
        yield place


BLOCKED = [
    "http://127.0.0.1:{port}/x",
    "https://127.0.0.1:{port}/x",
    "http://localhost:{port}/x",
    "https://home.example.com:{port}/x",
    "http://mixed.example.com:{port}/x",
    "https://[::ffff:127.0.0.1]:{port}/x",
    "http://0x7f000001:{port}/x",
    "https://user@127.0.0.1:{port}/x",
    "ftp://127.0.0.1:{port}/x",
    "file:///etc/passwd",
    "/media/x.png",
    "",
]
METADATA = ["http://169.254.169.254/latest", "https://meta.example.com/", "http://10.0.0.1/x"]


@pytest.mark.parametrize("url", BLOCKED)
@pytest.mark.parametrize("is_redirected", [False, True])
async def test_nothing_is_fetched_from_where_nobody_may_go(
    place: Place, url: str, is_redirected: bool
) -> None:
    async with serving(lambda exchange: exchange.reply(PNG)) as canary:
        url = url.format(port=canary.port)
        if is_redirected and ":" in url:
            url = place.old.redirect("/there", url)
        old = place.imported(url)
        assert (await refused(place, old)).is_gone
        assert (await refused(place, old)).is_gone
        assert canary.connections == 0
        assert place.old.count("/there") <= 1


@pytest.mark.parametrize("url", METADATA)
async def test_machines_that_tell_secrets_are_not_asked(place: Place, url: str) -> None:
    assert (await refused(place, place.imported(url))).is_gone
    assert (await refused(place, place.imported(place.old.redirect("/m", url)))).is_gone


@pytest.mark.parametrize(
    ("url", "asked", "is_named"),
    [
        ("http://files.example/a?b=c", "https://files.example/a?b=c", False),
        ("http://files.example:8080/a", "https://files.example:8080/a", False),
        ("https://files.example/a", "https://files.example/a", False),
        ("http://old.example:9000/a", "http://old.example:9000/a", True),
        ("http://OLD.example.:9000/a", "http://OLD.example.:9000/a", True),
        ("https://old.example:9000/a", "https://old.example:9000/a", False),
        ("http://old.example/a", "https://old.example/a", False),
        ("http://old.example:9001/a", "https://old.example:9001/a", False),
        ("http://not.old.example:9000/a", "https://not.old.example:9000/a", False),
    ],
)
async def test_everything_but_the_named_places_is_asked_over_https(
    url: str, asked: str, is_named: bool
) -> None:
    async with open_result_clients() as clients:
        rule = public_hosts(clients, [Origin("http", "old.example", 9000)])
        step = rule(httpx.URL(url))
        assert step.url == httpx.URL(asked)
        assert step.client is (clients.configured if is_named else clients.public)
        assert step.headers == {}
