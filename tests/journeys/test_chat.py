"""What a person sees, in a real browser: decoded pixels, and the provider's own ledger."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import expect

from tests.demo_process import Demo
from tests.house import Served
from tests.journeys.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

CARD = "article.kn-card"


def card(number: int, status: str | None = None) -> str:
    """The card of a generation, counted from 1 in the order of the page, in this status."""
    wanted = f'[data-status="{status}"]' if status else ""
    return f":nth-match({CARD}, {number}):is({CARD}{wanted})"


async def generation_of(visit: Visit, number: int) -> str:
    found = await visit.page.locator(card(number)).get_attribute("data-generation")
    assert found is not None
    return found


async def picture_size(visit: Visit, number: int) -> tuple[int, int]:
    """Width and height of the decoded pixels in a card."""
    picture = visit.page.locator(f"{card(number)} .kn-shot img")
    await picture.wait_for()
    await visit.page.wait_for_function(
        "id => document.querySelector(`[data-generation='${id}'] .kn-shot img`)?.naturalWidth > 0",
        arg=await generation_of(visit, number),
    )
    size: list[int] = await picture.evaluate("e => [e.naturalWidth, e.naturalHeight]")
    return size[0], size[1]


async def test_a_sentence_becomes_a_picture_and_the_picture_a_film(
    visit: Visit, calm_demo: Demo
) -> None:
    await visit.open()
    assert await visit.page.title() == "Kinora"
    assert await visit.page.locator("button:has-text('Draw a red fox in the snow')").count() == 1
    await visit.say("Draw a red fox in the snow, 16:9, with demo-image-quick")
    await visit.page.wait_for_selector(card(1, "completed"))
    width, height = await picture_size(visit, 1)
    assert width / height == pytest.approx(16 / 9, rel=0.02)
    assert (await calm_demo.ledger(await generation_of(visit, 1)))["submits"] == 1

    await visit.say("Now animate it for 4 seconds with demo-video-quick")
    await visit.page.wait_for_selector(card(2, "completed"))
    film = visit.page.locator(f"{card(2)} video")
    await film.evaluate("e => e.play()")
    await visit.page.wait_for_function("() => document.querySelector('video')?.currentTime > 0.3")
    seen: dict[str, float] = await film.evaluate("e => ({w: e.videoWidth, d: e.duration})")
    assert seen["w"] > 0
    assert seen["d"] == pytest.approx(4, abs=0.2)
    made = await visit.page.request.get(
        f"{visit.url}/api/generations/{await generation_of(visit, 2)}"
    )
    assert [given["role"] for given in (await made.json())["inputs"]] == ["start"]

    await visit.say("Make it blue")
    await visit.page.wait_for_selector(card(3, "completed"))
    before, after = await average(visit, 1), await average(visit, 3)
    assert after[2] - after[0] > before[2] - before[0] + 20, (before, after)
    visit.calm()


async def average(visit: Visit, number: int) -> tuple[float, float, float]:
    """The mean colour of a card's picture, from its downloaded bytes."""
    source = await visit.page.locator(f"{card(number)} .kn-shot img").get_attribute("src")
    assert source is not None
    path = source if source.startswith("http") else visit.url + source
    data = await (await visit.page.request.get(path.split("?")[0])).body()
    pixel: Any = Image.open(io.BytesIO(data)).convert("RGB").resize((1, 1)).getpixel((0, 0))
    return float(pixel[0]), float(pixel[1]), float(pixel[2])


async def test_a_picture_opens_large_and_can_be_saved(visit: Visit, calm_demo: Demo) -> None:
    await visit.open()
    await visit.say("Draw a boat with demo-image-quick")
    await visit.page.wait_for_selector(card(1, "completed"))
    await visit.page.click(f"{card(1)} .kn-shot")
    large = visit.page.locator("dialog.kn-lightbox[open] img")
    await large.wait_for()
    await visit.page.keyboard.press("Escape")
    await expect(visit.page.locator("dialog.kn-lightbox[open]")).to_have_count(0)
    async with visit.page.expect_download() as saving:
        await visit.page.click(f"{card(1)} a.kn-button[download]")
    saved = await (await saving.value).path()
    with Image.open(saved) as picture:
        assert picture.width > 0
    visit.calm()


async def test_progress_is_seen_and_cancel_works_by_button_and_in_words(
    visit: Visit, calm_demo: Demo
) -> None:
    await calm_demo.hold(True)
    await visit.open()
    await visit.say("Make a 3 second video of the sea with demo-video-quick")
    await visit.page.wait_for_selector(card(1, "in_progress"))
    await visit.page.wait_for_selector(f"{card(1)} [role=progressbar]")
    await visit.page.click(f"{card(1)} button:has-text('Cancel')")
    await visit.page.wait_for_selector(card(1, "cancelled"))
    assert (await calm_demo.ledger(await generation_of(visit, 1)))["cancels"] >= 1

    await visit.say("Make a 3 second video of a train with demo-video-quick")
    await visit.page.wait_for_selector(card(2, "in_progress"))
    await visit.say("Cancel it")
    await visit.page.wait_for_selector(card(2, "cancelled"))
    visit.calm()


async def test_an_impossible_wish_is_answered_with_what_is_possible(
    visit: Visit, calm_demo: Demo
) -> None:
    await visit.open()
    await visit.say("Make a 900 second video of the sea")
    answer = visit.page.locator("[data-step-type=assistant_message]").last
    await expect(answer).to_contain_text("10")
    await expect(answer).to_contain_text("900")
    assert await visit.page.locator(CARD).count() == 0
    await visit.say("Draw a cat with demo-image-quick")
    await visit.page.wait_for_selector(card(1, "completed"))
    visit.calm()


PASTE = """([name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0))
  const data = new DataTransfer()
  data.items.add(new File([bytes], name, {type: 'image/jpeg'}))
  const paste = new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})
  document.querySelector('#chat-input').dispatchEvent(paste)
}"""


@pytest.mark.parametrize("way", ["chosen", pytest.param("pasted", marks=pytest.mark.long)])
async def test_a_photo_given_by_a_person_is_edited_and_animated(
    visit: Visit, calm_demo: Demo, tmp_path: Path, way: str
) -> None:
    photo = tmp_path / "garden.jpg"
    Image.new("RGB", (480, 320), (200, 120, 40)).save(photo)
    await visit.open()
    await visit.page.click("#chat-input")
    async with visit.page.expect_response(lambda answer: "/project/file" in answer.url):
        if way == "chosen":
            await visit.page.locator("input[type=file]").first.set_input_files(photo)
        else:
            content = base64.b64encode(photo.read_bytes()).decode()
            await visit.page.evaluate(PASTE, [photo.name, content])
    await visit.page.wait_for_selector("#message-composer img")
    await visit.say("Make it blue with demo-image-quick")
    await visit.page.wait_for_selector(card(1, "completed"))
    width, height = await picture_size(visit, 1)
    assert width / height == pytest.approx(1.5, rel=0.05)
    blue = await average(visit, 1)
    assert blue[2] > blue[0]
    await visit.say("Now animate it for 2 seconds with demo-video-quick")
    await visit.page.wait_for_selector(card(2, "completed"))
    await visit.page.reload()
    await visit.page.wait_for_selector(card(2, "completed"))
    shown = visit.page.locator("[data-step-type=user_message] img").first
    await shown.wait_for()
    await visit.page.wait_for_function(
        "() => document.querySelector('[data-step-type=user_message] img')?.naturalWidth === 480"
    )
    visit.calm()


async def test_cards_of_one_message_stand_in_order_live_and_after_a_reload(
    visit: Visit, calm_demo: Demo
) -> None:
    await visit.open()
    calls = [
        {
            "name": "generate_image",
            "arguments": {"prompt": f"boat {n}", "model": "demo-image-quick"},
        }
        for n in range(1, 7)
    ]
    await visit.say(f"[[calls: {as_json(calls)}]]")
    await visit.page.wait_for_selector(card(6, "completed"))
    handles = visit.page.locator(f"{CARD} .kn-handle")
    wanted = [f"#{n}" for n in range(1, 7)]
    await expect(handles).to_have_text(wanted)
    await visit.page.reload()
    await expect(handles).to_have_text(wanted)
    visit.calm()


def as_json(value: Any) -> str:
    return json.dumps(value)


WRONG = ['{"prompt": "a fo', "[]", '{"prompt": "a", "colour": 1}', '{"prompt": "a \\\\u0000 b"}']


async def test_a_model_that_calls_wrongly_is_told_so_and_nothing_is_lost(
    visit: Visit, calm_demo: Demo
) -> None:
    await visit.open()
    answers = visit.page.locator("[data-step-type=assistant_message]")
    for number, arguments in enumerate(WRONG):
        calls = [{"name": "generate_image", "arguments": arguments}]
        await visit.say(f"[[calls: {as_json(calls)}]]")
        await expect(answers).to_have_count(number + 1)
        await expect(answers.last).not_to_be_empty(timeout=15_000)
        await expect(visit.page.locator("#stop-button")).to_have_count(0)
    await visit.say("Draw a cat with demo-image-quick")
    await visit.page.wait_for_selector(card(1, "completed"))
    visit.calm()


async def test_a_second_page_load_does_not_stall_a_running_stream(
    visit: Visit, server: Served, calm_demo: Demo
) -> None:
    """The bundles are packed once: while a page loads, pieces of a stream keep coming."""
    await visit.open()
    await visit.say("[[slow: 60 words]]")
    await visit.page.wait_for_selector("#stop-button")
    other = await visit.context.new_page()
    await other.goto(visit.url)
    await other.wait_for_selector("#chat-input")
    await expect(visit.page.locator("#stop-button")).to_have_count(0)
    visit.calm()
