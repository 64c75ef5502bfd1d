"""Copying brings everything that is still elsewhere, goes on where it was stopped, and tells of
what is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db import remote_files
from db.connect import open_engine
from db.files import LocalFiles
from db.storage import Storage
from generations.remote import RemoteFiles, open_remote_files
from importing.copying import AT_ONCE, Copied, bare, copy_all
from tests.db.samples import encoded, picture
from tests.old_files import OldStorage, an_import, look, old_storage

PNG = encoded(picture(), "PNG")


@dataclass(slots=True, kw_only=True)
class Move:
    """Copying, and all that it told."""

    database_url: str
    engine: AsyncEngine
    remote: RemoteFiles
    files: Storage
    old: OldStorage
    told: list[int] = field(default_factory=list)
    dead: list[tuple[UUID, str | None, str, str]] = field(default_factory=list)

    async def count(self) -> int:
        """How many files are stored, small pictures included."""
        every = self.files.keys()
        return len([key async for key in every])

    async def copy(self, page: int = 200) -> Copied:
        return await copy_all(
            self.engine,
            self.remote.bring,
            told=lambda copied: self.told.append(copied.done),
            dead=lambda *one: self.dead.append(one),
            page=page,
        )


@pytest.fixture
async def move(database_url: str, tmp_path: Path) -> AsyncIterator[Move]:
    engine, files = open_engine(database_url), LocalFiles(tmp_path / "files")
    async with old_storage() as old, open_remote_files(engine, files, [old.url]) as remote:
        yield Move(database_url=database_url, engine=engine, remote=remote, files=files, old=old)
    await engine.dispose()


async def test_all_files_come_once_and_the_sums_are_right(move: Move) -> None:
    for number in range(25):
        an_import(move.database_url, move.old.keep(f"/{number}", PNG))
    copied = await move.copy(page=4)
    assert copied == Copied(total=25, copied=25, size_bytes=25 * len(PNG))
    assert move.told == list(range(1, 26))
    assert [move.old.count(f"/{number}") for number in range(25)] == [1] * 25
    assert await move.count() == 50
    again = await move.copy()
    assert (again.total, again.done, len(move.old.server.seen)) == (0, 0, 25)


async def test_what_is_lost_is_told_of_without_what_may_be_a_secret(move: Move) -> None:
    good = an_import(move.database_url, move.old.keep("/good", PNG))
    dead = an_import(move.database_url, f"{move.old.url}/dead?X-Amz-Signature=secret#x")
    inside = an_import(move.database_url, "https://someone:secret@127.0.0.1/x?y=secret")
    data = an_import(move.database_url, "data:image/png;base64,AAAA")
    move.old.odd["/busy"] = (503, {})
    busy = an_import(move.database_url, f"{move.old.url}/busy")
    copied = await move.copy()
    assert copied == Copied(total=5, copied=1, size_bytes=len(PNG), dead=3, late=1)
    told = {asset_id: (legacy_id, url) for asset_id, legacy_id, url, _ in move.dead}
    assert told == {
        one.asset_id: (f"superduper:file:{one.generation_id}", url)
        for one, url in (
            (dead, f"{move.old.url}/dead"),
            (inside, "https://127.0.0.1/x"),
            (data, "data:"),
        )
    }
    assert all(reason and "secret" not in reason for *_, reason in move.dead)
    assert look(move.database_url, good.asset_id)["storage_key"] is not None
    assert look(move.database_url, busy.asset_id)["is_gone"] is False
    again = await move.copy()
    # It was asked for just now, so it is not asked for again; and the lost ones never are.
    assert (again.total, again.late, again.dead, again.dead_before) == (1, 1, 0, 3)
    assert (move.old.count("/busy"), move.old.count("/dead")) == (1, 1)


async def test_a_run_that_was_stopped_goes_on_where_it_stood(move: Move) -> None:
    for number in range(30):
        an_import(move.database_url, move.old.keep(f"/{number}", PNG))
    held = {f"/{number}": asyncio.Event() for number in range(12, 30)}
    move.old.held |= held
    running = asyncio.create_task(move.copy(page=3))
    # Twelve are through, and as many as there are places hang.
    await move.old.asked(12 + AT_ONCE)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await move.remote.aclose()
    async with move.engine.connect() as connection:
        assert await remote_files.count(connection) == (18, 0)
    move.old.held.clear()
    copied = await move.copy(page=3)
    assert copied == Copied(total=18, copied=18, size_bytes=18 * len(PNG))
    # What was here was not fetched again; what was on its way was, from its beginning.
    counts = [move.old.count(f"/{number}") for number in range(30)]
    assert counts == [1] * 12 + [2] * AT_ONCE + [1] * (18 - AT_ONCE)
    assert await move.count() == 60


async def test_no_more_than_a_few_are_fetched_at_once(move: Move) -> None:
    let_go = asyncio.Event()
    for number in range(AT_ONCE * 3):
        move.old.held[f"/{number}"] = let_go
        an_import(move.database_url, move.old.keep(f"/{number}", PNG))
    running = asyncio.create_task(move.copy())
    await move.old.asked(AT_ONCE)
    assert len(move.old.server.seen) == AT_ONCE
    let_go.set()
    assert (await running).copied == AT_ONCE * 3


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@old.example:8443/a/b.png?sig=1#x", "https://old.example:8443/a/b.png"),
        ("DATA:image/png;base64,AAAA", "data:"),
        ("https://[broken/a?sig=1", "https://[broken/a"),
        ("/relative?sig=1", "/relative"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert bare(url) == shown
