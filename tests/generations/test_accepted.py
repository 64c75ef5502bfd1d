"""What a request is answered with when it is accepted, and what stands in the books by then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db import accounts, assets, generations, users
from db.assets import Asset
from db.connect import open_engine
from db.ids import new_id
from generations.admission import Admission
from generations.contract import Caller, ShutOut, Wanted, WantedInput
from providers.catalogue import load_catalogue

PLAIN = Wanted(kind="image", prompt="A lighthouse", aspect_ratio="16:9", n=2)


@dataclass(frozen=True, slots=True)
class Place:
    """A person with a picture of their own."""

    engine: AsyncEngine
    admission: Admission
    me: Caller
    picture: UUID


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    engine = open_engine(database_url)
    async with engine.begin() as connection:
        mine, picture = await users.ensure(connection, "me"), new_id()
        given = Asset(
            id=picture,
            user_id=mine,
            media_type="image/png",
            width_px=64,
            height_px=64,
            duration_s=None,
            size_bytes=100,
            sha256="ab" * 32,
            storage_key=f"uploads/{picture}.png",
        )
        await assets.add(connection, given)
    admission = Admission(engine, load_catalogue(), frozenset({"demo"}))
    yield Place(engine, admission, Caller(user_id=mine), picture)
    await engine.dispose()


def calls_waiting(database_url: str, generation_id: str) -> int:
    query = "select count(*) from jobs.procrastinate_jobs where queueing_lock = %s"
    with psycopg.connect(database_url) as connection:
        found = connection.execute(query, [f"g:{generation_id}"]).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("where", ["nowhere", "in a thread"])
@pytest.mark.parametrize("made_from", ["words", "a picture"])
async def test_the_answer_is_what_anybody_reads_afterwards(
    place: Place, database_url: str, where: str, made_from: str
) -> None:
    caller, wanted = place.me, PLAIN
    if where == "in a thread":
        caller = replace(caller, thread_id=new_id(), step_id=new_id(), call_index=0)
    if made_from == "a picture":
        reference = WantedInput(role="reference", picture=str(place.picture))
        wanted = replace(wanted, inputs=(reference,))
    answered = await place.admission.submit(caller, wanted)
    assert answered == await place.admission.get(caller, answered["id"])
    assert calls_waiting(database_url, answered["id"]) == 1


async def test_generations_that_come_at_once_take_one_handle_each(place: Place) -> None:
    caller = replace(place.me, thread_id=new_id())
    answers = await asyncio.gather(*(place.admission.submit(caller, PLAIN) for _ in range(6)))
    assert sorted(answer["handle"] for answer in answers) == [f"#{n}" for n in range(1, 7)]


async def test_a_disabled_user_retries_nothing(place: Place) -> None:
    started = await place.admission.submit(place.me, PLAIN)
    await place.admission.cancel(place.me, started["id"])
    async with place.engine.begin() as connection:
        await accounts.disable(connection, place.me.user_id)
    with pytest.raises(ShutOut):
        await place.admission.retry(place.me, started["id"])
    async with place.engine.connect() as connection:
        row = await generations.load(connection, UUID(started["id"]))
    assert row is not None
    assert (row.status, row.attempt) == ("cancelled", 1)
