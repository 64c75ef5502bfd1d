"""The row of a stored file is its owner's, and goes with the generation that made it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from chainlit.user import PersistedUser
from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from db import assets
from db.assets import Asset
from db.ids import new_id
from db.tables import generations
from db.threads import Threads
from tests.db.chat import a_generation, no_generations, someone


async def _someone(engine: AsyncEngine) -> PersistedUser:
    return await someone(Threads(engine, no_generations))


async def _stored(engine: AsyncEngine, user: PersistedUser, **more: Any) -> Asset:
    asset_id = new_id()
    given: dict[str, Any] = {
        "id": asset_id,
        "user_id": UUID(user.id),
        "name": "a fox.png",
        "media_type": "image/png",
        "width_px": 320,
        "height_px": 200,
        "duration_s": None,
        "size_bytes": 5_000_000_000,
        "sha256": "ab" * 32,
        "storage_key": f"uploads/{asset_id}.png",
        **more,
    }
    asset = Asset(**given)
    async with engine.begin() as connection:
        await assets.add(connection, asset)
    return asset


async def test_a_file_comes_back_to_its_owner_as_it_was_written(engine: AsyncEngine) -> None:
    user = await _someone(engine)
    asset = await _stored(engine, user, thumbnail_key="thumbnails/x.webp")
    async with engine.connect() as connection:
        found = await assets.find(connection, UUID(user.id), asset.id)
        assert found is not None
        assert found.created_at is not None
        assert replace(found, created_at=None) == asset
        assert await assets.find_signed(connection, asset.id) == found
        assert await assets.find_many(connection, UUID(user.id), [asset.id]) == {asset.id: found}


async def test_to_others_a_file_does_not_exist(engine: AsyncEngine) -> None:
    alice, mallory = await _someone(engine), await _someone(engine)
    generation_id = await a_generation(engine, alice)
    hers = await _stored(engine, alice, generation_id=generation_id)
    mine = await _stored(engine, mallory)
    me = UUID(mallory.id)
    async with engine.connect() as connection:
        assert await assets.find(connection, me, hers.id) is None
        assert await assets.find(connection, me, new_id()) is None
        assert await assets.of_generation(connection, me, generation_id) == []
        found = await assets.find_many(connection, me, [hers.id, mine.id, new_id()])
        assert list(found) == [mine.id]
        assert await assets.find_many(connection, me, []) == {}


async def test_files_of_a_generation_stand_in_their_order_and_go_with_it(
    engine: AsyncEngine,
) -> None:
    user = await _someone(engine)
    generation_id = await a_generation(engine, user)
    made = [
        await _stored(engine, user, generation_id=generation_id, position=position)
        for position in (2, 0, 1)
    ]
    upload = await _stored(engine, user)
    with pytest.raises(IntegrityError):
        await _stored(engine, user, generation_id=generation_id, position=1)
    me = UUID(user.id)
    async with engine.begin() as connection:
        found = await assets.of_generation(connection, me, generation_id)
        assert [asset.id for asset in found] == [made[1].id, made[2].id, made[0].id]
        gone = update(generations).where(generations.c.id == generation_id)
        await connection.execute(gone.values(deleted_at=func.now()))
        assert await assets.of_generation(connection, me, generation_id) == []
        assert await assets.find(connection, me, made[0].id) is None
        assert await assets.find_signed(connection, made[0].id) is None
        assert await assets.find(connection, me, upload.id) is not None
