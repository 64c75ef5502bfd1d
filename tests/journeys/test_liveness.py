"""The same cards in the same order, and those still running go on: after a reload, in ten tabs, in
another browser, with the server started anew.
"""

from __future__ import annotations

import asyncio
import signal
import time
from asyncio import gather
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.demo_process import Demo
from tests.house import Served, free_port, serve
from tests.journeys.cards import (
    all_are,
    draw_held,
    lag_s,
    order,
    streams,
    submitted_once,
    take_notes,
    tell,
    until_streams,
    words_of,
)
from tests.journeys.conftest import Visit, new_visit
from tests.journeys.talk import LINE_BROKEN
from tests.journeys.test_chat import CARD, card

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

TABS = 10
#: Ten seconds of an answer: long enough to load two pages meanwhile.
WORDS = 200
#: The promise is one second; a busy machine may take longer without being wrong.
RIGHT_WITHIN_S = 5.0


async def another_tab(visit: Visit, path: str) -> Page:
    """A further tab of the same browser at the same place, watched like the first."""
    page = await visit.context.new_page()
    visit.watch(page)
    await page.goto(visit.url + path)
    return page


async def thread_of(visit: Visit) -> str:
    """The path of the thread that the page shows."""
    await visit.page.wait_for_url("**/thread/*")
    return visit.page.url.removeprefix(visit.url)


async def test_running_cards_go_on_after_a_reload_and_in_another_browser(
    visit: Visit, browser: Browser, server: Served, calm_demo: Demo
) -> None:
    page = visit.page
    await take_notes(visit.context)
    await visit.open()
    ids = await draw_held(visit, calm_demo, 4)
    async with new_visit(browser, server.url) as other:
        await take_notes(other.context)
        await gather(page.reload(), other.page.goto(server.url + await thread_of(visit)))
        for each in (page, other.page):
            await all_are(each, 4, "in_progress")
            assert await order(each) == ids
        await calm_demo.hold(False)
        for each, where in ((page, "after a reload"), (other.page, "elsewhere")):
            await all_are(each, 4, "completed")
            assert await order(each) == ids
            assert tell(where, await lag_s(each, server, ids)) < RIGHT_WITHIN_S
        other.calm()
    await submitted_once(calm_demo, ids)
    visit.calm()


async def test_ten_tabs_are_live_on_one_stream_and_hand_it_over(
    visit: Visit, server: Served, calm_demo: Demo
) -> None:
    changed = await take_notes(visit.context)
    await visit.open()
    ids = await draw_held(visit, calm_demo, 3)
    path = await thread_of(visit)
    pages = [visit.page, *await gather(*[another_tab(visit, path) for _ in range(TABS - 1)])]
    for page in pages:
        await all_are(page, 3, "in_progress", within_s=60)
        assert await order(page) == ids
    # One leads, the others hear from it.
    await until_streams(pages, 1, changed)
    await pages.pop((await streams(pages)).index(1)).close()
    await until_streams(pages, 1, changed)
    visit.page = pages[0]
    await calm_demo.hold(False)
    for page in pages:
        await all_are(page, 3, "completed")
        assert await order(page) == ids
        assert tell("in a tab", await lag_s(page, server, ids)) < RIGHT_WITHIN_S
    await submitted_once(calm_demo, ids)
    visit.calm()


async def test_a_new_start_of_the_server_is_survived_by_open_pages(
    browser: Browser, database_url: str, calm_demo: Demo, shared_folder: Path
) -> None:
    settings = {
        "DATABASE_URL": database_url,
        "DEMO_BASE_URL": calm_demo.url,
        "PORT": str(free_port()),
    }
    folder = shared_folder / "again"
    async with serve(folder, **settings) as first, new_visit(browser, first.url) as visit:
        await take_notes(visit.context)
        await visit.open()
        ids = await draw_held(visit, calm_demo, 4)
        other = await another_tab(visit, await thread_of(visit))
        await all_are(other, 4, "in_progress")
        first.signal(signal.SIGTERM)
        assert await first.ended() == 0
        await calm_demo.hold(False)
        async with serve(folder, **settings) as second:
            ready_s = time.time()
            for page in (visit.page, other):
                await all_are(page, 4, "completed")
                assert await order(page) == ids
                lag = tell("after a new start", await lag_s(page, second, ids, ready_s))
                assert lag < RIGHT_WITHIN_S
            await submitted_once(calm_demo, ids)
            # The chat itself is back, too.
            await visit.say("[[say: here again]]")
            answers = visit.page.locator("[data-step-type=assistant_message]")
            await expect(answers.last).to_contain_text("here again")
            visit.calm(*LINE_BROKEN)


async def test_going_back_and_forth_between_threads_keeps_cards_live(
    visit: Visit, calm_demo: Demo
) -> None:
    page = visit.page
    await visit.open()
    await visit.say("Draw a mill with demo-image-quick")
    await page.wait_for_selector(card(1, "completed"))
    first, path = await order(page), await thread_of(visit)
    await visit.open()
    second = await draw_held(visit, calm_demo, 2)
    await page.click(f"#thread-history a[href='{path}']")
    await all_are(page, 1, "completed")
    assert await order(page) == first
    await page.go_back()
    await all_are(page, 2, "in_progress")
    assert await order(page) == second
    await page.go_forward()
    await all_are(page, 1, "completed")
    await calm_demo.hold(False)
    await page.go_back()
    await all_are(page, 2, "completed")
    assert await order(page) == second
    visit.calm()


HIDE = """(hidden) => {
  Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden})
  document.dispatchEvent(new Event('visibilitychange'))
}"""


async def test_what_was_finished_while_a_tab_was_frozen_is_there_when_it_is_looked_at(
    visit: Visit, server: Served, calm_demo: Demo
) -> None:
    await visit.open()
    ids = await draw_held(visit, calm_demo, 2)
    await visit.page.evaluate(HIDE, True)
    session = await visit.context.new_cdp_session(visit.page)
    await session.send("Page.setWebLifecycleState", {"state": "frozen"})
    await calm_demo.hold(False)
    for known in ids:
        place = f"/api/generations/{known}"
        done = (await server.client.get(place, params={"wait": 30})).json()
        assert done["status"] == "completed"
    await session.send("Page.setWebLifecycleState", {"state": "active"})
    await visit.page.evaluate(HIDE, False)
    await all_are(visit.page, 2, "completed")
    assert await visit.page.locator(CARD).count() == 2
    visit.calm()


async def test_a_reload_in_the_middle_of_an_answer_shows_it_to_its_end(
    visit: Visit, calm_demo: Demo
) -> None:
    page = visit.page
    await visit.open()
    await visit.say(f"[[slow: {WORDS} words]]")
    answers = page.locator("[data-step-type=assistant_message]")
    await expect(answers).to_contain_text("word5 ")
    other, _ = await gather(another_tab(visit, await thread_of(visit)), page.reload())
    # Both are there before it is over, and neither is loaded again.
    await expect(page.locator("#stop-button")).to_have_count(1)
    for each in (page, other):
        await expect(each.locator("#stop-button")).to_have_count(0)
        answer = each.locator("[data-step-type=assistant_message]")
        await expect(answer).to_have_count(1)
        assert words_of(await answer.inner_text()) == list(range(1, WORDS + 1))
    visit.calm()


class Overtaken:
    """Holds the first request back until the next one has its answer, if one comes."""

    def __init__(self) -> None:
        self._count = 0
        self._next = asyncio.Event()
        self.over = asyncio.Event()

    async def __call__(self, route: Route) -> None:
        self._count += 1
        mine = self._count
        if mine == 1:
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._next.wait()
        await route.fulfill(response=await route.fetch())
        (self.over if mine == 1 else self._next).set()


async def test_a_thread_is_the_one_that_is_opened_whatever_overtakes_what(
    visit: Visit, calm_demo: Demo
) -> None:
    page, overtaken = visit.page, Overtaken()
    await visit.open()
    await visit.say("[[say: one]]")
    answers = page.locator("[data-step-type=assistant_message]")
    await expect(answers).to_have_text(["one"])
    path = await thread_of(visit)
    await page.route("**/set-session-cookie", overtaken)
    await page.reload()
    async with asyncio.timeout(20):
        await overtaken.over.wait()
    await expect(answers).to_have_text(["one"])
    await visit.say("[[say: two]]")
    await expect(answers).to_have_text(["one", "two"])
    assert await thread_of(visit) == path
    visit.calm()
