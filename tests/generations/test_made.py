"""Providers that answer only when all is made: the answer is the result, and there is no asking
again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db.connect import at_once
from generations.contract import Wanted
from runtime import Runtime
from tests.demo_process import Demo
from tests.generations.test_takeover import cut_worker_locks
from tests.house import folder_of, local, open_house, reaches, settled

MODEL = """
[providers.images]
on_lost_submit = "ask"

[[models]]
id = "at-once"
label = "At once"
kind = "image"
sizes = { min_px = 64, max_px = 1024, square_px = 256 }
max_n = 3

[[models.routes]]
provider = "images"
endpoint = "gpt-image-2-quick"
fields = { prompt = "prompt", size = "size", n = "n" }
price = { unit = "image", usd = 0.01, as_of = 2026-11-22, source = "a test" }
"""


@contextlib.asynccontextmanager
async def house_at(database_url: str, demo: Demo, folder: Path) -> AsyncIterator[Runtime]:
    models = folder / "models.toml"
    models.write_text(MODEL, "utf-8")
    settings = {
        "MODELS_FILE": str(models),
        "IMAGES_API_KEY": "sk-demo",
        "IMAGES_BASE_URL": f"{demo.url}/images/v1",
    }
    async with open_house(database_url, demo.url, folder, **settings) as runtime:
        yield runtime


@pytest.fixture
async def house(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with house_at(database_url, calm_demo, tmp_path) as runtime:
        yield runtime


async def begin(house: Runtime, prompt: str = "a red fox", n: int = 1) -> str:
    wanted = Wanted(kind="image", prompt=prompt, model="at-once", n=n)
    return str((await house.admission.submit(local(house), wanted))["id"])


async def driven(house: Runtime, generation_id: str) -> None:
    """Return when its driver has ended: what it made can be seen a moment before that."""
    job = text("select count(*) from jobs.procrastinate_jobs where queueing_lock = :lock")
    async with asyncio.timeout(10), at_once(house.engine).connect() as connection:
        while await connection.scalar(job, {"lock": f"g:{generation_id}"}):
            pass


def left_over(folder: Path) -> list[Path]:
    """Answers that were not taken away when they had become files."""
    return list(folder.rglob("*.answer"))


async def test_an_answer_that_is_the_result_is_stored_and_paid_for_once(
    house: Runtime, demo: Demo
) -> None:
    generation_id = await begin(house, n=2)
    done = await settled(house, generation_id)
    assert done["status"] == "completed", done["error"]
    assert (len(done["assets"]), done["charged"], done["notes"]) == (2, "yes", [])
    # Nobody has said what it cost: an estimate is no bill.
    assert done["cost_usd"] == {"estimated": pytest.approx(0.02), "actual": None}
    ledger = await demo.ledger(generation_id)
    assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)
    await driven(house, generation_id)
    assert left_over(folder_of(house)) == []


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ({"fault": "drop_after"}, ("unknown", "submit_unknown", "maybe")),
        ({"fault": "status", "status": 401}, ("failed", "auth", "no")),
        ({"fault": "status", "status": 400}, ("failed", "invalid_request", "no")),
    ],
)
async def test_a_lost_or_refused_answer_is_never_sent_again(
    house: Runtime, demo: Demo, fault: dict[str, Any], end: tuple[str, str, str]
) -> None:
    await demo.fault(on="submit", times=1, **fault)
    generation_id = await begin(house)
    done = await settled(house, generation_id)
    assert (done["status"], done["error"]["code"], done["charged"]) == end
    assert (await demo.ledger(generation_id))["submits"] <= 1


async def test_a_result_that_comes_after_it_was_given_up_is_kept(
    house: Runtime, demo: Demo, database_url: str
) -> None:
    await demo.fault(on="submit", fault="late", delay_s=4, times=1)
    generation_id = await begin(house)
    await reaches(house, generation_id, "submitting")
    await demo.until(generation_id, "submits:1")
    assert cut_worker_locks(database_url) == [(True,)]
    assert (await settled(house, generation_id))["status"] == "unknown"
    done = await reaches(house, generation_id, "completed")
    assert (done["attempt"], len(done["assets"])) == (1, 1)
    assert (await demo.ledger(generation_id))["submits"] == 1


async def test_a_stop_lets_the_answer_come_home(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    await calm_demo.fault(on="submit", fault="late", delay_s=2, times=1)
    async with house_at(database_url, calm_demo, tmp_path) as first:
        generation_id = await begin(first)
        await calm_demo.until(generation_id, "submits:1")
    async with house_at(database_url, calm_demo, tmp_path) as second, asyncio.timeout(30):
        done = await settled(second, generation_id)
    assert done["status"] == "completed"
    assert (await calm_demo.ledger(generation_id))["submits"] == 1
