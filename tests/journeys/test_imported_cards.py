"""Cards of what came from an old system: where from, how it ended there, and no button that nobody
over there would hear.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from PIL import Image
from playwright.async_api import Browser, Locator, expect

from db.ids import new_id
from tests.demo_process import Demo
from tests.generations.imported_rows import insert_file, insert_imported
from tests.house import Served, serve
from tests.journeys.conftest import Visit, new_visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

NOTE = "The old system called it completed, but kept no file of it."
KINDS: list[dict[str, Any]] = [
    {"status": "in_progress", "kind": "video", "prompt": "a storm at sea"},
    {"status": "failed", "provider": "chatbot"},
    {"status": "completed", "notes": [NOTE], "params": {"style": "oil"}},
    {"status": "completed", "prompt": "", "model": "unknown"},
    {"status": "completed", "params": {"aspect_ratio": "4:3", "seed": 7}},
    {"status": "cancelled"},
]
LEFT_OPEN, FAILED, NOTED, NAMELESS, WHOLE, _CANCELLED = range(len(KINDS))


@dataclass(frozen=True, slots=True)
class Album:
    """A conversation with one card of each kind."""

    served: Served
    thread_id: UUID
    ids: list[UUID]
    database_url: str

    def stands(self, index: int) -> str | None:
        """What the row says by now; None: it was deleted."""
        query = "select status from kinora.generations where id = %s and deleted_at is null"
        with psycopg.connect(self.database_url) as connection:
            found = connection.execute(query, [self.ids[index]]).fetchone()
        return None if found is None else str(found[0])


@pytest.fixture
async def album(database_url: str, demo: Demo, tmp_path: Path) -> AsyncIterator[Album]:
    settings = {"DATABASE_URL": database_url, "DEMO_BASE_URL": demo.url}
    async with serve(tmp_path / "served", **settings) as served:
        thread_id, step_id = new_id(), new_id()
        with psycopg.connect(database_url) as connection:
            found = connection.execute(
                "select id from kinora.users where identifier = 'local'"
            ).fetchone()
            assert found is not None
            connection.execute(
                "insert into kinora.threads (id, user_id, name) values (%s, %s, 'Of old')",
                (thread_id, found[0]),
            )
            connection.execute(
                "insert into kinora.steps (id, thread_id, name, type, output)"
                " values (%s, %s, 'Kinora', 'assistant_message', 'There they are.')",
                (step_id, thread_id),
            )
        ids = []
        for number, columns in enumerate(KINDS, 1):
            more = {**columns, "thread_id": thread_id, "number": number}
            known = insert_imported(database_url, found[0], **more)
            ids.append(known)
            with psycopg.connect(database_url) as connection:
                connection.execute(
                    "insert into kinora.elements"
                    " (id, thread_id, step_id, type, name, generation_id)"
                    " values (%s, %s, %s, 'custom', 'GenerationCard', %s)",
                    (new_id(), thread_id, step_id, known),
                )
        _give_file(database_url, tmp_path / "served", found[0], ids[WHOLE])
        yield Album(served, thread_id, ids, database_url)


def _give_file(database_url: str, data_dir: Path, user_id: UUID, generation_id: UUID) -> None:
    drawn = BytesIO()
    Image.new("RGB", (640, 480), "teal").save(drawn, "PNG")
    key = f"generations/{generation_id}/0.png"
    path = data_dir / "files" / key
    path.parent.mkdir(parents=True)
    path.write_bytes(drawn.getvalue())
    sizes = {"width_px": 640, "height_px": 480, "size_bytes": len(drawn.getvalue())}
    insert_file(database_url, user_id, generation_id, storage_key=key, sha256="ab" * 32, **sizes)


async def shown(visit: Visit, album: Album) -> list[Locator]:
    """The cards, once all are there."""
    await visit.open(f"/thread/{album.thread_id}")
    cards = [visit.page.locator(f'article[data-generation="{one}"]') for one in album.ids]
    for card in cards:
        await card.wait_for()
    return cards


async def test_a_card_says_where_from_and_promises_nothing(
    album: Album, browser: Browser, tmp_path: Path
) -> None:
    async with new_visit(browser, album.served.url) as visit:
        cards = await shown(visit, album)
        for card in cards:
            await expect(card.get_by_role("button", name="Try again")).to_have_count(0)
            await expect(card.get_by_role("button", name="Cancel")).to_have_count(0)
            await expect(card.locator(".kn-reel")).to_have_count(0)
            await expect(card.get_by_role("progressbar")).to_have_count(0)
        for index, system in ((LEFT_OPEN, "SuperDuperAI"), (FAILED, "Super Chatbot")):
            await expect(cards[index]).to_contain_text(f"Imported from {system}")
        await expect(cards[LEFT_OPEN]).to_contain_text("Nothing follows.")
        await expect(cards[FAILED]).to_contain_text("It had failed in the old system.")
        await expect(cards[NOTED]).to_contain_text(NOTE)
        await expect(cards[NAMELESS]).to_contain_text("had no file of it any more")
        await expect(cards[NAMELESS].locator(".kn-prompt")).to_have_count(0)
        await expect(cards[NAMELESS]).not_to_contain_text("Unknown")
        await expect(cards[WHOLE].locator("img[data-state=shown]")).to_have_count(1)
        await visit.page.screenshot(path=tmp_path / "cards.png")
        visit.calm()


async def test_one_that_was_left_open_can_be_deleted_and_stays_so(
    album: Album, browser: Browser
) -> None:
    async with new_visit(browser, album.served.url) as visit:
        card = (await shown(visit, album))[LEFT_OPEN]
        await expect(card.locator(".kn-actions button")).to_have_count(1)
        await card.get_by_role("button", name="Delete").click()
        await expect(card).to_have_text("This generation was deleted.")
        assert album.stands(LEFT_OPEN) is None
        visit.calm()
        again = (await shown(visit, album))[LEFT_OPEN]
        await expect(again).to_have_text("This generation was deleted.")


async def test_it_is_said_in_russian_too(album: Album, browser: Browser) -> None:
    async with new_visit(browser, album.served.url, locale="ru-RU") as visit:
        cards = await shown(visit, album)
        await expect(cards[LEFT_OPEN]).to_contain_text("Перенесено из SuperDuperAI")
        await expect(cards[LEFT_OPEN]).to_contain_text("Продолжения не будет.")
        await expect(cards[LEFT_OPEN].get_by_role("button", name="Удалить")).to_have_count(1)
        await expect(cards[FAILED]).to_contain_text("В прежней системе это не получилось.")
        await expect(cards[FAILED]).not_to_contain_text("It had failed")
        await expect(cards[NOTED]).to_contain_text("файла там не осталось")
        visit.calm()
