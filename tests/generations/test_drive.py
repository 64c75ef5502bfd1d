"""A generation's life on the real engine, database and provider; what counts is the provider's own ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from generations.contract import Conflict, NotPossible, Wanted, WantedInput
from runtime import Runtime
from tests.demo_process import Demo
from tests.house import local, open_house, reaches, settled

FOX = Wanted(kind="image", prompt="a red fox", model="demo-image-quick", aspect_ratio="16:9")


@pytest.fixture
async def house(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_house(database_url, calm_demo.url, tmp_path) as runtime:
        yield runtime


async def test_a_picture_is_made_stored_and_paid_for_once(house: Runtime, demo: Demo) -> None:
    started = await house.admission.submit(local(house), FOX)
    assert started["status"] == "queued"
    done = await settled(house, started["id"])
    assert done["status"] == "completed", done["error"]
    asset = done["assets"][0]
    async with house.engine.connect() as connection:
        from db import assets

        stored = await assets.find(connection, house.local_user_id, __import__("uuid").UUID(asset["id"]))
    assert stored is not None
    with Image.open(house.files.path(stored.storage_key)) as picture:
        assert picture.size == (asset["width_px"], asset["height_px"])
    ledger = await demo.ledger(started["id"])
    assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)
    assert done["charged"] == "yes"
    assert done["cost_usd"]["actual"] == done["cost_usd"]["estimated"]
