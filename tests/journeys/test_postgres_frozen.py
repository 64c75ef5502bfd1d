"""A database that does not answer, or comes back later than the page: what was said is answered or
visibly failed.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from tests.demo_process import Demo
from tests.house import serve
from tests.journeys.cards import outage, ready_again, tell
from tests.journeys.conftest import new_visit
from tests.journeys.talk import DATABASE_AWAY, LINE_BROKEN, say_and_hear, stored_messages
from tests.proxy import wire_to, wire_to_port

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

#: A message may wait so long for a database that does not answer; then it has to fail by itself.
PATIENCE_S = 75.0


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """The path of a socket has to be short."""
    with tempfile.TemporaryDirectory(prefix="kn-") as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    "frozen_s", [5.0, pytest.param(PATIENCE_S, marks=[pytest.mark.long, pytest.mark.timeout(400)])]
)
async def test_a_frozen_database_fails_visibly_or_answers_when_it_thaws(
    browser: Browser,
    database_url: str,
    calm_demo: Demo,
    shared_folder: Path,
    short_folder: Path,
    frozen_s: float,
) -> None:
    async with wire_to(database_url, short_folder) as wire:
        settings = {"DATABASE_URL": wire.url, "DEMO_BASE_URL": calm_demo.url}
        async with (
            serve(shared_folder / f"frozen-{frozen_s}", **settings) as served,
            new_visit(browser, served.url) as visit,
        ):
            await visit.open()
            assert await say_and_hear(visit.page, "[[say: before]]") == "before"
            wire.freeze()
            frozen = asyncio.create_task(outage(frozen_s))
            began_s = time.monotonic()
            heard = asyncio.create_task(say_and_hear(visit.page, "[[say: frozen]]", 120))
            heard.add_done_callback(lambda _: tell("heard after", time.monotonic() - began_s))
            assert (await served.client.get("/readyz")).status_code == 503
            await frozen
            assert heard.done() or frozen_s < PATIENCE_S
            wire.mend()
            said = await heard
            assert said == "frozen" or "not stored" in said
            await ready_again(served)
            assert await say_and_hear(visit.page, "[[say: after]]") == "after"
            stored = await asyncio.to_thread(stored_messages, database_url)
            assert "frozen" in stored or "stored" in said
            assert {"before", "after"} <= set(stored)
            visit.calm(*DATABASE_AWAY)


async def test_a_page_that_comes_back_before_the_database_recovers_with_it(
    browser: Browser,
    database_url: str,
    calm_demo: Demo,
    shared_folder: Path,
    short_folder: Path,
) -> None:
    async with wire_to(database_url, short_folder) as wire:
        settings = {"DATABASE_URL": wire.url, "DEMO_BASE_URL": calm_demo.url}
        async with serve(shared_folder / "both", **settings) as served:
            port = urlsplit(served.url).port
            assert port is not None
            async with wire_to_port(port) as line, new_visit(browser, line.url) as visit:
                await visit.open()
                assert await say_and_hear(visit.page, "[[say: before]]") == "before"
                wire.cut()
                line.cut()
                line.mend()
                # The page knocks, and nobody can tell who it is.
                socket = await visit.page.wait_for_event("websocket")
                await socket.wait_for_event("framesent")
                await outage(2)
                assert (await served.client.get("/readyz")).status_code == 503
                assert not socket.is_closed()
                wire.mend()
                await ready_again(served)
                assert await say_and_hear(visit.page, "[[say: after]]") == "after"
                await expect(visit.page.locator("[data-step-type=user_message]")).to_have_count(2)
                visit.calm(*DATABASE_AWAY, *LINE_BROKEN)
