"""What providers told us: kept once, told to whoever drives, and handed out to be followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db import webhook_notes
from db.connect import open_engine
from db.webhook_notes import NOTES_MAX
from tests.db.hearers import Ear, a_row, calls, listening, noted


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database_url)
    yield opened
    await opened.dispose()


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    async with listening(database_url) as ear:
        yield ear


async def note(
    engine: AsyncEngine, generation_id: UUID, event: str, job: str | None = None, attempt: int = 1
) -> bool:
    async with engine.begin() as connection:
        return await webhook_notes.note(connection, generation_id, attempt, event, job)


async def test_news_wake_the_driver_of_an_open_generation_and_change_nothing_else(
    engine: AsyncEngine, ear: Ear
) -> None:
    row = await a_row(engine, version=7)
    assert await note(engine, row, "j-1:COMPLETED", "j-1")
    (told,) = await ear.so_far()
    assert told == {"id": str(row), "v": 7, "u": told["u"], "s": "in_progress", "w": True}
    async with engine.connect() as connection:
        found = await connection.execute(text("select version, status from kinora.generations"))
        assert tuple(found.one()) == (7, "in_progress")
        owner = (await connection.execute(text("select user_id from kinora.generations"))).scalar()
    assert told["u"] == str(owner)
    assert await noted(engine) == [(1, "j-1:COMPLETED", "j-1")]
    assert await calls(engine, row) == 0


async def test_news_told_again_are_no_news(engine: AsyncEngine, ear: Ear) -> None:
    row = await a_row(engine, status="unknown")
    for _ in range(3):
        assert await note(engine, row, "j-1:COMPLETED", "j-1")
    assert len(await ear.so_far()) == 1
    assert len(await noted(engine)) == 1
    assert await calls(engine, row) == 1


async def test_an_unknown_generation_is_driven_once_more(engine: AsyncEngine) -> None:
    row = await a_row(engine, status="unknown")
    for event in ("j-1:COMPLETED", "j-1:FAILED"):
        assert await note(engine, row, event, "j-1")
    assert await calls(engine, row) == 1, "a call that waits already is enough"


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
async def test_what_is_settled_has_nothing_more_to_hear(engine: AsyncEngine, status: str) -> None:
    row = await a_row(engine, status=status)
    assert await note(engine, row, "j-1:COMPLETED", "j-1")
    assert await calls(engine, row) == 0


@pytest.mark.parametrize("status", ["queued", "submitting", "in_progress", "storing"])
async def test_news_of_an_older_attempt_have_the_generation_driven(
    engine: AsyncEngine, ear: Ear, status: str
) -> None:
    row = await a_row(engine, status=status, attempt=2)
    assert await note(engine, row, "j-2:COMPLETED", "j-2", attempt=2)
    assert await calls(engine, row) == 0
    assert await note(engine, row, "j-1:COMPLETED", "j-1", attempt=1)
    assert await calls(engine, row) == 1
    assert len(await ear.so_far()) == 2


async def test_of_a_deleted_generation_only_what_is_still_open_is_driven(
    engine: AsyncEngine,
) -> None:
    now = datetime.now(UTC)
    over = await a_row(engine, status="cancelled", deleted_at=now)
    still = await a_row(engine, status="in_progress", attempt=2, deleted_at=now)
    for row in (over, still):
        assert await note(engine, row, "j-1:COMPLETED", "j-1")
    assert [await calls(engine, row) for row in (over, still)] == [0, 1]


async def is_waited_for(engine: AsyncEngine) -> bool:
    """Whether somebody waits for a lock."""
    async with engine.connect() as connection:
        query = "select exists (select from pg_locks where not granted)"
        return bool((await connection.execute(text(query))).scalar_one())


async def test_news_and_the_end_of_a_drive_do_not_miss_each_other(engine: AsyncEngine) -> None:
    row = await a_row(engine)
    async with asyncio.timeout(10):
        async with engine.begin() as driver:
            await driver.execute(text("update kinora.generations set status = 'unknown'"))
            news = asyncio.create_task(note(engine, row, "j-1:COMPLETED", "j-1"))
            while not news.done() and not await is_waited_for(engine):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert await news
    assert await calls(engine, row) == 1


async def test_of_a_generation_that_is_not_here_nothing_is_noted(
    engine: AsyncEngine, ear: Ear
) -> None:
    assert not await note(engine, uuid4(), "j-1:COMPLETED", "j-1")
    assert await noted(engine) == []
    assert await ear.so_far() == []


async def test_one_attempt_cannot_fill_the_table(engine: AsyncEngine, ear: Ear) -> None:
    row = await a_row(engine)
    for number in range(NOTES_MAX + 5):
        assert await note(engine, row, f"j-{number}:COMPLETED", f"j-{number}")
    assert len(await noted(engine)) == NOTES_MAX
    assert len(await ear.so_far()) == NOTES_MAX
    assert await note(engine, row, "j-1:COMPLETED", "j-1", attempt=2)
    assert len(await noted(engine)) == NOTES_MAX + 1


async def test_the_job_of_an_attempt_is_the_one_last_named(engine: AsyncEngine) -> None:
    row, other = await a_row(engine), await a_row(engine)
    await note(engine, row, "j-1:IN_PROGRESS", "j-1")
    await note(engine, row, "j-2:IN_PROGRESS", "j-2")
    await note(engine, row, "unreadable")
    await note(engine, row, "j-9:COMPLETED", "j-9", attempt=2)
    async with engine.connect() as connection:
        assert await webhook_notes.job_of(connection, row, 1) == "j-2"
        assert await webhook_notes.job_of(connection, row, 2) == "j-9"
        assert await webhook_notes.job_of(connection, row, 3) is None
        assert await webhook_notes.job_of(connection, other, 1) is None


async def test_news_of_older_attempts_are_handed_out_until_they_are_read(
    engine: AsyncEngine,
) -> None:
    row, other = await a_row(engine, attempt=3), await a_row(engine, attempt=3)
    await note(engine, row, "j-1:IN_PROGRESS", "j-1", attempt=1)
    await note(engine, row, "j-1:COMPLETED", "j-1", attempt=1)
    await note(engine, row, "unreadable", attempt=1)
    await note(engine, row, "j-2:FAILED", "j-2", attempt=2)
    await note(engine, row, "j-3:COMPLETED", "j-3", attempt=3)
    await note(engine, other, "j-4:COMPLETED", "j-4", attempt=1)
    async with engine.begin() as connection:
        found = await webhook_notes.unread(connection, row, 3)
        assert [(one.attempt, one.event) for one in found] == [
            (1, "j-1:COMPLETED"),
            (2, "j-2:FAILED"),
        ]
        await webhook_notes.mark_read(connection, row, 1)
        left = await webhook_notes.unread(connection, row, 3)
        assert [one.provider_job_id for one in left] == ["j-2"]
        assert len(await webhook_notes.unread(connection, other, 3)) == 1


async def test_old_notes_are_forgotten_and_the_others_stay(engine: AsyncEngine) -> None:
    row = await a_row(engine)
    for event in ("j-1:IN_PROGRESS", "j-1:COMPLETED"):
        await note(engine, row, event, "j-1")
    now = datetime.now(UTC)
    async with engine.begin() as connection:
        old = "update kinora.webhook_notes set received_at = :at where event like '%PROGRESS'"
        await connection.execute(text(old), {"at": now - timedelta(days=8)})
        assert await webhook_notes.forget_old(connection, now - timedelta(days=7)) == 1
    assert await noted(engine) == [(1, "j-1:COMPLETED", "j-1")]
