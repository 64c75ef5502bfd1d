"""A batch is written while the next one is read."""

from __future__ import annotations

import asyncio

import pytest

from importing.writing.batches import one_behind


class Write:
    """A write that lasts until it is told to end."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.fate = ""

    async def run(self) -> None:
        try:
            self.has_begun.set()
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.fate = "stopped"
            raise
        self.fate = "written"


async def test_the_reading_goes_on_beside_a_write() -> None:
    write = Write()
    async with asyncio.timeout(5), one_behind() as behind:
        behind.begin(write.run())
        await write.has_begun.wait()
        assert write.fate == ""
        write.may_end.set()
        await behind.end()
        assert write.fate == "written"


async def test_a_write_that_fails_is_told_of_at_its_end() -> None:
    async def fail() -> None:
        raise LookupError("the database is away")

    async def everything() -> None:
        async with one_behind() as behind:
            behind.begin(fail())

    async with asyncio.timeout(5):
        with pytest.raises(LookupError, match="away"):
            await everything()


async def test_a_write_comes_to_its_end_when_the_reading_fails() -> None:
    write = Write()

    async def everything() -> None:
        async with one_behind() as behind:
            behind.begin(write.run())
            await write.has_begun.wait()
            asyncio.get_running_loop().call_soon(write.may_end.set)
            raise LookupError("the old system is away")

    async with asyncio.timeout(5):
        with pytest.raises(LookupError, match="away"):
            await everything()
    assert write.fate == "written"


@pytest.mark.parametrize("is_waited_for", [False, True])
async def test_a_write_is_stopped_with_everything_else(is_waited_for: bool) -> None:
    write, waits = Write(), asyncio.Event()

    async def everything() -> None:
        async with one_behind() as behind:
            behind.begin(write.run())
            await write.has_begun.wait()
            waits.set()
            if is_waited_for:
                await behind.end()
            await asyncio.Event().wait()

    task = asyncio.create_task(everything())
    async with asyncio.timeout(5):
        await waits.wait()
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()
    assert write.fate == "stopped"
