"""The database goes and comes back: every message is stored or visibly failed, and the house goes
on by itself.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.async_api import Browser, Page, expect

from db.embedded import EmbeddedPostgres
from tests.demo_process import Demo
from tests.house import Served, serve
from tests.journeys.cards import all_are, draw_held, outage, submitted_once, tell
from tests.journeys.conftest import Visit, new_visit
from tests.journeys.test_chat import card
from tests.proxy import wire_to, wire_to_port

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

THREADS, ROUNDS = 4, 5
OUTAGE_S = 10.0
#: What a browser writes into its console of its own accord.
LOST = ("status of 503", "Service Unavailable", "net::ERR_", "WebSocket connection to")
#: A message may wait so long for a database that does not answer; then it has to fail by itself.
PATIENCE_S = 75.0
#: The answer to a message, once there is one and the turn is over.
HEARD = """(text) => {
  const all = [...document.querySelectorAll('[data-step-type$=_message]')]
  const mine = (step) => step.dataset.stepType === 'user_message' && step.innerText.includes(text)
  const answer = all[all.findLastIndex(mine) + 1]
  if (!all.some(mine) || document.getElementById('stop-button')) return null
  return answer?.innerText.trim() || null
}"""


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """The path of a socket has to be short."""
    with tempfile.TemporaryDirectory(prefix="kn-") as folder:
        yield Path(folder)


@pytest.fixture
async def own_postgres(shared_folder: Path) -> AsyncIterator[tuple[EmbeddedPostgres, str]]:
    """A Postgres that may be stopped, and its address."""
    folder = shared_folder / "postgres-that-goes"
    await asyncio.to_thread(folder.mkdir, mode=0o711)
    server = EmbeddedPostgres(folder)
    url = await asyncio.to_thread(server.enter)
    yield server, url
    await asyncio.to_thread(server.leave)


async def say_and_hear(page: Page, text: str, within_s: float = 60.0) -> str:
    """Send a message, whatever stands in the field; returns what the page answers."""
    await page.click("#chat-input")
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(text)
    await page.wait_for_selector("#chat-submit:not([disabled])")
    await page.keyboard.press("Enter")
    heard = await page.wait_for_function(HEARD, arg=text, timeout=within_s * 1000)
    return str(await heard.json_value())


async def ready_again(served: Served) -> None:
    """Ready again, by itself."""
    async with asyncio.timeout(60):
        while (await served.client.get("/readyz")).status_code != 200:
            pass


async def another_chat(visit: Visit) -> Page:
    """A tab with a chat of its own."""
    page = await visit.context.new_page()
    visit.watch(page)
    await page.goto(visit.url)
    return page


class Talk:
    """Messages sent in rounds, one in each thread, and what the pages said to them."""

    def __init__(self, pages: list[Page]) -> None:
        self.pages = pages
        self.heard: dict[str, str] = {}

    async def round(self) -> None:
        """Send the next message in every thread, at the same time."""
        first = len(self.heard)
        texts = [f"m{first + n:02d}" for n in range(len(self.pages))]
        await asyncio.gather(*map(self.send, self.pages, texts))

    async def send(self, page: Page, text: str) -> None:
        """Send one message and note what was said to it."""
        self.heard[text] = await say_and_hear(page, f"[[say: {text}]]")

    def answered(self) -> set[str]:
        """The messages that were answered as they asked."""
        return {text for text, said in self.heard.items() if text in said}


def stored_messages(url: str) -> list[str]:
    """What people said, as the database has it."""
    with psycopg.connect(url) as connection:
        query = "select output from kinora.steps where type = 'user_message' order by output"
        said = [str(row[0]) for row in connection.execute(query)]
    return [text.removeprefix("[[say: ").removesuffix("]]") for text in said if "say:" in text]


async def test_of_20_messages_around_a_stop_of_postgres_none_is_lost_silently(
    browser: Browser,
    own_postgres: tuple[EmbeddedPostgres, str],
    calm_demo: Demo,
    shared_folder: Path,
) -> None:
    postgres, url = own_postgres
    settings = {"DATABASE_URL": url, "DEMO_BASE_URL": calm_demo.url}
    async with (
        serve(shared_folder / "gone", **settings) as served,
        new_visit(browser, served.url) as visit,
    ):
        await visit.open()
        ids = await draw_held(visit, calm_demo, 2)
        talk = Talk([visit.page, *[await another_chat(visit) for _ in range(THREADS - 1)]])
        await talk.round()
        assert len(talk.answered()) == THREADS
        await asyncio.gather(talk.round(), asyncio.to_thread(postgres.leave))
        assert (await served.client.get("/readyz")).status_code == 503
        gone = asyncio.create_task(outage(OUTAGE_S))
        await calm_demo.hold(False)
        await talk.round()
        assert len(talk.answered()) <= 2 * THREADS
        await gone
        await asyncio.gather(talk.round(), asyncio.to_thread(postgres.enter))
        await ready_again(served)
        await talk.round()
        count(talk, await asyncio.to_thread(stored_messages, url))
        await all_are(visit.page, 2, "completed")
        await visit.say("Draw a mill with demo-image-quick")
        await visit.page.wait_for_selector(card(3, "completed"))
        await submitted_once(calm_demo, ids)
        visit.calm(*LOST)


def count(talk: Talk, stored: list[str]) -> None:
    """Every message is stored once, or was visibly failed."""
    assert len(talk.heard) == THREADS * ROUNDS
    assert len(stored) == len(set(stored))
    failed = {text for text, said in talk.heard.items() if text not in said}
    silent = set(talk.heard) - set(stored) - failed
    sys.stdout.write(
        f"{len(stored)} stored + {len(talk.heard) - len(stored)} visibly failed"
        f" ({len(failed & set(stored))} stored and called failed)\n"
    )
    assert silent == set()
    assert talk.answered() <= set(stored)
    # Those of the first round and of the last one, at the least.
    assert len(talk.answered()) >= 2 * THREADS


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
            visit.calm(*LOST)


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
                visit.calm(*LOST)
