"""Cards that keep running for as long as a test wants, and what pages tell of them."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page, expect

from tests.demo_process import Demo
from tests.house import Served
from tests.journeys.conftest import Visit
from tests.journeys.test_chat import CARD

#: What a page writes down: its streams of events, and when a card came to a state.
NOTES = """(() => {
  window.streams = []
  const Real = window.EventSource
  window.EventSource = class extends Real {
    constructor(...given) {
      super(...given)
      window.streams.push(this)
      for (const kind of ['open', 'error']) this.addEventListener(kind, window.streamChanged)
      window.streamChanged()
    }
    close() { super.close(); window.streamChanged() }
  }
  window.reached = {}
  const note = (card) => {
    if (!card.matches?.('article.kn-card[data-status]')) return
    window.reached[`${card.dataset.generation} ${card.dataset.status}`] ??= Date.now()
  }
  new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      note(target)
      for (const node of addedNodes) {
        note(node)
        node.querySelectorAll?.('article.kn-card').forEach(note)
      }
    }
  }).observe(document, {childList: true, subtree: true, attributes: true})
})()"""
OPEN_STREAMS = "() => window.streams.filter((stream) => stream.readyState !== 2).length"
ORDER = "(cards) => cards.map((card) => card.dataset.generation)"


async def take_notes(context: BrowserContext) -> asyncio.Event:
    """Have every page of this browser, from its next load on, take notes; the event is set when a
    stream has come or gone.
    """
    changed = asyncio.Event()
    await context.expose_binding("streamChanged", lambda *_: changed.set())
    await context.add_init_script(NOTES)
    return changed


async def draw_held(visit: Visit, demo: Demo, count: int) -> list[str]:
    """Start so many pictures that stay unfinished; returns their ids in the order of the page."""
    await demo.hold(True)
    arguments = [{"prompt": f"boat {n}", "model": "demo-image-quick"} for n in range(count)]
    calls = [{"name": "generate_image", "arguments": given} for given in arguments]
    await visit.say(f"[[calls: {json.dumps(calls)}]]")
    await all_are(visit.page, count, "in_progress")
    await visit.page.wait_for_selector("#stop-button", state="detached")
    return await order(visit.page)


async def all_are(page: Page, count: int, status: str, within_s: float = 30.0) -> None:
    """Wait until the page has exactly these cards, all in this status."""
    await expect(page.locator(CARD)).to_have_count(count, timeout=within_s * 1000)
    wanted = page.locator(f'{CARD}[data-status="{status}"]')
    await expect(wanted).to_have_count(count, timeout=within_s * 1000)
    assert await page.locator(CARD).count() == count


async def order(page: Page) -> list[str]:
    """The generations of the page's cards, from top to bottom."""
    ids: list[str] = await page.locator(CARD).evaluate_all(ORDER)
    return ids


async def streams(pages: Sequence[Page]) -> list[int]:
    """How many streams of events each page holds open."""
    return [await page.evaluate(OPEN_STREAMS) for page in pages]


async def until_streams(pages: Sequence[Page], wanted: int, changed: asyncio.Event) -> None:
    """Wait until the pages together hold so many streams open."""
    async with asyncio.timeout(30):
        while True:
            changed.clear()
            if sum(await streams(pages)) == wanted:
                return
            await changed.wait()


async def stored(page: Page, url: str) -> list[dict[str, Any]]:
    """The messages of the thread that the page shows, as the database has them, in order."""
    thread_id = urlsplit(page.url).path.removeprefix("/thread/")
    answer = await page.request.get(f"{url}/project/thread/{thread_id}")
    assert answer.ok, await answer.text()
    steps: list[dict[str, Any]] = (await answer.json())["steps"]
    messages = [step for step in steps if "message" in step["type"]]
    return sorted(messages, key=lambda step: str(step["createdAt"]))


def words_of(answer: str) -> list[int]:
    """The numbers of the words in a slow answer, in the order in which they stand."""
    return [int(number) for number in re.findall(r"\bword(\d+)\b", answer)]


async def lag_s(page: Page, served: Served, ids: Sequence[str], since_s: float = 0.0) -> float:
    """How long after its completion, or after `since_s` (Unix time) where that is later, the last
    of these cards showed it.
    """
    reached: dict[str, float] = await page.evaluate("window.reached")
    answer = await served.client.get("/api/generations", params={"ids": ",".join(ids)})
    finished = {
        given["id"]: datetime.fromisoformat(given["finished_at"]).timestamp()
        for given in answer.json()["data"]
    }
    assert finished.keys() == set(ids)
    return max(
        reached[f"{known} completed"] / 1000 - max(at, since_s) for known, at in finished.items()
    )


async def ready_again(served: Served) -> None:
    """Ready again, by itself."""
    async with asyncio.timeout(60):
        while True:
            if (await served.client.get("/readyz")).status_code == 200:
                return
            await asyncio.sleep(0.05)


async def outage(seconds: float) -> None:
    """Let an outage last: its length is the point, so nothing can be waited for instead."""
    never = asyncio.Event()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await never.wait()


def tell(what: str, seconds: float) -> float:
    """A figure of the run, seen with `-rP`; returns it."""
    sys.stdout.write(f"{what}: {seconds:.2f} s\n")
    return seconds


async def submitted_once(demo: Demo, ids: Sequence[str]) -> None:
    """Each of these was bought once."""
    for known in ids:
        ledger = await demo.ledger(known)
        assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)
