"""A full disk delays what is paid for, and loses nothing of it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.durability.conftest import NewLab
from tests.durability.lab import tell
from tests.durability.routes import KEYED

HOW_MANY = 4


async def ran(*command: str) -> bool:
    """Whether a program could be run, and went well."""
    if shutil.which(command[0]) is None:
        return False
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait() == 0


@pytest.fixture
async def small_disk(tmp_path: Path) -> AsyncIterator[Path]:
    """The folder of a house's files, on a disk of one megabyte."""
    folder = tmp_path / "files"
    folder.mkdir(mode=0o700)
    if not await ran("mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(folder)):
        pytest.skip("no small disk: mounting one takes root")
    yield folder
    await ran("umount", "--lazy", str(folder))


def fill(folder: Path) -> Path:
    """Leave no byte free; the file that takes them all."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


async def test_a_full_disk_delays_results_and_loses_none(
    new_lab: NewLab, database_url: str, small_disk: Path
) -> None:
    async with new_lab(database_url, KEYED) as lab:
        house = await lab.house()
        ballast = await asyncio.to_thread(fill, small_disk)
        ids = await lab.ask(HOW_MANY, house)
        await lab.book.all_are(ids, "storing")
        # Tried, and tried again: the provider has given each file out at least twice.
        for one in ids:
            await lab.demo.until(one, "downloads:2")
        assert await lab.book.count("status = 'storing'") == HOW_MANY
        await asyncio.to_thread(ballast.unlink)
        told = await lab.settled()
        tell("disk full for a while", **told.figures())
        assert told.wrong() == {}
        assert told.statuses == {"completed": HOW_MANY}
        assert (told.submit_requests, told.unfinished) == (HOW_MANY, 0)
