"""For everyone: in the person's own language where we speak it, and whole where we do not."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from settings import ROOT
from tests.agent.scripted_server import refuses, scripted_server
from tests.demo_process import Demo
from tests.house import Served, serve
from tests.journeys.conftest import Visit, new_visit
from tests.journeys.test_chat import card

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

OPENED = "[role=menu], [role=dialog], [role=alertdialog], dialog[open]"
#: What stands between the tags of the page, and in the attributes that are shown or read out.
SAID = """() => {
  const said = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const mine = '#thread-history, [cmdk-item], script, style, .kn-prompt, .kn-detail, '
    + '[data-step-type] p, [role=tooltip], [aria-label] > .sr-only'
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


async def test_a_russian_page_speaks_russian_throughout(russian: Visit, calm_demo: Demo) -> None:
    page = russian.page
    await russian.open()
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await page.wait_for_selector(".kn-use")
    english = set(catalogue("en-US").values()) - set(catalogue("ru-RU").values())
    await no_english(page, english)
    assert await unnamed(page) == []
    await russian.say("Draw a boat with demo-image-quick")
    await page.wait_for_selector(card(1, "completed"))
    await expect(page.locator(".positive-feedback-off")).to_have_attribute("aria-pressed", "false")
    await no_english(page, english)
    assert await unnamed(page) == []
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
        ("ru-KZ", "ru", "Опишите картинку или фильм…"),
        ("pt-BR", "en", "Describe a picture or a film…"),
        ("de", "de", None),
        pytest.param("ru", "ru", "Опишите картинку или фильм…", marks=pytest.mark.long),
        pytest.param("es-MX", "es-MX", None, marks=pytest.mark.long),
        pytest.param("zh-CN", "zh-CN", None, marks=pytest.mark.long),
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


async def test_a_picture_of_the_wrong_kind_is_refused_in_the_persons_words(
    russian: Visit, calm_demo: Demo
) -> None:
    await russian.open()
    wrong: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    await russian.page.set_input_files("#upload-button-input", [wrong])
    toast = russian.page.locator("[data-sonner-toast]")
    await expect(toast).to_have_text("Добавить можно только картинки PNG, JPEG, WebP и GIF.")
    russian.calm()


async def test_stop_is_answered_in_the_persons_language_and_the_next_message_works(
    russian: Visit, calm_demo: Demo
) -> None:
    page = russian.page
    await russian.open()
    await russian.say("[[slow: 400 words]]")
    await page.click("#stop-button")
    answer = page.locator("[data-step-type=assistant_message]")
    await expect(answer.filter(has_text="Остановлено.")).to_have_count(1)
    await expect(page.locator("#stop-button")).to_have_count(0)
    await expect(page.locator("#chat-input")).to_be_focused()
    await russian.say("Нарисуй кота, demo-image-quick")
    await page.wait_for_selector(card(1, "completed"))
    await page.reload()
    await expect(answer.filter(has_text="Остановлено.")).to_have_count(1)
    await expect(answer.filter(has_text="Task manually stopped")).to_have_count(0)
    russian.calm()


async def test_a_chat_model_that_fails_is_explained_in_the_persons_language(
    browser: Browser, database_url: str, calm_demo: Demo, shared_folder: Path
) -> None:
    async with scripted_server(refuses(401, {"error": {"message": "no"}})) as chat:
        settings = {
            "DATABASE_URL": database_url,
            "DEMO_BASE_URL": calm_demo.url,
            "OPENAI_BASE_URL": chat.base_url,
            "CHAT_MODEL": "scripted",
        }
        async with (
            serve(shared_folder / "refused", **settings) as served,
            new_visit(browser, served.url, locale="ru-RU") as visit,
        ):
            await visit.open()
            await visit.say("Нарисуй лодку")
            answer = visit.page.locator("[data-step-type=assistant_message]").last
            await expect(answer).to_contain_text("не принимает ключ для модели чата")
            visit.calm()
