"""The adapter, the catalogue and the download together, against the demo provider's own book."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from providers.abilities import check
from providers.catalogue import load_catalogue
from providers.contract import (
    AnswerLost,
    Busy,
    Cancelled,
    Failed,
    Gone,
    InputFile,
    Job,
    Malformed,
    Request,
    Route,
    Succeeded,
    Unreachable,
)
from providers.download import fetch_result, open_result_clients
from providers.findings import Wanted
from providers.runpod import RunPod
from providers.sink import FETCH_LIMITS
from providers.transport import open_client
from tests.demo_process import Demo


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


@pytest.fixture
def painter(calm_demo: Demo, client: httpx.AsyncClient) -> RunPod:
    return RunPod("demo", f"{calm_demo.url}/v2", "demo", client)


@pytest.fixture
def generation() -> str:
    return str(uuid4())


def asked(name: str, wanted: Wanted, *files: InputFile) -> tuple[Route, Request]:
    """The route and the whole request of a wish."""
    model, _ = load_catalogue().find(name)
    roles = tuple(file.role for file in files)
    route = model.route_for(roles)
    assert route is not None
    return route, replace(check(model, replace(wanted, inputs=roles)), inputs=files)


def fox(**more: object) -> tuple[Route, Request]:
    wanted = Wanted(kind="image", prompt="a red fox", aspect_ratio="16:9", seed=7)
    return asked("demo-image-quick", replace(wanted, **more))  # type: ignore[arg-type]


def png() -> InputFile:
    """A small picture as it comes out of our own storage."""
    out = io.BytesIO()
    Image.new("RGB", (160, 90), "red").save(out, "PNG")
    return InputFile(role="start", media_type="image/png", data=out.getvalue())


async def test_a_picture_is_made_and_fetched(
    painter: RunPod, calm_demo: Demo, generation: str, tmp_path: Path
) -> None:
    route, request = fox(n=2)
    job = await painter.submit(route, request, key=f"{generation}-1")
    await calm_demo.until(generation, "COMPLETED")
    state = await painter.poll(route, job)
    assert isinstance(state, Succeeded)
    assert (len(state.outputs), state.cost_usd) == (2, 0.0006)
    async with open_result_clients() as clients:
        for output in state.outputs:
            await fetch_result(
                clients,
                output.url,
                tmp_path / "r",
                allowed_hosts=route.result_hosts,
                origin=painter.origin,
                limits=FETCH_LIMITS["image"],
            )
            with Image.open(tmp_path / "r") as picture:
                assert picture.size == (request.width_px, request.height_px) == (320, 180)
    assert (await calm_demo.ledger(generation))["downloads"] == 2


async def test_a_film_is_made_from_a_picture(
    painter: RunPod, calm_demo: Demo, generation: str
) -> None:
    wanted = Wanted(kind="video", prompt="it moves", duration_s=1, source_px=(160, 90))
    route, request = asked("demo-video-quick", wanted, png())
    job = await painter.submit(route, request, key=f"{generation}-1")
    await calm_demo.until(generation, "COMPLETED")
    state = await painter.poll(route, job)
    assert isinstance(state, Succeeded)
    assert state.outputs[0].url.endswith(".mp4")


async def test_a_submit_whose_answer_was_lost_is_repeated_under_its_key_and_made_once(
    painter: RunPod, calm_demo: Demo, generation: str
) -> None:
    route, request = fox()
    await calm_demo.fault(on="submit", fault="drop_after", generation=generation)
    with pytest.raises(AnswerLost):
        await painter.submit(route, request, key=f"{generation}-1")
    job = await painter.submit(route, request, key=f"{generation}-1")
    assert await painter.submit(route, request, key=f"{generation}-1") == job
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["submit_requests"]) == (1, 3)


async def test_bad_days_of_the_provider_are_told_apart(
    painter: RunPod, calm_demo: Demo, generation: str
) -> None:
    route, request = fox()
    key = f"{generation}-1"
    of_this = {"generation": generation}
    await calm_demo.fault(on="submit", fault="status", status=429, retry_after_s=3, **of_this)
    with pytest.raises(Busy) as busy:
        await painter.submit(route, request, key=key)
    assert busy.value.retry_after_s == 3
    await calm_demo.fault(on="submit", fault="malformed", **of_this)
    with pytest.raises(AnswerLost):
        await painter.submit(route, request, key=key)
    job = await painter.submit(route, request, key=key)
    await calm_demo.fault(on="poll", fault="unknown_status", **of_this)
    with pytest.raises(Malformed):
        await painter.poll(route, job)
    await calm_demo.fault(on="poll", fault="status", status=500, **of_this)
    with pytest.raises(Unreachable):
        await painter.poll(route, job)
    with pytest.raises(Gone):
        await painter.poll(route, Job(id="x", urls={"status": "demo-image-quick/status/x"}))
    assert (await calm_demo.ledger(generation))["submits"] == 1


async def test_a_job_that_the_worker_gave_up_says_why(
    painter: RunPod, calm_demo: Demo, generation: str
) -> None:
    await calm_demo.fault(on="submit", fault="fail", generation=generation)
    route, request = fox()
    job = await painter.submit(route, request, key=f"{generation}-1")
    await calm_demo.until(generation, "FAILED")
    state = await painter.poll(route, job)
    assert isinstance(state, Failed)
    assert (state.code, state.charged) == ("provider_error", False)
    assert "demo fault" in state.message


async def test_a_running_job_is_cancelled_and_a_finished_one_is_left(
    painter: RunPod, calm_demo: Demo, generation: str
) -> None:
    await calm_demo.hold(True)
    route, request = fox()
    job = await painter.submit(route, request, key=f"{generation}-1")
    await painter.cancel(route, job)
    assert await painter.poll(route, job) == Cancelled()
    await painter.cancel(route, job)


async def test_inputs_up_to_the_exposed_limit_are_taken(
    painter: RunPod, calm_demo: Demo, generation: str
) -> None:
    route, request = fox()
    data = bytes(painter.input_bytes_max)
    heavy = InputFile(role="reference", media_type="image/png", data=data)
    await calm_demo.hold(True)
    async with asyncio.timeout(20):
        await painter.submit(route, replace(request, inputs=(heavy,)), key=f"{generation}-1")
    assert (await calm_demo.ledger(generation))["submits"] == 1
