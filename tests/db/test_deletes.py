"""What was deleted stays deleted, and takes along what only it has used."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from chainlit.element import Image
from chainlit.types import Feedback, Pagination, ThreadFilter
from chainlit.user import PersistedUser
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import assets, conversation, threads_of, turns
from db.tables import generations, inputs
from db.threads import Refused, Threads
from db.threads_of import Deleted
from tests.db.chat import (
    a_generation,
    an_upload,
    message,
    no_generations,
    read_elements,
    rows_of,
    session_of,
    someone,
)


@pytest.fixture
def layer(engine: AsyncEngine) -> Threads:
    return Threads(engine, no_generations)


async def show(layer: Threads, user: PersistedUser, thread_id: UUID, asset_id: UUID) -> Image:
    """A message with this picture in a thread."""
    with session_of(user, thread_id):
        said = message(thread_id)
        await layer.create_step(said)
        image = Image(
            url=f"/media/{asset_id}", name="me", thread_id=str(thread_id), for_id=said["id"]
        )
        await layer.create_element(image)
    return image


async def is_there(engine: AsyncEngine, user: PersistedUser, asset_id: UUID) -> bool:
    async with engine.connect() as connection:
        mine = await assets.find(connection, UUID(user.id), asset_id)
        signed = await assets.find_signed(connection, asset_id)
    assert (mine is None) == (signed is None)
    return mine is not None


async def test_nothing_brings_a_deleted_thread_back(layer: Threads, engine: AsyncEngine) -> None:
    user, thread_id = await someone(layer), uuid4()
    asset_id = await an_upload(engine, user)
    said = message(thread_id)
    with session_of(user, thread_id):
        await layer.create_step(said)
        await layer.delete_thread(str(thread_id))
        before = await rows_of(engine, thread_id)
        await layer.create_step(said)
        await layer.update_step(message(thread_id, "late"))
        await layer.update_thread(str(thread_id), name="late", user_id=user.id)
        await layer.update_thread(str(thread_id), name="late", metadata={"a": 1}, tags=["b"])
        await layer.create_element(Image(url=f"/media/{asset_id}", thread_id=str(thread_id)))
        await layer.delete_step(str(uuid4()))
        await layer.delete_element(str(uuid4()))
        with pytest.raises(Deleted):
            await layer.keep_step(message(thread_id, "must be kept"))
        with pytest.raises(Refused):
            await layer.upsert_feedback(Feedback(forId=said["id"], value=1))
        assert await layer.get_thread(str(thread_id)) is None
    assert await rows_of(engine, thread_id) == before
    async with engine.begin() as connection:
        assert not await threads_of.ensure(connection, UUID(user.id), thread_id)
        assert await threads_of.is_deleted(connection, UUID(user.id), thread_id)
        with pytest.raises(Deleted):
            await turns.begin(connection, UUID(said["id"]), thread_id, 1)
    page = await layer.list_threads(Pagination(first=9), ThreadFilter(userId=user.id))
    assert page.data == []


async def test_to_another_a_deleted_thread_is_like_any_that_is_not_theirs(layer: Threads) -> None:
    user, other, thread_id = await someone(layer), await someone(layer), uuid4()
    await layer.update_thread(str(thread_id), name="mine", user_id=user.id)
    await layer.delete_thread(str(thread_id))
    with session_of(other, thread_id):
        with pytest.raises(Refused) as refused:
            await layer.create_step(message(thread_id))
        assert not isinstance(refused.value, Deleted)


async def test_a_write_that_meets_a_delete_waits_for_it_and_comes_too_late(
    engine: AsyncEngine,
) -> None:
    deleting, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(connection: AsyncConnection, thread_id: UUID) -> None:
        deleting.set()
        await go_on.wait()

    layer, elsewhere = Threads(engine, slowly), Threads(engine, no_generations)
    user, thread_id = await someone(layer), uuid4()
    with session_of(user, thread_id):
        await layer.create_step(message(thread_id))
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(layer.delete_thread(str(thread_id)))
            await deleting.wait()
            late = [
                group.create_task(elsewhere.create_step(message(thread_id, "late"))),
                group.create_task(_ensured(engine, user, thread_id)),
            ]
            await until_waiting(engine, len(late))
            go_on.set()
    assert late[1].result() is False
    assert (await rows_of(engine, thread_id)).steps == []


async def _ensured(engine: AsyncEngine, user: PersistedUser, thread_id: UUID) -> bool:
    async with engine.begin() as connection:
        return await threads_of.ensure(connection, UUID(user.id), thread_id)


async def until_waiting(engine: AsyncEngine, count: int) -> None:
    """Return when so many transactions wait for a row of a table."""
    async with engine.connect() as connection:
        while True:
            blocked = await connection.exec_driver_sql(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
                "and datname = current_database()"
            )
            if blocked.scalar_one() >= count:
                return
            await connection.exec_driver_sql("select pg_sleep(0.02)")
            await connection.rollback()


async def test_a_deleted_message_stays_deleted_with_all_that_hangs_on_it(
    layer: Threads, engine: AsyncEngine
) -> None:
    user, thread_id = await someone(layer), uuid4()
    asset_id = await an_upload(engine, user)
    image = await show(layer, user, thread_id, asset_id)
    with session_of(user, thread_id):
        await layer.delete_step(str(image.for_id))
        again = message(thread_id, "again", id=image.for_id)
        await layer.update_step(again)
        await layer.create_element(image)
        late = Image(url=None, path="x", thread_id=str(thread_id), for_id=image.for_id)
        await layer.create_element(late)
        with pytest.raises(Deleted):
            await layer.keep_step(again)
        assert await read_elements(layer, thread_id) == []
        assert await layer.get_element(str(thread_id), late.id) is None
    async with engine.connect() as connection:
        assert await conversation.one(connection, UUID(user.id), UUID(str(image.for_id))) is None
    assert not await is_there(engine, user, asset_id)


async def test_a_picture_goes_with_the_last_conversation_that_shows_it(
    layer: Threads, engine: AsyncEngine
) -> None:
    user, first, second = await someone(layer), uuid4(), uuid4()
    asset_id, bystander = await an_upload(engine, user), await an_upload(engine, user)
    await show(layer, user, first, asset_id)
    image = await show(layer, user, second, asset_id)
    await layer.delete_thread(str(first))
    assert await is_there(engine, user, asset_id)
    with session_of(user, second):
        await layer.delete_element(image.id)
    assert not await is_there(engine, user, asset_id)
    assert await is_there(engine, user, bystander)


async def test_a_picture_that_comes_into_a_deleted_conversation_goes(
    layer: Threads, engine: AsyncEngine
) -> None:
    user, other, thread_id = await someone(layer), await someone(layer), uuid4()
    mine, theirs = await an_upload(engine, user), await an_upload(engine, other)
    await layer.update_thread(str(thread_id), name="mine", user_id=user.id)
    await layer.delete_thread(str(thread_id))
    await show(layer, user, thread_id, mine)
    await show(layer, user, thread_id, theirs)
    assert not await is_there(engine, user, mine)
    assert await is_there(engine, other, theirs)


async def test_a_picture_of_a_deleted_conversation_waits_for_the_generation_made_from_it(
    layer: Threads, engine: AsyncEngine
) -> None:
    user, thread_id = await someone(layer), uuid4()
    asset_id, never_shown = await an_upload(engine, user), await an_upload(engine, user)
    made = await a_generation(engine, user)
    async with engine.begin() as connection:
        for position, given in enumerate((asset_id, never_shown)):
            row = {"generation_id": made, "position": position, "role": "image", "asset_id": given}
            await connection.execute(insert(inputs).values(row))
    await show(layer, user, thread_id, asset_id)
    await layer.delete_thread(str(thread_id))
    assert await is_there(engine, user, asset_id)
    async with engine.begin() as connection:
        gone = update(generations).where(generations.c.id == made)
        await connection.execute(gone.values(deleted_at=generations.c.created_at))
        await assets.let_go_of_inputs(connection, [made])
    assert not await is_there(engine, user, asset_id)
    assert await is_there(engine, user, never_shown)
    async with engine.begin() as connection:
        assert await assets.hold(connection, [never_shown])
        assert not await assets.hold(connection, [asset_id, never_shown])
        assert await assets.keys_of_deleted(connection, never_shown) is None
        assert await assets.keys_of_deleted(connection, asset_id) == [f"uploads/{asset_id}.png"]
        await assets.forget(connection, never_shown)
        await assets.forget(connection, asset_id)
        left = await connection.execute(
            select(inputs.c.asset_id).where(inputs.c.generation_id == made)
        )
        assert set(left.scalars()) == {None, never_shown}
