"""The images adapter against the demo provider's images wire, and its own book."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import openai
import pytest
from PIL import Image

from providers.contract import (
    AnswerLost,
    Busy,
    Failed,
    InputFile,
    Made,
    OutOfCredit,
    Rejected,
    Request,
    Role,
    Succeeded,
    Unauthorized,
)
from providers.download import fetch_result, open_result_clients
from providers.openai_images import OpenAIImages
from providers.sink import FETCH_LIMITS
from tests.demo_process import Demo
from tests.providers.company_routes import route_to

ROUTE = route_to("images", "gpt-image-2-quick", {"n": "n", "size": "size"}, on_lost_submit="ask")
FOX = Request(kind="image", prompt="a red fox", width_px=320, height_px=192)


@pytest.fixture
async def there(calm_demo: Demo) -> AsyncIterator[OpenAIImages]:
    found = OpenAIImages("images", f"{calm_demo.url}/images/v1", "sk-demo")
    yield found
    await found.aclose()


@pytest.fixture
def generation() -> str:
    return str(uuid4())


def red(role: Role, size: tuple[int, int] = (320, 192)) -> InputFile:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, "PNG")
    return InputFile(role=role, media_type="image/png", data=out.getvalue())


async def made(there: OpenAIImages, generation: str, request: Request = FOX) -> Made:
    return await there.submit(ROUTE, request, key=f"{generation}-1")


async def test_pictures_are_made_in_the_one_request_and_stored_like_any_other(
    there: OpenAIImages, calm_demo: Demo, generation: str, tmp_path: Path
) -> None:
    answer = await made(there, generation, replace(FOX, n=3))
    assert isinstance(answer.state, Succeeded)
    assert len(answer.state.outputs) == 3
    async with open_result_clients() as clients:
        fetched = await fetch_result(
            clients,
            answer.state.outputs[2].url,
            tmp_path / "r",
            allowed_hosts=(),
            origin=there.origin,
            limits=FETCH_LIMITS["image"],
        )
    assert fetched.media_type == "image/png"
    with Image.open(tmp_path / "r") as picture:
        assert picture.size == (320, 192)
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["submit_requests"], book["polls"]) == (1, 1, 0)


async def test_a_picture_is_edited_where_its_mask_is_white(
    there: OpenAIImages, generation: str, tmp_path: Path
) -> None:
    mask = Image.new("L", (160, 96))
    mask.paste(255, (80, 0, 160, 96))
    out = io.BytesIO()
    mask.save(out, "PNG")
    files = (
        red("image"),
        InputFile(role="mask", media_type="image/png", data=out.getvalue()),
        red("reference", (64, 64)),
    )
    answer = await made(there, generation, replace(FOX, prompt="make it blue", inputs=files))
    assert isinstance(answer.state, Succeeded)
    async with open_result_clients() as clients:
        await fetch_result(
            clients,
            answer.state.outputs[0].url,
            tmp_path / "r",
            allowed_hosts=(),
            origin=there.origin,
            limits=FETCH_LIMITS["image"],
        )
    with Image.open(tmp_path / "r") as picture:
        kept, changed = picture.getpixel((10, 90)), picture.getpixel((310, 90))
    assert isinstance(kept, tuple)
    assert isinstance(changed, tuple)
    assert kept[0] > 230
    assert kept[2] < 40
    assert changed != kept


@pytest.mark.parametrize(("case", "count"), [("partial", 2), ("url", 3)])
async def test_results_come_as_addresses_and_fewer_than_asked_for(
    there: OpenAIImages, generation: str, case: str, count: int
) -> None:
    asked = replace(FOX, n=3, prompt=f"a red fox [[case: {case}]]")
    answer = await made(there, generation, asked)
    assert isinstance(answer.state, Succeeded)
    assert len(answer.state.outputs) == count


async def test_what_may_not_be_made_and_what_cannot_be_paid_is_refused(
    there: OpenAIImages, calm_demo: Demo, generation: str
) -> None:
    with pytest.raises(Rejected) as rejected:
        await made(there, generation, replace(FOX, prompt="a fox [[case: policy]]"))
    assert rejected.value.code == "content_policy"
    with pytest.raises(OutOfCredit):
        await made(there, generation, replace(FOX, prompt="a fox [[case: quota]]"))
    answer = await made(there, generation, replace(FOX, prompt="a fox [[case: empty]]"))
    assert isinstance(answer.state, Failed)
    assert answer.state.code == "provider_error"
    assert (await calm_demo.ledger(generation))["submits"] == 1


@pytest.mark.parametrize(
    ("fault", "error", "accepted"),
    [
        ({"fault": "drop_before"}, AnswerLost, 0),
        ({"fault": "drop_after"}, AnswerLost, 1),
        ({"fault": "malformed"}, AnswerLost, 1),
        ({"fault": "html"}, AnswerLost, 1),
        ({"fault": "fail"}, AnswerLost, 1),
        ({"fault": "status", "status": 500}, AnswerLost, 0),
        ({"fault": "status", "status": 429, "retry_after_s": 3}, Busy, 0),
        ({"fault": "status", "status": 402}, OutOfCredit, 0),
        ({"fault": "status", "status": 401}, Unauthorized, 0),
        ({"fault": "status", "status": 400}, Rejected, 0),
    ],
)
async def test_bad_days_of_a_submit(
    there: OpenAIImages,
    calm_demo: Demo,
    generation: str,
    fault: dict[str, Any],
    error: type[Exception],
    accepted: int,
) -> None:
    await calm_demo.fault(on="submit", generation=generation, **fault)
    with pytest.raises(error) as raised:
        await made(there, generation)
    assert type(raised.value) is error
    if isinstance(raised.value, Busy):
        assert raised.value.retry_after_s == 3
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["submit_requests"]) == (accepted, 1)


async def test_an_answer_that_never_comes_is_lost_in_time(calm_demo: Demo, generation: str) -> None:
    await calm_demo.fault(on="submit", fault="hang", generation=generation)
    async with AsyncExitStack() as stack:
        there = OpenAIImages("images", f"{calm_demo.url}/images/v1", "sk", answer_within_s=3)
        stack.push_async_callback(there.aclose)
        async with asyncio.timeout(10):
            with pytest.raises(AnswerLost):
                await made(there, generation)
    assert (await calm_demo.ledger(generation))["submits"] == 1


async def test_a_wrong_key_and_an_unknown_model_are_told_apart(
    there: OpenAIImages, calm_demo: Demo, generation: str
) -> None:
    with pytest.raises(Rejected):
        await there.submit(replace(ROUTE, endpoint="nobody/x"), FOX, key=f"{generation}-1")
    stranger = OpenAIImages("images", f"{calm_demo.url}/images/v1", "bad-key")
    with pytest.raises(Unauthorized):
        await made(stranger, generation)
    await stranger.aclose()


async def test_the_official_client_works_as_it_is(calm_demo: Demo) -> None:
    async with openai.AsyncOpenAI(
        api_key="sk-demo", base_url=f"{calm_demo.url}/images/v1", max_retries=0
    ) as client:
        made = await client.images.generate(model="gpt-image-2-quick", prompt="a fox", n=2)
        assert [bool(one.b64_json) for one in made.data or []] == [True, True]
        assert made.usage is not None
        edited = await client.images.edit(
            model="gpt-image-2-quick",
            prompt="a fox",
            image=("a.png", red("image").data, "image/png"),
            mask=("m.png", red("mask").data, "image/png"),
            size="1024x1024",
        )
        assert len(edited.data or []) == 1
        stream = await client.images.generate(
            model="gpt-image-2-quick", prompt="a fox", stream=True, partial_images=1
        )
        kinds = [event.type async for event in stream]
        assert kinds == ["image_generation.partial_image", "image_generation.completed"]
        with pytest.raises(openai.BadRequestError) as refused:
            await client.images.generate(model="gpt-image-2-quick", prompt="x [[case: policy]]")
        assert refused.value.code == "moderation_blocked"
        assert [one.id async for one in client.models.list()][0] == "gpt-image-2"
