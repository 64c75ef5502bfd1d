"""Another route of the same model: taken when the first one takes nothing, if nothing was accepted
there, and told on the card.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from generations.contract import Wanted
from runtime import Runtime
from tests.demo_process import Demo
from tests.house import free_port, local, open_house, settled

ROUTE = """
[[models.routes]]
provider = "{provider}"
endpoint = "demo-image-quick"
on_lost_submit = "ask"
poll_s = 0.1
poll_max_s = 0.2
fields = {{ prompt = "prompt", width_px = "width", height_px = "height" }}
price = {{ unit = "image", usd = {usd}, as_of = 2026-11-22, source = "a test" }}
"""
MODEL = """
[providers.runpod]
on_lost_submit = "ask"

[[models]]
id = "twice"
label = "Twice"
kind = "image"
sizes = { min_px = 64, max_px = 512, square_px = 64 }
"""
FOX = Wanted(kind="image", prompt="a red fox", model="twice")


@contextlib.asynccontextmanager
async def house_at(
    database_url: str, demo: Demo, folder: Path, *, first: str | None = None, usd: float = 0.015
) -> AsyncIterator[Runtime]:
    """A house that has the model at two providers; the second costs `usd`, the first 0.01."""
    models = folder / "models.toml"
    routes = ROUTE.format(provider="runpod", usd=0.01) + ROUTE.format(provider="demo", usd=usd)
    models.write_text(MODEL + routes, "utf-8")
    settings = {
        "MODELS_FILE": str(models),
        "RUNPOD_API_KEY": "rpa_x",
        "RUNPOD_BASE_URL": f"{first or demo.url}/v2",
    }
    async with open_house(database_url, demo.url, folder, **settings) as runtime:
        yield runtime


async def begin(house: Runtime, wanted: Wanted = FOX) -> str:
    return str((await house.admission.submit(local(house), wanted))["id"])


async def of_attempt(database_url: str, generation_id: str) -> Any:
    query = "select provider, cost_estimated_usd from kinora.attempts where generation_id = %s"
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        return await (await connection.execute(query, (generation_id,))).fetchone()


@pytest.mark.parametrize(
    ("status", "said"), [(429, "takes no more"), (402, "out of credit"), (None, "be reached")]
)
async def test_a_route_that_takes_nothing_yields_to_the_next_and_the_card_says_so(
    database_url: str, calm_demo: Demo, tmp_path: Path, status: int | None, said: str
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}" if status is None else None
    if status is not None:
        await calm_demo.fault(on="submit", fault="status", status=status, times=1)
    async with house_at(database_url, calm_demo, tmp_path, first=nobody) as house:
        generation_id = await begin(house)
        done = await settled(house, generation_id)
    assert (done["status"], done["provider"], done["attempt"]) == ("completed", "demo", 1)
    assert said in done["notes"][0]
    assert "made at demo instead" in done["notes"][0]
    assert (await calm_demo.ledger(generation_id))["submits"] <= 1
    provider, cost_usd = await of_attempt(database_url, generation_id)
    assert (provider, float(cost_usd)) == ("demo", 0.015)


async def test_while_a_route_is_paused_others_go_the_other_way_at_once(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    await calm_demo.fault(on="submit", fault="status", status=429, retry_after_s=600, times=1)
    async with house_at(database_url, calm_demo, tmp_path) as house:
        for _ in range(3):
            done = await settled(house, await begin(house))
            assert (done["status"], done["provider"]) == ("completed", "demo")


async def until_noted(house: Runtime, generation_id: str) -> dict[str, Any]:
    async with asyncio.timeout(15):
        reading = await house.admission.get(local(house), generation_id)
        while not reading["notes"]:
            await house.watch.sleep(UUID(generation_id), reading["v"], 1.0)
            reading = await house.admission.get(local(house), generation_id)
    return reading


@pytest.mark.parametrize(
    ("model", "usd"), [("twice@runpod", 0.015), ("twice", 0.0151)], ids=["pinned", "dear"]
)
async def test_what_was_pinned_or_would_be_much_dearer_waits(
    database_url: str, calm_demo: Demo, tmp_path: Path, model: str, usd: float
) -> None:
    await calm_demo.fault(on="submit", fault="status", status=429, retry_after_s=600, times=1)
    async with house_at(database_url, calm_demo, tmp_path, usd=usd) as house:
        wanted = Wanted(kind="image", prompt="a red fox", model=model)
        waiting = await until_noted(house, await begin(house, wanted))
    assert (waiting["status"], waiting["provider"]) == ("queued", "runpod")
    assert "asked again" in waiting["notes"][0]


async def test_what_may_have_been_accepted_never_goes_another_way(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    await calm_demo.fault(on="submit", fault="drop_after", times=1)
    async with house_at(database_url, calm_demo, tmp_path) as house:
        lost = await settled(house, await begin(house))
    assert (lost["status"], lost["provider"], lost["charged"]) == ("unknown", "runpod", "maybe")
