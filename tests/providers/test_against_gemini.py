"""The Gemini adapter against the demo provider's Gemini wire, and its own book."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
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
    Gone,
    InputFile,
    Job,
    JobState,
    Made,
    Malformed,
    OutOfCredit,
    Rejected,
    Request,
    Role,
    Running,
    Succeeded,
    Unauthorized,
    Unreachable,
    Waiting,
)
from providers.gemini import Gemini
from providers.transport import open_client
from tests.demo_process import Demo
from tests.providers.company_routes import FOX, route_to

IMAGE = route_to(
    "gemini",
    "gemini-3.1-flash-image-quick",
    {"aspect_ratio": "generationConfig.imageConfig.aspectRatio"},
    on_lost_submit="ask",
)
FILM = route_to(
    "gemini",
    "gemini-omni-1.2-flash-quick",
    {"aspect_ratio": "response_format.aspect_ratio", "duration_s": "response_format.duration"},
    kind="video",
)
CAT = Request(kind="video", prompt="a cat", aspect_ratio="16:9", duration_s=1)
New = Callable[[], Gemini]


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


@pytest.fixture
def new(calm_demo: Demo, client: httpx.AsyncClient) -> New:
    """A new adapter each time, as after a restart."""
    return lambda: Gemini("gemini", f"{calm_demo.url}/gemini", "AIza-demo", client)


@pytest.fixture
def generation() -> str:
    return str(uuid4())


def red(role: Role) -> InputFile:
    out = io.BytesIO()
    Image.new("RGB", (160, 90), "red").save(out, "PNG")
    return InputFile(role=role, media_type="image/png", data=out.getvalue())


async def made(there: Gemini, request: Request = FOX) -> Made:
    answer = await there.submit(IMAGE, request, key="g-1")
    assert isinstance(answer, Made)
    return answer


async def begun(there: Gemini, generation: str, request: Request = CAT) -> Job:
    hook = f"http://127.0.0.1:1/webhooks/gemini/{generation}/1/token"
    job = await there.submit(FILM, request, key=f"{generation}-1", webhook_url=hook)
    assert isinstance(job, Job)
    return job


async def ended(demo: Demo, new: New, generation: str, request: Request = CAT) -> JobState:
    """How a film ends."""
    job = await begun(new(), generation, request)
    await demo.until(generation, "finished")
    return await new().poll(FILM, job)


async def test_a_picture_is_made_in_the_one_request(new: New) -> None:
    for inputs in ((), (red("image"), red("reference"))):
        state = (await made(new(), replace(FOX, inputs=inputs))).state
        assert isinstance(state, Succeeded)
        assert [one.url[:22] for one in state.outputs] == ["data:image/png;base64,"]


@pytest.mark.parametrize(
    ("case", "code"),
    [("filtered", "content_policy"), ("blocked", "content_policy"), ("empty", "provider_error")],
)
async def test_a_picture_that_was_not_made_says_why(new: New, case: str, code: str) -> None:
    state = (await made(new(), replace(FOX, prompt=f"a fox [[case: {case}]]"))).state
    assert isinstance(state, Failed)
    assert (state.code, state.retryable) == (code, code == "provider_error")


async def test_drafts_are_no_results(new: New) -> None:
    state = (await made(new(), replace(FOX, prompt="a fox [[case: draft]]"))).state
    assert isinstance(state, Succeeded)
    assert len(state.outputs) == 1


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ("submit=drop_before", AnswerLost),
        ("submit=drop_after", AnswerLost),
        ("submit=malformed", AnswerLost),
        ("submit=html", AnswerLost),
        ("submit=status:429:3", Busy),
        ("submit=status:503", Busy),
        ("submit=status:402", OutOfCredit),
        ("submit=status:403", Unauthorized),
        ("submit=status:400", Rejected),
    ],
)
async def test_bad_days_of_a_picture(new: New, order: str, error: type[Exception]) -> None:
    asked = replace(FOX, prompt=f"a fox {uuid4()} [[fault: {order}]]")
    with pytest.raises(error) as raised:
        await made(new(), asked)
    assert type(raised.value) is error
    if isinstance(raised.value, Busy) and "429" in raised.value.message:
        assert raised.value.retry_after_s == 3


@pytest.mark.parametrize("order", ["submit=status:500", "submit=fail"])
async def test_a_picture_that_broke_there_is_not_charged(new: New, order: str) -> None:
    asked = replace(FOX, prompt=f"a fox {uuid4()} [[fault: {order}]]")
    state = (await made(new(), asked)).state
    assert isinstance(state, Failed)
    assert (state.code, state.charged) == ("provider_error", False)


async def test_a_wrong_key_no_money_and_an_unknown_model_are_told_apart(
    new: New, calm_demo: Demo, client: httpx.AsyncClient, generation: str
) -> None:
    stranger = Gemini("gemini", f"{calm_demo.url}/gemini", "bad-key", client)
    with pytest.raises(Unauthorized):
        await made(stranger)
    with pytest.raises(Unauthorized):
        await begun(stranger, generation)
    with pytest.raises(OutOfCredit):
        await begun(new(), generation, replace(CAT, prompt="a cat [[case: credit]]"))
    with pytest.raises(Rejected):
        await new().submit(replace(IMAGE, endpoint="gemini-omni-quick"), FOX, key="g-1")


async def test_a_film_is_made_and_fetched_with_the_key_alone(
    new: New, calm_demo: Demo, client: httpx.AsyncClient, generation: str
) -> None:
    frames = (red("start"), red("end"))
    state = await ended(calm_demo, new, generation, replace(CAT, inputs=frames))
    assert isinstance(state, Succeeded)
    url = state.outputs[0].url
    assert (await client.get(url)).status_code == 403
    answer = await client.get(url, headers=new().result_headers(url))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.content[4:8] == b"ftyp"
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["downloads"]) == (1, 1)


async def test_a_restart_between_any_two_calls_is_no_matter(
    new: New, calm_demo: Demo, generation: str
) -> None:
    await calm_demo.hold(True)
    job = await begun(new(), generation)
    job = Job(**json.loads(json.dumps({"id": job.id, "urls": dict(job.urls)})))
    assert isinstance(await new().poll(FILM, job), Running | Waiting)
    await calm_demo.hold(False)
    await calm_demo.until(generation, "COMPLETED")
    assert isinstance(await new().poll(FILM, new().job(FILM, job.id)), Succeeded)


async def test_a_running_film_is_cancelled_and_a_finished_one_is_left(
    new: New, calm_demo: Demo, generation: str
) -> None:
    await calm_demo.hold(True)
    job = await begun(new(), generation)
    await new().cancel(FILM, job)
    assert await new().poll(FILM, job) == Cancelled()
    await new().cancel(FILM, job)
    await calm_demo.hold(False)
    other = str(uuid4())
    done = await begun(new(), other)
    await calm_demo.until(other, "COMPLETED")
    await new().cancel(FILM, done)
    assert isinstance(await new().poll(FILM, done), Succeeded)


async def test_a_film_that_waits_is_cancelled(new: New, calm_demo: Demo) -> None:
    slow = replace(FILM, endpoint="gemini-omni-1.2-flash")
    jobs = [await new().submit(slow, CAT, key="g-1") for _ in range(3)]
    for job in jobs:
        assert isinstance(job, Job)
        await new().cancel(slow, job)
        assert await new().poll(slow, job) == Cancelled()


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("a cat [[case: filtered]]", "content_policy"),
        ("a cat [[case: empty]]", "provider_error"),
        ("a cat [[fault: submit=fail]]", "provider_error"),
    ],
)
async def test_a_film_that_was_not_made_says_why(
    new: New, calm_demo: Demo, generation: str, prompt: str, code: str
) -> None:
    state = await ended(calm_demo, new, generation, replace(CAT, prompt=prompt))
    assert isinstance(state, Failed)
    assert state.code == code


async def test_a_film_may_come_inside_the_answer(
    new: New, calm_demo: Demo, generation: str
) -> None:
    asked = replace(CAT, prompt="a cat [[case: inline]]")
    state = await ended(calm_demo, new, generation, asked)
    assert isinstance(state, Succeeded)
    assert state.outputs[0].url.startswith("data:video/mp4;base64,")


@pytest.mark.parametrize(
    ("fault", "error", "accepted"),
    [
        ({"fault": "drop_after"}, AnswerLost, 1),
        ({"fault": "malformed"}, AnswerLost, 1),
        ({"fault": "html"}, AnswerLost, 1),
        ({"fault": "status", "status": 500}, AnswerLost, 0),
        ({"fault": "status", "status": 503}, AnswerLost, 0),
        ({"fault": "status", "status": 429, "retry_after_s": 3}, Busy, 0),
        ({"fault": "status", "status": 402}, OutOfCredit, 0),
        ({"fault": "status", "status": 400}, Rejected, 0),
    ],
)
async def test_bad_days_of_a_film(
    new: New,
    calm_demo: Demo,
    generation: str,
    fault: dict[str, Any],
    error: type[Exception],
    accepted: int,
) -> None:
    await calm_demo.fault(on="submit", generation=generation, **fault)
    with pytest.raises(error) as raised:
        await begun(new(), generation)
    assert type(raised.value) is error
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["submit_requests"]) == (accepted, 1)


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
async def test_bad_days_of_a_look_say_nothing_about_the_film(
    new: New, calm_demo: Demo, generation: str, fault: dict[str, Any], error: type[Exception]
) -> None:
    job = await begun(new(), generation)
    await calm_demo.until(generation, "COMPLETED")
    await calm_demo.fault(on="poll", generation=generation, **fault)
    with pytest.raises(error):
        await new().poll(FILM, job)
    assert isinstance(await new().poll(FILM, job), Succeeded)


async def test_a_handle_expires(new: New) -> None:
    with pytest.raises(Gone):
        await new().poll(FILM, new().job(FILM, "v1_nobody"))
