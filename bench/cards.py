"""Two hundred cards in one conversation: how long opening it takes, and how heavy scrolling is.

The pictures are made by the quick demo painter, asked for in the chat, ten a message, so everything
lies there as in a person's own conversation. Then a browser that knows the page already opens the
conversation, and scrolls from its end to its beginning. Told are the time until every card stands
there finished, what the page's process has worked (by the browser's own books), and long tasks: a
page that is busy for longer than 50 ms at a time answers nobody meanwhile.

    .venv/bin/python -m bench.cards [--cards 200] [--rounds 2] [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.async_api import Browser, CDPSession, Page

from bench.browser import open_browser
from bench.place import AS_A_PERSON, workplace
from bench.report import Figure, keeping
from bench.talk import talk_with
from tests.house import Served, serve
from tests.journeys.conftest import new_visit

QUICK_CARDS, QUICK_ROUNDS = 60, 1
A_MESSAGE = 10
ANSWER_S = 90.0
OPEN_MS = 60_000
SCROLL_PX, SCROLL_PAUSE_MS = 800, 40
STEPS_MAX = 1000
#: Buffered, so that those of the very beginning count.
NOTE_LONG_TASKS = """(() => {
  window.longTasks = []
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.longTasks.push(task.duration)
  }).observe({type: 'longtask', buffered: true})
})()"""
TAKE_LONG_TASKS = "() => window.longTasks.splice(0)"
ALL_DRAWN = """(count) =>
  document.querySelectorAll('article.kn-card[data-status="completed"]').length === count
  && [...document.querySelectorAll('article.kn-card img')].every((image) => {
    const { top, bottom } = image.getBoundingClientRect()
    return bottom < 0 || top > innerHeight || image.complete
  })"""
#: What scrolls is the nearest ancestor of a card that is taller inside than outside.
TOP = """() => {
  let box = document.querySelector('article.kn-card')
  while (box.parentElement && !(box.scrollHeight > box.clientHeight + 1
         && /auto|scroll/.test(getComputedStyle(box).overflowY))) box = box.parentElement
  return box.scrollTop
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a stretch of time cost the page."""

    took_s: float
    cpu_s: float
    long_tasks_ms: list[float]


async def make_cards(served: Served, count: int) -> str:
    """Have so many pictures made in one conversation; returns its id."""
    async with talk_with(served.url) as talk:
        for first in range(0, count, A_MESSAGE):
            numbers = range(first, min(first + A_MESSAGE, count))
            calls = [
                {
                    "name": "generate_image",
                    "arguments": {"prompt": f"a red fox, {n}", "model": "demo-image-quick"},
                }
                for n in numbers
            ]
            answered = await talk.say(f"[[calls: {json.dumps(calls)}]]", ANSWER_S)
    await all_completed(served, count)
    return answered.thread_id


async def all_completed(served: Served, count: int) -> None:
    """Wait until that many pictures are stored. Raises: TimeoutError."""
    async with asyncio.timeout(ANSWER_S):
        while True:
            if await completed(served) >= count:
                return
            await asyncio.sleep(0.2)


async def completed(served: Served) -> int:
    """How many pictures are stored."""
    count, wanted = 0, {"status": "completed", "limit": "100"}
    while True:
        page = (await served.client.get("/api/generations", params=wanted)).json()
        count += len(page["data"])
        if page["next_cursor"] is None:
            return count
        wanted["cursor"] = page["next_cursor"]


async def renderer_s(devtools: CDPSession) -> float:
    """The CPU seconds of all processes that draw pages."""
    told = await devtools.send("SystemInfo.getProcessInfo")
    drawing = (one for one in told["processInfo"] if one["type"] == "renderer")
    return sum(float(one["cpuTime"]) for one in drawing)


async def open_thread(page: Page, url: str, count: int) -> None:
    """Open the conversation and wait until every card stands there."""
    await page.goto(url)
    await page.wait_for_function(ALL_DRAWN, arg=count, timeout=OPEN_MS)


async def scroll_up(page: Page) -> None:
    """Scroll to the beginning by the wheel, as a person does who looks for something."""
    await page.mouse.move(640, 300)
    for _ in range(STEPS_MAX):
        await page.mouse.wheel(0, -SCROLL_PX)
        await page.wait_for_timeout(SCROLL_PAUSE_MS)
        if await page.evaluate(TOP) <= 0:
            return
    raise RuntimeError("the conversation does not end")


async def look(browser: Browser, url: str, thread_id: str, count: int) -> tuple[Work, Work]:
    """Open the conversation in a browser that knows the page, and scroll through it."""
    devtools = await browser.new_browser_cdp_session()
    async with new_visit(browser, url) as visit:
        await visit.context.add_init_script(NOTE_LONG_TASKS)
        await visit.open()
        work = []
        for act in (
            open_thread(visit.page, f"{url}/thread/{thread_id}", count),
            scroll_up(visit.page),
        ):
            began, cpu = time.perf_counter(), await renderer_s(devtools)
            await act
            took_s = time.perf_counter() - began
            tasks = await visit.page.evaluate(TAKE_LONG_TASKS)
            used_s = await renderer_s(devtools) - cpu
            work.append(Work(took_s=took_s, cpu_s=used_s, long_tasks_ms=tasks))
    await devtools.detach()
    return work[0], work[1]


async def measure(count: int, rounds: int) -> list[Figure]:
    """Make the conversation once, look at it again and again."""
    with workplace() as folder:
        async with (
            open_browser() as browser,
            serve(folder / "data", **AS_A_PERSON) as served,
        ):
            if browser is None:
                return []
            began = time.perf_counter()
            thread_id = await make_cards(served, count)
            made = Figure(
                name=f"{count} cards made", unit="s", rounds=[time.perf_counter() - began]
            )
            looks = [await look(browser, served.url, thread_id, count) for _ in range(rounds)]
    opened, scrolled = zip(*looks, strict=True)
    return [made, *figures_of(f"{count} cards opened", opened), *figures_of("scrolled", scrolled)]


def figures_of(name: str, rounds: tuple[Work, ...]) -> Iterator[Figure]:
    """The work of each round."""
    tasks = [one.long_tasks_ms for one in rounds]
    yield Figure(name=name, unit="s", rounds=[one.took_s for one in rounds])
    yield Figure(name=f"{name}, CPU of the page", unit="s", rounds=[one.cpu_s for one in rounds])
    yield Figure(name=f"{name}, long tasks", unit="", rounds=[len(one) for one in tasks])
    yield Figure(
        name=f"{name}, longest task", unit="ms", rounds=[max(one, default=0) for one in tasks]
    )
    yield Figure(name=f"{name}, long tasks in all", unit="ms", rounds=[sum(one) for one in tasks])


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="a conversation with very many cards")
    parser.add_argument("--cards", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_CARDS} cards, one look")
    options = parser.parse_args()
    count, rounds = options.cards, options.rounds
    if options.quick:
        count, rounds = QUICK_CARDS, QUICK_ROUNDS
    with keeping("cards") as figures:
        figures += asyncio.run(measure(count, rounds))


if __name__ == "__main__":
    main()
