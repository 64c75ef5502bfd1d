"""The line breaks, the database goes: what was said is kept or visibly failed, what was begun is
finished, and the page comes back by itself.
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.demo_process import Demo
from tests.house import Served
from tests.journeys.cards import (
    all_are,
    draw_held,
    order,
    outage,
    stored,
    submitted_once,
    tell,
    words_of,
)
from tests.journeys.conftest import Visit, new_visit
from tests.journeys.talk import LINE_BROKEN
from tests.proxy import Wire, wire_to_port

pytestmark = [pytest.mark.browser]

WORDS = 60
ANSWERS = "[data-step-type=assistant_message]"
QUESTIONS = "[data-step-type=user_message]"
#: A socket that knocks again waits up to 5 s in between; the bound is for a busy machine.
BACK_WITHIN_S = 40.0


def broken(wire: Wire, how: str) -> None:
    """Break the line: noticed at once, or silently."""
    if how == "cut":
        wire.cut()
    else:
        wire.freeze()


@pytest.mark.parametrize(
    ("how", "outage_s"),
    [
        pytest.param("cut", 5, marks=pytest.mark.timeout(120)),
        pytest.param("frozen", 5, marks=pytest.mark.timeout(120)),
        # Beyond the 300 s for which Chainlit keeps the session of a closed socket.
        pytest.param("cut", 310, marks=[pytest.mark.long, pytest.mark.timeout(500)]),
        # Beyond the 45 s after which either side gives up a silent socket.
        pytest.param("frozen", 90, marks=[pytest.mark.long, pytest.mark.timeout(240)]),
    ],
)
async def test_an_answer_and_its_cards_are_whole_after_the_line_was_broken(
    browser: Browser, server: Served, calm_demo: Demo, how: str, outage_s: float
) -> None:
    port = urlsplit(server.url).port
    assert port is not None
    async with wire_to_port(port) as wire, new_visit(browser, wire.url) as visit:
        page = visit.page
        await visit.open()
        ids = await draw_held(visit, calm_demo, 3)
        await visit.say(f"[[slow: {WORDS} words]]")
        await expect(page.locator(ANSWERS).last).to_contain_text("word5 ")
        broken(wire, how)
        await calm_demo.hold(False)
        await type_meanwhile(page, "[[say: typed meanwhile]]")
        await outage(outage_s)
        wire.mend()
        mended_s = time.monotonic()
        await all_are(page, 3, "completed")
        tell(f"cards right after {how} for {outage_s} s", time.monotonic() - mended_s)
        answer = page.locator(ANSWERS).nth(1)
        await expect(answer).to_contain_text(f"word{WORDS}", timeout=BACK_WITHIN_S * 1000)
        tell(f"answer right after {how} for {outage_s} s", time.monotonic() - mended_s)
        assert words_of(await answer.inner_text()) == list(range(1, WORDS + 1))
        assert await order(page) == ids
        await expect(page.locator("#stop-button")).to_have_count(0)
        await send_what_was_typed(page)
        await expect(page.locator(ANSWERS).last).to_contain_text("typed meanwhile")
        await expect(page.locator("#stop-button")).to_have_count(0)
        await alike_after_a_reload(visit, ids)
        await submitted_once(calm_demo, ids)
        visit.calm(*LINE_BROKEN)


async def type_meanwhile(page: Page, text: str) -> None:
    """Write a message and press Enter, whatever becomes of it."""
    await page.click("#chat-input")
    await page.keyboard.insert_text(text)
    await page.keyboard.press("Enter")


async def send_what_was_typed(page: Page) -> None:
    """A message that could not go stands in its field still, for the person to send."""
    field = page.locator("#chat-input")
    if (await field.input_value()).strip():
        await expect(page.locator("#chat-submit")).to_be_enabled(timeout=BACK_WITHIN_S * 1000)
        await field.press("Enter")


async def alike_after_a_reload(visit: Visit, ids: list[str]) -> None:
    """What the page showed is what is stored: each message once, in order, with the same cards."""
    page = visit.page
    before = [(await page.locator(kind).all_inner_texts()) for kind in (QUESTIONS, ANSWERS)]
    await page.reload()
    await expect(page.locator(QUESTIONS)).to_have_count(len(before[0]))
    await all_are(page, len(ids), "completed")
    assert [(await page.locator(kind).all_inner_texts()) for kind in (QUESTIONS, ANSWERS)] == before
    assert await order(page) == ids
    steps = await stored(page, visit.url)
    answers = [step["output"] for step in steps if step["type"] == "assistant_message"]
    assert words_of(answers[1]) == list(range(1, WORDS + 1))
    assert [step["output"] for step in steps if step["type"] == "user_message"][-1] == (
        "[[say: typed meanwhile]]"
    )
