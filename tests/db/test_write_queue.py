"""Writes about one thing keep the order in which they were asked for."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from db.write_queue import WriteQueue


async def test_a_write_waits_for_the_one_before_it_and_for_no_other(engine: AsyncEngine) -> None:
    writes, about, told, go_on = WriteQueue(engine), uuid4(), [], asyncio.Event()

    async def write(what: str) -> None:
        async with writes.transaction(about):
            told.append(what)
            await go_on.wait()

    async with asyncio.timeout(10):
        fired = [asyncio.create_task(write(what)) for what in "abc"]
        async with writes.transaction(uuid4()):
            told.append("other")
        assert await writes.drained(0.05) == 3
        assert sorted(told) == ["a", "other"]
        go_on.set()
        assert await writes.drained(5) == 0
    assert [what for what in told if what != "other"] == ["a", "b", "c"]
    assert all(task.done() for task in fired)
    assert not writes.lines
