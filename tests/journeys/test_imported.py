"""Whoever moved here finds everything: their chats, in order, with every picture, film and sound;
and can go on in them. Nothing of anybody else's, and nothing bought.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, expect

from db.ids import new_id
from tests.demo_process import Demo
from tests.house import Served
from tests.importing.moving import Moving, old_systems
from tests.journeys.conftest import Visit, new_visit
from tests.journeys.talk import say_and_hear
from tests.journeys.test_accounts import NOBODY, enter, found
from tests.journeys.test_chat import CARD
from tests.old_systems.files import file_at
from tests.old_systems.superduper import Files
from tests.people import PASSWORD, serve_people
from tests.providers.servers import Exchange, serving
from tests.test_manage_people import Operator

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

#: Both have chats of their own; the guest's chats become Anna's.
ANNA, BEN = "person0@example.com", "person1@example.com"
MESSAGES = "[data-step-type$=_message]"
#: Messages, by their ids, as the page has them.
ORDER = """all => all.map(e => e.querySelector('[id^=step-]').id.slice('step-'.length))"""
#: What is not there yet of a page's media; lazy ones are asked for at once.
MISSING = """() => {
  const media = [...document.querySelectorAll(
    '.kn-cell img, .kn-cell video, .kn-cell audio, [data-step-type] img.inline-image')]
  const isThere = (one) => {
    if (one.tagName === 'IMG') return (one.loading = 'eager') && one.naturalWidth > 0
    if (one.tagName === 'VIDEO') return one.readyState >= 1 && one.videoWidth > 0
    return one.duration > 0
  }
  return media.length - media.filter(isThere).length + document.querySelectorAll(
    '.kn-card[aria-busy=true], .kn-lost').length
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A house into which both old systems were moved."""

    served: Served
    moving: Moving
    demo: Demo
    #: What the demo painter had been asked for before.
    ledger: dict[str, Any]

    def threads(self, email: str) -> dict[str, str]:
        """Ids and names of somebody's chats, newest first."""
        rows = self.moving.rows(
            "select t.id::text, coalesce(t.name, '') from kinora.threads t"
            " join kinora.users u on u.id = t.user_id where u.identifier = %s"
            " order by t.updated_at desc",
            f"password:{email}",
        )
        return dict(rows)

    def messages(self, thread_id: str) -> list[tuple[str, str]]:
        """Ids and words of a thread's messages, in order."""
        return self.moving.rows(
            "select id::text, output from kinora.steps where thread_id = %s"
            " and type like %s order by created_at, seq",
            thread_id,
            "%_message",
        )

    def shown(self, thread_id: str) -> dict[str, int]:
        """How many cards, and how many pictures that a person gave, stand in a thread."""
        ((cards, pictures),) = self.moving.rows(
            "select count(generation_id), count(asset_id) from kinora.elements"
            " where thread_id = %s",
            thread_id,
        )
        return {CARD: cards, "[data-step-type] img.inline-image": pictures}

    async def bought(self) -> list[str]:
        """The generations that the painter was asked for since."""
        book = (await self.demo.client.get("/_ledger")).json()["generations"]
        return [one for one in book if book[one] != self.ledger.get(one)]

    @asynccontextmanager
    async def visited(self, browser: Browser, email: str) -> AsyncIterator[Visit]:
        """Somebody has logged in."""
        async with new_visit(browser, self.served.url) as visit:
            await visit.page.goto(visit.url)
            await enter(visit.page, email)
            await visit.page.wait_for_selector("#chat-input")
            visit.calm(NOBODY)
            visit.errors.clear()
            yield visit


async def old_file(exchange: Exchange) -> None:
    """The store of the media backend."""
    lies = file_at(exchange.path)
    if lies is None:
        await exchange.reply(b"", 404)
    else:
        await exchange.reply(lies[1], headers={"Content-Type": lies[0]})


@pytest.fixture(scope="module")
async def moved(
    fresh_database: Callable[[str], str],
    postgres: Callable[[str], str],
    demo: Demo,
    shared_folder: Path,
) -> AsyncIterator[Moved]:
    url, folder = fresh_database("journeys_imported"), shared_folder / "imported"
    few = {"people": 2, "guests": 1, "media": 8, "documents": 8, "chats": 12, "messages": 12}
    settings = {"DATABASE_URL": url, "DEMO_BASE_URL": demo.url}
    ledger = (await demo.client.get("/_ledger")).json()["generations"]
    async with serving(old_file) as old:
        files = Files(count=80, base_url=old.url)
        with old_systems(postgres, url, folder, files, **few) as moving:
            await moving.bring()
            operator = Operator(folder, **settings)
            for email in (ANNA, BEN):
                typed = f"{PASSWORD}\n".encode()
                given = await operator.run(
                    "users", "password", email, "--password-stdin", typed=typed
                )
                assert given.code == 0, given
            guest = moving.one(
                "select identifier from kinora.users where starts_with(identifier, 'guest:')"
                " and id in (select user_id from kinora.threads)"
            )
            adopted = await operator.run("users", "adopt", guest, ANNA)
            assert adopted.code == 0, adopted
            async with serve_people(folder, IMPORT_ORIGINS=old.url, **settings) as served:
                yield Moved(served=served, moving=moving, demo=demo, ledger=ledger)


async def sees(page: Page, moved: Moved, thread_id: str) -> None:
    """The thread that is open is whole: each message in its place, each file decoded."""
    said = moved.messages(thread_id)
    await expect(page.locator(MESSAGES)).to_have_count(len(said))
    assert await page.locator(MESSAGES).evaluate_all(ORDER) == [one for one, _ in said]
    texts = await page.locator(MESSAGES).all_inner_texts()
    for (_, words), text in zip(said, texts, strict=True):
        assert re.findall(r"word\d+", words) == re.findall(r"word\d+", text)
        assert "FILE_ID" not in text
        assert '"fileId"' not in text
    for selector, count in moved.shown(thread_id).items():
        await expect(page.locator(selector)).to_have_count(count)
    await page.wait_for_function(f"() => ({MISSING})() === 0")


@pytest.mark.parametrize("email", [ANNA, BEN])
async def test_each_finds_all_their_chats_whole(
    browser: Browser, moved: Moved, email: str, tmp_path: Path
) -> None:
    threads = moved.threads(email)
    theirs = [one for one in moved.moving.talk.chats if (one.email or ANNA) == email]
    assert {one.id for one in theirs} <= threads.keys()
    async with moved.visited(browser, email) as visit:
        page = visit.page
        links = page.locator("#thread-history a")
        await expect(links).to_have_count(len(threads))
        names = [name.strip() for name in await links.all_inner_texts()]
        assert sorted(names) == sorted(threads.values())
        for number, thread_id in enumerate(threads):
            if number < 3:
                await page.locator(f"#thread-history a[href='/thread/{thread_id}']").click()
                await page.wait_for_url(f"**/thread/{thread_id}")
            else:
                await page.goto(f"{visit.url}/thread/{thread_id}")
            await sees(page, moved, thread_id)
        await page.screenshot(path=tmp_path / "thread.png")
        visit.calm()
    assert await moved.bought() == []


async def test_nobody_finds_anything_of_the_other(browser: Browser, moved: Moved) -> None:
    anna, ben = moved.threads(ANNA), moved.threads(BEN)
    assert not anna.keys() & ben.keys()
    async with moved.visited(browser, BEN) as visit:
        page = visit.page
        for thread_id in anna:
            answer = await page.request.get(f"{visit.url}/project/thread/{thread_id}")
            assert answer.status == 404
        files = moved.moving.rows(
            "select a.id::text from kinora.assets a join kinora.users u on u.id = a.user_id"
            " where u.identifier = %s limit 20",
            f"password:{ANNA}",
        )
        assert len(files) == 20
        for (asset_id,) in files:
            for path in (asset_id, f"{asset_id}?w=512"):
                assert (await page.request.get(f"{visit.url}/media/{path}")).status == 404
        await page.goto(f"{visit.url}/thread/{next(iter(anna))}")
        await expect(page).to_have_url(f"{visit.url}/")
        await expect(page.locator(f"{MESSAGES}, {CARD}")).to_have_count(0)
        visit.calm("status of 404")


async def test_votes_are_shown_and_words_and_prompts_are_found(
    browser: Browser, moved: Moved
) -> None:
    chat = next(one for one in moved.moving.talk.chats if one.email == BEN and one.upvoted)
    voted = chat.upvoted[0]
    async with moved.visited(browser, BEN) as visit:
        page = visit.page
        await page.goto(f"{visit.url}/thread/{chat.id}")
        thumbs = page.locator(f"[id='step-{voted}'] .positive-feedback-on")
        await expect(thumbs).to_have_attribute("aria-pressed", "true")
        up, down = page.locator(".positive-feedback-on"), page.locator(".negative-feedback-on")
        await expect(up).to_have_count(len(chat.upvoted))
        await expect(down).to_have_count(len(chat.downvoted))
        # A search finds beginnings of words, and there are three digits at most.
        said = "".join(text for one in moved.threads(BEN) for _, text in moved.messages(one))
        await found(page, re.findall(r"word\d{3}", said)[0], 1)
        ((prompt, generation_id),) = moved.moving.rows(
            "select prompt, id::text from kinora.generations where thread_id = %s"
            " and prompt like %s limit 1",
            chat.id,
            "%, file__",
        )
        asked = await page.request.get(
            f"{visit.url}/api/generations", params={"q": prompt.rpartition(" ")[2]}
        )
        data = (await asked.json())["data"]
        assert [(one["id"], one["prompt"]) for one in data] == [(generation_id, prompt)]
        visit.calm()


async def test_a_handle_is_that_of_its_own_chat(browser: Browser, moved: Moved) -> None:
    """A picture that stands in two chats: in the other one its #1 would be something else."""
    threads = [one.id for one in moved.moving.talk.chats if one.email == BEN]
    (generation_id, home), *_ = moved.moving.rows(
        "select id::text, thread_id::text from kinora.generations where number = 1"
        " and thread_id::text = any(%s)",
        threads,
    )
    other = next(one for one in threads if one != home and one in moved.threads(BEN))
    shown_too = [new_id(), other, moved.messages(other)[-1][0], generation_id]
    moved.moving.rows(
        "insert into kinora.elements (id, thread_id, step_id, type, name, generation_id)"
        " values (%s, %s, %s, 'custom', 'GenerationCard', %s) returning 1",
        *shown_too,
    )
    async with moved.visited(browser, BEN) as visit:
        card = visit.page.locator(f"[data-generation='{generation_id}']")
        for thread_id, handles in ((home, 1), (other, 0)):
            await visit.page.goto(f"{visit.url}/thread/{thread_id}")
            await expect(card).to_contain_text("Ready")
            await expect(card.locator(".kn-handle")).to_have_count(handles)
        visit.calm()


async def test_a_chat_goes_on_where_it_ended(
    browser: Browser, moved: Moved, calm_demo: Demo
) -> None:
    """Comes last: afterwards the painter has been asked for something."""
    thread_id, imported = moved.moving.rows(
        "select t.id::text, g.id::text from kinora.generations g"
        " join kinora.threads t on t.id = g.thread_id join kinora.users u on u.id = t.user_id"
        " where u.identifier = %s and g.number = 1 and g.kind = 'image' limit 1",
        f"password:{ANNA}",
    )[0]
    async with moved.visited(browser, ANNA) as visit:
        page = visit.page
        await visit.open(f"/thread/{thread_id}")
        before = await page.locator(CARD).count()
        assert await say_and_hear(page, "[[say: I am still here]]") == "I am still here"
        await visit.say("Make #1 blue with demo-image-quick")
        made = page.locator(f"{CARD}[data-status=completed]").nth(before)
        await expect(made).to_be_visible()
        await page.wait_for_function(f"() => ({MISSING})() === 0")
        new = await made.get_attribute("data-generation")
        assert await moved.bought() == [new]
        assert (await calm_demo.ledger(str(new)))["submits"] == 1
        told = await (await page.request.get(f"{visit.url}/api/generations/{new}")).json()
        assert (told["parent_id"], told["thread_id"]) == (imported, thread_id)
        ((source,),) = moved.moving.rows(
            "select id::text from kinora.assets where generation_id = %s", UUID(imported)
        )
        assert [one["asset_id"] for one in told["inputs"]] == [source]
        visit.calm()
