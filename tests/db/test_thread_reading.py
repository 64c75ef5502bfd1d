"""What the chat shows of conversations: whole ones in their order, and pages of their names."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any
from uuid import UUID, uuid4

import pytest
from chainlit.element import CustomElement, Image
from chainlit.types import Feedback, Pagination, ThreadFilter
from chainlit.user import PersistedUser, User
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import readings
from db.ids import new_id
from db.tables import generations, threads
from db.threads import Threads
from tests.db.chat import (
    a_generation,
    an_upload,
    card,
    message,
    no_generations,
    read_elements,
    read_thread,
    rows_of,
    session_of,
    someone,
)


@pytest.fixture
def layer(engine: AsyncEngine) -> Threads:
    return Threads(engine, no_generations)


async def test_cards_stand_in_the_order_they_were_made_with_the_newest_reading(
    layer: Threads, engine: AsyncEngine
) -> None:
    user, thread_id = await someone(layer), uuid4()
    made = [await a_generation(engine, user, prompt=f"fox {i}") for i in range(6)]
    random.Random(7).shuffle(made)
    with session_of(user, thread_id):
        said = message(thread_id)
        await layer.create_step(said)
        for generation_id in made:
            forged = {"snapshot": {"status": "failed", "cost_usd": 0}, "url": "https://evil.test"}
            await layer.create_element(card(thread_id, said["id"], generation_id, **forged))
        again = card(thread_id, said["id"], made[0])
        again.id = (await read_elements(layer, thread_id))[0]["id"]
        await layer.create_element(again)
        async with engine.begin() as connection:
            gone = update(generations).where(generations.c.id == made[5])
            await connection.execute(gone.values(deleted_at=generations.c.created_at))
            newest = await readings.read(connection, UUID(user.id), made)
        cards = await read_elements(layer, thread_id)
    assert "evil" not in str(await rows_of(engine, thread_id))
    by_id = {reading["id"]: reading for reading in newest}
    assert len(by_id) == 5
    assert [card["props"] for card in cards] == [
        {"generation_id": str(g), "snapshot": by_id.get(str(g)), "thread_id": str(thread_id)}
        for g in made
    ]
    assert await layer.get_element(str(thread_id), cards[3]["id"]) == cards[3]


async def test_only_our_own_addresses_are_kept_and_nothing_is_fetched_or_read(
    layer: Threads, engine: AsyncEngine
) -> None:
    user, thread_id = await someone(layer), uuid4()
    asset_id = await an_upload(engine, user)
    given = [
        Image(url="https://evil.test/x.png", name="far", thread_id=str(thread_id)),
        Image(path="/etc/passwd", name="near", thread_id=str(thread_id)),
        Image(url=f"/media/{asset_id}?w=512", name="ours", thread_id=str(thread_id)),
    ]
    with session_of(user, thread_id):
        for element in given:
            element.mime = "image/svg+xml"
            element.object_key = "../../other/key"
            await layer.create_element(element)
        kept = await read_elements(layer, thread_id)
        with pytest.raises(ValueError, match="plain word"):
            await layer.create_element(
                CustomElement(name="../../media/x", thread_id=str(thread_id))
            )
    assert [(e["name"], e["url"], e["objectKey"]) for e in kept] == [
        ("far", None, None),
        ("near", None, None),
        ("ours", f"/media/{asset_id}", None),
    ]
    assert kept[2]["mime"] == "image/png"


async def test_the_first_write_of_an_upload_may_come_after_the_one_that_names_its_file(
    layer: Threads, engine: AsyncEngine
) -> None:
    user, thread_id = await someone(layer), uuid4()
    asset_id = await an_upload(engine, user)
    with session_of(user, thread_id):
        image = Image(path="x", mime="image/heic", thread_id=str(thread_id))
        image.url = f"/media/{asset_id}"
        await layer.create_element(image)
        image.url = None
        await layer.create_element(image)
        [kept] = await read_elements(layer, thread_id)
    assert (kept["url"], kept["mime"]) == (f"/media/{asset_id}", "image/png")


async def test_a_deleted_thread_takes_all_along_in_one_transaction(engine: AsyncEngine) -> None:
    told: list[UUID] = []

    async def mark(connection: AsyncConnection, thread_id: UUID) -> None:
        there = select(threads.c.id).where(threads.c.id == thread_id)
        told.append((await connection.execute(there)).scalar_one())
        if len(told) == 1:
            raise RuntimeError("the first time fails")

    layer = Threads(engine, mark)
    user, thread_id = await someone(layer), uuid4()
    with session_of(user, thread_id):
        said = message(thread_id)
        await layer.create_step(said)
        await layer.create_element(card(thread_id, said["id"], await a_generation(engine, user)))
        await layer.upsert_feedback(Feedback(forId=said["id"], value=1))
        before = await rows_of(engine, thread_id)
        with pytest.raises(RuntimeError, match="the first time"):
            await layer.delete_thread(str(thread_id))
        assert await rows_of(engine, thread_id) == before
    await layer.delete_thread(str(thread_id))
    await layer.delete_thread(str(thread_id))
    left = await rows_of(engine, thread_id)
    assert (left.steps, left.elements, left.feedbacks) == ([], [], [])
    [tombstone] = [json.loads(row) for row in left.threads]
    assert {key for key, value in tombstone.items() if value not in (None, {}, 0)} == {
        *("id", "user_id", "created_at", "updated_at", "deleted_at")
    }
    assert await layer.get_thread(str(thread_id)) is None
    assert await layer.get_thread_author(str(thread_id)) == ""
    assert told == [thread_id, thread_id]


async def test_a_deleted_step_takes_its_elements_along(layer: Threads, engine: AsyncEngine) -> None:
    user, thread_id = await someone(layer), uuid4()
    with session_of(user, thread_id):
        said, other = message(thread_id), message(thread_id, "Stay")
        for step in (said, other):
            await layer.create_step(step)
            drawn = card(thread_id, step["id"], await a_generation(engine, user))
            await layer.create_element(drawn)
        await layer.delete_step(said["id"])
        await layer.delete_step(said["id"])
        thread = await read_thread(layer, thread_id)
        assert [step["output"] for step in thread["steps"]] == ["Stay"]
        assert [e["forId"] for e in thread["elements"] or []] == [other["id"]]
        await layer.delete_element(drawn.id)
        assert await read_elements(layer, thread_id) == []


async def _titles(
    layer: Threads, user: PersistedUser, first: int = 20, cursor: str | None = None, **wanted: Any
) -> tuple[list[str | None], str | None, bool]:
    page = await layer.list_threads(
        Pagination(first=first, cursor=cursor), ThreadFilter(userId=user.id, **wanted)
    )
    return [t["name"] for t in page.data], page.pageInfo.endCursor, page.pageInfo.hasNextPage


async def test_pages_of_threads_neither_skip_nor_repeat_when_threads_come_and_go(
    layer: Threads,
) -> None:
    user, ids = await someone(layer), [str(uuid4()) for _ in range(7)]
    for i, thread_id in enumerate(ids):
        await layer.update_thread(thread_id, name=f"t{i}", user_id=user.id)
    names, cursor, more = await _titles(layer, user, 3)
    assert (names, more) == (["t6", "t5", "t4"], True)
    await layer.delete_thread(ids[4])
    await layer.update_thread(str(uuid4()), name="new", user_id=user.id)
    names, cursor, more = await _titles(layer, user, 3, cursor)
    assert (names, more) == (["t3", "t2", "t1"], True)
    assert (await _titles(layer, user, 3, cursor))[::2] == (["t0"], False)
    assert (await _titles(layer, user, 3, "no cursor"))[::2] == ([], False)
    assert len((await _titles(layer, user, -1))[0]) == 1


async def test_feedback_stands_on_its_step_once_and_can_be_taken_back(layer: Threads) -> None:
    user, thread_id = await someone(layer), uuid4()
    with session_of(user, thread_id):
        said = message(thread_id, "Hello", type="assistant_message")
        await layer.create_step(said)
        await layer.update_thread(str(thread_id), name="rated", user_id=user.id)
        first = await layer.upsert_feedback(Feedback(forId=said["id"], value=0))
        second = await layer.upsert_feedback(Feedback(forId=said["id"], value=1, comment="good"))
        [step] = (await read_thread(layer, thread_id))["steps"]
        assert first == second
        assert step["feedback"] == {"id": first, "forId": said["id"], "value": 1, "comment": "good"}
        assert (await _titles(layer, user, feedback=1))[0] == ["rated"]
        assert (await _titles(layer, user, feedback=0))[0] == []
        assert await layer.delete_feedback(first) is True
        assert await layer.delete_feedback(first) is False
        assert (await read_thread(layer, thread_id))["steps"][0]["feedback"] is None


async def test_favorites_are_those_marked_so_and_no_others(layer: Threads) -> None:
    user, thread_id = await someone(layer), uuid4()
    with session_of(user, thread_id):
        liked, plain = message(thread_id, "liked"), message(thread_id, "plain")
        for step in (liked, plain):
            await layer.create_step(step)
        await layer.set_step_favorite(liked, True)
        [found] = await layer.get_favorite_steps(user.id)
        assert found["output"] == "liked"
        await layer.set_step_favorite(found, False)
        assert await layer.get_favorite_steps(user.id) == []


async def test_a_login_makes_the_user_once_and_brings_new_metadata(layer: Threads) -> None:
    name = f"person-{new_id()}"
    assert await layer.get_user(name) is None
    made = await asyncio.gather(*(layer.ensure_user(name) for _ in range(5)))
    first = await layer.create_user(User(identifier=name, metadata={"role": "old"}))
    second = await layer.create_user(User(identifier=name, metadata={"role": "new"}))
    assert {*map(str, made), first.id, second.id} == {first.id}
    found = await layer.get_user(name)
    assert found is not None
    assert (found.metadata, found.createdAt) == ({"role": "new"}, first.createdAt)
    with session_of(User(identifier=name), thread_id := uuid4()):
        await layer.create_step(message(thread_id))
    assert await layer.get_thread_author(str(thread_id)) == name
