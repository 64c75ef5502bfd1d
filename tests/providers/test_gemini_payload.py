"""What is asked of the Gemini API: words and pictures in one message, or in one input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from providers import gemini_video
from providers.contract import InputFile, Request, Role
from providers.gemini import configured, payload
from providers.transport import open_client
from settings import load
from tests.providers.company_routes import route_to

IMAGE = route_to(
    "gemini",
    "gemini-3.1-flash-image",
    {
        "aspect_ratio": "generationConfig.imageConfig.aspectRatio",
        "resolution": "generationConfig.imageConfig.imageSize",
        "seed": "generationConfig.seed",
        "pictures": "contents",
    },
    lists=("pictures",),
)
FILM = route_to(
    "gemini",
    "gemini-omni-1.2-flash",
    {
        "aspect_ratio": "response_format.aspect_ratio",
        "resolution": "response_format.resolution",
        "duration_s": "response_format.duration",
        "seed": "generation_config.seed",
        "start_image": "input",
    },
    kind="video",
)
CAT = Request(kind="video", prompt="a cat", aspect_ratio="16:9", resolution="720p", seed=7)


def file(role: Role, data: bytes = b"abc") -> InputFile:
    return InputFile(role=role, media_type="image/png", data=data)


def test_a_picture_is_asked_for_as_google_documents_it() -> None:
    request = Request(
        kind="image",
        prompt="make it snow",
        aspect_ratio="16:9",
        resolution="2K",
        seed=7,
        inputs=(file("reference", b"def"), file("image")),
    )
    assert payload(IMAGE, request) == {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "make it snow"},
                    {"inlineData": {"mimeType": "image/png", "data": "YWJj"}},
                    {"inlineData": {"mimeType": "image/png", "data": "ZGVm"}},
                ],
            }
        ],
        "generationConfig": {
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
            "seed": 7,
        },
    }


def test_a_film_is_asked_for_in_the_background_and_as_an_address() -> None:
    assert gemini_video.payload(FILM, CAT, "https://app.example/webhooks/x") == {
        "model": "gemini-omni-1.2-flash",
        "background": True,
        "store": True,
        "input": [{"type": "user_input", "content": [{"type": "text", "text": "a cat"}]}],
        "response_format": {
            "type": "video",
            "delivery": "uri",
            "aspect_ratio": "16:9",
            "resolution": "720p",
        },
        "generation_config": {"seed": 7},
        "webhook_config": {"uris": ["https://app.example/webhooks/x"]},
    }
    assert "webhook_config" not in gemini_video.payload(FILM, CAT)


@pytest.mark.parametrize(
    ("roles", "order", "task"),
    [
        (("start",), "s", "image_to_video"),
        (("end", "start"), "se", "image_to_video"),
        (("reference", "reference"), "rr", "reference_to_video"),
        (("reference", "start"), "sr", None),
    ],
)
def test_frames_come_before_references_and_name_the_task(
    roles: tuple[Role, ...], order: str, task: str | None
) -> None:
    files = tuple(file(role, role[:1].encode() * 3) for role in roles)
    request = Request(kind="video", prompt="a cat", inputs=files)
    body: Any = gemini_video.payload(FILM, request)
    letters = {"c3Nz": "s", "ZWVl": "e", "cnJy": "r"}
    content = body["input"][0]["content"][1:]
    assert "".join(letters[block["data"]] for block in content) == order
    assert {block["type"] for block in content} == {"image"}
    config = body.get("generation_config")
    assert config == (None if task is None else {"video_config": {"task": task}})


async def test_the_key_is_asked_about_by_a_header(tmp_path: Path) -> None:
    async with open_client() as client:
        none = load({}, env_file=tmp_path / "no.env").settings
        assert configured(none, client) is None
        settings = load({"GEMINI_API_KEY": "AIzaCANARY"}, env_file=tmp_path / "no.env").settings
        found = configured(settings, client)
    assert found is not None
    assert found.question is not None
    assert (found.provider.name, found.setting) == ("gemini", "gemini_api_key")
    assert found.question.url.startswith("https://generativelanguage.googleapis.com/v1beta/models")
    assert found.question.headers == {"x-goog-api-key": "AIzaCANARY"}
    assert "CANARY" not in found.question.url + repr(found) + repr(found.question)
