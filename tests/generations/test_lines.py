"""Who goes next when not all may: places are exact, turns are fair, a provider that refuses is left
alone for a while and everybody is told why.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import generations, lines, pauses, users
from db.connect import open_engine
from db.generations import Row
from db.ids import new_id
from db.lines import Limits, ProviderLimit
from generations.contract import Caller, Wanted
from generations.lifecycle import QUEUED_MAX_S
from runtime import Runtime
from tests.demo_process import Demo
from tests.house import local, open_house, reaches, settled

FOX = Wanted(kind="image", prompt="a fox", model="demo-image-quick")
SOON_S = 10.0


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database_url)
    yield opened
    await opened.dispose()


async def person(engine: AsyncEngine, name: str) -> UUID:
    async with engine.begin() as connection:
        return await users.ensure(connection, name)


async def waiting(
    engine: AsyncEngine, user_id: UUID, how_many: int = 1, provider: str = "p", **more: Any
) -> list[UUID]:
    """So many of somebody's that stand in line at a provider, in order."""
    words = dict.fromkeys(("prompt", "model", "endpoint"), "x")
    made: list[UUID] = []
    async with engine.begin() as connection:
        for _ in range(how_many):
            values = {"id": new_id(), "user_id": user_id, "kind": "image", "provider": provider}
            row = await generations.insert_generation(connection, values | words, [])
            # Each a moment later than the one before it.
            at = datetime.now(UTC) + timedelta(milliseconds=len(made))
            moved = await generations.move(
                connection, row, "queued", waits=True, **{"queued_at": at} | more
            )
            assert moved is not None
            made.append(moved.id)
    return made


async def let_go(engine: AsyncEngine, limits: Limits) -> set[UUID]:
    async with engine.begin() as connection:
        return set(await lines.pass_on(connection, limits, QUEUED_MAX_S))


async def row_of(connection: AsyncConnection, generation_id: UUID) -> Row:
    row = await generations.load(connection, generation_id)
    assert row is not None
    return row


async def moved(engine: AsyncEngine, ids: set[UUID], status: str, **values: Any) -> None:
    async with engine.begin() as connection:
        for one in ids:
            assert await generations.move(
                connection, await row_of(connection, one), status, **values
            )


async def test_whoever_has_least_at_work_goes_first(engine: AsyncEngine) -> None:
    anna, bert = await person(engine, "anna"), await person(engine, "bert")
    of_anna = await waiting(engine, anna, 5)
    of_bert = await waiting(engine, bert, 2)
    limits = Limits(providers={"p": ProviderLimit(at_once=3)})
    assert await let_go(engine, limits) == {of_anna[0], of_bert[0], of_anna[1]}
    assert await let_go(engine, limits) == set()
    await moved(engine, {of_anna[0], of_anna[1]}, "submitting")
    await moved(engine, {of_anna[0]}, "failed")
    # Each has one at work now, and Anna waits longer.
    assert await let_go(engine, limits) == {of_anna[2]}
    await moved(engine, {of_bert[0]}, "submitting")
    await moved(engine, {of_bert[0]}, "failed")
    assert await let_go(engine, limits) == {of_bert[1]}


async def test_places_that_many_pass_on_at_once_are_given_once(engine: AsyncEngine) -> None:
    for name in ("anna", "bert", "cleo"):
        await waiting(engine, await person(engine, name), 6)
    limits = Limits(per_user=2, providers={"p": ProviderLimit(at_once=5)})
    rounds = await asyncio.gather(*(let_go(engine, limits) for _ in range(8)))
    assert sum(len(one) for one in rounds) == len(set().union(*rounds)) == 5


async def test_a_users_bound_holds_over_all_providers_and_keeps_nobody_else_back(
    engine: AsyncEngine,
) -> None:
    anna, bert = await person(engine, "anna"), await person(engine, "bert")
    slow = await waiting(engine, anna, 3, provider="slow")
    fast = await waiting(engine, anna, 3, provider="fast")
    of_bert = await waiting(engine, bert, 1, provider="slow")
    limits = Limits(per_user=2, providers={"slow": ProviderLimit(at_once=1)})
    first = await let_go(engine, limits)
    assert first == {slow[0], fast[0]}
    await moved(engine, {slow[0]}, "submitting")
    await moved(engine, {slow[0]}, "failed")
    # Anna's place may go to either provider; Bert has none at work, so the slow one is his.
    assert await let_go(engine, limits) == {of_bert[0], fast[1]}


async def test_a_rate_is_kept_also_by_what_is_over_already(engine: AsyncEngine) -> None:
    ids = await waiting(engine, await person(engine, "anna"), 5)
    limits = Limits(providers={"p": ProviderLimit(submits=2, per_s=3600)})
    gone = await let_go(engine, limits)
    assert gone == set(ids[:2])
    await moved(engine, gone, "submitting")
    await moved(engine, gone, "failed")
    assert await let_go(engine, limits) == set()
    hour_ago = datetime.now(UTC) - timedelta(hours=1, minutes=1)
    await moved(engine, {ids[0]}, "failed", placed_at=hour_ago)
    assert await let_go(engine, limits) == {ids[2]}


async def begin_pause(engine: AsyncEngine, code: str = "rate_limited", length_s: float = 60) -> Any:
    async with engine.begin() as connection:
        await lines.hold(connection)
        return await pauses.begin(
            connection, "p", code=code, message="no", length_s=lambda streak: length_s * streak
        )


async def test_after_a_pause_one_goes_first_and_its_success_opens_the_door(
    engine: AsyncEngine, database_url: str
) -> None:
    ids = await waiting(engine, await person(engine, "anna"), 4)
    await begin_pause(engine)
    assert await let_go(engine, Limits()) == set()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update kinora.provider_pauses set until = now() - interval '1 s'")
    assert await let_go(engine, Limits()) == {ids[0]}
    assert await let_go(engine, Limits()) == set()
    await moved(engine, {ids[0]}, "submitting")
    assert await let_go(engine, Limits()) == set()
    await moved(engine, {ids[0]}, "in_progress", submitted_at=datetime.now(UTC))
    assert await let_go(engine, Limits()) == set(ids[1:])
    async with engine.begin() as connection:
        await pauses.forget_over(connection)
        assert await pauses.read(connection) == []


async def test_pauses_grow_in_a_row_and_one_burst_is_one_pause(
    engine: AsyncEngine, database_url: str
) -> None:
    assert [(await begin_pause(engine)).streak for _ in range(3)] == [1, 1, 1]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update kinora.provider_pauses set until = now() - interval '1 s'")
    again = await begin_pause(engine)
    assert again.streak == 2
    assert again.until - datetime.now(UTC) > timedelta(seconds=110)


async def test_whoever_waited_a_day_is_driven_to_hear_that_it_is_over(engine: AsyncEngine) -> None:
    await begin_pause(engine)
    anna = await person(engine, "anna")
    long_ago = datetime.now(UTC) - timedelta(seconds=QUEUED_MAX_S + 60)
    old = await waiting(engine, anna, 1, queued_at=long_ago)
    await waiting(engine, anna, 1)
    assert await let_go(engine, Limits()) == set(old)


async def test_places_in_line_are_told_and_not_at_every_step(engine: AsyncEngine) -> None:
    ids = await waiting(engine, await person(engine, "anna"), 60)
    limits = Limits(providers={"p": ProviderLimit(at_once=1)})

    async def places() -> list[int | None]:
        async with engine.begin() as connection:
            await lines.tell_places(connection, limits)
            return [(await row_of(connection, one)).queue_position for one in ids]

    assert await places() == list(range(1, 61))
    assert await let_go(engine, limits) == {ids[0]}
    after = await places()
    assert after[:12] == [None, *range(1, 11), 12]
    assert after[-1] == 60


@pytest.fixture
async def house(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_house(database_url, calm_demo.url, tmp_path) as runtime:
        yield runtime


async def until_in_line(house: Runtime, ids: list[str]) -> None:
    async with asyncio.timeout(SOON_S), house.engine.connect() as connection:
        for one in ids:
            while not (row := await row_of(connection, UUID(one))).waits:
                await house.watch.sleep(row.id, row.version, 0.2)


async def until_noted(house: Runtime, generation_id: str) -> dict[str, Any]:
    caller = local(house)
    async with asyncio.timeout(SOON_S):
        while not (reading := await house.admission.get(caller, generation_id))["notes"]:
            await house.watch.sleep(UUID(generation_id), reading["v"], 0.2)
    return reading


async def test_a_429_sends_everybody_back_in_line_and_the_card_says_so(
    house: Runtime, demo: Demo
) -> None:
    await demo.fault(on="submit", fault="status", status=429, retry_after_s=3)
    caller = local(house)
    first = (await house.admission.submit(caller, FOX))["id"]
    paused = await until_noted(house, first)
    assert (paused["status"], paused["charged"]) == ("queued", "no")
    assert "asked again" in paused["notes"][0]
    others = [(await house.admission.submit(caller, FOX))["id"] for _ in range(3)]
    for one in others:
        assert (await until_noted(house, one))["status"] == "queued"
        assert (await demo.ledger(one))["submit_requests"] == 0
    for one in (first, *others):
        done = await settled(house, one)
        assert (done["status"], done["attempt"], done["notes"]) == ("completed", 1, [])
        assert (await demo.ledger(one))["submits"] == 1
    assert (await demo.ledger(first))["submit_requests"] == 2


async def test_an_empty_account_fails_one_and_keeps_the_others_in_line(
    house: Runtime, demo: Demo, database_url: str
) -> None:
    await demo.fault(on="submit", fault="status", status=402)
    caller = local(house)
    first = await settled(house, (await house.admission.submit(caller, FOX))["id"])
    assert (first["status"], first["error"]["code"], first["charged"]) == (
        "failed",
        "out_of_credit",
        "no",
    )
    other = (await house.admission.submit(caller, FOX))["id"]
    assert "out of credit" in (await until_noted(house, other))["notes"][0]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update kinora.provider_pauses set until = now()")
    assert (await settled(house, other))["status"] == "completed"


async def test_another_user_is_not_kept_waiting_by_somebodys_long_line(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    models = tmp_path / "models.toml"
    models.write_text('[providers.demo]\non_lost_submit = "key"\nat_once = 3\n', "utf-8")
    await calm_demo.hold(True)
    async with open_house(
        database_url, calm_demo.url, tmp_path, MODELS_FILE=str(models), MAX_IN_FLIGHT_PER_USER="0"
    ) as house:
        mine = [(await house.admission.submit(local(house), FOX))["id"] for _ in range(12)]
        for one in mine[:3]:
            await reaches(house, one, "in_progress")
        async with house.engine.begin() as connection:
            other = Caller(user_id=await users.ensure(connection, "other"))
        theirs = (await house.admission.submit(other, FOX))["id"]
        await until_in_line(house, [*mine[3:], theirs])
        await house.admission.cancel(local(house), mine[0])
        await calm_demo.until(theirs, "submits:1", SOON_S)
        assert (await calm_demo.ledger(mine[3]))["submits"] == 0
