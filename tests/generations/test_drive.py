"""A generation's life on the real engine, database and provider; the provider's own ledger
counts.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image

from db import assets
from generations.contract import Conflict, NotFound, NotPossible, Wanted, WantedInput
from generations.lifecycle import MALFORMED_MAX
from runtime import Runtime
from tests.demo_process import Demo
from tests.house import local, open_house, reaches, settled

FOX = Wanted(kind="image", prompt="a red fox", model="demo-image-quick", aspect_ratio="16:9")
FILM = Wanted(kind="video", prompt="the sea", model="demo-video-quick", duration_s=2)


@pytest.fixture
async def house(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_house(database_url, calm_demo.url, tmp_path) as runtime:
        yield runtime


async def stored_path(house: Runtime, asset_id: str) -> Path:
    async with house.engine.connect() as connection:
        found = await assets.find(connection, house.local_user_id, UUID(asset_id))
    assert found is not None
    path = house.files.path(found.key)
    assert path is not None
    return path


async def test_a_picture_is_made_stored_and_paid_for_once(house: Runtime, demo: Demo) -> None:
    started = await house.admission.submit(local(house), FOX)
    assert started["status"] == "queued"
    done = await settled(house, started["id"])
    assert done["status"] == "completed", done["error"]
    asset = done["assets"][0]
    with Image.open(await stored_path(house, asset["id"])) as picture:
        assert picture.size == (asset["width_px"], asset["height_px"])
        assert picture.width / picture.height == pytest.approx(16 / 9, rel=0.02)
    ledger = await demo.ledger(started["id"])
    assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)
    assert ledger["downloads"] == 1
    assert (done["charged"], done["progress"]) == ("yes", 1.0)
    assert done["cost_usd"]["actual"] == done["cost_usd"]["estimated"] > 0


async def test_the_same_seed_draws_the_same_picture(house: Runtime) -> None:
    wanted = Wanted(kind="image", prompt="a boat", model="demo-image-quick", seed=7)
    first = await house.admission.submit(local(house), wanted)
    second = await house.admission.submit(local(house), wanted)
    pictures = []
    for started in (first, second):
        done = await settled(house, started["id"])
        data = (await stored_path(house, done["assets"][0]["id"])).read_bytes()
        pictures.append(Image.open(io.BytesIO(data)).tobytes())
    assert pictures[0] == pictures[1]


async def test_a_film_is_made_from_a_picture(house: Runtime) -> None:
    drawn = await house.admission.submit(local(house), FOX)
    await settled(house, drawn["id"])
    wanted = Wanted(
        kind="video",
        prompt="it walks",
        model="demo-video-quick",
        duration_s=2,
        inputs=(WantedInput(role="start", picture=drawn["id"]),),
    )
    film = await house.admission.submit(local(house), wanted)
    assert film["parent_id"] == drawn["id"]
    done = await settled(house, film["id"])
    asset = done["assets"][0]
    assert asset["media_type"] == "video/mp4"
    assert asset["duration_s"] == pytest.approx(2, abs=0.15)
    assert asset["width_px"] > asset["height_px"]


async def test_a_call_that_is_repeated_finds_what_it_started(house: Runtime, demo: Demo) -> None:
    caller = local(house, thread_id=uuid4(), step_id=uuid4(), call_index=0)
    calls = [house.admission.submit(caller, FOX) for _ in range(5)]
    started = await asyncio.gather(*calls, return_exceptions=True)
    ids = {reading["id"] for reading in started if isinstance(reading, dict)}
    assert len(ids) == 1
    again = await house.admission.submit(caller, FOX)
    assert {again["id"]} == ids
    await settled(house, again["id"])
    assert (await demo.ledger(again["id"]))["submits"] == 1


async def test_handles_count_up_inside_a_thread(house: Runtime) -> None:
    caller = local(house, thread_id=uuid4())
    first = await house.admission.submit(caller, FOX)
    second = await house.admission.submit(caller, FOX)
    assert (first["handle"], second["handle"]) == ("#1", "#2")
    assert (await house.admission.get(caller, "#2"))["id"] == second["id"]
    with pytest.raises(NotFound):
        await house.admission.get(local(house, thread_id=uuid4()), "#1")


async def test_a_cancel_reaches_the_provider_and_settles(house: Runtime, demo: Demo) -> None:
    await demo.hold(True)
    started = await house.admission.submit(local(house), FILM)
    await reaches(house, started["id"], "in_progress")
    asked = await house.admission.cancel(local(house), started["id"])
    assert asked["cancel_requested_at"] is not None
    done = await settled(house, started["id"])
    assert done["status"] == "cancelled"
    assert (await demo.ledger(started["id"]))["cancels"] >= 1
    again = await house.admission.cancel(local(house), started["id"])
    assert again["status"] == "cancelled"


async def test_a_completed_one_can_be_neither_cancelled_nor_retried(house: Runtime) -> None:
    started = await house.admission.submit(local(house), FOX)
    await settled(house, started["id"])
    with pytest.raises(Conflict):
        await house.admission.cancel(local(house), started["id"])
    with pytest.raises(Conflict):
        await house.admission.retry(local(house), started["id"])


async def test_a_failed_one_retries_under_the_same_id(house: Runtime, demo: Demo) -> None:
    await demo.fault(on="submit", fault="fail", times=1)
    started = await house.admission.submit(local(house), FOX)
    failed = await settled(house, started["id"])
    assert failed["status"] == "failed"
    assert failed["error"]["retryable"]
    again = await house.admission.retry(local(house), started["id"])
    assert (again["id"], again["attempt"], again["error"]) == (started["id"], 2, None)
    done = await settled(house, started["id"])
    assert (done["status"], done["attempt"]) == ("completed", 2)
    assert (await demo.ledger(started["id"]))["submits"] == 2


@pytest.mark.parametrize("fault", ["drop_after", "status"])
async def test_a_lost_answer_leads_to_one_job_at_a_provider_with_keys(
    house: Runtime, demo: Demo, fault: str
) -> None:
    await demo.fault(on="submit", fault=fault, times=1, status=500)
    started = await house.admission.submit(local(house), FOX)
    done = await settled(house, started["id"])
    assert done["status"] == "completed", done["error"]
    ledger = await demo.ledger(started["id"])
    assert ledger["submits"] == 1
    assert ledger["submit_requests"] >= 2


async def test_a_provider_that_takes_no_more_is_asked_again(house: Runtime, demo: Demo) -> None:
    await demo.fault(on="submit", fault="status", times=2, status=429, retry_after_s=0.1)
    started = await house.admission.submit(local(house), FOX)
    done = await settled(house, started["id"])
    assert done["status"] == "completed"
    assert (await demo.ledger(started["id"]))["submits"] == 1


async def test_trouble_to_look_does_not_fail_the_job(house: Runtime, demo: Demo) -> None:
    await demo.fault(on="poll", fault="status", times=2, status=503)
    await demo.fault(on="poll", fault="drop_before", times=1)
    started = await house.admission.submit(local(house), FOX)
    assert (await settled(house, started["id"]))["status"] == "completed"


async def test_one_answer_that_nobody_understands_costs_nothing(house: Runtime, demo: Demo) -> None:
    await demo.fault(on="poll", fault="unknown_status", times=MALFORMED_MAX - 1)
    started = await house.admission.submit(local(house), FOX)
    assert (await settled(house, started["id"]))["status"] == "completed"
    assert (await demo.ledger(started["id"]))["submits"] == 1


async def test_an_unknown_status_fails_and_is_never_still_running(
    house: Runtime, demo: Demo
) -> None:
    await demo.fault(on="poll", fault="unknown_status", times=MALFORMED_MAX)
    started = await house.admission.submit(local(house), FOX)
    failed = await settled(house, started["id"])
    assert (failed["status"], failed["error"]["code"]) == ("failed", "provider_error")


async def test_a_deleted_one_is_gone_with_its_files(house: Runtime) -> None:
    started = await house.admission.submit(local(house), FOX)
    done = await settled(house, started["id"])
    path = await stored_path(house, done["assets"][0]["id"])
    assert path.exists()
    await house.admission.delete(local(house), started["id"])
    with pytest.raises(NotFound):
        await house.admission.get(local(house), started["id"])
    # The files go first, their folder last.
    async with asyncio.timeout(10):
        while path.parent.exists():
            await house.watch.sleep(UUID(started["id"]), 0, 0.05)
    assert not path.exists()


async def test_deleting_an_open_one_cancels_it_at_the_provider(house: Runtime, demo: Demo) -> None:
    await demo.hold(True)
    started = await house.admission.submit(local(house), FILM)
    await reaches(house, started["id"], "in_progress")
    await house.admission.delete(local(house), started["id"])
    await demo.until(started["id"], "CANCELLED")


async def test_what_a_model_cannot_do_is_refused_before_anything_is_sent(
    house: Runtime, demo: Demo
) -> None:
    before = (await demo.client.get("/_ledger")).json()["totals"]
    for wanted in (
        Wanted(kind="video", prompt="the sea", duration_s=900),
        Wanted(kind="image", prompt="a fox", n=50),
        Wanted(kind="image", prompt="a fox", aspect_ratio="banana"),
        Wanted(kind="image", prompt="a fox", model="no-such-model"),
        Wanted(kind="image", prompt="a fox", model="demo-image@nobody"),
        Wanted(kind="image", prompt="a \0 fox"),
    ):
        with pytest.raises(NotPossible) as refused:
            await house.admission.submit(local(house), wanted)
        assert refused.value.errors, wanted
    assert (await demo.client.get("/_ledger")).json()["totals"] == before
