"""People at the replicas, in browsers and over sockets: what they ask for, and what they see, and
when.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, Page, expect

from tests.durability.chats import Chat
from tests.durability.lab import tell
from tests.durability.replicas import Place
from tests.durability.routes import CALM
from tests.journeys.cards import NOTES, all_are, order
from tests.journeys.conftest import Visit, new_visit
from tests.sticky_proxy import COOKIE

#: Streams and sockets of a page as they open, and when it was given its thread.
OPENED = """(() => {
  window.streamChanged = () => {}
  window.opened = []
  const watch = (name) => {
    const Real = window[name]
    window[name] = class extends Real {
      constructor(...given) {
        super(...given)
        this.addEventListener('open', () => window.opened.push([name, Date.now()]))
      }
    }
  }
  watch('EventSource')
  watch('WebSocket')
  addEventListener('message', ({ data }) =>
    data?.kinora === 'resumed' && window.opened.push(['thread', Date.now()]))
})()"""
#: From a card's completion, or from the stream's return where that is later: what is promised, and
#: what the slowest of all may take on a machine that has too much to do.
LIVE_WITHIN_S, LIVE_MAX_S = 2.0, 5.0
PAGE_BACK_S, DONE_S = 40.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Conversations in browsers and over sockets, people, pictures of each conversation in each
    round.
    """

    browsers: int
    sockets: int
    people: int
    pictures: tuple[int, int, int]

    @property
    def all(self) -> int:
        """How many pictures."""
        return (self.browsers + self.sockets) * sum(self.pictures)


def pictures(count: int, what: str) -> str:
    """A message that asks for so many, small ones: they are all painted at the same time."""
    given = [{"prompt": f"{what} {n}", "model": CALM.model} for n in range(count)]
    return f"[[calls: {json.dumps([{'name': 'generate_image', 'arguments': g} for g in given])}]]"


@dataclass(kw_only=True)
class Company:
    """Everybody who is there."""

    place: Place
    size: Size
    visits: list[Visit]
    chats: list[Chat]
    began: float = field(default_factory=time.monotonic)

    def tell(self, what: str, **figures: Any) -> None:
        """Figures, and when that was."""
        tell(what, **figures, after_s=time.monotonic() - self.began)

    async def ids(self) -> list[str]:
        """Everything that was accepted."""
        rows = await self.place.book.fetch("select id::text from kinora.generations")
        return [row[0] for row in rows]

    async def hello(self) -> None:
        """Everybody begins a conversation."""
        for visit in self.visits:
            await visit.open()
            await visit.say("[[say: hello]]")
            await expect(visit.page.locator("[data-step-type=assistant_message]")).to_have_count(1)
        await asyncio.gather(*(chat.say("[[say: hello]]") for chat in self.chats))

    async def ask_in_browsers(self, number: int) -> None:
        """This round's pictures, all cards seen."""
        for visit in self.visits:
            await visit.page.wait_for_selector("#stop-button", state="detached")
            await visit.say(pictures(self.size.pictures[number], f"sea {number}"))
        for visit in self.visits:
            cards = visit.page.locator("article.kn-card")
            await expect(cards).to_have_count(sum(self.size.pictures[: number + 1]))
            await visit.page.wait_for_selector("#stop-button", state="detached")

    async def ask_over_sockets(self, number: int, *but: Chat) -> None:
        """This round's pictures, all answers heard."""
        text = pictures(self.size.pictures[number], f"hill {number}")
        await asyncio.gather(*(chat.say(text) for chat in self.chats if chat not in but))

    async def until_accepted(self, how_many: int) -> None:
        """So many of all rounds are accepted."""

        async def are() -> bool:
            return await self.place.book.count("true") >= how_many

        await self.place.book.until(are, DONE_S)

    async def at(self, name: str) -> list[Visit]:
        """Browsers that the balancer sends to this replica."""
        return [visit for visit in self.visits if await replica_of(visit) == name]

    async def right(self, rounds: int, since_ms: float = 0.0) -> dict[str, float]:
        """Every browser shows all its cards completed; the seconds that this took them from their
        completion, or from the stream's last beginning where that is later; of those completed
        since `since_ms`.
        """
        await self.place.book.settled(await self.ids(), DONE_S)
        lags, threads = list[float](), list[float]()
        for visit in self.visits:
            await all_are(visit.page, sum(self.size.pictures[:rounds]), "completed")
            lags += await self._lags_s(visit.page, since_ms)
            threads.append(await resumed_s(visit.page, since_ms))
        figures = p50_max(lags) | {"thread_back_s": max(threads)}
        assert figures["live_p50_s"] < LIVE_WITHIN_S, figures
        assert figures["live_max_s"] < LIVE_MAX_S, figures
        return figures

    async def _lags_s(self, page: Page, since_ms: float) -> list[float]:
        ids, reached = await order(page), await page.evaluate("window.reached")
        opened: list[tuple[str, float]] = await page.evaluate("window.opened")
        query = """
            select id::text, extract(epoch from finished_at)::float * 1000
            from kinora.generations where id = any(%s)
        """
        finished: dict[str, float] = dict(await self.place.book.fetch(query, [ids]))
        lags = []
        for one in (one for one in ids if finished[one] > since_ms):
            shown = reached[f"{one} completed"]
            # A server that stops may have given it a stream once more.
            streams = [at for name, at in opened if name == "EventSource" and at <= shown]
            lags.append((shown - max(finished[one], *streams)) / 1000)
        return lags


def p50_max(lags_s: list[float]) -> dict[str, float]:
    """Of the cards that were completed; none were where nothing was asked for."""
    ordered = sorted(lags_s) or [0.0]
    return {"live_p50_s": ordered[len(ordered) // 2], "live_max_s": ordered[-1]}


async def replica_of(visit: Visit) -> str:
    cookies = await visit.context.cookies()
    return next(str(one["value"]) for one in cookies if one["name"] == COOKIE)


async def opened_ms(page: Page, what: str, since_ms: float) -> float:
    """When the first of these opened since then; 0 when none did."""
    opened: list[tuple[str, float]] = await page.evaluate("window.opened")
    return next((at for name, at in opened if name == what and at > since_ms), 0.0)


async def resumed_s(page: Page, since_ms: float) -> float:
    """From the new socket to the thread; 0 when the old one stood."""
    socket_ms = await opened_ms(page, "WebSocket", since_ms)
    if not socket_ms or not since_ms:
        return 0.0
    await page.wait_for_function(
        "at => window.opened.some(([name, when]) => name === 'thread' && when >= at)",
        arg=socket_ms,
    )
    return (await opened_ms(page, "thread", socket_ms - 1) - socket_ms) / 1000


async def back(visits: Sequence[Visit], since_ms: float) -> None:
    """These pages have a stream and a socket again."""
    both = """since => ['EventSource', 'WebSocket'].every((kind) =>
        window.opened.some(([name, at]) => name === kind && at > since))"""
    for visit in visits:
        await visit.page.wait_for_function(both, arg=since_ms, timeout=PAGE_BACK_S * 1000)


async def company(stack: AsyncExitStack, place: Place, browser: Browser, size: Size) -> Company:
    """People with accounts, some of them in several places at once."""
    people = await asyncio.gather(
        *(place.person(f"person{n}@example.org") for n in range(size.people))
    )
    logins = [people[n % size.people] for n in range(size.browsers + size.sockets)]
    visits = []
    for login in logins[: size.browsers]:
        visit = await stack.enter_async_context(new_visit(browser, place.balancer.url))
        await visit.context.add_init_script(OPENED + ";" + NOTES)
        cookies = [(name, value) for name, value in login.cookies.items() if name != COOKIE]
        await visit.context.add_cookies(
            [{"name": name, "value": value, "url": visit.url} for name, value in cookies]
        )
        visits.append(visit)
    chats = [Chat(place.browser(login)) for login in logins[size.browsers :]]
    for chat in chats:
        stack.push_async_callback(chat.leave)
    return Company(place=place, size=size, visits=visits, chats=chats)
