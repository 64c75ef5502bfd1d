"""How long a repeat joins what was begun before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from db import purchases
from generations.contract import Caller, Repeat, Wanted
from runtime import Runtime
from tests.demo_process import Demo
from tests.house import open_house

QUICK = "demo-image-quick"


@pytest.fixture
async def house(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_house(database_url, calm_demo.url, tmp_path) as runtime:
        yield runtime


async def test_a_purchase_is_joined_for_ten_minutes_after_its_last_generation_ended(
    house: Runtime, database_url: str, calm_demo: Demo
) -> None:
    name = purchases.Name(user_id=house.local_user_id, key="v1\nx\ny", request_sha256=b"z")

    async def joined() -> UUID:
        async with house.engine.begin() as connection:
            return await purchases.join(connection, name, ["0", "1"])

    def change(statement: str, *values: object) -> None:
        with psycopg.connect(database_url) as connection:
            connection.execute(statement.encode(), values)

    old = "update kinora.idempotency_keys set created_at = now() - interval '11 min'"
    first = await joined()
    assert await joined() == first
    change(old)
    second = await joined()
    assert second != first
    submitted = await house.admission.submit(
        *_request(house.local_user_id, purchases.part_key(second, "1"))
    )
    change(old)
    assert await joined() == second
    ended = "update kinora.generations set finished_at = now() - %s * interval '1 min'"
    change(ended, 9)
    assert await joined() == second
    change(ended, 11)
    assert await joined() not in (first, second)
    assert submitted["status"] == "queued"


def _request(user_id: UUID, key: str) -> tuple[Any, Any]:
    repeat = Repeat(key=key, request_sha256=b"z")
    wanted = Wanted(kind="image", prompt="a fox", model=QUICK)
    return Caller(user_id=user_id, repeat=repeat), wanted
