"""One connection serves several readings at once."""

from __future__ import annotations

import asyncio

import asyncpg

from db.in_turns import InTurns

QUERY = "select n from generate_series(1, 100) as n"


async def test_readings_that_overlap_get_all_their_rows(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)

    async def read() -> list[int]:
        return [row["n"] async for row in turns.rows(QUERY)]

    async def ask() -> list[int]:
        return [await turns.fetchval("select $1::int", n) for n in range(20)]

    async with asyncio.timeout(10), connection.transaction():
        turns = InTurns(connection, prefetch=3)
        first, asked, second, whole = await asyncio.gather(
            read(), ask(), read(), turns.fetch(QUERY)
        )
    await connection.close()
    assert first == second == [row["n"] for row in whole] == list(range(1, 101))
    assert asked == list(range(20))
