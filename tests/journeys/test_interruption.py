"""A turn that the end of its process has cut says so, and can be taken up again."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.agent.scripted_server import Reply, calls, says, scripted_server, sse
from tests.demo_process import Demo
from tests.house import free_port, serve
from tests.journeys.conftest import new_visit
from tests.journeys.test_chat import CARD, card, generation_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

DRAW = ("generate_image", json.dumps({"prompt": "a mill", "model": "demo-image-quick"}))
SILENCE = Reply(blocks=sse("", done=False), end="hold")


async def test_a_cut_turn_is_taken_up_again_and_buys_nothing_twice(
    browser: Browser, database_url: str, calm_demo: Demo, shared_folder: Path
) -> None:
    script = (calls(DRAW), SILENCE, calls(DRAW), says("The mill is on its way."))
    async with scripted_server(*script) as chat:
        settings = {
            "DATABASE_URL": database_url,
            "DEMO_BASE_URL": calm_demo.url,
            "OPENAI_BASE_URL": chat.base_url,
            "CHAT_MODEL": "scripted",
            "PORT": str(free_port()),
        }
        folder = shared_folder / "interrupted"
        async with serve(folder, **settings) as first, new_visit(browser, first.url) as visit:
            await visit.open()
            await visit.say("Draw a mill")
            await visit.page.wait_for_selector(card(1, "completed"))
            first.signal(signal.SIGKILL)
            await first.ended()
            async with serve(folder, **settings):
                again = visit.page.locator(".kn-interrupted button")
                await again.wait_for(timeout=60_000)
                generation_id = await generation_of(visit, 1)
                await again.click()
                answer = visit.page.locator("[data-step-type=assistant_message]").last
                await expect(answer).to_contain_text("The mill is on its way.")
                await visit.page.reload()
                await visit.page.wait_for_selector(card(1, "completed"))
                await expect(visit.page.locator(".kn-interrupted")).to_have_count(0)
                await expect(visit.page.locator(CARD)).to_have_count(1)
                assert await generation_of(visit, 1) == generation_id
                assert (await calm_demo.ledger(generation_id))["submits"] == 1
