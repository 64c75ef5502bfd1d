"""Two servers and two workers on one Postgres and one bucket: whoever dies or stops meanwhile, what
people asked for is finished, bought once, and before their eyes wherever they come to.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.demo_process import Demo
from tests.durability.book import Book
from tests.durability.chats import cards_of
from tests.durability.company import (
    DONE_S,
    Company,
    Size,
    back,
    company,
    opened_ms,
    replica_of,
)
from tests.durability.replicas import not_bought_once, not_whole, open_place
from tests.journeys.cards import all_are, order
from tests.journeys.test_chat import picture_size
from tests.s3_server import S3Server

ROUNDS = 3
#: Five seconds.
LONG_TALK = "[[slow: 100 words]]"


SIZES = [
    pytest.param(Size(browsers=2, sockets=2, people=2, pictures=(2, 2, 2)), id="short"),
    pytest.param(
        Size(browsers=3, sockets=7, people=4, pictures=(4, 3, 3)),
        id="ten chats",
        marks=pytest.mark.long,
    ),
]


async def one_of_each_is_killed(here: Company) -> None:
    """In the middle of the first round, with everything in browsers under way, and a turn."""
    place, first = here.place, here.size.pictures[0]
    await place.demo.hold(True)
    await here.ask_in_browsers(0)
    name = await replica_of(here.visits[0])
    talker = next(chat for chat in here.chats if chat.replica == name)
    over_sockets = asyncio.create_task(here.ask_over_sockets(0, talker))
    others = first * (len(here.chats) - 1)
    await here.until_accepted(first * len(here.visits) + others // 2)
    talker.hears = False
    talk = asyncio.create_task(talker.say(LONG_TALK))
    await talker.until(lambda: talker.hears)
    theirs, killed_ms = await here.at(name), time.time() * 1000
    await place.kill(name, "first worker")
    await place.demo.hold(False)
    await back(theirs, killed_ms)
    streams_ms = [await opened_ms(v.page, "EventSource", killed_ms) for v in theirs]
    await talk
    await here.ask_over_sockets(0, *(chat for chat in here.chats if chat is not talker))
    await over_sockets
    figures = await here.right(1, killed_ms)
    here.tell(
        f"replica {name} and a worker killed, {len(theirs)} of {len(here.visits)} browsers there",
        streams_back_s=(max(streams_ms) - killed_ms) / 1000,
        taken_up=sum(chat.taken_up for chat in here.chats),
        said_again=sum(chat.said_again for chat in here.chats),
        sockets_resumed_s=max((s for chat in here.chats for s in chat.resumed_s), default=0.0),
        **figures,
    )
    assert talker.taken_up == 1
    await place.start(name, "first worker")
    here.tell("they are there again")


async def one_of_each_is_stopped(here: Company) -> None:
    """In the middle of the second round."""
    place = here.place
    [name] = {await replica_of(visit) for visit in here.visits}
    await place.demo.hold(True)
    await here.ask_in_browsers(1)
    over_sockets = asyncio.create_task(here.ask_over_sockets(1))
    await here.until_accepted(await place.book.count("true") + 1)
    stopped_ms = time.time() * 1000
    took_s = await place.stop(name, "second worker")
    await place.demo.hold(False)
    await back(here.visits, stopped_ms)
    streams_ms = [await opened_ms(v.page, "EventSource", stopped_ms) for v in here.visits]
    await over_sockets
    figures = await here.right(2, stopped_ms)
    here.tell(
        f"replica {name} and a worker stopped",
        took_s=took_s,
        streams_back_s=(max(streams_ms) - stopped_ms) / 1000,
        **figures,
    )
    await place.start(name, "second worker")
    here.tell("they are there again")


async def another_worker_joins(here: Company) -> None:
    """Before the third round, of which it takes its share."""
    place = here.place
    await place.demo.hold(True)
    before = {row[0] for row in await place.book.fetch("select id from jobs.procrastinate_workers")}
    await place.start("third worker")

    async def joined() -> bool:
        rows = await place.book.fetch("select id from jobs.procrastinate_workers")
        return bool({row[0] for row in rows} - before)

    await place.book.until(joined, DONE_S)
    await asyncio.gather(here.ask_in_browsers(2), here.ask_over_sockets(2))
    await here.until_accepted(here.size.all)
    shares = await place.shares()
    new = sum(count for worker, count in shares.items() if worker not in before)
    here.tell("a third worker joined", its_share=new, of=sum(shares.values()))
    assert new > 0
    released_ms = time.time() * 1000
    await place.demo.hold(False)
    here.tell("its share is painted", **await here.right(3, released_ms))


async def everything_is_there(here: Company) -> None:
    """Bought once, whole, and readable through either replica and in the browsers."""
    place, ids = here.place, await here.ids()
    assert len(ids) == here.size.all
    assert await place.book.count("status = 'completed'") == len(ids)
    assert await not_bought_once(place.demo, ids) == {}
    assert await not_whole(place) == []
    seen: list[str] = []
    for chat in here.chats:
        for replica in place.balancer.replicas:
            thread = await chat.read(f"http://127.0.0.1:{replica.port}")
            cards = cards_of(thread)
            assert [one["status"] for one in cards] == ["completed"] * sum(here.size.pictures)
        seen += [one["id"] for one in cards]
        picture = await chat.client.get(cards[-1]["assets"][0]["url"], follow_redirects=True)
        assert picture.headers["content-type"].startswith("image/")
    for visit in here.visits:
        seen += await order(visit.page)
        assert (await picture_size(visit, 1))[0] > 0
    assert sorted(seen) == sorted(ids)


@pytest.mark.browser
@pytest.mark.timeout(240)
@pytest.mark.parametrize("size", SIZES)
async def test_replicas_die_and_stop_and_nobody_loses_anything(
    browser: Browser,
    database_url: str,
    calm_demo: Demo,
    s3_server: S3Server,
    tmp_path: Path,
    size: Size,
) -> None:
    async with Book(database_url) as book, AsyncExitStack() as stack:
        place = await stack.enter_async_context(open_place(book, calm_demo, s3_server, tmp_path))
        here = await company(stack, place, browser, size)
        await here.hello()
        here.tell("everybody is there")
        assert all(replica.sockets for replica in place.balancer.replicas)
        await one_of_each_is_killed(here)
        await one_of_each_is_stopped(here)
        await another_worker_joins(here)
        await everything_is_there(here)
        here.tell("everything looked at")
        # Those that were started anew end well, too, and their visitors move on.
        [name] = {await replica_of(visit) for visit in here.visits}
        stopped_ms = time.time() * 1000
        took_s = await place.stop(name, "first worker", "third worker")
        await back(here.visits, stopped_ms)
        await here.right(ROUNDS, stopped_ms)
        for visit in here.visits:
            await visit.page.reload()
            await all_are(visit.page, sum(size.pictures), "completed")
        here.tell(f"{size.all} pictures", last_stop_s=took_s)
