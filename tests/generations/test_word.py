"""The provider's own word: a webhook wakes the driver, names the job of a lost submit, rescues what
had been given up, and moves nothing by itself. News come in as the door passes them on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from generations.contract import Wanted
from runtime import Runtime
from tests.demo_process import Demo
from tests.generations.test_lost_submit import MODEL, row_of
from tests.house import local, open_house, reaches, settled

FOX = Wanted(kind="image", prompt="a red fox", model="by-webhook")
#: Far less than a driver that hears nothing waits for the next look.
AT_ONCE_S = 8.0
PUBLIC_URL = "http://kinora.test:8000"


@contextlib.asynccontextmanager
async def house_that_hears(
    database_url: str, demo: Demo, folder: Path, poll_s: float = 0.1, **more: str
) -> AsyncIterator[Runtime]:
    """A house whose painter cannot be asked about a lost submit, but sends its news."""
    models = folder / "models.toml"
    text = MODEL.format(way="webhook").replace("poll_s = 0.1", f"poll_s = {poll_s}")
    models.write_text(text.replace("poll_max_s = 0.2", f"poll_max_s = {poll_s}"), "utf-8")
    settings = {
        "MODELS_FILE": str(models),
        "RUNPOD_API_KEY": "rpa_x",
        "RUNPOD_BASE_URL": f"{demo.url}/v2",
        "PUBLIC_URL": PUBLIC_URL,
    }
    async with open_house(database_url, demo.url, folder, **(settings | more)) as runtime:
        yield runtime


@pytest.fixture
async def house(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with house_that_hears(database_url, calm_demo, tmp_path) as runtime:
        yield runtime


async def tell(
    house: Runtime, generation_id: str, job_id: str, status: str = "COMPLETED", attempt: int = 1
) -> bool:
    """What the provider sends when a job has come so far."""
    said = json.dumps({"id": job_id, "status": status, "input": {}}).encode()
    return await house.hearing.hear("runpod", UUID(generation_id), attempt, {}, said)


async def lose_the_answer(house: Runtime, demo: Demo) -> tuple[str, str]:
    """A generation whose submit was accepted without an answer, and the provider's job of it."""
    before = await jobs_of(demo)
    await demo.fault(on="submit", fault="drop_after", times=1)
    generation_id = (await house.admission.submit(local(house), FOX))["id"]
    await reaches(house, generation_id, "submitting")
    async with asyncio.timeout(AT_ONCE_S):
        while not (new := await jobs_of(demo) - before):
            await demo.client.get("/_ledger")
    (job_id,) = new
    return generation_id, job_id


async def jobs_of(demo: Demo) -> set[str]:
    """Every job of the provider."""
    book = (await demo.client.get("/_ledger")).json()
    pages = [*book["generations"].values(), *book["unkeyed"]]
    return {job["id"] for page in pages for job in page["jobs"]}


async def test_a_lost_answer_is_waited_for_and_the_word_of_the_provider_is_it(
    house: Runtime, calm_demo: Demo
) -> None:
    generation_id, job_id = await lose_the_answer(house, calm_demo)
    reading = await house.admission.get(local(house), generation_id)
    while not reading["notes"]:
        await house.watch.sleep(UUID(generation_id), reading["v"], AT_ONCE_S)
        reading = await house.admission.get(local(house), generation_id)
    assert (reading["status"], reading["charged"]) == ("submitting", "maybe")
    before = await jobs_of(calm_demo)
    assert await tell(house, generation_id, job_id)
    done = await settled(house, generation_id, AT_ONCE_S)
    assert (done["status"], done["attempt"], done["notes"]) == ("completed", 1, [])
    assert await jobs_of(calm_demo) == before


async def test_a_word_makes_the_driver_look_at_once_and_a_doubled_one_costs_nothing(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    await calm_demo.hold(True)
    async with house_that_hears(database_url, calm_demo, tmp_path, poll_s=60) as house:
        generation_id = (await house.admission.submit(local(house), FOX))["id"]
        await reaches(house, generation_id, "in_progress")
        job = (await row_of(house, generation_id)).provider_job
        assert job is not None
        await calm_demo.hold(False)
        told = await asyncio.gather(*(tell(house, generation_id, job["id"]) for _ in range(20)))
        assert all(told)
        # The news may overtake the painting: then another look is due, which news bring, too.
        with contextlib.suppress(TimeoutError):
            await settled(house, generation_id, 2.0)
        await tell(house, generation_id, job["id"], "IN_PROGRESS")
        done = await settled(house, generation_id, AT_ONCE_S)
    assert (done["status"], len(done["assets"])) == ("completed", 1)


async def test_late_news_rescue_what_had_been_given_up(
    house: Runtime, calm_demo: Demo, database_url: str
) -> None:
    generation_id, job_id = await lose_the_answer(house, calm_demo)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "update kinora.generations set deadline_at = now() - interval '1 s' where id = %s",
            (generation_id,),
        )
    await tell(house, generation_id, "nobody/at all")
    given_up = await settled(house, generation_id, 30.0)
    assert (given_up["status"], given_up["charged"]) == ("unknown", "maybe")
    await tell(house, generation_id, job_id)
    await reaches(house, generation_id, "completed", AT_ONCE_S)


async def test_news_of_an_older_attempt_note_its_cost_and_move_nothing(
    house: Runtime, calm_demo: Demo, database_url: str
) -> None:
    generation_id, job_id = await lose_the_answer(house, calm_demo)
    caller = local(house)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "update kinora.generations set deadline_at = now() where id = %s", (generation_id,)
        )
        # Whoever waits for the word looks now.
        await tell(house, generation_id, "nobody/at all")
    assert (await settled(house, generation_id))["status"] == "unknown"
    await house.admission.retry(caller, generation_id)
    second = await settled(house, generation_id)
    assert (second["status"], second["attempt"]) == ("completed", 2)
    await tell(house, generation_id, job_id, attempt=1)
    row = await until_charged(database_url, generation_id, 1)
    assert float(row[1]) == pytest.approx(0.0003, abs=0.001)
    assert await house.admission.get(caller, generation_id) == second


async def until_charged(database_url: str, generation_id: str, attempt: int) -> Any:
    """Charge and cost of an attempt, once it is known to have been charged."""
    query = (
        "select charged, cost_actual_usd from kinora.attempts"
        " where generation_id = %s and attempt = %s"
    )
    async with (
        asyncio.timeout(AT_ONCE_S),
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection,
    ):
        while True:
            found = await (await connection.execute(query, (generation_id, attempt))).fetchone()
            if found is not None and found[0] == "yes":
                return found


async def test_a_job_that_is_anothers_is_not_taken_for_ones_own(
    house: Runtime, calm_demo: Demo
) -> None:
    first = (await house.admission.submit(local(house), FOX))["id"]
    assert (await settled(house, first))["status"] == "completed"
    theirs = (await row_of(house, first)).provider_job
    assert theirs is not None
    generation_id, job_id = await lose_the_answer(house, calm_demo)
    await tell(house, generation_id, theirs["id"])
    refused = await settled(house, generation_id, AT_ONCE_S)
    assert (refused["status"], refused["charged"]) == ("unknown", "maybe")
    await tell(house, generation_id, job_id)
    await reaches(house, generation_id, "completed", AT_ONCE_S)
