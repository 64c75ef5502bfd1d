"""What can be named, and by whom: ids, handles of a thread, and nothing that is another's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from db import assets, generations, tables, threads_of, users
from db.assets import Asset
from db.connect import open_engine
from db.ids import new_id
from generations.admission import Admission
from generations.contract import Caller, NotFound, NotPossible, Wanted, WantedInput
from generations.naming import find_generation, find_picture
from providers.catalogue import load_catalogue


@dataclass(frozen=True, slots=True)
class Place:
    """A thread of mine with three generations (#3 has made two pictures), and a stranger."""

    engine: AsyncEngine
    admission: Admission
    me: Caller
    stranger: Caller
    ids: list[UUID]
    pictures: list[Asset]
    film: Asset
    upload: Asset

    async def generation(self, caller: Caller, name: str) -> UUID:
        async with self.engine.connect() as connection:
            return await find_generation(connection, caller, name)

    async def picture(self, caller: Caller, name: str) -> UUID:
        async with self.engine.connect() as connection:
            return (await find_picture(connection, caller, name)).id


def asset_of(user_id: UUID, media_type: str, **more: Any) -> Asset:
    asset_id = new_id()
    given: dict[str, Any] = {
        "id": asset_id,
        "user_id": user_id,
        "media_type": media_type,
        "width_px": 64,
        "height_px": 64,
        "duration_s": None,
        "size_bytes": 100,
        "sha256": "ab" * 32,
        "storage_key": f"uploads/{asset_id}.png",
        **more,
    }
    return Asset(**given)


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    engine = open_engine(database_url)
    async with engine.begin() as connection:
        mine, others = [await users.ensure(connection, name) for name in ("me", "stranger")]
        me = Caller(user_id=mine, thread_id=new_id())
        stranger = Caller(user_id=others, thread_id=new_id())
        for caller in (me, stranger):
            assert caller.thread_id is not None
            await threads_of.ensure(connection, caller.user_id, caller.thread_id)
        ids = []
        for status, kind in (("queued", "image"), ("completed", "video"), ("completed", "image")):
            values = {
                "id": new_id(),
                "user_id": mine,
                "thread_id": me.thread_id,
                "kind": kind,
                "prompt": "a fox",
                "model": f"demo-{kind}",
                "provider": "demo",
                "endpoint": "x",
            }
            row = await generations.insert_generation(connection, values, [])
            await generations.move(connection, row, status)
            ids.append(row.id)
        film = asset_of(mine, "video/mp4", generation_id=ids[1], duration_s=2.0)
        pictures = [asset_of(mine, "image/png", generation_id=ids[2], position=n) for n in range(2)]
        upload = asset_of(mine, "image/png")
        for asset in (film, *pictures, upload):
            await assets.add(connection, asset)
    admission = Admission(engine, load_catalogue(), frozenset({"demo"}))
    yield Place(engine, admission, me, stranger, ids, pictures, film, upload)
    await engine.dispose()


async def test_a_generation_is_named_by_its_handle_or_its_id(place: Place) -> None:
    for name in ("#3", "3", " #3 ", "#3.2", str(place.ids[2]), f" {place.ids[2]} "):
        assert await place.generation(place.me, name) == place.ids[2], name
    assert (await place.admission.get(place.me, "#2"))["id"] == str(place.ids[1])


async def test_a_picture_is_named_by_its_id_its_generation_or_its_place_in_it(
    place: Place,
) -> None:
    first, second = (asset.id for asset in place.pictures)
    for name in ("#3", "#3.1", "3.1", str(place.ids[2]), str(first)):
        assert await place.picture(place.me, name) == first, name
    for name in ("#3.2", str(second)):
        assert await place.picture(place.me, name) == second, name
    assert await place.picture(place.me, str(place.upload.id)) == place.upload.id


@pytest.mark.parametrize(
    "name",
    [
        *("#4", "#0", "#-1", "#3.", "##3", "#3a", "#", "", "fox", "#9999999999", "#3\n.2"),
        *("#3; drop table", "\0", "\ud800", "x" * 5000),
        "0199aaaa-0000-7000-8000-000000000000",
    ],
)
async def test_what_does_not_exist_is_not_found(place: Place, name: str) -> None:
    with pytest.raises(NotFound) as refused:
        await place.picture(place.me, name)
    assert len(refused.value.message) < 200
    with pytest.raises(NotFound):
        await place.admission.get(place.me, name)


@pytest.mark.parametrize("name", ["#3.0", "#3.3", "#3.9999"])
async def test_a_picture_that_a_generation_has_not_made_is_not_found(
    place: Place, name: str
) -> None:
    with pytest.raises(NotFound, match="has 2 assets"):
        await place.picture(place.me, name)


async def test_an_unfinished_picture_and_a_film_cannot_be_used(place: Place) -> None:
    for name in ("#1", str(place.ids[0])):
        with pytest.raises(NotPossible, match="queued"):
            await place.picture(place.me, name)
    for name in ("#2", str(place.film.id)):
        with pytest.raises(NotPossible, match="film"):
            await place.picture(place.me, name)


async def test_a_handle_means_something_in_its_own_thread_only(place: Place) -> None:
    elsewhere = replace(place.me, thread_id=new_id())
    nowhere = replace(place.me, thread_id=None)
    for caller in (elsewhere, nowhere):
        for find in (place.generation, place.picture):
            with pytest.raises(NotFound):
                await find(caller, "#3")
        assert await place.picture(caller, str(place.ids[2])) == place.pictures[0].id


async def test_what_is_another_users_does_not_exist(place: Place) -> None:
    """Not by id, not by handle, not from inside the thread it stands in."""
    inside = replace(place.stranger, thread_id=place.me.thread_id)
    names = ["#3", str(place.ids[2]), str(place.pictures[0].id), str(place.upload.id)]
    for caller in (place.stranger, inside):
        with pytest.raises(NotFound):
            await place.generation(caller, "#3")
        for name in names:
            with pytest.raises(NotFound):
                await place.picture(caller, name)
        for name in ("#1", str(place.ids[0])):
            for do in (
                place.admission.get,
                place.admission.cancel,
                place.admission.retry,
                place.admission.delete,
            ):
                with pytest.raises(NotFound):
                    await do(caller, name)
        wanted = Wanted(
            kind="image",
            prompt="make it blue",
            model="demo-image",
            inputs=(WantedInput(role="image", picture=str(place.upload.id)),),
        )
        with pytest.raises(NotFound):
            await place.admission.submit(caller, wanted)
        assert await place.admission.get_many(caller, place.ids) == []
        assert (await place.admission.find(caller))["data"] == []
    assert (await place.admission.get(place.me, "#1"))["cancel_requested_at"] is None


async def test_a_deleted_generation_takes_its_names_along(place: Place) -> None:
    await place.admission.delete(place.me, "#3")
    for name in ("#3", str(place.ids[2]), str(place.pictures[0].id)):
        with pytest.raises(NotFound):
            await place.picture(place.me, name)
    with pytest.raises(NotFound):
        await place.admission.get(place.me, str(place.ids[2]))
    assert (await place.admission.get(place.me, "#2"))["handle"] == "#2"


async def test_a_handle_is_never_given_out_twice(place: Place) -> None:
    await place.admission.delete(place.me, "#3")
    wanted = Wanted(kind="image", prompt="a fox", model="demo-image")
    assert (await place.admission.submit(place.me, wanted))["handle"] == "#4"


async def test_a_thread_that_is_another_users_takes_no_generation(place: Place) -> None:
    inside = replace(place.stranger, thread_id=place.me.thread_id)
    wanted = Wanted(kind="image", prompt="a fox", model="demo-image")
    with pytest.raises(NotFound):
        await place.admission.submit(inside, wanted)
    async with place.engine.begin() as connection:
        counted = update(tables.threads).returning(tables.threads.c.generation_count)
        same = counted.values(generation_count=tables.threads.c.generation_count)
        mine = same.where(tables.threads.c.id == place.me.thread_id)
        assert (await connection.execute(mine)).scalar_one() == 3
