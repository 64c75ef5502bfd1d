"""The fal adapter against the demo provider's fal wire, and its own book."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from providers.contract import (
    AnswerLost,
    Busy,
    Cancelled,
    Failed,
    Forged,
    Gone,
    InputFile,
    Job,
    JobState,
    Malformed,
    OutOfCredit,
    Rejected,
    Request,
    Running,
    Succeeded,
    Unauthorized,
    Unreachable,
    Waiting,
)
from providers.download import fetch_result, open_result_clients
from providers.fal import Fal
from providers.sink import FETCH_LIMITS
from providers.transport import open_client
from tests.demo_process import Demo
from tests.providers.company_routes import FOX, route_to
from tests.providers.servers import mailbox

ROUTE = route_to("fal", "demo/painter-quick/dev", {"n": "num_images", "image": "image_url"})
FILM_ROUTE = route_to(
    "fal",
    "demo/video-quick/image-to-video",
    {"duration_s": "duration", "start_image": "image_url"},
    kind="video",
)
FILM = Request(kind="video", prompt="it moves", aspect_ratio="16:9", duration_s=1)
New = Callable[[], Fal]


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


@pytest.fixture
def new(calm_demo: Demo, client: httpx.AsyncClient) -> New:
    """A new adapter each time, as after a restart."""
    return lambda: Fal("fal", f"{calm_demo.url}/fal", "id:demo", client)


@pytest.fixture
def generation() -> str:
    return str(uuid4())


def address(generation: str, base: str = "http://127.0.0.1:1") -> str:
    """Where news of a generation go; the book of the demo provider reads the id from it."""
    return f"{base}/webhooks/fal/{generation}/1/token"


async def submit(there: Fal, generation: str, request: Request = FOX) -> Job:
    route = FILM_ROUTE if request.kind == "video" else ROUTE
    hook = address(generation)
    return await there.submit(route, request, key=f"{generation}-1", webhook_url=hook)


async def ended(demo: Demo, new: New, generation: str, request: Request) -> JobState:
    """How a request ends."""
    job = await submit(new(), generation, request)
    await demo.until(generation, "finished")
    return await new().poll(ROUTE, job)


async def test_pictures_are_made_and_fetched(
    new: New, calm_demo: Demo, generation: str, tmp_path: Path
) -> None:
    state = await ended(calm_demo, new, generation, replace(FOX, n=3))
    assert isinstance(state, Succeeded)
    assert len(state.outputs) == 3
    async with open_result_clients() as clients:
        await fetch_result(
            clients,
            state.outputs[2].url,
            tmp_path / "r",
            allowed_hosts=(),
            origin=new().origin,
            limits=FETCH_LIMITS["image"],
        )
    with Image.open(tmp_path / "r") as picture:
        assert picture.size == (320, 180)
    assert (await calm_demo.ledger(generation))["downloads"] == 1


async def test_a_film_is_made_from_a_picture(new: New, calm_demo: Demo, generation: str) -> None:
    out = io.BytesIO()
    Image.effect_noise((600, 600), 90).convert("RGB").save(out, "PNG")
    start = InputFile(role="start", media_type="image/png", data=out.getvalue())
    state = await ended(calm_demo, new, generation, replace(FILM, inputs=(start,)))
    assert isinstance(state, Succeeded)
    assert [one.url[-4:] for one in state.outputs] == [".mp4"]


async def test_progress_is_told_and_a_restart_between_any_two_calls_is_no_matter(
    new: New, calm_demo: Demo, generation: str
) -> None:
    await calm_demo.hold(True)
    job = await submit(new(), generation)
    job = Job(**json.loads(json.dumps({"id": job.id, "urls": dict(job.urls)})))
    seen: list[float] = []
    async with asyncio.timeout(10):
        while 0.5 not in seen:
            state = await new().poll(ROUTE, job)
            assert isinstance(state, Running)
            seen.append(state.progress or 0.0)
    assert seen == sorted(seen)
    await calm_demo.hold(False)
    await calm_demo.until(generation, "COMPLETED")
    assert isinstance(await new().poll(ROUTE, new().job(ROUTE, job.id)), Succeeded)


async def test_a_running_request_is_cancelled_and_a_finished_one_is_left(
    new: New, calm_demo: Demo, generation: str
) -> None:
    await calm_demo.hold(True)
    job = await submit(new(), generation)
    await new().cancel(ROUTE, job)
    assert await new().poll(ROUTE, job) == Cancelled()
    await new().cancel(ROUTE, job)
    await calm_demo.hold(False)
    other = str(uuid4())
    done = await submit(new(), other)
    await calm_demo.until(other, "COMPLETED")
    await new().cancel(ROUTE, done)
    assert isinstance(await new().poll(ROUTE, done), Succeeded)


async def test_a_request_that_waits_tells_its_place_and_is_cancelled(
    new: New, calm_demo: Demo, generation: str
) -> None:
    slow = replace(ROUTE, endpoint="demo/painter/dev")
    there = new()
    jobs = [await there.submit(slow, FOX, key="g-1") for _ in range(4)]
    places = [await there.poll(slow, job) for job in jobs]
    assert places == [Waiting(position=place) for place in (1, 2, 3, 4)]
    for job in jobs:
        await there.cancel(slow, job)
        assert await there.poll(slow, job) == Cancelled()


CASES = [
    *(("nsfw", "content_policy"), ("policy", "content_policy")),
    *(("error", "timeout"), ("empty", "provider_error")),
]


@pytest.mark.parametrize(("case", "code"), CASES)
async def test_a_complete_request_may_have_failed(
    new: New, calm_demo: Demo, generation: str, case: str, code: str
) -> None:
    asked = replace(FOX, n=2, prompt=f"a red fox [[case: {case}]]")
    state = await ended(calm_demo, new, generation, asked)
    assert isinstance(state, Failed)
    assert state.code == code


async def test_a_worker_that_broke_is_told_by_the_result(
    new: New, calm_demo: Demo, generation: str
) -> None:
    await calm_demo.fault(on="submit", fault="fail", generation=generation)
    state = await ended(calm_demo, new, generation, FOX)
    assert isinstance(state, Failed)
    assert (state.code, state.charged, state.retryable) == ("provider_error", False, True)
    assert "demo fault" in state.message
    other = str(uuid4())
    refused = await ended(calm_demo, new, other, replace(FOX, n=99))
    assert isinstance(refused, Failed)
    assert (refused.code, refused.retryable) == ("invalid_request", False)


@pytest.mark.parametrize(("case", "count"), [("partial", 2), ("nsfw-first", 2), ("single", 1)])
async def test_fewer_results_come_than_were_asked_for(
    new: New, calm_demo: Demo, generation: str, case: str, count: int
) -> None:
    asked = replace(FOX, n=3, prompt=f"a red fox [[case: {case}]]")
    state = await ended(calm_demo, new, generation, asked)
    assert isinstance(state, Succeeded)
    assert len(state.outputs) == count


async def test_a_handle_expires(new: New, calm_demo: Demo, generation: str) -> None:
    with pytest.raises(Gone):
        await ended(calm_demo, new, generation, replace(FOX, prompt="a fox [[case: removed]]"))
    with pytest.raises(Gone):
        await new().poll(ROUTE, new().job(ROUTE, "nobody"))


async def test_a_prompt_is_refused_at_the_door(new: New, generation: str) -> None:
    with pytest.raises(Rejected) as raised:
        await submit(new(), generation, replace(FOX, prompt="a fox [[case: refused]]"))
    assert raised.value.code == "content_policy"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "drop_after"}, AnswerLost),
        ({"fault": "malformed"}, AnswerLost),
        ({"fault": "html"}, AnswerLost),
        ({"fault": "status", "status": 500}, AnswerLost),
        ({"fault": "status", "status": 429, "retry_after_s": 3}, Busy),
        ({"fault": "status", "status": 402}, OutOfCredit),
        ({"fault": "status", "status": 401}, Unauthorized),
        ({"fault": "status", "status": 422}, Rejected),
    ],
)
async def test_bad_days_of_a_submit(
    new: New, calm_demo: Demo, generation: str, fault: dict[str, Any], error: type[Exception]
) -> None:
    await calm_demo.fault(on="submit", generation=generation, **fault)
    with pytest.raises(error) as raised:
        await submit(new(), generation)
    assert type(raised.value) is error
    accepted = int(fault["fault"] != "status")
    assert (await calm_demo.ledger(generation))["submits"] == accepted


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "html"}, Unreachable),
        ({"fault": "malformed"}, Unreachable),
        ({"fault": "status", "status": 503}, Unreachable),
        ({"fault": "status", "status": 429}, Busy),
        ({"fault": "status", "status": 404}, Gone),
        ({"fault": "unknown_status"}, Malformed),
    ],
)
async def test_bad_days_of_a_look_say_nothing_about_the_request(
    new: New, calm_demo: Demo, generation: str, fault: dict[str, Any], error: type[Exception]
) -> None:
    job = await submit(new(), generation)
    await calm_demo.until(generation, "COMPLETED")
    await calm_demo.fault(on="poll", generation=generation, **fault)
    with pytest.raises(error):
        await new().poll(ROUTE, job)
    assert isinstance(await new().poll(ROUTE, job), Succeeded)


async def test_a_lost_submit_is_found_by_its_signed_news(
    new: New, calm_demo: Demo, generation: str
) -> None:
    there = new()
    await there.learn()
    async with mailbox() as box:
        await calm_demo.fault(on="submit", fault="drop_after", generation=generation)
        hook = address(generation, box.url)
        with pytest.raises(AnswerLost):
            await there.submit(ROUTE, FOX, key=f"{generation}-1", webhook_url=hook)
        (came,) = await box.take(1)
        heard = there.hear(came.headers, came.body)
    assert heard.job_id is not None
    assert heard.event == f"{heard.job_id}:OK"
    assert isinstance(await there.poll(ROUTE, there.job(ROUTE, heard.job_id)), Succeeded)
    assert (await calm_demo.ledger(generation))["submits"] == 1


async def test_forged_news_are_refused_and_doubled_ones_are_the_same(
    new: New, calm_demo: Demo, generation: str
) -> None:
    there = new()
    await there.learn()
    async with mailbox() as box:
        for fault, count in (("forged", 1), ("twice", 2)):
            await calm_demo.fault(on="webhook", fault=fault, generation=generation)
            hook = address(generation, box.url)
            await there.submit(ROUTE, FOX, key=f"{generation}-1", webhook_url=hook)
            came = await box.take(count)
            if fault == "forged":
                with pytest.raises(Forged):
                    there.hear(came[0].headers, came[0].body)
            else:
                assert len({there.hear(one.headers, one.body) for one in came}) == 1
