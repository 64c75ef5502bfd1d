"""News of a row reaches whoever looks or sleeps, once it is true, and a lost line is noticed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

import api
from api.access import Access
from db import generations, users
from db.connect import open_engine
from db.generations import Row
from db.ids import new_id
from generations.contract import Wanted
from generations.watch import STREAM_BACKLOG_MAX, Stream, Watch
from tests.demo_process import Demo
from tests.house import local, open_house, settled

SOON_S = 10.0


@dataclass(frozen=True, slots=True)
class Ear:
    """A watch that listens, and two users to hear of."""

    engine: AsyncEngine
    watch: Watch
    me: UUID
    other: UUID
    url: str


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    engine = open_engine(database_url)
    async with engine.begin() as connection:
        me, other = [await users.ensure(connection, name) for name in ("me", "other")]
    watch = Watch(engine, database_url)
    running = asyncio.create_task(watch.run())
    async with asyncio.timeout(SOON_S):
        await watch.listening.wait()
    yield Ear(engine, watch, me, other, database_url)
    running.cancel()
    await asyncio.wait({running})
    await engine.dispose()


async def a_generation(ear: Ear, user_id: UUID) -> Row:
    """A queued generation whose coming has been heard of."""
    values = {
        "id": new_id(),
        "user_id": user_id,
        "kind": "image",
        "prompt": "a red fox",
        "model": "demo-image",
        "provider": "demo",
        "endpoint": "demo-image",
    }
    with ear.watch.stream(user_id) as stream:
        async with ear.engine.begin() as connection:
            row = await generations.insert_generation(connection, values, [])
        told = await heard(stream)
    assert told is not None
    assert told["id"] == str(row.id)
    return row


async def change(ear: Ear, row: Row, **values: Any) -> Row:
    async with ear.engine.begin() as connection:
        moved = await generations.move(connection, row, row.status, **values)
    assert moved is not None
    return moved


async def heard(stream: Stream) -> dict[str, Any] | None:
    async with asyncio.timeout(SOON_S):
        return await stream.queue.get()


def cut_the_line(url: str) -> None:
    """Terminate the connection that listens."""
    with psycopg.connect(url, autocommit=True) as connection:
        cut = connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and query ilike 'listen%'"
        ).fetchall()
    assert cut == [(True,)]


async def test_a_stream_tells_its_user_every_change_and_nobody_elses(ear: Ear) -> None:
    with ear.watch.stream(ear.me) as mine, ear.watch.stream(ear.me) as also_mine:
        theirs = await a_generation(ear, ear.other)
        row = await a_generation(ear, ear.me)
        assert await heard(mine) == await heard(also_mine)
        await change(ear, theirs, progress=0.1)
        row = await change(ear, row, progress=0.5)
        told = await heard(mine)
        assert told is not None
        assert (told["id"], told["v"], told["progress"]) == (str(row.id), row.version, 0.5)
        async with ear.engine.begin() as connection:
            await generations.mark_deleted(connection, row)
        assert await heard(mine) == {"id": str(row.id), "deleted": True}
        assert mine.queue.empty()


async def test_a_change_that_is_rolled_back_is_not_told(ear: Ear) -> None:
    row = await a_generation(ear, ear.me)
    with ear.watch.stream(ear.me) as stream:
        async with ear.engine.connect() as connection:
            assert await generations.move(connection, row, "failed") is not None
            await connection.rollback()
        await change(ear, row, progress=0.25)
        told = await heard(stream)
    assert told is not None
    assert (told["status"], told["progress"], told["v"]) == ("queued", 0.25, row.version + 1)


async def test_a_claim_is_no_news(ear: Ear) -> None:
    row = await a_generation(ear, ear.me)
    with ear.watch.stream(ear.me) as stream:
        async with ear.engine.begin() as connection:
            claimed = await generations.claim(connection, row.id)
        assert claimed is not None
        assert claimed.version == row.version
        await change(ear, claimed, progress=0.25)
        told = await heard(stream)
    assert told is not None
    assert told["v"] == row.version + 1


async def test_a_sleeper_is_woken_by_what_is_newer_than_it_knows_and_by_nothing_else(
    ear: Ear,
) -> None:
    row = await a_generation(ear, ear.me)
    stranger = await a_generation(ear, ear.me)
    async with asyncio.TaskGroup() as sleepers:
        knows = sleepers.create_task(ear.watch.sleep(row.id, row.version, SOON_S))
        knows_more = sleepers.create_task(ear.watch.sleep(row.id, row.version + 1, SOON_S))
        elsewhere = sleepers.create_task(ear.watch.sleep(stranger.id, stranger.version, SOON_S))
        await asyncio.sleep(0)
        row = await change(ear, row, progress=0.1)
        assert await knows
        assert not knows_more.done()
        await change(ear, row, progress=0.2)
        assert await knows_more
        assert not elsewhere.done()
        await change(ear, stranger, progress=0.1)
        assert await elsewhere


async def test_a_sleeper_whom_nobody_wakes_wakes_by_itself(ear: Ear) -> None:
    row = await a_generation(ear, ear.me)
    assert await ear.watch.sleep(row.id, row.version, 0.05) is False


async def test_a_lost_line_wakes_everybody_ends_the_streams_and_is_taken_up_again(
    ear: Ear,
) -> None:
    row = await a_generation(ear, ear.me)
    sleeper = asyncio.create_task(ear.watch.sleep(row.id, row.version + 100, SOON_S))
    with ear.watch.stream(ear.me) as stream:
        cut_the_line(ear.url)
        assert await heard(stream) is None
    assert await sleeper
    async with asyncio.timeout(SOON_S):
        await ear.watch.listening.wait()
    with ear.watch.stream(ear.me) as stream:
        await change(ear, row, progress=0.5)
        told = await heard(stream)
    assert told is not None
    assert told["progress"] == 0.5


async def test_what_changed_while_nobody_listened_is_looked_at_again(ear: Ear) -> None:
    """Whoever came while the line was down is woken when it is up: its news may have been lost."""
    row = await a_generation(ear, ear.me)
    cut_the_line(ear.url)
    async with asyncio.timeout(SOON_S):
        while ear.watch.listening.is_set():
            await ear.watch.sleep(row.id, row.version + 100, 0.05)
    with ear.watch.stream(ear.me) as stream:
        sleeper = asyncio.create_task(ear.watch.sleep(row.id, row.version + 100, SOON_S))
        await asyncio.sleep(0)
        assert await heard(stream) is None
        assert await sleeper
    assert ear.watch.listening.is_set()


def test_a_stream_that_does_not_read_is_ended_instead_of_growing() -> None:
    stream = Stream(new_id())
    for version in range(STREAM_BACKLOG_MAX):
        stream.push({"v": version})
    assert stream.queue.qsize() == STREAM_BACKLOG_MAX
    stream.push({"v": STREAM_BACKLOG_MAX})
    assert stream.queue.get_nowait() is None
    assert stream.queue.empty()


async def test_the_others_hear_on_when_one_is_too_slow(ear: Ear) -> None:
    row = await a_generation(ear, ear.me)
    with ear.watch.stream(ear.me) as slow, ear.watch.stream(ear.me) as quick:
        for version in range(STREAM_BACKLOG_MAX):
            slow.push({"v": version})
        await change(ear, row, progress=0.5)
        told = await heard(quick)
        assert told is not None
        assert told["progress"] == 0.5
        assert await heard(slow) is None


async def test_nothing_is_kept_of_those_who_left(ear: Ear) -> None:
    row = await a_generation(ear, ear.me)
    with ear.watch.stream(ear.me):
        pass
    await ear.watch.sleep(row.id, row.version, 0.01)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await ear.watch.sleep(row.id, row.version, SOON_S)
    assert not ear.watch._streams
    assert not ear.watch._attentive


async def test_a_long_poll_whose_news_was_lost_answers_with_the_truth_all_the_same(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    """News may come between the reading and the sleep; here none comes at all."""
    async with open_house(database_url, calm_demo.url, tmp_path) as house:
        await calm_demo.hold(True)
        wanted = Wanted(kind="image", prompt="a fox", model="demo-image-quick")
        generation_id = (await house.admission.submit(local(house), wanted))["id"]
        app = FastAPI()
        app.include_router(api.routes())
        app.state.runtime = replace(house, watch=Watch(house.engine, database_url))
        transport = httpx.ASGITransport(Access(app, lambda: house))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            path = f"/api/generations/{generation_id}"
            poll = asyncio.create_task(client.get(path, params={"wait": 20}))
            await calm_demo.until(generation_id, "polls:1")
            await calm_demo.hold(False)
            await settled(house, generation_id)
            async with asyncio.timeout(SOON_S):
                answer = await poll
    assert answer.json()["status"] == "completed"
