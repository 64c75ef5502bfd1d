"""Streams that break: whoever comes back with the last id they heard is told what they missed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.demo_process import Demo
from tests.house import Served

WANTED = {"prompt": "a fox that was missed", "model": "demo-image-quick"}
#: A generation of one's own to hear that a stream has come as far as the present.
LAST = {"prompt": "a heron at the end", "model": "demo-image-quick"}


@dataclass(kw_only=True)
class Heard:
    """What a stream says, block by block."""

    blocks: AsyncIterator[list[str]]
    last_id: str = ""

    async def next(self) -> list[str]:
        """The next block."""
        async with asyncio.timeout(20):
            block = await anext(self.blocks)
        for line in block:
            if line.startswith("id: "):
                self.last_id = line.removeprefix("id: ")
        return block

    async def news(self) -> dict[str, Any]:
        """The next event's data."""
        while True:
            for line in await self.next():
                if line.startswith("data: "):
                    found: dict[str, Any] = json.loads(line.removeprefix("data: "))
                    return found


@contextlib.asynccontextmanager
async def listening(
    http: httpx.AsyncClient, last_id: str = "", **query: str
) -> AsyncIterator[Heard]:
    """A stream, until the block ends: then the line is broken."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with http.stream("GET", "/api/events", headers=headers, params=query) as answer:
        assert answer.status_code == 200
        yield Heard(blocks=blocks_of(answer))


async def blocks_of(answer: httpx.Response) -> AsyncIterator[list[str]]:
    block: list[str] = []
    async for line in answer.aiter_lines():
        if line:
            block.append(line)
        else:
            yield block
            block = []


@pytest.fixture
async def http(server: Served, calm_demo: Demo) -> httpx.AsyncClient:
    return server.client


async def make(http: httpx.AsyncClient, wanted: dict[str, str] = WANTED) -> dict[str, Any]:
    started = (await http.post("/api/tools/generate_image", json=wanted)).json()
    answer = await http.get(f"/api/generations/{started['id']}", params={"wait": 60})
    made: dict[str, Any] = answer.json()
    return made


async def until(heard: Heard, generation_id: str) -> list[dict[str, Any]]:
    """Everything up to the completion of this one."""
    found = []
    while True:
        found.append(await heard.news())
        if found[-1]["id"] == generation_id and found[-1].get("status") == "completed":
            return found


async def test_a_stream_begins_with_a_comment_and_a_place_to_come_back_to(
    http: httpx.AsyncClient,
) -> None:
    async with listening(http) as heard:
        assert [await heard.next() for _ in range(2)] == [["retry: 500"], [": still here"]]
        assert len(await heard.next()) == 1
        begun = datetime.fromisoformat(heard.last_id)
        made = await make(http)
        told = await until(heard, made["id"])
        assert told[-1] == made
        assert heard.last_id == made["updated_at"]
        assert datetime.fromisoformat(heard.last_id) > begun


async def test_what_was_missed_is_told_first_and_once(http: httpx.AsyncClient) -> None:
    async with listening(http) as heard:
        await heard.next()
        await heard.next()
        await heard.next()
        place = heard.last_id
    missed = [await make(http) for _ in range(2)]
    async with listening(http, place) as heard:
        told = await until(heard, missed[1]["id"])
        of_these = [t for t in told if t["id"] in {m["id"] for m in missed}]
        assert of_these == missed
        # Then it goes on as ever.
        last = await make(http, LAST)
        later = await until(heard, last["id"])
        assert not {m["id"] for m in missed} & {t["id"] for t in later}
        assert [t["v"] for t in later] == sorted(t["v"] for t in later)
        assert heard.last_id == last["updated_at"]


async def test_who_brings_no_id_or_a_strange_one_begins_in_the_present(
    http: httpx.AsyncClient,
) -> None:
    before = await make(http)
    for strange in ("", "7", "2026-11-22T10:00:00", "9" * 400, "yesterday"):
        async with listening(http, strange) as heard:
            for _ in range(3):
                await heard.next()
            last = await make(http, LAST)
            assert before["id"] not in {t["id"] for t in await until(heard, last["id"])}


async def test_the_end_of_the_calendar_is_survived(http: httpx.AsyncClient) -> None:
    for far in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"):
        async with listening(http, far) as heard:
            last = await make(http, LAST)
            assert (await until(heard, last["id"]))[-1] == last


async def test_more_than_a_page_is_caught_up_and_more_than_a_day_is_not(
    http: httpx.AsyncClient, postgres: Callable[[str], str]
) -> None:
    made = await make(http)
    copies = """
        insert into kinora.generations (id, user_id, kind, status, prompt, model, provider,
            endpoint, params, updated_at)
        select gen_random_uuid(), user_id, kind, status, 'copied ' || n, model, provider, endpoint,
            params, now() - make_interval(hours => case when n <= 230 then 1 else 25 end)
        from kinora.generations, generate_series(1, 240) n where id = %s
    """
    with psycopg.connect(postgres("served"), autocommit=True) as connection:
        connection.execute(copies, [made["id"]])
    try:
        away = datetime.fromisoformat(made["updated_at"]) - timedelta(days=2)
        async with listening(http, away.isoformat()) as heard:
            told = await until(heard, made["id"])
    finally:
        with psycopg.connect(postgres("served"), autocommit=True) as connection:
            connection.execute("delete from kinora.generations where prompt like 'copied %'")
    copied = {int(t["prompt"].split()[1]) for t in told if t["prompt"].startswith("copied")}
    assert copied == set(range(1, 231))


async def test_one_thread_is_caught_up_alone(http: httpx.AsyncClient) -> None:
    made = await make(http)
    elsewhere = "00000000-0000-7000-8000-000000000000"
    away = datetime.fromisoformat(made["updated_at"]) - timedelta(seconds=1)
    async with listening(http, away.isoformat(), thread_id=elsewhere) as heard:
        assert await heard.next() == ["retry: 500"]
        assert await heard.next() == [": still here"]
        # The place to come back to, and nothing before it.
        assert (await heard.next())[0].startswith("id: ")
