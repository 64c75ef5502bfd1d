"""Several who want one file, or leave, or delete it meanwhile: one set of files, or none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db import assets
from db.connect import open_engine
from generations.remote import AT_ONCE, NotHere
from tests.db.samples import encoded, picture
from tests.generations.bringing import Place, a_place, bringing, refused_only
from tests.old_files import OldStorage, run
from tests.providers.servers import Exchange, serving

PNG = encoded(picture(), "PNG")


@pytest.fixture
async def place(database_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    async with a_place(database_url, tmp_path / "files") as place:
        yield place


async def test_who_leaves_or_grows_tired_does_not_end_it_for_the_others(place: Place) -> None:
    old = place.imported(place.old.keep("/slow", PNG))
    let_go = place.old.held["/slow"] = asyncio.Event()
    leaving = asyncio.create_task(place.remote.bring(old.asset_id))
    waiting = asyncio.create_task(place.remote.bring(old.asset_id))
    engine = open_engine(place.database_url)
    async with engine.connect() as connection:
        asset = await assets.find_signed(connection, old.asset_id)
    await engine.dispose()
    assert asset is not None
    with pytest.raises(NotHere, match="on its way") as tired:
        await place.remote.here(asset, within_s=0.1)
    assert (tired.value.is_gone, tired.value.retry_after_s) == (False, 10)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    let_go.set()
    assert (await waiting).size_bytes == len(PNG)
    assert place.old.count("/slow") == 1


async def test_a_process_that_ends_says_so_and_notes_nothing(place: Place) -> None:
    old = place.imported(place.old.keep("/slow", PNG))
    place.old.held["/slow"] = asyncio.Event()
    waiting = asyncio.create_task(place.remote.bring(old.asset_id))
    await place.old.asked()
    await place.remote.aclose()
    with pytest.raises(NotHere, match="on its way"):
        await waiting
    assert (place.row(old)["tries"], place.lies()) == (0, [])


async def test_only_so_many_are_fetched_at_once(place: Place) -> None:
    let_go = asyncio.Event()
    olds = []
    for number in range(AT_ONCE + 4):
        place.old.held[f"/{number}"] = let_go
        olds.append(place.imported(place.old.keep(f"/{number}", PNG)))
    known = place.imported(place.old.url + "/404")
    await refused_only(place, known)
    coming = [asyncio.create_task(place.remote.bring(old.asset_id)) for old in olds]
    await place.old.asked(AT_ONCE + 1)
    # What is known to be gone is told at once, though all places are taken.
    assert (await refused_only(place, known)).is_gone
    assert len(place.old.server.seen) == AT_ONCE + 1
    let_go.set()
    await asyncio.gather(*coming)


async def test_two_processes_leave_one_set_of_files(place: Place) -> None:
    """Even when the old system gives each of them other bytes."""
    count = 0
    both = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        nonlocal count
        count += 1
        data = encoded(picture(100 + count, 100), "PNG")
        if count == 2:
            both.set()
        await both.wait()
        await exchange.reply(data)

    async with serving(answer) as server:
        other = OldStorage(server)
        old = place.imported(f"{server.url}/x")
        async with (
            bringing(place.database_url, place.files, other) as one,
            bringing(place.database_url, place.files, other) as two,
        ):
            first, second = await asyncio.gather(one.bring(old.asset_id), two.bring(old.asset_id))
    assert count == 2
    assert first == second
    assert place.lies() == sorted([first.key, str(first.thumbnail_key)])
    assert place.files.path(first.key).stat().st_size == first.size_bytes


async def test_what_is_deleted_meanwhile_leaves_nothing(place: Place) -> None:
    old = place.imported(place.old.keep("/slow", PNG))
    let_go = place.old.held["/slow"] = asyncio.Event()
    waiting = asyncio.create_task(place.remote.bring(old.asset_id))
    await place.old.asked()
    run(place.database_url, "update kinora.generations set deleted_at = now()")
    let_go.set()
    with pytest.raises(NotHere, match="deleted"):
        await waiting
    assert place.lies() == []


async def test_who_fails_while_another_succeeds_does_not_call_it_lost(place: Place) -> None:
    first, let_go = asyncio.Event(), asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        if not first.is_set():
            first.set()
            await let_go.wait()
            await exchange.reply(b"", 404)
        await exchange.reply(PNG)

    async with serving(answer) as server:
        other = OldStorage(server)
        old = place.imported(f"{server.url}/x")
        async with (
            bringing(place.database_url, place.files, other) as one,
            bringing(place.database_url, place.files, other) as two,
        ):
            failing = asyncio.create_task(one.bring(old.asset_id))
            await first.wait()
            asset = await two.bring(old.asset_id)
            let_go.set()
            with pytest.raises(NotHere) as raised:
                await failing
            assert not raised.value.is_gone
            assert await one.bring(old.asset_id) == asset
