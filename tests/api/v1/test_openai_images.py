"""Pictures by the official client: made, changed, several at once, and refused in its own terms."""

from __future__ import annotations

import asyncio
import base64
from io import BytesIO
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

from tests.db.samples import encoded, opened, picture
from tests.demo_process import Demo
from tests.house import Served

QUICK = "demo-image-quick"


def drawn(answer: Any) -> list[Image.Image]:
    """The pictures in an answer, decoded."""
    return [opened(base64.b64decode(one.b64_json)) for one in answer.data]


def mask(width_px: int = 320, height_px: int = 200) -> bytes:
    """As OpenAI wants it: transparent on the right half, where the picture may change."""
    whole = Image.new("RGBA", (width_px, height_px), (0, 0, 0, 255))
    whole.paste((0, 0, 0, 0), (width_px // 2, 0, width_px, height_px))
    return encoded(whole, "PNG")


async def generations_of(server: Served, answer: Any) -> list[dict[str, Any]]:
    ids = ",".join(answer.model_extra["kinora"]["generations"])
    found: list[dict[str, Any]] = (
        await server.client.get("/api/generations", params={"ids": ids})
    ).json()["data"]
    return found


async def test_the_models_are_those_of_the_catalogue(
    client: openai.AsyncOpenAI, server: Served
) -> None:
    listed = [model async for model in client.models.list()]
    known = (await server.client.get("/api/models")).json()["data"]
    assert [model.id for model in listed] == [one["id"] for one in known if one["available"]]
    one = await client.models.retrieve(QUICK)
    assert (one.id, one.object, one.owned_by) == (QUICK, "model", "demo")
    assert one.model_extra is not None
    assert one.model_extra["kinora"]["kind"] == "image"
    with pytest.raises(openai.NotFoundError) as refused:
        await client.models.retrieve("dall-e-3")
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


async def test_a_picture_comes_as_an_address_that_opens_without_a_key(
    client: openai.AsyncOpenAI, server: Served
) -> None:
    answer = await client.images.generate(prompt="a red fox", model=QUICK, size="320x192")
    assert answer.data is not None
    (one,) = answer.data
    assert one.url is not None
    assert one.url.startswith(f"{server.url}/media/")
    assert one.b64_json is None
    assert (answer.size, answer.output_format) == ("320x192", "png")
    (made,) = await generations_of(server, answer)
    assert (made["status"], made["prompt"]) == ("completed", "a red fox")
    async with httpx.AsyncClient(trust_env=False) as anybody:
        found = await anybody.get(one.url)
    assert opened(found.content).size == (320, 192)


async def test_a_picture_comes_in_the_answer_where_that_is_asked_for(
    client: openai.AsyncOpenAI,
) -> None:
    answer = await client.images.generate(
        prompt="a red fox", model=QUICK, size="256x128", response_format="b64_json"
    )
    (one,) = drawn(answer)
    assert one.size == (256, 128)


async def test_without_a_model_and_with_auto_the_default_paints(
    client: openai.AsyncOpenAI, server: Served
) -> None:
    answer = await client.images.generate(prompt="a red fox", size="auto")
    (made,) = await generations_of(server, answer)
    assert (made["model"], answer.size) == ("demo-image", "1024x1024")


async def test_a_word_that_means_nothing_as_an_argument_may_be_a_prompt(
    server: Served, calm_demo: Demo
) -> None:
    body = {"prompt": "auto", "model": QUICK, "aspect_ratio": "auto", "stream": False}
    answer = await server.client.post("/v1/images/generations", json=body)
    assert answer.status_code == 200, answer.text


async def test_who_hangs_up_leaves_what_was_begun_to_be_made(
    server: Served, calm_demo: Demo
) -> None:
    await calm_demo.hold(True)
    body = {"prompt": "a badger", "model": QUICK}
    lines = len(server.lines)
    with pytest.raises(httpx.ReadTimeout):
        await server.client.post("/v1/images/generations", json=body, timeout=1.5)
    await calm_demo.hold(False)
    page = await server.client.get("/api/generations", params={"q": "a badger"})
    (one,) = page.json()["data"]
    done = await server.client.get(f"/api/generations/{one['id']}", params={"wait": 30})
    assert done.json()["status"] == "completed"
    assert not [line for line in server.lines[lines:] if "Traceback" in line]


async def test_three_pictures_are_one_generation_and_ten_are_three(
    client: openai.AsyncOpenAI, server: Served, demo: Demo
) -> None:
    for n, parts in ((3, [3]), (10, [4, 4, 2])):
        answer = await client.images.generate(
            prompt="a red fox",
            model=QUICK,
            n=n,
            response_format="b64_json",
            extra_body={"seed": 7, "aspect_ratio": "16:9"},
        )
        pictures = drawn(answer)
        assert {one.size for one in pictures} == {(320, 180)}
        assert len({one.tobytes() for one in pictures}) == n
        made = await generations_of(server, answer)
        assert [one["params"]["n"] for one in reversed(made)] == parts
        for one in made:
            assert (await demo.ledger(one["id"]))["submits"] == 1


async def test_harmless_arguments_are_named_and_others_refused(
    client: openai.AsyncOpenAI,
) -> None:
    answer = await client.images.generate(
        prompt="a red fox",
        model=QUICK,
        quality="hd",
        style="vivid",
        user="u-1",
        background="opaque",
        output_format="webp",
    )
    assert answer.model_extra is not None
    useless = {"quality", "style", "user", "background", "output_format"}
    assert set(answer.model_extra["kinora"]["ignored"]) == useless
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        await client.images.generate(prompt="a red fox", model=QUICK, extra_body={"steps": 20})
    assert refused.value.param == "steps"
    assert refused.value.type == "invalid_request_error"


@pytest.mark.parametrize("name", ["dall-e-2", "dall-e-3", "gpt-image-1"])
async def test_a_model_that_is_not_here_is_not_found(client: openai.AsyncOpenAI, name: str) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        await client.images.generate(prompt="a red fox", model=name)
    assert refused.value.code == "model_not_found"
    assert QUICK in refused.value.message


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": "x", "n": 11}, "n"),
        ({"prompt": "x", "n": 0}, "n"),
        ({"prompt": "x", "size": "big"}, "size"),
        ({"prompt": "x", "size": "4000x4000"}, "size"),
        ({"prompt": "x", "response_format": "gif"}, "response_format"),
        ({"prompt": "x", "stream": True}, "stream"),
        ({"prompt": "x", "model": "demo-video"}, "model"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_argument(
    server: Served, arguments: dict[str, Any], param: str
) -> None:
    answer = await server.client.post("/v1/images/generations", json={"model": QUICK, **arguments})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (422, param), error
    assert "x-should-retry" not in answer.headers


async def test_an_edit_changes_a_picture_only_where_its_mask_is_clear(
    client: openai.AsyncOpenAI, server: Served
) -> None:
    answer = await client.images.edit(
        image=("p.png", encoded(picture(), "PNG")),
        mask=("m.png", mask()),
        prompt="a green forest at night",
        model=QUICK,
        size="320x200",
        response_format="b64_json",
    )
    (changed,) = drawn(answer)
    assert changed.size == (320, 200)
    before, after = picture(), changed.convert("RGB")
    left, right = (0, 0, 150, 200), (170, 0, 320, 200)
    assert after.crop(left).tobytes() == before.crop(left).tobytes()
    assert after.crop(right).tobytes() != before.crop(right).tobytes()
    (made,) = await generations_of(server, answer)
    assert [given["role"] for given in made["inputs"]] == ["image", "mask"]


async def test_an_edit_takes_several_pictures_and_several_variants(
    client: openai.AsyncOpenAI, server: Served
) -> None:
    given = [encoded(picture(64 + i, 64), "PNG") for i in range(3)]
    answer = await client.images.edit(
        image=[BytesIO(one) for one in given], prompt="blue", model=QUICK, n=2
    )
    assert answer.data is not None
    assert len(answer.data) == 2
    (made,) = await generations_of(server, answer)
    roles = [given["role"] for given in made["inputs"]]
    assert roles == ["image", "reference", "reference"]


async def test_an_edit_takes_pictures_that_are_here_and_data_urls(
    client: openai.AsyncOpenAI, server: Served
) -> None:
    first = await client.images.generate(prompt="a red fox", model=QUICK)
    (made,) = await generations_of(server, first)
    url = "data:image/png;base64," + base64.b64encode(encoded(picture(), "PNG")).decode()
    for image in (made["id"], {"file_id": made["assets"][0]["id"]}, {"image_url": url}, url):
        body = {"prompt": "blue", "model": QUICK, "image": image}
        answer = await server.client.post("/v1/images/edits", json=body)
        assert answer.status_code == 200, answer.text
    for image, status in (
        ({"image_url": "https://example.org/a.png"}, 422),
        ({"image_url": "data:image/png;base64,AAAA"}, 422),
        ("0199c0de-0000-7000-8000-000000000000", 404),
        (None, 422),
    ):
        body = {"prompt": "blue", "model": QUICK, "image": image}
        answer = await server.client.post("/v1/images/edits", json=body)
        assert answer.status_code == status, answer.text
        assert set(answer.json()) == {"error"}


async def test_pictures_of_an_edit_go_with_what_was_made_of_them(
    client: openai.AsyncOpenAI, server: Served
) -> None:
    answer = await client.images.edit(
        image=BytesIO(encoded(picture(), "PNG")), prompt="blue", model=QUICK
    )
    (made,) = await generations_of(server, answer)
    address = f"/media/{made['inputs'][0]['asset_id']}"
    assert (await server.client.get(address)).status_code == 200
    await server.client.delete(f"/api/generations/{made['id']}")
    assert (await server.client.get(address)).status_code == 404


async def test_what_the_provider_fails_at_is_told_and_not_tried_again(
    client: openai.AsyncOpenAI, server: Served
) -> None:
    with pytest.raises(openai.InternalServerError) as refused:
        await client.images.generate(prompt="a lynx [[fault: submit=fail]]", model=QUICK)
    assert (refused.value.status_code, refused.value.code) == (502, "provider_error")
    assert refused.value.response.headers["x-should-retry"] == "false"
    found = (await server.client.get("/api/generations", params={"q": "a lynx"})).json()["data"]
    assert [one["id"] in refused.value.message for one in found] == [True]


async def test_of_several_those_that_came_are_answered(
    client: openai.AsyncOpenAI, server: Served, demo: Demo
) -> None:
    await demo.hold(True)
    making = asyncio.create_task(client.images.generate(prompt="a hare", model=QUICK, n=6))
    found: list[dict[str, Any]] = []
    while len(found) < 2:
        page = await server.client.get("/api/generations", params={"q": "a hare", "limit": 2})
        found = page.json()["data"]
    for one in found:
        await demo.until(one["id"], "submits:1")
    await server.client.post(f"/api/generations/{found[0]['id']}/cancel")
    await server.client.get(f"/api/generations/{found[0]['id']}", params={"wait": 30})
    await demo.hold(False)
    answer = await making
    assert answer.data is not None
    assert len(answer.data) == 4
    assert answer.model_extra is not None
    (failed,) = answer.model_extra["kinora"]["errors"]
    assert (failed["generation"], failed["code"]) == (found[0]["id"], "cancelled")
