"""The page of the API's description, as people read it: with a mouse, a keyboard, a phone."""

from __future__ import annotations

import json
import shlex
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.house import Served
from tests.journeys.conftest import Visit, new_visit

pytestmark = pytest.mark.browser

PAGE = "/api/reference"


async def opened(visit: Visit, fragment: str = "") -> Page:
    await visit.page.goto(f"{visit.url}{PAGE}{fragment}")
    await visit.page.wait_for_selector(".operation")
    return visit.page


async def test_every_operation_is_there_and_says_everything(visit: Visit, server: Served) -> None:
    page = await opened(visit)
    document = (await server.client.get("/api/openapi.json")).json()
    ids = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert await page.locator(".operation").count() == len(ids)
    assert await page.locator("nav a:not(.title)").count() == len(ids)
    # All of them are drawn without a stumble.
    await page.evaluate("document.querySelectorAll('.operation').forEach((one) => one.open = true)")
    await expect(page.locator(".operation .inside")).to_have_count(len(ids))
    await page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    text = await page.inner_text("main")
    assert "[object" not in text
    assert "undefined" not in text
    assert "The generation that was started." in text
    visit.calm()


async def test_an_address_opens_one_operation_and_its_command_works(
    visit: Visit, server: Served
) -> None:
    page = await opened(visit, "#call_list_models")
    card = page.locator("#call_list_models")
    await expect(card.locator("h3")).to_be_in_viewport()
    await expect(page.locator(".operation[open]")).to_have_count(1)
    line = await card.get_by_label("Command", exact=True).inner_text()
    words = shlex.split(line.replace("\\\n", ""))
    assert words[:3] == ["curl", "-X", "POST"]
    address, header, body = words[3], words[5], words[7]
    assert address == f"{visit.url}/api/tools/list_models"
    name, _, value = header.partition(": ")
    answer = await server.client.post(address, headers={name: value}, content=body)
    assert answer.status_code == 200
    assert answer.json()["data"][0]["kind"] == json.loads(body)["kind"]
    visit.calm()


async def test_the_filter_leaves_what_fits_and_the_keyboard_is_enough(visit: Visit) -> None:
    page = await opened(visit)
    shown = page.locator(".operation:visible")
    everything = await shown.count()
    await page.keyboard.press("/")
    await page.keyboard.type("delete api generations")
    await expect(page.locator("#delete_generation")).to_be_visible()
    assert 0 < await shown.count() < everything
    assert await page.locator("#live").is_hidden()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("nothing like this")
    await expect(page.get_by_text("Nothing fits.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(shown).to_have_count(everything)
    await page.locator("#live summary").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#live .inside")).to_be_visible()
    visit.calm()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone(browser: Browser, server: Served, scheme: str) -> None:
    phone = {"color_scheme": scheme}
    async with new_visit(browser, server.url, **phone) as visit:
        await visit.page.set_viewport_size({"width": 360, "height": 740})
        page = await opened(visit, "#call_generate_video")
        await page.evaluate(
            "document.querySelectorAll('details').forEach((one) => one.open = true)"
        )
        await page.wait_for_selector("#openapi .inside")
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
        ground = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        is_light = sum(map(int, ground.removeprefix("rgb(").rstrip(")").split(","))) > 384
        assert is_light == (scheme == "light")
        visit.calm()


async def test_it_says_so_when_it_cannot_read_the_description(visit: Visit) -> None:
    await visit.page.route("**/api/openapi.json", lambda route: route.abort())
    await visit.page.goto(visit.url + PAGE)
    await expect(visit.page.get_by_role("alert")).to_contain_text("cannot be read just now")
    assert urlsplit(visit.page.url).path == PAGE
    visit.calm("ERR_FAILED")
