"""The widget on a page of the same site, as its visitors see it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import jwt
import psycopg
import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page, WebSocket, expect

from data_folder import derived
from tests.demo_process import Demo
from tests.house import free_port
from tests.journeys.conftest import Visit, new_visit
from tests.journeys.host_page import Website, website, website_with_kinora
from tests.people import SECRET

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

BUTTON, NOTICE = "kinora-widget .launch", "kinora-widget .notice p"
CARD = "article.kn-card[data-status=completed]"
MOUNT = "Kinora.mount({token: '/kinora-token', opened: true})"
RENEWED = """(before) => {
  const chat = [...document.querySelectorAll('#chainlit-copilot')].at(-1)
  return !before.isConnected && chat && chat.style.visibility === ''
}"""
LISTEN = """window.heard = []
addEventListener('kinora:generation', ({ detail }) => window.heard.push(detail))"""
#: What a browser notes of its own accord when a login has ended, or is not there.
ENDED = ("status of 401", "WebSocket connection to")
COVERS = """e => { const b = e.getBoundingClientRect()
  return b.left === 0 && b.top === 0 && b.right === innerWidth && b.bottom === innerHeight }"""


class Scene(NamedTuple):
    """A website that the widget stands in, and one that it does not know."""

    site: Website
    stranger: Website
    database_url: str


@pytest.fixture(scope="module")
async def scene(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> AsyncIterator[Scene]:
    url, folder = fresh_database("journeys_widget"), shared_folder / "widget_page"
    async with website_with_kinora(folder, url, demo, "localhost") as site:
        with website(free_port(), site.served, site.key) as stranger:
            yield Scene(site, stranger, url)


@pytest.fixture
async def visit(browser: Browser, scene: Scene) -> AsyncIterator[Visit]:
    """Somebody new at the website, who hears what the widget tells it."""
    scene.site.user = f"visitor {time.monotonic_ns()}"
    scene.site.tokens.clear()
    async with new_visit(browser, scene.site.near) as visiting:
        await visiting.page.add_init_script(LISTEN)
        yield visiting


async def draw(visit: Visit, cards: int = 1) -> None:
    """Ask for a picture in the open widget and wait until it can be seen."""
    await visit.say("Draw a zeppelin with demo-image-quick")
    await expect(visit.page.locator(CARD)).to_have_count(cards)
    picture = visit.page.locator(f"{CARD} .kn-shot img").last
    await expect(picture).to_have_js_property("complete", True)
    assert await picture.evaluate("e => e.decode().then(() => e.naturalWidth)") > 0


async def test_a_visitor_draws_in_the_widget_and_finds_it_again_and_nobody_else_does(
    visit: Visit, scene: Scene
) -> None:
    """The page's charset and its policy are as strict as docs/widget.md says that they may be."""
    page, asked = visit.page, list[str]()
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{visit.url}/latin")
    await page.wait_for_selector(BUTTON)
    assert not [url for url in asked if "/copilot/" in url or "/auth/" in url]
    await page.click(BUTTON)
    await draw(visit)
    assert "completed" in await page.evaluate("window.heard.map(g => g.status)")
    assert await page.evaluate("document.body.style.marginRight") == ""
    await expect(page.locator("#chainlit-copilot-button")).to_be_hidden()
    await page.click(f"{CARD} .kn-shot")
    await page.wait_for_selector("dialog.kn-lightbox[open]")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog.kn-lightbox")).to_have_count(0)
    await expect(page.locator(BUTTON)).to_have_attribute("aria-expanded", "true")

    await page.reload()
    await expect(page.locator(CARD)).to_have_count(1)
    mine, scene.site.user = scene.site.user, "somebody else"
    await page.reload()
    await page.wait_for_selector("#chat-input")
    await expect(page.locator(f"{BUTTON}[aria-busy=false]")).to_be_visible()
    await expect(page.locator("article.kn-card, #session-error")).to_have_count(0)
    await draw(visit)
    scene.site.user = mine
    assert await page.evaluate(MOUNT)
    await expect(page.locator(CARD)).to_have_count(1)
    visit.calm()


async def test_twenty_mounts_leave_nothing_behind(visit: Visit) -> None:
    page, sockets = visit.page, list[WebSocket]()
    page.on("websocket", lambda socket: sockets.append(socket))
    await page.goto(f"{visit.url}/plain")
    for number in range(20):
        assert await page.evaluate(MOUNT), number
        await expect(page.locator("#chat-input")).to_have_count(1)
        if number == 0:
            await draw(visit)
        await expect(page.locator(CARD)).to_have_count(1)
        if number % 2:
            await page.evaluate("Kinora.unmount()")
    await expect(page.locator("kinora-widget, #chainlit-copilot")).to_have_count(0)
    await page.wait_for_function("() => !localStorage['chainlit-copilot-thread-id']")
    assert len(sockets) >= 20
    assert [socket.url for socket in sockets if not socket.is_closed()] == []
    visit.calm()


async def test_whom_the_chat_does_not_let_in_is_told_so_in_a_sentence(
    visit: Visit, scene: Scene
) -> None:
    """One token that is over is no reason to speak: a second one is asked for."""
    page, site = visit.page, scene.site
    said = jwt.decode(site.mint(site.near), options={"verify_signature": False})
    said |= {"iat": said["iat"] - 900, "nbf": said["iat"] - 900, "exp": said["iat"] - 600}
    header = {"typ": "kinora-widget+jwt"}
    old = jwt.encode(said, derived(SECRET.encode(), "widget"), "HS256", headers=header)
    site.tokens[:] = [old, old]
    await page.goto(f"{visit.url}/")
    await page.click(BUTTON)
    await expect(page.locator(NOTICE)).to_contain_text("its time is over")
    site.tokens[:] = [old]
    await page.click("kinora-widget .again")
    await page.wait_for_selector("#chat-input")
    await expect(page.locator(NOTICE)).to_be_hidden()

    scene.stranger.tokens[:] = [site.mint(site.near)]
    await page.goto(f"{scene.stranger.near}/")
    await page.click(BUTTON)
    await expect(page.locator(NOTICE)).to_contain_text(f"or {scene.stranger.near} is not among")
    await expect(page.locator("#chainlit-copilot")).to_have_count(0)
    # A program that is less polite than ours gets no further.
    tries = """async ([chat, token]) => Promise.all(['/auth/jwt', '/api/usage'].map((path) =>
      fetch(chat + path, {method: path === '/auth/jwt' ? 'POST' : 'GET', credentials: 'include',
        headers: {Authorization: `Bearer ${token}`}}).then((a) => a.status, () => 'refused')))"""
    chat = site.served.replace("127.0.0.1", "localhost")
    assert await page.evaluate(tries, [chat, site.mint(site.near)]) == ["refused", "refused"]


async def test_a_login_that_ends_is_renewed_and_the_conversation_goes_on(
    visit: Visit, scene: Scene
) -> None:
    page = visit.page
    await page.goto(f"{visit.url}/script")
    await page.click(BUTTON)
    await draw(visit)
    minted = scene.site.minted
    ended = (
        "with gone as (update kinora.logins set expires_at = now() returning id)"
        " select pg_notify('kinora_access', json_build_object('grant', id)::text) from gone"
    )
    before = await page.query_selector("#chainlit-copilot")
    with psycopg.connect(scene.database_url, autocommit=True) as connection:
        connection.execute(ended)
    # The refused chat gives way to one with the new login; what is typed before is not kept.
    await page.wait_for_function(RENEWED, arg=before)
    await expect(page.locator(f"{BUTTON}[aria-expanded=true]")).to_be_visible()
    await draw(visit, cards=2)
    assert scene.site.minted > minted
    visit.calm(*ENDED)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_on_a_phone_it_fills_the_screen_and_every_button_has_a_name(
    browser: Browser, scene: Scene, scheme: str
) -> None:
    """Light or dark as the page is, whatever the system says."""
    other = {"light": "dark", "dark": "light"}[scheme]
    scene.site.user = f"phone {scheme}"
    options = {"color_scheme": other, "reduced_motion": "reduce"}
    async with new_visit(browser, scene.site.near, **options) as visit:
        page = visit.page
        await page.set_viewport_size({"width": 390, "height": 780})
        await page.goto(f"{visit.url}/plain")
        await page.evaluate("theme => document.documentElement.dataset.theme = theme", scheme)
        async with page.expect_response("**/api/widget/context") as told:
            assert await page.evaluate(MOUNT.replace("opened", "context: {page: 1}, opened"))
        assert (await told.value).status == 204
        await draw(visit)
        panel = page.locator("[role=dialog]:has(> #chainlit-copilot-chat)")
        assert await panel.evaluate(COVERS)
        await expect(page.locator(BUTTON)).to_be_hidden()
        light = await panel.evaluate(
            "e => Number(getComputedStyle(e).backgroundColor.match(/\\d+/)[0])"
        )
        assert (light > 128) == (scheme == "light")
        assert await grave(page) == []
        await page.click("#close-sidebar-button")
        await expect(panel).to_be_hidden()
        await expect(page.locator(BUTTON)).to_be_focused()
        assert await grave(page) == []
        visit.calm()


async def grave(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds serious, and where."""
    found = (await Axe().run(page, options={"preload": False})).response["violations"]
    return [
        (rule["id"], [node["html"] for node in rule["nodes"]])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
