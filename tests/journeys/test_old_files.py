"""Cards of what an old system made: sounds play, and what is lost says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.db.samples import film
from tests.db.test_sounds import WAV, sound
from tests.demo_process import Demo
from tests.house import serve
from tests.journeys.conftest import Visit, new_visit
from tests.journeys.test_chat import card
from tests.old_files import OldStorage, old_storage, run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

#: The one picture becomes one that was imported, and whose file is elsewhere.
IMPORTED = """
    update kinora.generations set legacy_id = 'superduper:file:1', provider = 'superduper',
        endpoint = 'import', kind = %s, version = version + 1
"""
ELSEWHERE = """
    update kinora.assets set id = gen_random_uuid(), storage_key = null, thumbnail_key = null,
        sha256 = null, size_bytes = null, width_px = null, height_px = null, media_type = %s
"""
ADDRESS = "insert into kinora.remote_files (asset_id, url) select id, %s from kinora.assets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A conversation with one card, and an old system to which its file is moved."""

    database_url: str
    old: OldStorage
    visit: Visit

    async def see(self, media_type: str, url: str) -> Locator:
        """The card, when its file is elsewhere, after the page was loaded again."""
        run(self.database_url, "delete from kinora.remote_files")
        run(self.database_url, IMPORTED, media_type.partition("/")[0])
        run(self.database_url, ELSEWHERE, media_type)
        run(self.database_url, ADDRESS, url)
        await self.visit.page.reload()
        return self.visit.page.locator(card(1))


@pytest.fixture
async def moved(
    browser: Browser,
    fresh_database: Callable[[str], str],
    demo: Demo,
    shared_folder: Path,
    tmp_path: Path,
) -> AsyncIterator[Moved]:
    url = fresh_database("cards_of_old_files")
    settings = {"DATABASE_URL": url, "DEMO_BASE_URL": demo.url}
    async with (
        old_storage() as old,
        serve(shared_folder / "cards_of_old", IMPORT_ORIGINS=old.url, **settings) as served,
        new_visit(browser, served.url) as visit,
    ):
        await visit.open()
        await visit.say("Draw a red fox with demo-image-quick")
        await visit.page.wait_for_selector(card(1, "completed"))
        yield Moved(database_url=url, old=old, visit=visit)
        await visit.page.screenshot(path=tmp_path / "last.png")


async def test_sounds_play_and_what_is_lost_says_so(
    moved: Moved, calm_demo: Demo, tmp_path: Path
) -> None:
    for media_type, element in (
        ("image/png", "img"),
        ("video/mp4", "video"),
        ("audio/mpeg", "audio"),
    ):
        found = await moved.see(media_type, f"{moved.old.url}/lost")
        await expect(found.locator(".kn-lost")).to_contain_text("It could not be loaded.")
        await expect(found.locator(f".kn-cell {element}")).to_have_count(0)
        await moved.visit.page.screenshot(path=tmp_path / f"lost-{element}.png")

    moved.old.odd["/later"] = (503, {})
    found = await moved.see("video/mp4", f"{moved.old.url}/later")
    await expect(found.locator(".kn-lost")).to_be_visible()
    del moved.old.odd["/later"]
    moved.old.keep("/later", film("mp4", "libx264"))
    run(moved.database_url, "update kinora.remote_files set tries = 0")
    await found.get_by_role("button", name="Try again").click()
    await expect(found.locator("video")).to_have_js_property("videoWidth", 320)

    found = await moved.see("audio/mpeg", moved.old.keep("/sound", sound(*WAV)))
    player = found.locator("audio")
    await expect(player).to_have_js_property("duration", 1)
    await player.evaluate("e => e.play()")
    await expect(player).to_have_js_property("ended", True)
    box = await player.bounding_box()
    assert box is not None
    assert box["height"] >= 50
    await moved.visit.page.screenshot(path=tmp_path / "sound.png")
