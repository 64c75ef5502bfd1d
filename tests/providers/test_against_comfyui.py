"""The adapter of ComfyUI against the emulator of its wire, and that emulator's book."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from providers.comfyui import ComfyUI
from providers.contract import (
    AnswerLost,
    Busy,
    Cancelled,
    Failed,
    Gone,
    InputFile,
    Job,
    JobState,
    Malformed,
    NeverSent,
    Rejected,
    Request,
    Role,
    Running,
    Succeeded,
    Unreachable,
    Waiting,
)
from providers.dialect import Dialect
from providers.download import fetch_result, open_result_clients
from providers.sink import FETCH_LIMITS
from providers.transport import open_client
from providers.workflow_templates import BUILT_IN, read_templates
from tests.demo_process import Demo
from tests.providers.comfyui_routes import ANIMATE, EDIT, FILM, IMAGE, SLOW

FOX = Request(kind="image", prompt="a red fox", width_px=320, height_px=192, seed=7)
RUN = Request(kind="video", prompt="it runs", width_px=320, height_px=192, duration_s=1)


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


@pytest.fixture
def comfyui(calm_demo: Demo, client: httpx.AsyncClient) -> ComfyUI:
    return new(calm_demo, client)


@pytest.fixture
def generation() -> str:
    return str(uuid4())


def new(demo: Demo, client: httpx.AsyncClient, path: str = "comfyui") -> ComfyUI:
    return ComfyUI("comfyui", f"{demo.url}/{path}", client, read_templates(BUILT_IN))


def picture(role: Role, color: str = "red") -> InputFile:
    out = io.BytesIO()
    Image.new("RGB", (160, 96), color).save(out, "PNG")
    return InputFile(role=role, media_type="image/png", data=out.getvalue())


def stored(job: Job) -> Job:
    """The job as it comes back out of its row."""
    return Job(**json.loads(json.dumps(asdict(job))))


@pytest.mark.parametrize("path", ["comfyui", "comfyui/api"])
async def test_pictures_are_made_and_fetched(
    *, calm_demo: Demo, client: httpx.AsyncClient, generation: str, tmp_path: Path, path: str
) -> None:
    comfyui = new(calm_demo, client, path)
    job = await comfyui.submit(IMAGE, replace(FOX, n=2), key=f"{generation}-1")
    await calm_demo.until(generation, "COMPLETED")
    state = await comfyui.poll(IMAGE, stored(job))
    assert isinstance(state, Succeeded)
    assert (len(state.outputs), state.cost_usd) == (2, None)
    async with open_result_clients() as clients:
        for output in state.outputs:
            await fetch_result(
                clients,
                output.url,
                tmp_path / "r",
                allowed_hosts=(),
                origin=comfyui.origin,
                limits=FETCH_LIMITS["image"],
            )
            with Image.open(tmp_path / "r") as made:
                assert made.size == (320, 192)
    assert (await calm_demo.ledger(generation))["downloads"] == 2


async def test_an_edit_is_made_of_an_uploaded_picture(
    comfyui: ComfyUI, calm_demo: Demo, generation: str
) -> None:
    request = Request(kind="image", prompt="a hat", inputs=(picture("image"),))
    job = await comfyui.submit(EDIT, request, key=f"{generation}-1")
    await calm_demo.until(generation, "COMPLETED")
    assert isinstance(await comfyui.poll(EDIT, job), Succeeded)


async def test_films_are_made_from_words_and_from_a_picture(
    comfyui: ComfyUI, calm_demo: Demo, generation: str
) -> None:
    animated = replace(RUN, inputs=(picture("start"),))
    for at, (route, request) in enumerate(((FILM, RUN), (ANIMATE, animated)), 1):
        job = await comfyui.submit(route, request, key=f"{generation}-{at}")
        await calm_demo.until(generation, "finished")
        state = await comfyui.poll(route, job)
        assert isinstance(state, Succeeded)
        assert ".mp4" in state.outputs[0].url


async def test_the_place_in_the_queue_is_told_and_a_waiting_prompt_can_be_cancelled(
    comfyui: ComfyUI, calm_demo: Demo, client: httpx.AsyncClient, generation: str
) -> None:
    await calm_demo.hold(True)
    keys = [f"{generation}-{at}" for at in range(1, 5)]
    jobs = [await comfyui.submit(SLOW, FOX, key=key) for key in keys]
    async with asyncio.timeout(20):  # two are drawn at a time
        while await comfyui.poll(SLOW, jobs[2]) != Waiting(position=1):
            pass
    assert isinstance(await comfyui.poll(SLOW, jobs[0]), Running)
    assert await comfyui.poll(SLOW, jobs[3]) == Waiting(position=2)
    await comfyui.cancel(SLOW, jobs[2])
    assert await comfyui.poll(SLOW, jobs[2]) == Cancelled()
    assert await comfyui.poll(SLOW, jobs[3]) == Waiting(position=1)
    await comfyui.cancel(SLOW, jobs[2])
    with pytest.raises(Gone):
        await new(calm_demo, client).poll(SLOW, jobs[2])
    for job in jobs:
        await comfyui.cancel(SLOW, job)


async def test_a_running_prompt_is_interrupted_and_a_finished_one_is_left(
    comfyui: ComfyUI, calm_demo: Demo, client: httpx.AsyncClient, generation: str
) -> None:
    await calm_demo.hold(True)
    job = await comfyui.submit(IMAGE, FOX, key=f"{generation}-1")
    await calm_demo.until(generation, "IN_PROGRESS")
    await comfyui.cancel(IMAGE, job)
    assert await new(calm_demo, client).poll(IMAGE, job) == Cancelled()
    await calm_demo.hold(False)
    job = await comfyui.submit(IMAGE, FOX, key=f"{generation}-2")
    await calm_demo.until(generation, "COMPLETED")
    await comfyui.cancel(IMAGE, job)
    assert isinstance(await comfyui.poll(IMAGE, job), Succeeded)


async def test_a_submit_whose_answer_was_lost_is_repeated_and_made_once(
    comfyui: ComfyUI, calm_demo: Demo, client: httpx.AsyncClient, generation: str
) -> None:
    for at, fault in enumerate(("drop_after", "malformed"), 1):
        key = f"{generation}-{at}"
        await calm_demo.fault(on="submit", fault=fault, generation=generation)
        with pytest.raises(AnswerLost):
            await comfyui.submit(IMAGE, FOX, key=key)
        job = await new(calm_demo, client).submit(IMAGE, FOX, key=key)
        assert await comfyui.find(IMAGE, key) == job
        await calm_demo.until(generation, "COMPLETED")
        assert await comfyui.submit(IMAGE, FOX, key=key) == job, "also when it is done"
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["submit_requests"]) == (2, 2)
    assert await comfyui.find(IMAGE, f"{generation}-9") is None


async def end_of(comfyui: ComfyUI, demo: Demo, generation: str, case: str) -> JobState:
    """How a prompt with this case ends."""
    request = replace(FOX, prompt=f"a fox [[case: {case}]]", n=2)
    job = await comfyui.submit(IMAGE, request, key=f"{generation}-1")
    await demo.until(generation, "finished")
    return await comfyui.poll(IMAGE, job)


async def test_a_node_that_ran_out_of_memory_says_so(
    comfyui: ComfyUI, calm_demo: Demo, generation: str
) -> None:
    state = await end_of(comfyui, calm_demo, generation, "error")
    assert isinstance(state, Failed)
    assert (state.code, state.retryable, state.charged) == ("provider_error", True, False)
    assert "KSampler: Allocation on device" in state.message


async def test_what_was_saved_counts_and_previews_do_not(
    comfyui: ComfyUI, calm_demo: Demo, generation: str
) -> None:
    state = await end_of(comfyui, calm_demo, generation, "partial")
    assert isinstance(state, Succeeded)
    assert len(state.outputs) == 1
    state = await end_of(comfyui, calm_demo, str(uuid4()), "preview")
    assert isinstance(state, Failed)


async def test_a_server_that_was_restarted_has_forgotten(
    comfyui: ComfyUI, calm_demo: Demo, generation: str
) -> None:
    with pytest.raises(Gone):
        await end_of(comfyui, calm_demo, generation, "forgotten")


async def test_a_model_the_server_does_not_have_is_named(
    comfyui: ComfyUI, calm_demo: Demo, generation: str
) -> None:
    words = Dialect(fields=IMAGE.dialect.fields, defaults={"checkpoint": "missing.safetensors"})
    with pytest.raises(Rejected, match=r"CheckpointLoaderSimple: ckpt_name: 'missing\.safe"):
        await comfyui.submit(replace(IMAGE, dialect=words), FOX, key=f"{generation}-1")
    assert (await calm_demo.ledger(generation))["submits"] == 0


async def test_bad_days_are_told_apart(comfyui: ComfyUI, calm_demo: Demo, generation: str) -> None:
    key, of_this = f"{generation}-1", {"generation": generation}
    await calm_demo.fault(on="submit", fault="status", status=429, retry_after_s=3, **of_this)
    with pytest.raises(Busy) as busy:
        await comfyui.submit(IMAGE, FOX, key=key)
    assert busy.value.retry_after_s == 3
    job = await comfyui.submit(IMAGE, FOX, key=key)
    await calm_demo.until(generation, "COMPLETED")
    await calm_demo.fault(on="poll", fault="status", status=500, **of_this)
    with pytest.raises(NeverSent):
        await comfyui.submit(IMAGE, FOX, key=key)
    await calm_demo.fault(on="poll", fault="unknown_status", **of_this)
    with pytest.raises(Malformed):
        await comfyui.poll(IMAGE, job)
    for fault in ("status", "malformed", "html"):
        await calm_demo.fault(on="poll", fault=fault, **of_this)
        with pytest.raises(Unreachable):
            await comfyui.poll(IMAGE, job)
    await calm_demo.fault(on="poll", fault="fail", **of_this)
    assert isinstance(await comfyui.poll(IMAGE, job), Succeeded), "what is done stays done"
    assert (await calm_demo.ledger(generation))["submits"] == 1


async def test_a_restart_between_any_two_calls_changes_nothing(
    calm_demo: Demo, client: httpx.AsyncClient, generation: str
) -> None:
    await calm_demo.hold(True)
    job = await new(calm_demo, client).submit(IMAGE, FOX, key=f"{generation}-1")
    assert isinstance(await new(calm_demo, client).poll(IMAGE, stored(job)), Waiting | Running)
    await calm_demo.hold(False)
    await calm_demo.until(generation, "COMPLETED")
    first = await new(calm_demo, client).poll(IMAGE, stored(job))
    assert await new(calm_demo, client).poll(IMAGE, stored(job)) == first
    assert isinstance(first, Succeeded)


async def test_without_a_name_a_graph_is_refused_as_the_real_one_does(calm_demo: Demo) -> None:
    named: dict[str, object] = {"prompt_id": str(uuid4())}
    graph: dict[str, object] = {"1": {"class_type": "SaveImage", "inputs": {}}}
    bodies: list[dict[str, object]] = [
        {},
        {"prompt": {}},
        {"prompt": graph},
        {"prompt": graph, "prompt_id": "X"},
        {"prompt": {"1": 1}, **named},
        {"prompt": {"1": {"inputs": {}}}, **named},
    ]
    for body in bodies:
        answer = await calm_demo.client.post("/comfyui/prompt", json=body)
        assert (answer.status_code, "error" in answer.json()) == (400, True)
