"""The one JSON of a generation: its words, its nulls, its moments, and lists that stay in order."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from db import assets, generations, readings, tables, threads_of, users
from db.assets import Asset
from db.ids import new_id
from db.readings import Filter

#: Fields may be added to what others rely on: `v` counts the changes, `updated_at` dates the last.
FIELDS = {
    *("id", "handle", "kind", "status", "progress", "queue_position", "prompt", "model"),
    *("provider", "params", "parent_id", "thread_id", "inputs", "assets", "error", "notes"),
    *("charged", "cost_usd", "attempt", "cancel_requested_at", "created_at", "submitted_at"),
    *("finished_at", "updated_at", "v"),
}
ASSET_FIELDS = {
    *("id", "url", "thumbnail_url", "media_type", "width_px", "height_px", "duration_s"),
    "size_bytes",
}
NULL_AT_FIRST = {
    *("handle", "progress", "queue_position", "parent_id", "thread_id", "error"),
    *("cancel_requested_at", "submitted_at", "finished_at"),
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ONE_PICTURE = "0199aaaa-0000-7000-8000-000000000000"


@pytest.fixture
async def me(engine: AsyncEngine) -> UUID:
    async with engine.begin() as connection:
        return await users.ensure(connection, f"person-{uuid4()}")


async def a_generation(engine: AsyncEngine, user_id: UUID, **more: Any) -> UUID:
    values: dict[str, Any] = {
        "id": new_id(),
        "user_id": user_id,
        "kind": "image",
        "prompt": "a red fox",
        "model": "demo-image",
        "provider": "demo",
        "endpoint": "demo-image",
        **more,
    }
    async with engine.begin() as connection:
        row = await generations.insert_generation(connection, values, [])
    return row.id


async def change(engine: AsyncEngine, generation_id: UUID, **values: Any) -> None:
    """Write columns as they may stand one day, past all rules."""
    mine = tables.generations.c.id == generation_id
    async with engine.begin() as connection:
        await connection.execute(update(tables.generations).where(mine).values(**values))


async def read(engine: AsyncEngine, user_id: UUID, generation_id: UUID) -> dict[str, Any]:
    async with engine.connect() as connection:
        (reading,) = await readings.read(connection, user_id, [generation_id])
    assert json.loads(json.dumps(reading)) == reading
    return reading


async def an_asset(engine: AsyncEngine, user_id: UUID, **more: Any) -> Asset:
    asset_id = new_id()
    given: dict[str, Any] = {
        "id": asset_id,
        "user_id": user_id,
        "media_type": "image/png",
        **dict.fromkeys(("width_px", "height_px", "duration_s", "size_bytes", "sha256")),
        "storage_key": f"uploads/{asset_id}.png",
        **more,
    }
    async with engine.begin() as connection:
        await assets.add(connection, Asset(**given))
    return Asset(**given)


async def test_a_new_generation_has_every_field_and_nothing_it_cannot_know(
    engine: AsyncEngine, me: UUID
) -> None:
    reading = await read(engine, me, await a_generation(engine, me))
    assert set(reading) == FIELDS
    assert {name for name, value in reading.items() if value is None} == NULL_AT_FIRST
    assert (reading["status"], reading["attempt"], reading["charged"]) == ("queued", 1, "no")
    assert (reading["inputs"], reading["assets"], reading["notes"]) == ([], [], [])
    assert reading["params"] == {}
    assert reading["cost_usd"] == {"estimated": None, "actual": None}


async def test_moments_are_rfc_3339_in_utc_whatever_zone_they_came_from(
    engine: AsyncEngine, me: UUID
) -> None:
    generation_id = await a_generation(engine, me)
    tokyo = datetime(2026, 11, 22, 19, 0, 0, 123456, timezone(timedelta(hours=9)))
    names = ("created_at", "submitted_at", "finished_at", "cancel_requested_at")
    await change(engine, generation_id, **dict.fromkeys(names, tokyo))
    reading = await read(engine, me, generation_id)
    assert {reading[name] for name in names} == {"2026-11-22T10:00:00.123Z"}


@given(st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_a_stamp_is_the_same_moment_to_the_millisecond(moment: datetime) -> None:
    stamped = readings.stamp(moment)
    assert stamped is not None
    assert MOMENT.fullmatch(stamped)
    assert abs(datetime.fromisoformat(stamped) - moment) < timedelta(milliseconds=1)


async def test_progress_is_told_as_it_is_and_ends_at_one(engine: AsyncEngine, me: UUID) -> None:
    generation_id = await a_generation(engine, me)
    for status, progress, told in (
        ("in_progress", None, None),
        ("in_progress", 0.42, 0.42),
        ("storing", None, None),
        ("failed", 0.42, 0.42),
        ("completed", None, 1.0),
    ):
        await change(engine, generation_id, status=status, progress=progress)
        assert (await read(engine, me, generation_id))["progress"] == told
    await change(engine, generation_id, status="queued", progress=None, queue_position=3)
    assert (await read(engine, me, generation_id))["queue_position"] == 3


async def test_an_error_is_told_of_what_failed_or_is_unknown_and_of_nothing_else(
    engine: AsyncEngine, me: UUID
) -> None:
    generation_id = await a_generation(engine, me)
    wrong = {"error_code": "timeout", "error_message": "Too late.", "error_retryable": True}
    for status in (*generations.OPEN_STATUSES, *generations.SETTLED_STATUSES):
        await change(engine, generation_id, status=status, **wrong)
        told = (await read(engine, me, generation_id))["error"]
        if status in ("failed", "unknown"):
            assert told == {"code": "timeout", "message": "Too late.", "retryable": True}
        else:
            assert told is None
    await change(engine, generation_id, status="failed", **dict.fromkeys(wrong))
    told = (await read(engine, me, generation_id))["error"]
    assert (told["code"], told["retryable"]) == ("internal", False)
    assert told["message"]


async def test_costs_are_numbers(engine: AsyncEngine, me: UUID) -> None:
    generation_id = await a_generation(engine, me, cost_estimated_usd=Decimal("0.003"))
    assert (await read(engine, me, generation_id))["cost_usd"] == {
        "estimated": 0.003,
        "actual": None,
    }
    await change(engine, generation_id, cost_actual_usd=Decimal("0.000000"), charged="yes")
    assert (await read(engine, me, generation_id))["cost_usd"]["actual"] == 0.0


async def test_assets_stand_in_their_order_and_say_what_is_known(
    engine: AsyncEngine, me: UUID
) -> None:
    generation_id = await a_generation(engine, me)
    known = {"width_px": 1024, "height_px": 576, "duration_s": 4.04, "size_bytes": 5_000_000_000}
    second = await an_asset(engine, me, generation_id=generation_id, position=1)
    first = await an_asset(
        engine, me, generation_id=generation_id, position=0, media_type="video/mp4", **known
    )
    told = (await read(engine, me, generation_id))["assets"]
    assert [set(asset) for asset in told] == [ASSET_FIELDS, ASSET_FIELDS]
    assert told[0] == {
        "id": str(first.id),
        "url": f"/media/{first.id}",
        "thumbnail_url": f"/media/{first.id}?w=512",
        "media_type": "video/mp4",
        **known,
    }
    assert told[1]["id"] == str(second.id)
    assert [told[1][name] for name in known] == [None] * 4


async def test_inputs_stand_in_their_order_without_those_that_were_deleted(
    engine: AsyncEngine, me: UUID
) -> None:
    given = [await an_asset(engine, me) for _ in range(3)]
    parent = await a_generation(engine, me)
    generation_id = await a_generation(engine, me, parent_id=parent)
    roles = ("image", "mask", "reference")
    rows = [
        {"generation_id": generation_id, "position": n, "role": role, "asset_id": asset.id}
        for n, (role, asset) in enumerate(zip(roles, given, strict=True))
    ]
    async with engine.begin() as connection:
        await connection.execute(insert(tables.inputs), rows[::-1])
        await connection.execute(delete(tables.assets).where(tables.assets.c.id == given[1].id))
    reading = await read(engine, me, generation_id)
    assert reading["inputs"] == [
        {"role": "image", "asset_id": str(given[0].id)},
        {"role": "reference", "asset_id": str(given[2].id)},
    ]
    assert reading["parent_id"] == str(parent)


async def test_a_handle_is_told_inside_a_thread_only(engine: AsyncEngine, me: UUID) -> None:
    thread_id = new_id()
    async with engine.begin() as connection:
        await threads_of.ensure(connection, me, thread_id)
    inside = await read(engine, me, await a_generation(engine, me, thread_id=thread_id))
    assert (inside["handle"], inside["thread_id"]) == ("#1", str(thread_id))


async def test_a_retry_begins_with_a_clean_reading(engine: AsyncEngine, me: UUID) -> None:
    generation_id = await a_generation(engine, me)
    now = datetime.now(UTC)
    used = {
        "status": "failed",
        "progress": 0.4,
        "charged": "yes",
        "notes": ["late"],
        "cost_actual_usd": Decimal(1),
        "error_code": "timeout",
        "cancel_requested_at": now,
        "submitted_at": now,
        "finished_at": now,
        "provider_job": {"id": "x"},
    }
    await change(engine, generation_id, **used)
    async with engine.begin() as connection:
        row = await generations.load(connection, generation_id)
        assert row is not None
        await generations.retry(connection, row)
    reading = await read(engine, me, generation_id)
    assert {name for name, value in reading.items() if value is None} == NULL_AT_FIRST
    assert (reading["status"], reading["attempt"], reading["charged"]) == ("queued", 2, "no")
    assert (reading["notes"], reading["cost_usd"]["actual"]) == ([], None)


async def test_what_is_deleted_or_anothers_is_not_read(engine: AsyncEngine, me: UUID) -> None:
    kept, gone = [await a_generation(engine, me) for _ in range(2)]
    await change(engine, gone, deleted_at=datetime.now(UTC))
    async with engine.begin() as connection:
        other = await users.ensure(connection, f"person-{uuid4()}")
        assert [r["id"] for r in await readings.read(connection, me, [gone, kept])] == [str(kept)]
        assert await readings.read(connection, other, [kept]) == []
        assert (await readings.page(connection, other, Filter(), limit=10)) == ([], None)
        found, _ = await readings.page(connection, me, Filter(), limit=10)
    assert [reading["id"] for reading in found] == [str(kept)]


async def pages(
    engine: AsyncEngine, user_id: UUID, limit: int, meanwhile: int = 0
) -> list[list[str]]:
    """The ids of all pages, one list a page, with so many new generations before each next one."""
    cursor, found = None, []
    async with engine.connect() as connection:
        while True:
            data, cursor = await readings.page(
                connection, user_id, Filter(), limit=limit, cursor=cursor
            )
            found.append([reading["id"] for reading in data])
            if cursor is None:
                return found
            for _ in range(meanwhile):
                await a_generation(engine, user_id)


@pytest.mark.parametrize("at_one_instant", [False, True])
async def test_pages_show_each_generation_once_while_new_ones_come(
    engine: AsyncEngine, me: UUID, at_one_instant: bool
) -> None:
    made = [await a_generation(engine, me) for _ in range(11)]
    if at_one_instant:
        for generation_id in made:
            await change(engine, generation_id, created_at=datetime(2026, 11, 22, tzinfo=UTC))
        made.sort()
    newest_first = [str(generation_id) for generation_id in reversed(made)]
    found = await pages(engine, me, limit=4, meanwhile=2)
    assert [len(page) for page in found] == [4, 4, 3]
    assert [generation_id for page in found for generation_id in page] == newest_first


async def test_a_last_page_that_is_full_is_the_last(engine: AsyncEngine, me: UUID) -> None:
    for _ in range(4):
        await a_generation(engine, me)
    assert [len(page) for page in await pages(engine, me, limit=2)] == [2, 2]


async def test_a_page_holds_what_was_asked_for(engine: AsyncEngine, me: UUID) -> None:
    fox = await a_generation(engine, me, prompt="A Red Fox, 100% wild_life")
    film = await a_generation(engine, me, kind="video", prompt="the sea", model="demo-video")
    await change(engine, film, status="completed")
    for wanted, expected in (
        (Filter(query="red fox"), [fox]),
        (Filter(query="wild_life 100%"), [fox]),
        (Filter(query="foxes r"), [fox]),
        (Filter(query="%"), [fox]),
        (Filter(query="0%%"), []),
        (Filter(query="r_d"), []),
        (Filter(kind="video"), [film]),
        (Filter(status="completed"), [film]),
        (Filter(model="demo-image"), [fox]),
        (Filter(kind="video", status="queued"), []),
        (Filter(thread_id=new_id()), []),
    ):
        async with engine.connect() as connection:
            found, _ = await readings.page(connection, me, wanted, limit=10)
        assert [reading["id"] for reading in found] == [str(g) for g in expected], wanted


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@given(
    st.text()
    | st.builds(cursor_of, st.text() | st.none() | st.floats(), st.text() | st.integers())
    | st.builds(cursor_of, st.datetimes().map(str), st.uuids().map(str))
    | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
def test_a_foreign_cursor_is_refused_in_words(cursor: str) -> None:
    with pytest.raises(ValueError, match="not one of ours"):
        readings._decode(cursor)


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"],
)
async def test_a_cursor_beyond_all_calendars_is_refused_in_words(
    engine: AsyncEngine, me: UUID, moment: str
) -> None:
    async with engine.connect() as connection:
        with pytest.raises(ValueError, match="not one of ours"):
            await readings.page(
                connection, me, Filter(), limit=1, cursor=cursor_of(moment, ONE_PICTURE)
            )
