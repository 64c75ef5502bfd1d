"""A row of which there may be news, and an ear for what is told about it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db import tables, users
from db.connect import close_connection, open_connection
from db.generation_row import CHANNEL
from db.ids import new_id

WITHIN_S = 10.0


async def a_row(engine: AsyncEngine, **more: Any) -> UUID:
    """A generation that nobody drives, with no call of the engine."""
    generation_id = new_id()
    values: dict[str, Any] = {
        "id": generation_id,
        "kind": "image",
        "status": "in_progress",
        "prompt": "a red fox",
        "model": "demo-image",
        "provider": "demo",
        "endpoint": "demo-image",
        **more,
    }
    async with engine.begin() as connection:
        user_id = await users.ensure(connection, "somebody")
        await connection.execute(insert(tables.generations).values(user_id=user_id, **values))
    return generation_id


async def calls(engine: AsyncEngine, generation_id: UUID) -> int:
    """How many calls of the engine wait for a generation."""
    query = "select count(*) from jobs.procrastinate_jobs where queueing_lock = :lock"
    async with engine.connect() as connection:
        found = await connection.execute(text(query), {"lock": f"g:{generation_id}"})
        return int(found.scalar_one())


async def noted(engine: AsyncEngine) -> list[tuple[Any, ...]]:
    """Attempt, event and job of every note."""
    query = "select attempt, event, provider_job_id from kinora.webhook_notes order by 1, 2"
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


@dataclass(slots=True)
class Ear:
    """Everything that is told of generations."""

    connection: asyncpg.Connection
    heard: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, connection: object, pid: int, channel: str, payload: object) -> None:
        self.heard.append(json.loads(str(payload)))
        self.news.set()

    async def so_far(self) -> list[dict[str, Any]]:
        """What has been told up to now; what was committed before is told before."""
        await self.connection.execute("select pg_notify($1, $2)", CHANNEL, '{"end": true}')
        async with asyncio.timeout(WITHIN_S):
            while {"end": True} not in self.heard:
                self.news.clear()
                await self.news.wait()
        found = [news for news in self.heard if news != {"end": True}]
        self.heard.clear()
        return found


@contextlib.asynccontextmanager
async def listening(database_url: str) -> AsyncIterator[Ear]:
    """Listen for as long as the block runs."""
    connection = await open_connection(database_url)
    ear = Ear(connection)
    await connection.add_listener(CHANNEL, ear.hear)
    try:
        yield ear
    finally:
        await close_connection(connection)
