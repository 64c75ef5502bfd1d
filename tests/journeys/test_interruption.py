"""What cannot go on is said: a turn cut by the end of its process, a message nobody could store."""

from __future__ import annotations

import asyncio
import json
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.agent.scripted_server import Reply, calls, says, scripted_server, sse
from tests.demo_process import Demo
from tests.house import free_port, serve
from tests.journeys.conftest import new_visit
from tests.journeys.test_chat import CARD, card, generation_of
from tests.proxy import wire_to

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

DRAW = ("generate_image", json.dumps({"prompt": "a mill", "model": "demo-image-quick"}))
SILENCE = Reply(blocks=sse("", done=False), end="hold")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """The path of a socket has to be short."""
    with tempfile.TemporaryDirectory(prefix="kn-") as folder:
        yield Path(folder)


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


async def test_a_message_is_stored_or_visibly_failed_while_the_database_is_away(
    browser: Browser, database_url: str, calm_demo: Demo, shared_folder: Path, short_folder: Path
) -> None:
    async with wire_to(database_url, short_folder) as wire:
        settings = {"DATABASE_URL": wire.url, "DEMO_BASE_URL": calm_demo.url}
        async with (
            serve(shared_folder / "away", **settings) as served,
            new_visit(browser, served.url) as visit,
        ):
            await visit.open()
            await visit.say("[[say: one]]")
            answers = visit.page.locator("[data-step-type=assistant_message]")
            await expect(answers.last).to_contain_text("one")
            wire.cut()
            assert (await served.client.get("/readyz")).status_code == 503
            await visit.say("[[say: two]]")
            await expect(answers.last).to_contain_text("not stored")
            wire.mend()
            await expect_ready(served.client)
            await visit.say("[[say: three]]")
            await expect(answers.last).to_contain_text("three")
            await visit.page.reload()
            messages = visit.page.locator("[data-step-type=user_message]")
            await expect(messages).to_have_text(["[[say: one]]", "[[say: three]]"])


async def expect_ready(client: httpx.AsyncClient) -> None:
    """Ready again, by itself."""
    async with asyncio.timeout(30):
        while (await client.get("/readyz")).status_code != 200:
            pass
