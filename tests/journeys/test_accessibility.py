"""By keyboard alone, heard as well as seen, and nothing serious for axe to find, in either theme
and at either width.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Locator, Page, expect

from tests.demo_process import Demo
from tests.house import Served
from tests.journeys.conftest import Visit, new_visit
from tests.journeys.test_chat import card
from tests.journeys.test_everyone import catalogue, close, unnamed

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

LANGUAGES = ["en-US", pytest.param("ru-RU", marks=pytest.mark.long)]


@pytest.fixture(params=LANGUAGES)
async def visitor(
    request: pytest.FixtureRequest, browser: Browser, server: Served
) -> AsyncIterator[Visit]:
    """Somebody whose browser speaks English, and somebody whose browser speaks Russian."""
    async with new_visit(browser, server.url, locale=request.param) as visiting:
        yield visiting


async def draw(visit: Visit, number: int = 1) -> None:
    await visit.say("Draw a boat with demo-image-quick")
    await visit.page.wait_for_selector(card(number, "completed"))


async def test_everything_that_can_be_operated_has_a_name(visitor: Visit, calm_demo: Demo) -> None:
    page = visitor.page
    await visitor.open()
    assert await unnamed(page) == []
    await draw(visitor)
    await page.wait_for_selector(".positive-feedback-off")
    await expect(page.locator(".positive-feedback-off")).to_have_attribute("aria-pressed", "false")
    assert await unnamed(page) == []
    send, stop = ("chat.input.actions.send", "chat.input.actions.stop")
    words = catalogue(await page.evaluate("navigator.language"))
    await expect(page.locator("#chat-submit")).to_have_attribute("aria-label", words[send])
    await visitor.say("[[slow: 40 words]]")
    await expect(page.locator("#stop-button")).to_have_attribute("aria-label", words[stop])
    visitor.calm()


async def test_the_keyboard_alone_is_enough(visit: Visit, calm_demo: Demo) -> None:
    page = visit.page
    await page.goto(visit.url)
    await page.wait_for_selector("#upload-button")
    skip = page.locator(".kn-skip")
    await go_to(skip, "Tab")
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("#chat-input")).to_be_focused()
    await page.keyboard.type("Draw 2 pictures of a boat with demo-image-quick")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(card(1, "completed"))
    await expect(page.locator("#chat-input")).to_be_focused()
    first = page.locator(f"{card(1)} .kn-shot").first
    await go_to(first, "Shift+Tab")
    await page.keyboard.press("Enter")
    facts = page.locator("dialog.kn-lightbox[open] .kn-facts")
    await expect(facts).to_contain_text("1 / 2")
    await page.keyboard.press("ArrowRight")
    await expect(facts).to_contain_text("2 / 2")
    await page.keyboard.press("Escape")
    await expect(facts).to_have_count(0)
    await expect(first).to_be_focused()
    visit.calm()


async def go_to(wanted: Locator, key: str) -> None:
    """Press the key until the focus is there."""
    for _ in range(200):
        await wanted.page.keyboard.press(key)
        if await wanted.evaluate("e => e === document.activeElement"):
            return
    pytest.fail(f"{key} never leads to {wanted}")


async def test_the_options_of_a_chat_are_there_for_the_keyboard(
    visit: Visit, calm_demo: Demo
) -> None:
    page = visit.page
    await visit.open()
    await draw(visit)
    options = page.locator("#thread-options").first
    await options.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#rename-thread")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#name")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("Boats")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    link = page.locator("#thread-history a").first
    await expect(link).to_have_attribute("aria-label", "Boats")
    visit.calm()


async def test_a_cancelled_card_keeps_the_focus_and_is_heard_once(
    visit: Visit, calm_demo: Demo
) -> None:
    page = visit.page
    await calm_demo.hold(True)
    await visit.open()
    await visit.say("Make a 3 second video of the sea with demo-video-quick")
    await page.wait_for_selector(card(1, "in_progress"))
    await page.evaluate("""() => {
      window.heard = []
      const voice = document.querySelector('article.kn-card .kn-spoken')
      new MutationObserver(() => heard.push(voice.textContent))
        .observe(voice, {childList: true, characterData: true, subtree: true})
    }""")
    await page.locator(f"{card(1)} button:has-text('Cancel')").press("Enter")
    await page.wait_for_selector(card(1, "cancelled"))
    await expect(page.locator("article.kn-card")).to_be_focused()
    assert await page.evaluate("heard") == ["Film #1: Cancelled"]
    visit.calm()


async def test_the_newest_card_is_in_sight_live_and_after_a_reload(
    visit: Visit, calm_demo: Demo
) -> None:
    await visit.open()
    await draw(visit)
    await visit.say("Draw 3 pictures of a boat with demo-image-quick")
    await visit.page.wait_for_selector(card(2, "completed"))
    status = visit.page.locator(f"{card(2)} .kn-chips")
    await expect(status).to_be_in_viewport()
    await visit.page.reload()
    await visit.page.wait_for_selector(card(2, "completed"))
    await expect(status).to_be_in_viewport()
    visit.calm()


DESKTOP, PHONE = 1280, 390


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        # Together they have seen every colour and every width.
        (DESKTOP, "light"),
        (PHONE, "dark"),
        pytest.param(DESKTOP, "dark", marks=pytest.mark.long),
        pytest.param(PHONE, "light", marks=pytest.mark.long),
    ],
)
async def test_axe_finds_nothing_serious_and_nothing_moves_for_whoever_asks_for_that(
    browser: Browser, server: Served, calm_demo: Demo, scheme: Literal["light", "dark"], width: int
) -> None:
    async with new_visit(
        browser, server.url, color_scheme=scheme, reduced_motion="reduce"
    ) as visit:
        page = visit.page
        await page.set_viewport_size({"width": width, "height": 844})
        await visit.open()
        await page.wait_for_selector(".kn-use")
        await nothing_serious(page, "empty")
        await fill(visit, calm_demo)
        assert await page.evaluate(MOVING) == []
        await nothing_serious(page, "thread")
        await page.locator(f"{card(1)} .kn-shot").first.click()
        await page.wait_for_selector("dialog.kn-lightbox[open]")
        await nothing_serious(page, "lightbox")
        await close(page)
        if width < 768:
            await page.click("#sidebar-trigger-button")
            await page.wait_for_selector("[data-mobile=true][data-state=open] #thread-history")
            await nothing_serious(page, "history")
            await close(page)
        for opener in ("#thread-options", "#theme-toggle", "#user-nav-button", ".kn-use"):
            if await page.locator(opener).first.is_visible():
                await page.locator(opener).first.click()
                await page.wait_for_selector("[role=menu], dialog[open]")
                await nothing_serious(page, opener)
                await close(page)
        await page.evaluate("document.querySelector('.kn-away').textContent = 'Away.'")
        await nothing_serious(page, "away")
        visit.calm()


async def fill(visit: Visit, demo: Demo) -> None:
    """A conversation with one card of each sort."""
    page = visit.page
    await visit.say("Draw 2 pictures of a boat with demo-image-quick")
    await page.wait_for_selector(card(1, "completed"))
    await visit.say("Make a 2 second video of the sea with demo-video-quick")
    await page.wait_for_selector(card(2, "completed"))
    await demo.fault(on="submit", fault="fail", times=1)
    await visit.say("Draw a boat with demo-image-quick")
    await page.wait_for_selector(card(3, "failed"))
    await demo.hold(True)
    await visit.say("Draw a boat with demo-image-quick")
    await page.wait_for_selector(card(4, "in_progress"))
    await expect(page.locator("#stop-button")).to_have_count(0)
    await expect(page.locator(".positive-feedback-off")).to_have_count(4)


async def nothing_serious(page: Page, state: str) -> None:
    await page.evaluate(CALM)
    found = (await Axe().run(page)).response["violations"]
    grave = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    told = [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in grave]
    assert told == [], state


#: Names are given in the frame after a button has come.
CALM = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
#: What turns, slides or fades for longer than anybody could see.
MOVING = """() => document.getAnimations()
  .filter(a => a.playState === 'running' && a.effect.getComputedTiming().endTime > 50)
  .map(a => (a.animationName ?? a.transitionProperty) + ' of ' + a.effect.target.className)"""
