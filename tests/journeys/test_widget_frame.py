"""The widget in a frame, on a page of another site than the chat's."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from playwright.async_api import Browser, FrameLocator, expect

from tests.demo_process import Demo
from tests.house import free_port
from tests.journeys.conftest import ARGUMENTS, Visit, find_browser, new_visit
from tests.journeys.host_page import Website, website, website_with_kinora

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

BUTTON, NOTICE, FRAME = "kinora-widget .launch", "kinora-widget .notice p", "kinora-widget iframe"
CARD = "article.kn-card[data-status=completed]"
#: Playwright asks Chromium not to keep the storage of frames apart by the site around them, which
#: Chromium does for everybody else; what is asked last counts.
AS_EVERYBODY = "--disable-features=Translate,HttpsUpgrades,MediaRouter,PaintHolding"
LISTEN = """window.heard = []
window.said = []
addEventListener('kinora:generation', ({ detail }) => window.heard.push(detail.status))
addEventListener('message', ({ data }) => window.said.push(data?.kinora))"""
#: What a browser notes of its own accord when a login has ended, or a page is left.
ENDED = ("status of 401", "WebSocket connection to")


class Scene(NamedTuple):
    """A website that the widget stands in."""

    site: Website
    database_url: str


@pytest.fixture(scope="module")
async def scene(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> AsyncIterator[Scene]:
    url, folder = fresh_database("journeys_frame"), shared_folder / "widget_frame"
    async with website_with_kinora(folder, url, demo, "127.0.0.1", "localhost") as site:
        yield Scene(site, url)


@pytest.fixture(scope="module")
async def everybody(browser: Browser) -> AsyncIterator[Browser]:
    """A browser that keeps frames apart as browsers do."""
    arguments = [*ARGUMENTS, AS_EVERYBODY]
    launch = browser.browser_type.launch
    running = await launch(executable_path=find_browser(), args=arguments)
    yield running
    await running.close()


@pytest.fixture
async def visit(everybody: Browser, scene: Scene) -> AsyncIterator[Visit]:
    """Somebody new at the website, under its far name."""
    scene.site.user = f"visitor {time.monotonic_ns()}"
    async with new_visit(everybody, scene.site.far) as visiting:
        await visiting.page.add_init_script(LISTEN)
        yield visiting


async def draw(frame: FrameLocator, cards: int = 1) -> None:
    """Ask for a picture in the frame and wait until it can be seen."""
    await frame.locator("#chat-input").fill("Draw a zeppelin with demo-image-quick")
    await expect(frame.locator("#chat-submit")).to_be_enabled()
    await frame.locator("#chat-submit").click()
    await expect(frame.locator(CARD)).to_have_count(cards)
    picture = frame.locator(f"{CARD} .kn-shot img").last
    await expect(picture).to_have_js_property("complete", True)
    assert await picture.evaluate("e => e.decode().then(() => e.naturalWidth)") > 0


async def test_a_visitor_of_another_site_draws_in_a_frame_and_finds_it_again(
    visit: Visit, scene: Scene
) -> None:
    """Under the policy that docs/widget.md asks for; and nobody else finds it."""
    page, frame = visit.page, visit.page.frame_locator(FRAME)
    await page.goto(f"{visit.url}/frame")
    await page.click(BUTTON)
    await draw(frame)
    await page.wait_for_function("window.heard.at(-1) === 'completed'")
    assert set(await page.evaluate("window.said")) <= {"wants-token", "open", "generation"}
    hidden = "#user-nav-button, #sidebar-trigger-button, #theme-toggle, .kn-use"
    assert await frame.locator(hidden).filter(visible=True).count() == 0
    [cookie] = await visit.context.cookies()
    assert cookie["name"] == "kinora_frame"
    assert cookie.get("partitionKey") == "http://127.0.0.1"
    assert await page.evaluate("Object.keys(localStorage).length") == 0

    await page.reload()
    await expect(frame.locator(CARD)).to_have_count(1)
    async with page.expect_request("**/api/widget/context") as told:
        await page.evaluate("Kinora.setContext({page: 'Product 42'})")
    assert (await told.value).post_data_json == {"context": {"page": "Product 42"}}
    scene.site.user = "somebody else"
    await page.reload()
    await frame.locator("#chat-input").wait_for()
    await expect(frame.locator("#starters button").first).to_be_visible()
    await expect(frame.locator("article.kn-card")).to_have_count(0)
    visit.calm(*ENDED[1:])


async def test_ten_lines_of_html_are_enough_and_no_login_form_ever_shows(
    visit: Visit, scene: Scene
) -> None:
    page, frame = visit.page, visit.page.frame_locator("iframe")
    await page.goto(f"{visit.url}/bare")
    await draw(frame)
    minted = scene.site.minted
    seen: list[str] = []
    page.on("framenavigated", lambda one: seen.append(one.url))
    ended = (
        "with gone as (update kinora.logins set expires_at = now() returning id)"
        " select pg_notify('kinora_access', json_build_object('grant', id)::text) from gone"
    )
    async with page.expect_event("framenavigated", lambda one: "/thread/" in one.url):
        with psycopg.connect(scene.database_url, autocommit=True) as connection:
            connection.execute(ended)
    await expect(frame.locator(CARD)).to_have_count(1)
    await draw(frame, cards=2)
    assert scene.site.minted > minted
    assert not [url for url in seen if "/login" in url]
    await expect(frame.locator("#password")).to_have_count(0)
    visit.calm(*ENDED)


async def test_the_frame_follows_the_page_in_light_and_dark_and_fills_a_phone(
    visit: Visit, scene: Scene
) -> None:
    page, frame = visit.page, visit.page.frame_locator(FRAME)
    await page.set_viewport_size({"width": 390, "height": 780})
    await page.goto(f"{visit.url}/frame")
    await page.click(BUTTON)
    await frame.locator("#chat-input").wait_for()
    await expect(page.locator(BUTTON)).to_be_hidden()
    box = await page.locator(FRAME).bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 780}
    ground = "e => Number(getComputedStyle(e).backgroundColor.match(/\\d+/)[0])"
    for theme, dark in (("dark", True), ("light", False)):
        await page.evaluate("theme => document.documentElement.className = theme", theme)
        await expect(frame.locator(f"html.{theme}")).to_have_count(1)
        assert (await frame.locator("body").evaluate(ground) < 128) == dark
    await page.click("kinora-widget .panel button")
    await expect(page.locator(FRAME)).to_be_hidden()
    await expect(page.locator(BUTTON)).to_be_focused()


async def test_where_the_browser_keeps_no_cookie_a_sentence_says_so(
    browser: Browser, scene: Scene
) -> None:
    """A browser that keeps everything of other sites out, in both forms."""
    async with new_visit(browser, scene.site.far) as visit:
        page = visit.page
        for path, said in (("/frame", "keeps no login for a chat inside"), ("/script", "sibling")):
            await page.goto(visit.url + path)
            await page.click(BUTTON)
            await expect(page.locator(NOTICE)).to_contain_text(said)
            await expect(page.locator(FRAME)).to_have_count(0)


async def test_a_page_that_is_not_allowed_cannot_have_the_frame(visit: Visit, scene: Scene) -> None:
    """Neither by asking for somebody else's frame, nor with somebody else's token."""
    page, site = visit.page, scene.site
    with website(free_port(), site.served, site.key) as stranger:
        await page.goto(f"{stranger.far}/frame")
        await page.click(BUTTON)
        await expect(page.locator(NOTICE)).to_contain_text("is not among the pages")
        chat = site.served.replace("127.0.0.1", "localhost")
        show = """src => new Promise((done) => {
          const frame = Object.assign(document.createElement('iframe'), { src, onload: done })
          document.body.append(frame)
        })"""
        heard = len(await page.evaluate("window.said"))
        for query in (f"?origin={site.far}", f"?origin={stranger.far}", ""):
            await page.evaluate(show, f"{chat}/widget{query}")
        assert len(await page.evaluate("window.said")) == heard
