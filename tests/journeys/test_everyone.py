"""For everyone: in two languages, by keyboard alone, heard as well as seen, and no picture lost on
the way.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Browser, FilePayload, Locator, Page, Route, expect

from settings import ROOT
from tests.demo_process import Demo
from tests.house import Served
from tests.journeys.conftest import Visit, new_visit
from tests.journeys.test_chat import PASTE, card, generation_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

LANGUAGES = ["en-US", "ru-RU"]
OPENED = "[role=menu], [role=dialog], [role=alertdialog], dialog[open]"
#: What stands between the tags of the page, and in the attributes that are shown or read out.
SAID = """() => {
  const said = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const mine = '#thread-history, script, style, .kn-prompt, .kn-detail, [data-step-type] p, '
    + '[role=tooltip], [aria-label] > .sr-only'
  while (texts.nextNode()) {
    const {nodeValue, parentElement} = texts.currentNode
    if (nodeValue.trim() && !parentElement.closest(mine)) said.push(nodeValue.trim())
  }
  for (const node of document.querySelectorAll('[aria-label], [placeholder], [title]'))
    if (!node.closest(mine) && !node.closest('.kn-frame'))
      for (const name of ['aria-label', 'placeholder', 'title'])
        if (node.getAttribute(name)) said.push(node.getAttribute(name))
  return said
}"""


def catalogue(language: str) -> dict[str, str]:
    """Chainlit's words in a language, by their path."""
    path = ROOT / ".chainlit" / "translations" / f"{language}.json"

    def flat(branch: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
        for key, value in branch.items():
            if isinstance(value, dict):
                yield from flat(value, f"{before}{key}.")
            else:
                yield f"{before}{key}", value

    return dict(flat(json.loads(path.read_text(encoding="utf-8"))))


@pytest.fixture(params=LANGUAGES)
async def visitor(
    request: pytest.FixtureRequest, browser: Browser, server: Served
) -> AsyncIterator[Visit]:
    """Somebody whose browser speaks English, and somebody whose browser speaks Russian."""
    async with new_visit(browser, server.url, locale=request.param) as visiting:
        yield visiting


@pytest.fixture
async def russian(browser: Browser, server: Served) -> AsyncIterator[Visit]:
    async with new_visit(browser, server.url, locale="ru-RU") as visiting:
        yield visiting


async def unnamed(page: Page) -> list[str]:
    """What can be operated and has no name, as a screen reader gets it."""
    session = await page.context.new_cdp_session(page)
    nodes = (await session.send("Accessibility.getFullAXTree"))["nodes"]
    await session.detach()
    roles = {"button", "link", "textbox", "menuitem", "dialog", "progressbar", "navigation"}
    return [
        node["role"]["value"]
        for node in nodes
        if not node["ignored"]
        and node["role"]["value"] in roles
        and not node.get("name", {}).get("value")
    ]


def photo(colour: tuple[int, int, int] = (200, 120, 40)) -> str:
    """A JPEG picture in Base64."""
    data = io.BytesIO()
    Image.new("RGB", (480, 320), colour).save(data, "JPEG")
    return base64.b64encode(data.getvalue()).decode()


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


async def test_a_russian_page_speaks_russian_throughout(russian: Visit, calm_demo: Demo) -> None:
    page = russian.page
    await russian.open()
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await page.wait_for_selector(".kn-use")
    english = set(catalogue("en-US").values()) - set(catalogue("ru-RU").values())
    await no_english(page, english)
    await draw(russian)
    await no_english(page, english)
    for opener in ("#theme-toggle", "#user-nav-button", "#search-chats-button", ".kn-use"):
        await page.click(opener)
        await page.wait_for_selector(OPENED)
        await no_english(page, english)
        await close(page)
    for item in ("#rename-thread", "#delete-thread"):
        await page.locator("#thread-options").first.click()
        await page.click(item)
        await page.wait_for_selector("[role=dialog], [role=alertdialog]")
        await expect(page.locator("[role=menu]")).to_have_count(0)
        await no_english(page, english)
        await close(page)
    russian.calm()


async def close(page: Page) -> None:
    """Press Esc until nothing is open; a tooltip takes the first one."""
    opened = page.locator(OPENED)
    async with asyncio.timeout(10):
        while await opened.count():
            await page.keyboard.press("Escape")
            with contextlib.suppress(AssertionError):
                await expect(opened).to_have_count(0, timeout=1000)


async def no_english(page: Page, english: set[str]) -> None:
    said = await page.evaluate(SAID)
    assert [text for text in said if text in english] == []
    assert any("а" <= letter <= "я" for text in said for letter in text)
    # Not even outside the catalogue, names apart.
    names = ("Kinora", "local")
    strange = [t for t in said if t.isascii() and t.replace(" ", "").isalpha() and len(t) > 2]
    assert [text for text in strange if text not in names] == []


def test_the_russian_catalogue_has_every_word_of_the_english_one() -> None:
    english, russian = catalogue("en-US"), catalogue("ru-RU")
    assert russian.keys() == english.keys()
    same = {path for path in english if english[path] == russian[path]}
    assert same == {"navigation.user.menu.settingsKey"}
    placed = {path: text.count("{{") for path, text in english.items()}
    assert {path: text.count("{{") for path, text in russian.items()} == placed


@pytest.mark.parametrize(
    ("locale", "language", "placeholder"),
    [
        ("ru", "ru", "Опишите картинку или фильм…"),
        ("ru-KZ", "ru", "Опишите картинку или фильм…"),
        ("pt-BR", "en", "Describe a picture or a film…"),
        ("es-MX", "es-MX", None),
    ],
)
async def test_another_language_falls_back_whole(
    browser: Browser, server: Served, locale: str, language: str, placeholder: str | None
) -> None:
    async with new_visit(browser, server.url, locale=locale) as visit:
        await visit.open()
        await expect(visit.page.locator("html")).to_have_attribute("lang", language)
        shown = await visit.page.get_attribute("#chat-input", "placeholder")
        assert placeholder in (None, shown)
        assert await unnamed(visit.page) == []
        visit.calm()


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
    await close_by_escape(page)
    await expect(facts).to_have_count(0)
    await expect(first).to_be_focused()
    visit.calm()


async def close_by_escape(page: Page) -> None:
    """A browser that is still painting the next picture may miss the first press."""
    for _ in range(5):
        await page.keyboard.press("Escape")
        with contextlib.suppress(AssertionError):
            await expect(page.locator("dialog.kn-lightbox[open]")).to_have_count(0, timeout=1000)
            return


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


async def test_an_error_says_whose_turn_it_is(russian: Visit, calm_demo: Demo) -> None:
    page = russian.page
    await russian.open()
    await calm_demo.fault(on="submit", fault="fail", times=1)
    await russian.say("Нарисуй лодку, demo-image-quick")
    await page.wait_for_selector(card(1, "failed"))
    troubles = page.locator(f"{card(1)} .kn-body")
    await expect(troubles).to_contain_text("У провайдера что-то сломалось.")
    await expect(troubles).to_contain_text("Вы тут ни при чём.")
    await page.click(f"{card(1)} button:has-text('Ещё раз')")
    await page.wait_for_selector(card(1, "completed"))
    russian.calm()


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


class Gate:
    """A piece of the network that lets nothing through until it is told what to do."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._open = asyncio.Event()
        self._status: int | None = None

    async def __call__(self, route: Route) -> None:
        self.reached.set()
        await self._open.wait()
        if self._status is None:
            await route.continue_()
        else:
            await route.fulfill(status=self._status, body="no")

    def open(self) -> None:
        """Let everything pass from now on."""
        self._open.set()

    def refuse(self, status: int) -> None:
        """Answer everything with this status from now on."""
        self._status = status
        self._open.set()


async def inputs_of(visit: Visit, number: int) -> list[dict[str, Any]]:
    made = await visit.page.request.get(
        f"{visit.url}/api/generations/{await generation_of(visit, number)}"
    )
    inputs: list[dict[str, Any]] = (await made.json())["inputs"]
    return inputs


async def test_a_message_waits_for_its_picture_and_goes_by_itself(
    visit: Visit, calm_demo: Demo
) -> None:
    page, gate = visit.page, Gate()
    await page.route("**/project/file*", gate)
    await visit.open()
    await page.evaluate(PASTE, ["garden.jpg", photo()])
    # At once, before the page has even shown the picture.
    await page.keyboard.insert_text("Make it blue with demo-image-quick")
    await page.keyboard.press("Enter")
    await expect(page.locator(".kn-word")).to_contain_text("still on its way")
    async with asyncio.timeout(10):
        await gate.reached.wait()
    await page.locator("#chat-submit").click(force=True)
    assert await page.locator("[data-step-type=user_message]").count() == 0
    gate.open()
    await page.wait_for_selector(card(1, "completed"))
    await expect(page.locator(".kn-word")).to_be_empty()
    assert [given["role"] for given in await inputs_of(visit, 1)] == ["image"]
    assert await page.locator("[data-step-type=user_message]").count() == 1
    visit.calm()


async def test_a_message_whose_picture_failed_is_not_sent_without_it(
    visit: Visit, calm_demo: Demo
) -> None:
    page, gate = visit.page, Gate()
    await page.route("**/project/file*", gate)
    await visit.open()
    await page.evaluate(PASTE, ["garden.jpg", photo()])
    await page.wait_for_selector("#attachments")
    await page.keyboard.insert_text("Make it blue with demo-image-quick")
    await page.keyboard.press("Enter")
    gate.refuse(500)
    await expect(page.locator(".kn-word")).to_contain_text("did not arrive")
    await expect(page.locator("#chat-input")).to_have_value("Make it blue with demo-image-quick")
    assert await page.locator("[data-step-type=user_message]").count() == 0
    # The person writes on: the notice has done its work, and the next Enter counts.
    await page.keyboard.type("!")
    await expect(page.locator(".kn-word")).to_be_empty()
    assert visit.foreign == []


async def test_a_picture_given_before_the_connection_stands_is_kept(
    visit: Visit, calm_demo: Demo
) -> None:
    page, gate = visit.page, Gate()
    await page.route("**/set-session-cookie", gate)
    await page.goto(visit.url)
    await page.click("#chat-input")
    await page.wait_for_selector(".kn-use")
    await page.evaluate(PASTE, ["garden.jpg", photo()])
    await expect(page.locator(".kn-word")).to_contain_text("as soon as Kinora is ready")
    await page.keyboard.insert_text("Make it blue with demo-image-quick")
    await page.keyboard.press("Enter")
    gate.open()
    await page.wait_for_selector(card(1, "completed"))
    assert [given["role"] for given in await inputs_of(visit, 1)] == ["image"]
    visit.calm()


async def test_a_message_written_before_the_connection_stands_goes_by_itself(
    visit: Visit, calm_demo: Demo
) -> None:
    page, gate = visit.page, Gate()
    await page.route("**/set-session-cookie", gate)
    await page.goto(visit.url)
    await page.click("#chat-input")
    await page.wait_for_selector(".kn-use")
    await page.keyboard.insert_text("Draw a boat with demo-image-quick")
    await page.keyboard.press("Enter")
    await expect(page.locator(".kn-word")).to_contain_text("Not connected yet")
    gate.open()
    await page.wait_for_selector(card(1, "completed"))
    assert await page.locator("[data-step-type=user_message]").count() == 1
    visit.calm()


async def test_a_picture_of_the_wrong_kind_is_refused_in_the_persons_words(
    russian: Visit, calm_demo: Demo
) -> None:
    await russian.open()
    wrong: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    await russian.page.set_input_files("#upload-button-input", [wrong])
    toast = russian.page.locator("[data-sonner-toast]")
    await expect(toast).to_have_text("Добавить можно только картинки PNG, JPEG, WebP и GIF.")
    russian.calm()


async def test_stop_is_answered_in_the_persons_language(russian: Visit, calm_demo: Demo) -> None:
    page = russian.page
    await russian.open()
    await russian.say("[[slow: 400 words]]")
    await page.click("#stop-button")
    answer = page.locator("[data-step-type=assistant_message]")
    await expect(answer.filter(has_text="Остановлено.")).to_have_count(1)
    await expect(page.locator("#chat-input")).to_be_focused()
    await page.reload()
    await expect(answer.filter(has_text="Остановлено.")).to_have_count(1)
    await expect(answer.filter(has_text="Task manually stopped")).to_have_count(0)
    russian.calm()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_axe_finds_nothing_serious(
    browser: Browser, server: Served, calm_demo: Demo, scheme: Any, width: int
) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.async_playwright", reason="axe-playwright-python is not installed"
    ).Axe()
    viewport = {"width": width, "height": 800}
    async with new_visit(
        browser, server.url, color_scheme=scheme, reduced_motion="reduce"
    ) as visit:
        await visit.page.set_viewport_size(viewport)  # type: ignore[arg-type]
        await visit.open()
        await visit.page.wait_for_selector(".kn-use")
        await serious(axe, visit.page)
        await draw(visit)
        await calm_demo.fault(on="submit", fault="fail", times=1)
        await visit.say("Draw a boat with demo-image-quick")
        await visit.page.wait_for_selector(card(2, "failed"))
        await calm_demo.hold(True)
        await visit.say("Draw a boat with demo-image-quick")
        await visit.page.wait_for_selector(card(3, "in_progress"))
        await serious(axe, visit.page)
        await visit.page.locator(f"{card(1)} .kn-shot").click()
        await visit.page.wait_for_selector("dialog.kn-lightbox[open]")
        await serious(axe, visit.page)


async def serious(axe: Any, page: Page) -> None:
    found = (await axe.run(page)).response["violations"]
    grave = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in grave] == []
