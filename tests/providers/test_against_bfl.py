"""The adapter of Black Forest Labs against the emulator of its wire, and that emulator's book."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from providers.bfl import BlackForestLabs
from providers.contract import (
    AnswerLost,
    Busy,
    Failed,
    Gone,
    InputFile,
    Job,
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
from providers.download import fetch_result, open_result_clients
from providers.sink import FETCH_LIMITS
from providers.transport import open_client
from tests.demo_process import Demo
from tests.providers.bfl_routes import FILM, IMAGE
from tests.providers.servers import Exchange, serving

FOX = Request(kind="image", prompt="a red fox", width_px=320, height_px=192, seed=7)


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


@pytest.fixture
def bfl(calm_demo: Demo, client: httpx.AsyncClient) -> BlackForestLabs:
    return BlackForestLabs("bfl", f"{calm_demo.url}/bfl/v1", "bfl_key", client)


@dataclass(frozen=True, slots=True)
class News:
    """Where news come in."""

    url: str
    told: asyncio.Queue[Exchange]


@pytest.fixture
async def news() -> AsyncIterator[News]:
    told: asyncio.Queue[Exchange] = asyncio.Queue()

    async def take(exchange: Exchange) -> None:
        told.put_nowait(exchange)
        await exchange.reply()

    async with serving(take) as server:
        yield News(server.url, told)


@pytest.fixture
def generation() -> str:
    return str(uuid4())


def hook(news: News, generation: str) -> str:
    return f"{news.url}/webhooks/bfl/{generation}/1/token"


def picture(role: Role, color: str = "red") -> InputFile:
    out = io.BytesIO()
    Image.new("RGB", (160, 96), color).save(out, "PNG")
    return InputFile(role=role, media_type="image/png", data=out.getvalue())


def stored(job: Job) -> Job:
    """The job as it comes back out of its row."""
    return Job(**json.loads(json.dumps(asdict(job))))


async def ended(demo: Demo, subject: str) -> None:
    await demo.until(subject, "finished")


async def test_a_picture_is_made_and_fetched_and_costs_what_its_submit_said(
    bfl: BlackForestLabs, calm_demo: Demo, news: News, generation: str, tmp_path: Path
) -> None:
    address = hook(news, generation)
    job = await bfl.submit(IMAGE, FOX, key=f"{generation}-1", webhook_url=address)
    await ended(calm_demo, generation)
    state = await bfl.poll(IMAGE, stored(job))
    assert isinstance(state, Succeeded)
    assert (len(state.outputs), state.cost_usd) == (1, 0.0003)
    async with open_result_clients() as clients:
        await fetch_result(
            clients,
            state.outputs[0].url,
            tmp_path / "r",
            allowed_hosts=IMAGE.result_hosts,
            origin=bfl.origin,
            limits=FETCH_LIMITS["image"],
        )
    with Image.open(tmp_path / "r") as made:
        assert made.size == (320, 192)
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["polls"], book["downloads"]) == (1, 1, 1)


async def test_progress_is_told_and_a_cancel_changes_nothing(
    bfl: BlackForestLabs, calm_demo: Demo, news: News, generation: str
) -> None:
    await calm_demo.hold(True)
    address = hook(news, generation)
    slow = replace(IMAGE, endpoint="flux-2-pro")
    job = await bfl.submit(slow, FOX, key=f"{generation}-1", webhook_url=address)
    assert await bfl.poll(slow, job) == Waiting()
    await bfl.cancel(slow, job)
    await calm_demo.until(generation, "in_progress")
    await bfl.cancel(slow, job)
    async with asyncio.timeout(20):
        while not isinstance(state := await bfl.poll(slow, job), Running):
            assert state == Waiting(), "as long as nothing is done"
    assert state.progress is not None
    assert 0 < state.progress <= 0.5
    await calm_demo.hold(False)
    await ended(calm_demo, generation)
    assert isinstance(await bfl.poll(slow, job), Succeeded)
    await bfl.cancel(slow, job)
    assert (await calm_demo.ledger(generation))["cancels"] == 0


async def test_pictures_go_along(
    bfl: BlackForestLabs, calm_demo: Demo, news: News, generation: str
) -> None:
    inputs = (picture("image"), picture("reference", "blue"), picture("reference", "green"))
    address = hook(news, generation)
    request = replace(FOX, inputs=inputs)
    job = await bfl.submit(IMAGE, request, key=f"{generation}-1", webhook_url=address)
    await ended(calm_demo, generation)
    assert isinstance(await bfl.poll(IMAGE, job), Succeeded)


@pytest.mark.parametrize("roles", [(), ("start",), ("start", "end")])
async def test_a_film_is_made_from_words_and_pictures(
    bfl: BlackForestLabs, calm_demo: Demo, generation: str, roles: tuple[Role, ...]
) -> None:
    inputs = tuple(picture(role) for role in roles)
    run = Request(kind="video", prompt="it runs", duration_s=1, resolution="720p", inputs=inputs)
    job = await bfl.submit(FILM, run, key=f"{generation}-1", webhook_url="https://x.invalid/")
    await ended(calm_demo, job.id)
    state = await bfl.poll(FILM, stored(job))
    assert isinstance(state, Succeeded)
    assert state.outputs[0].url.endswith(".mp4")
    assert state.cost_usd == 0.001


CASES: list[tuple[str, str, str, bool]] = [
    ("request-moderated", "content_policy", "the request was moderated: Demo", False),
    ("content-moderated", "content_policy", "the result was moderated: Demo", False),
    ("failed", "provider_error", "gives no reason", True),
    ("unwell", "provider_error", "the worker failed", True),
    ("empty", "provider_error", "without a result", True),
]


@pytest.mark.parametrize(("case", "code", "said", "retryable"), CASES)
async def test_a_task_that_failed_says_why(
    *,
    bfl: BlackForestLabs,
    calm_demo: Demo,
    news: News,
    generation: str,
    case: str,
    code: str,
    said: str,
    retryable: bool,
) -> None:
    request = replace(FOX, prompt=f"a fox [[case: {case}]]")
    address = hook(news, generation)
    job = await bfl.submit(IMAGE, request, key=f"{generation}-1", webhook_url=address)
    await ended(calm_demo, generation)
    state = await bfl.poll(IMAGE, job)
    assert isinstance(state, Failed)
    assert (state.code, state.retryable) == (code, retryable)
    assert said in state.message


async def test_a_result_that_came_too_late_is_gone(
    bfl: BlackForestLabs, calm_demo: Demo, news: News, generation: str
) -> None:
    request = replace(FOX, prompt="a fox [[case: gone]]")
    address = hook(news, generation)
    job = await bfl.submit(IMAGE, request, key=f"{generation}-1", webhook_url=address)
    await ended(calm_demo, generation)
    for one in (job, bfl.job(IMAGE, str(uuid4()))):
        with pytest.raises(Gone):
            await bfl.poll(IMAGE, one)


async def test_an_address_that_is_not_theirs_is_not_asked(
    bfl: BlackForestLabs, calm_demo: Demo, news: News, generation: str
) -> None:
    address = hook(news, generation)
    request = replace(FOX, prompt="a fox [[case: elsewhere]]")
    job = await bfl.submit(IMAGE, request, key=f"{generation}-1", webhook_url=address)
    await ended(calm_demo, generation)
    assert isinstance(await bfl.poll(IMAGE, job), Succeeded)
    request = replace(FOX, prompt="a fox [[case: moved]]")
    job = await bfl.submit(IMAGE, request, key=f"{generation}-2", webhook_url=address)
    with pytest.raises(Malformed, match="not its own"):
        await bfl.poll(IMAGE, job)


async def test_bad_days_are_told_apart(
    bfl: BlackForestLabs, calm_demo: Demo, news: News, generation: str
) -> None:
    address, of_this = hook(news, generation), {"generation": generation}
    refusals = [(402, OutOfCredit), (403, Unauthorized), (422, Rejected), (500, AnswerLost)]
    for status, error in refusals:
        await calm_demo.fault(on="submit", fault="status", status=status, **of_this)
        with pytest.raises(error):
            await bfl.submit(IMAGE, FOX, key=f"{generation}-1", webhook_url=address)
    await calm_demo.fault(on="submit", fault="status", status=429, retry_after_s=3, **of_this)
    with pytest.raises(Busy) as busy:
        await bfl.submit(IMAGE, FOX, key=f"{generation}-1", webhook_url=address)
    assert busy.value.retry_after_s == 3
    job = await bfl.submit(IMAGE, FOX, key=f"{generation}-1", webhook_url=address)
    await calm_demo.fault(on="poll", fault="unknown_status", **of_this)
    with pytest.raises(Malformed):
        await bfl.poll(IMAGE, job)
    for fault in ("status", "malformed", "html"):
        await calm_demo.fault(on="poll", fault=fault, **of_this)
        with pytest.raises(Unreachable):
            await bfl.poll(IMAGE, job)
    assert (await calm_demo.ledger(generation))["submits"] == 1


async def test_the_webhook_tells_the_task_of_a_submit_whose_answer_was_lost(
    bfl: BlackForestLabs, calm_demo: Demo, client: httpx.AsyncClient, news: News, generation: str
) -> None:
    await calm_demo.fault(on="submit", fault="drop_after", generation=generation)
    address = hook(news, generation)
    with pytest.raises(AnswerLost):
        await bfl.submit(IMAGE, FOX, key=f"{generation}-1", webhook_url=address)
    async with asyncio.timeout(20):
        told = await news.told.get()
    heard = bfl.hear(told.headers, told.body)
    assert heard.job_id is not None
    assert heard.event == f"{heard.job_id}:Ready"
    after_a_restart = BlackForestLabs("bfl", f"{calm_demo.url}/bfl/v1", "bfl_key", client)
    state = await after_a_restart.poll(IMAGE, after_a_restart.job(IMAGE, heard.job_id))
    assert isinstance(state, Succeeded)
    assert state.cost_usd is None, "only the lost answer told"


async def test_a_restart_between_any_two_calls_changes_nothing(
    calm_demo: Demo, client: httpx.AsyncClient, news: News, generation: str
) -> None:
    def new() -> BlackForestLabs:
        return BlackForestLabs("bfl", f"{calm_demo.url}/bfl/v1", "bfl_key", client)

    await calm_demo.hold(True)
    address = hook(news, generation)
    job = await new().submit(IMAGE, FOX, key=f"{generation}-1", webhook_url=address)
    assert isinstance(await new().poll(IMAGE, stored(job)), Waiting | Running)
    await new().cancel(IMAGE, stored(job))
    await calm_demo.hold(False)
    await ended(calm_demo, generation)
    first = await new().poll(IMAGE, stored(job))
    assert await new().poll(IMAGE, stored(job)) == first
    assert isinstance(first, Succeeded)


async def test_without_a_key_nothing_is_told(
    calm_demo: Demo, client: httpx.AsyncClient, generation: str
) -> None:
    nobody = BlackForestLabs("bfl", f"{calm_demo.url}/bfl/v1", "", client)
    with pytest.raises(Unauthorized):
        await nobody.submit(IMAGE, FOX, key=f"{generation}-1")
    answer = await calm_demo.client.get("/bfl/v1/credits")
    assert answer.status_code == 403
    answer = await calm_demo.client.get("/bfl/v1/credits", headers={"x-key": "any"})
    assert answer.json()["credits"] > 0
