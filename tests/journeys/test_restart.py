"""Whatever dies meanwhile: what was accepted is finished, and paid for once."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.demo_process import Demo
from tests.house import free_port, serve
from tests.journeys.conftest import new_visit
from tests.journeys.test_chat import card, generation_of, picture_size

pytestmark = pytest.mark.timeout(180)


@pytest.mark.browser
async def test_a_generation_outlives_kill_9_of_the_server(
    browser: Browser, database_url: str, calm_demo: Demo, shared_folder: Path
) -> None:
    settings = {
        "DATABASE_URL": database_url,
        "DEMO_BASE_URL": calm_demo.url,
        "PORT": str(free_port()),
    }
    folder = shared_folder / "kill"
    await calm_demo.hold(True)
    async with serve(folder, **settings) as first, new_visit(browser, first.url) as visit:
        await visit.open()
        await visit.say("Draw a lighthouse with demo-image-quick")
        await visit.page.wait_for_selector(card(1, "in_progress"))
        generation_id = await generation_of(visit, 1)
        first.signal(signal.SIGKILL)
        await first.ended()
        await calm_demo.hold(False)
        async with serve(folder, **settings):
            # No reload: the page finds its server again and the card goes on by itself.
            await visit.page.wait_for_selector(card(1, "completed"), timeout=60_000)
            width, _ = await picture_size(visit, 1)
            assert width > 0
            ledger = await calm_demo.ledger(generation_id)
            assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)
            await visit.page.reload()
            await visit.page.wait_for_selector(card(1, "completed"))


@pytest.mark.browser
async def test_a_turn_that_dies_after_its_answer_was_written_is_taken_up_and_buys_nothing_twice(
    browser: Browser, database_url: str, calm_demo: Demo, shared_folder: Path
) -> None:
    settings = {
        "DATABASE_URL": database_url,
        "DEMO_BASE_URL": calm_demo.url,
        "PORT": str(free_port()),
    }
    folder = shared_folder / "written"
    async with (
        serve(folder, CRASHPOINT="turn.step-written", **settings) as first,
        new_visit(browser, first.url) as visit,
    ):
        await visit.open()
        await visit.say("Draw a lighthouse with demo-image-quick")
        assert await first.ended() == -signal.SIGKILL
        async with serve(folder, **settings):
            await visit.page.wait_for_selector(card(1, "completed"), timeout=60_000)
            await visit.page.reload()
            await visit.page.wait_for_selector(card(1, "completed"))
            await expect(visit.page.locator("article.kn-card[data-generation]")).to_have_count(1)
            ledger = await calm_demo.ledger(await generation_of(visit, 1))
            assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)


async def test_a_submit_whose_answer_died_with_us_is_not_bought_twice(
    database_url: str, calm_demo: Demo, shared_folder: Path
) -> None:
    settings = {"DATABASE_URL": database_url, "DEMO_BASE_URL": calm_demo.url}
    folder = shared_folder / "lost"
    await calm_demo.fault(on="submit", fault="hang", times=1)
    async with serve(folder, **settings) as first:
        body = {"prompt": "a boat", "model": "demo-image-quick"}
        started = (await first.client.post("/api/tools/generate_image", json=body)).json()
        # The provider has accepted, and will never answer.
        await calm_demo.until(started["id"], "submits:1")
        first.signal(signal.SIGKILL)
        await first.ended()
    async with serve(folder, **settings) as second:
        place = f"/api/generations/{started['id']}"
        done = (await second.client.get(place, params={"wait": 60})).json()
        assert done["status"] == "completed", done["error"]
        ledger = await calm_demo.ledger(started["id"])
        assert ledger["submits"] == 1
        assert ledger["submit_requests"] == 2


@pytest.mark.browser
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
async def test_a_stop_with_browser_and_streams_open_ends_with_code_0_within_2_s(
    browser: Browser,
    database_url: str,
    calm_demo: Demo,
    shared_folder: Path,
    number: signal.Signals,
) -> None:
    settings = {"DATABASE_URL": database_url, "DEMO_BASE_URL": calm_demo.url}
    async with (
        serve(shared_folder / f"stop-{number}", **settings) as served,
        new_visit(browser, served.url) as visit,
    ):
        await visit.open()
        await calm_demo.hold(True)
        await visit.say("Make a 2 second video of the sea with demo-video-quick")
        await visit.page.wait_for_selector(card(1, "in_progress"))
        await expect(visit.page.locator("#stop-button")).to_have_count(0)
        served.signal(number)
        # The one place where elapsed time is the promise itself.
        async with asyncio.timeout(2):
            assert await served.process.wait() == 0, served.lines[-20:]
