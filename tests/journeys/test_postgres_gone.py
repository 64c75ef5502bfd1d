"""The database goes and comes back: every message is stored or visibly failed, and the house goes
on by itself.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from db.embedded import EmbeddedPostgres
from tests.demo_process import Demo
from tests.house import serve
from tests.journeys.cards import all_are, draw_held, outage, ready_again, submitted_once
from tests.journeys.conftest import Visit, new_visit
from tests.journeys.talk import DATABASE_AWAY, say_and_hear, stored_messages
from tests.journeys.test_chat import card

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

THREADS, ROUNDS = 4, 5
OUTAGE_S = 10.0


@pytest.fixture
async def own_postgres(shared_folder: Path) -> AsyncIterator[tuple[EmbeddedPostgres, str]]:
    """A Postgres that may be stopped, and its address."""
    folder = shared_folder / "postgres-that-goes"
    await asyncio.to_thread(folder.mkdir, mode=0o711)
    server = EmbeddedPostgres(folder)
    url = await asyncio.to_thread(server.enter)
    yield server, url
    await asyncio.to_thread(server.leave)


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
        visit.calm(*DATABASE_AWAY)


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
