"""At most so many of a user's generations are at providers at once; the rest wait, oldest first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db import generations, lines, users
from db.connect import open_engine
from db.generations import Row
from db.ids import new_id
from generations.contract import Caller, Wanted
from runtime import Runtime
from tests.demo_process import Demo
from tests.house import local, open_house, reaches, settled

FOX = Wanted(kind="image", prompt="a fox", model="demo-image-quick")
#: Far less than a waiting one sleeps when it hears nothing.
SOON_S = 8.0
SUBMITTED = "select id from kinora.generations where submitted_at is not null order by submitted_at"


@pytest.fixture
async def houses(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> AsyncIterator[list[Runtime]]:
    """Two houses on one database, each with drivers of its own, and two places in flight."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                open_house(database_url, calm_demo.url, tmp_path / name, MAX_IN_FLIGHT_PER_USER="2")
            )
            for name in "ab"
        ]


async def submit(house: Runtime, how_many: int, caller: Caller | None = None) -> list[str]:
    caller = caller or local(house)
    return [(await house.admission.submit(caller, FOX))["id"] for _ in range(how_many)]


async def statuses(house: Runtime, ids: list[str]) -> list[str]:
    return [(await house.admission.get(local(house), one))["status"] for one in ids]


def in_order(database_url: str) -> list[str]:
    """The generations in the order in which they came to the provider."""
    with psycopg.connect(database_url) as connection:
        return [str(row[0]) for row in connection.execute(SUBMITTED)]


async def most_at_once(database_url: str, stop: asyncio.Event) -> int:
    """The largest number that was ever seen in flight until `stop`."""
    query = (
        "select count(*) from kinora.generations"
        " where status in ('submitting', 'in_progress', 'storing')"
    )
    most = 0
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        while not stop.is_set():
            found = await (await connection.execute(query)).fetchone()
            assert found is not None
            most = max(most, found[0])
    return most


async def test_the_rest_waits_and_goes_oldest_first_over_two_processes(
    houses: list[Runtime], database_url: str
) -> None:
    stop = asyncio.Event()
    counting = asyncio.create_task(most_at_once(database_url, stop))
    ids = []
    for n in range(10):
        ids += await submit(houses[n % 2], 1)
    async with asyncio.timeout(30):
        for one in ids:
            assert (await settled(houses[0], one))["status"] == "completed"
    stop.set()
    assert await counting == 2
    # Two that are let in together may overtake each other on the way.
    order = [ids.index(one) for one in in_order(database_url)]
    assert all(abs(place - index) <= 1 for place, index in enumerate(order)), order


async def test_one_that_waits_goes_at_once_when_a_place_comes_free(
    houses: list[Runtime], demo: Demo
) -> None:
    await demo.hold(True)
    first, second, third, fourth = await submit(houses[0], 4)
    for one in (first, second):
        await reaches(houses[0], one, "in_progress")
    assert await statuses(houses[0], [third, fourth]) == ["queued", "queued"]
    assert (await demo.ledger(third))["submits"] == 0
    await houses[1].admission.cancel(local(houses[1]), first)
    await demo.until(third, "submits:1", SOON_S)
    # A place that two leave together is not left empty either.
    await houses[1].admission.cancel(local(houses[1]), second)
    await demo.until(fourth, "submits:1", SOON_S)


async def test_another_user_has_places_of_their_own(houses: list[Runtime], demo: Demo) -> None:
    await demo.hold(True)
    await submit(houses[0], 3)
    async with houses[0].engine.begin() as connection:
        other = Caller(user_id=await users.ensure(connection, "other"))
    (theirs,) = await submit(houses[0], 1, other)
    await demo.until(theirs, "submits:1", SOON_S)


async def test_what_was_cancelled_or_deleted_in_line_keeps_nobody_waiting(
    houses: list[Runtime], demo: Demo
) -> None:
    await demo.hold(True)
    house = houses[0]
    first, second, third, fourth, fifth = await submit(house, 5)
    for one in (first, second):
        await reaches(house, one, "in_progress")
    assert (await house.admission.cancel(local(house), third))["status"] == "cancelled"
    await house.admission.delete(local(house), fourth)
    await house.admission.cancel(local(house), first)
    await demo.until(fifth, "submits:1", SOON_S)
    assert (await demo.ledger(third))["submits"] == (await demo.ledger(fourth))["submits"] == 0


async def test_an_unknown_one_holds_no_place(houses: list[Runtime], demo: Demo) -> None:
    await demo.hold(True)
    house = houses[0]
    ids = await submit(house, 3)
    for one in ids[:2]:
        await reaches(house, one, "in_progress")
    async with house.engine.begin() as connection:
        row = await generations.lock_for(connection, house.local_user_id, UUID(ids[0]))
        assert row is not None
        assert await generations.move(connection, row, "unknown", claim=row.claim + 1)
    await demo.until(ids[2], "submits:1", SOON_S)


async def test_two_drivers_cannot_both_take_the_last_place(database_url: str) -> None:
    engine, limits = open_engine(database_url), lines.Limits(per_user=1)
    async with engine.begin() as connection:
        me = await users.ensure(connection, "me")
        first, second = [await queued(connection, me) for _ in range(2)]

    async def try_second() -> bool:
        async with engine.begin() as connection:
            return await lines.take_place(connection, second, limits)

    async with engine.begin() as connection:
        assert await lines.take_place(connection, first, limits)
        trying = asyncio.create_task(try_second())
        await until_it_waits(database_url, trying)
        await generations.move(connection, first, "submitting")
    assert not await trying
    await engine.dispose()


async def queued(connection: AsyncConnection, user_id: UUID) -> Row:
    """A queued generation whose driver has just come to the line."""
    words = dict.fromkeys(("prompt", "model", "provider", "endpoint"), "x")
    values = {"id": new_id(), "user_id": user_id, "kind": "image", **words}
    return await generations.insert_generation(connection, values, [])


async def until_it_waits(database_url: str, trying: asyncio.Task[bool]) -> None:
    """Return when the task stands before a lock, or has got by without one."""
    query = "select 1 from pg_locks where locktype = 'advisory' and not granted"
    async with (
        asyncio.timeout(SOON_S),
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection,
    ):
        while not trying.done() and not await (await connection.execute(query)).fetchone():
            pass


async def test_without_a_bound_nobody_waits(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    await calm_demo.hold(True)
    async with open_house(
        database_url, calm_demo.url, tmp_path, MAX_IN_FLIGHT_PER_USER="0"
    ) as house:
        for one in await submit(house, 25):
            await calm_demo.until(one, "submits:1", SOON_S)
