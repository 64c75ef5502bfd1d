"""Nothing is lost on its way into a message: no picture, and no word."""

from __future__ import annotations

import asyncio
import base64
import io
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Route, expect

from tests.demo_process import Demo
from tests.journeys.conftest import Visit
from tests.journeys.test_chat import PASTE, card, generation_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def photo(colour: tuple[int, int, int] = (200, 120, 40)) -> str:
    """A JPEG picture in Base64."""
    data = io.BytesIO()
    Image.new("RGB", (480, 320), colour).save(data, "JPEG")
    return base64.b64encode(data.getvalue()).decode()


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
