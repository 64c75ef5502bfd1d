"""The page itself says that the server or its database is away, and that it is back: no reload, and
no word lost.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.demo_process import Demo
from tests.house import free_port, serve
from tests.journeys.conftest import Visit, new_visit
from tests.people import PASSWORD, add_account, serve_people
from tests.proxy import Wire, wire_to

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

AWAY = ".kn-away"
FIELD = "#chat-input"
ANSWERS = "[data-step-type=assistant_message]"
QUESTIONS = "[data-step-type=user_message]"
DATABASE_AWAY = "The database is away. Sending works again by itself once it is back."
LINE_LOST = "The connection is lost. It comes back by itself."
#: What a browser writes down of its own accord while nobody answers at the server's address.
LOST = ("net::ERR_", "WebSocket connection to", "TypeError: Failed to fetch")
#: What Chainlit's own list of chats writes down when it is refused.
REFUSED = ("status of 503", "Service Unavailable")
NOTICED_WITHIN_MS = 5000
BACK_WITHIN_MS = 30_000


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    """A wire to the test's own database; the path of a socket has to be short."""
    with tempfile.TemporaryDirectory(prefix="kn-") as folder:
        async with wire_to(database_url, Path(folder)) as wire:
            yield wire


async def never_reloaded(page: Page) -> None:
    assert await page.evaluate("window.here === true"), "the page was loaded again"


async def talk(visit: Visit) -> None:
    """Have a conversation, on a page that would forget a mark if it were loaded again."""
    await visit.open()
    await visit.page.evaluate("window.here = true")
    await visit.say("[[say: one]]")
    await expect(visit.page.locator(ANSWERS).last).to_contain_text("one")
    await expect(visit.page.locator("#stop-button")).to_have_count(0)


async def test_the_page_says_that_the_database_is_away_and_recovers_by_itself(
    browser: Browser, wire: Wire, calm_demo: Demo, shared_folder: Path
) -> None:
    settings = {"DATABASE_URL": wire.url, "DEMO_BASE_URL": calm_demo.url}
    async with (
        serve(shared_folder / "database-away", **settings) as served,
        new_visit(browser, served.url) as visit,
    ):
        page = visit.page
        await talk(visit)
        before = await page.locator("#message-composer").bounding_box()
        wire.cut()
        await expect(page.locator(AWAY)).to_have_text(DATABASE_AWAY, timeout=NOTICED_WITHIN_MS)
        assert await page.locator("#message-composer").bounding_box() == before
        # What cannot be kept is said to be lost, and its words are in the field again.
        await visit.say("[[say: two]]\nand more")
        await expect(page.locator(ANSWERS).last).to_contain_text("not stored")
        await expect(page.locator(FIELD)).to_have_value("[[say: two]]\nand more")
        await expect(page.locator(QUESTIONS).last).to_have_attribute("data-stored", "false")
        wire.mend()
        await expect(page.locator(AWAY)).to_be_empty(timeout=BACK_WITHIN_MS)
        await page.click(FIELD)
        await page.keyboard.press("Enter")
        await expect(page.locator(ANSWERS).last).to_contain_text("two")
        await never_reloaded(page)
        # What our page does to notice all this leaves nothing in the console.
        visit.calm(*REFUSED)
        await page.reload()
        await expect(page.locator(QUESTIONS)).to_have_text(
            ["[[say: one]]", "[[say: two]]\nand more"]
        )


async def test_the_login_says_that_the_database_is_away_and_works_once_it_is_back(
    browser: Browser, wire: Wire, database_url: str, calm_demo: Demo, shared_folder: Path
) -> None:
    settings = {"DATABASE_URL": wire.url, "DEMO_BASE_URL": calm_demo.url}
    await add_account(database_url, "anna@example.org")
    async with (
        serve_people(shared_folder / "login-away", **settings) as served,
        new_visit(browser, served.url) as visit,
    ):
        page = visit.page
        await page.goto(visit.url)
        await page.fill("#email", "anna@example.org")
        await page.fill("#password", PASSWORD)
        wire.cut()
        await page.keyboard.press("Enter")
        await expect(page.locator("form [role=alert]")).to_contain_text("The database is away.")
        wire.mend()
        async with asyncio.timeout(BACK_WITHIN_MS / 1000):
            while not (await served.client.get("/readyz")).is_success:
                pass
        await page.keyboard.press("Enter")
        await page.wait_for_selector(FIELD)
        # Somebody who is logged in stays so.
        wire.cut()
        await expect(page.locator(AWAY)).to_have_text(DATABASE_AWAY, timeout=NOTICED_WITHIN_MS)
        wire.mend()
        await expect(page.locator(AWAY)).to_be_empty(timeout=BACK_WITHIN_MS)
        await visit.say("[[say: one]]")
        await expect(page.locator(ANSWERS).last).to_contain_text("one")


async def test_words_that_come_back_do_not_overwrite_what_is_being_written(
    browser: Browser, wire: Wire, calm_demo: Demo, shared_folder: Path
) -> None:
    settings = {"DATABASE_URL": wire.url, "DEMO_BASE_URL": calm_demo.url}
    async with (
        serve(shared_folder / "writing-on", **settings) as served,
        new_visit(browser, served.url, locale="ru-RU") as visit,
    ):
        page = visit.page
        await talk(visit)
        wire.cut()
        await expect(page.locator(AWAY)).to_contain_text("База данных недоступна")
        await visit.say("[[say: two]]")
        await page.keyboard.insert_text("more")
        await expect(page.locator(ANSWERS).last).to_contain_text("не сохранено")
        await expect(page.locator(FIELD)).to_have_value("more")


async def test_a_conversation_opened_while_the_database_is_away_opens_once_it_is_back(
    browser: Browser, wire: Wire, calm_demo: Demo, shared_folder: Path
) -> None:
    settings = {"DATABASE_URL": wire.url, "DEMO_BASE_URL": calm_demo.url}
    async with (
        serve(shared_folder / "opened-away", **settings) as served,
        new_visit(browser, served.url) as visit,
    ):
        page = visit.page
        await talk(visit)
        wire.cut()
        await expect(page.locator(AWAY)).to_have_text(DATABASE_AWAY)
        await page.reload()
        await expect(page.locator(AWAY)).to_have_text(DATABASE_AWAY)
        wire.mend()
        await expect(page.locator(ANSWERS).last).to_contain_text("one", timeout=BACK_WITHIN_MS)


async def test_a_server_that_starts_again_is_waited_for_and_what_was_sent_goes_then(
    browser: Browser, database_url: str, calm_demo: Demo, shared_folder: Path
) -> None:
    settings = {
        "DATABASE_URL": database_url,
        "DEMO_BASE_URL": calm_demo.url,
        "PORT": str(free_port()),
    }
    folder = shared_folder / "server-away"
    async with serve(folder, **settings) as first, new_visit(browser, first.url) as visit:
        page = visit.page
        await talk(visit)
        first.signal(signal.SIGTERM)
        await first.ended()
        await expect(page.locator(AWAY)).to_have_text(LINE_LOST, timeout=NOTICED_WITHIN_MS)
        # Chainlit has a notice of its own for its socket: one is enough.
        await expect(page.locator("#session-error:visible")).to_have_count(0)
        await page.click(FIELD)
        await page.keyboard.insert_text("[[say: two]]")
        await page.keyboard.press("Enter")
        await expect(page.locator(".kn-word")).to_contain_text("as soon as Kinora answers")
        async with serve(folder, **settings):
            await expect(page.locator(AWAY)).to_be_empty(timeout=BACK_WITHIN_MS)
            await expect(page.locator(ANSWERS).last).to_contain_text("two", timeout=BACK_WITHIN_MS)
            await expect(page.locator(QUESTIONS)).to_have_text(["[[say: one]]", "[[say: two]]"])
            await expect(page.locator(FIELD)).to_have_value("")
            await never_reloaded(page)
            visit.calm(*LOST)
