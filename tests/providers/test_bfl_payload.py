"""What Black Forest Labs is sent, word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.bfl import BlackForestLabs, payload
from providers.contract import InputFile, Rejected, Request, Role, Route, Unauthorized
from providers.transport import open_client
from tests.providers.bfl_routes import FILL, FILM, IMAGE
from tests.providers.servers import Exchange, serving

FOX = Request(kind="image", prompt="a red fox", width_px=1024, height_px=768, seed=7)
RUN = Request(kind="video", prompt="it runs", resolution="1080p", duration_s=5.0, audio=False)
ADDRESS = "https://kinora.example.org/webhooks/bfl/0199-a/1/token"


def picture(role: Role, data: bytes = b"one") -> InputFile:
    return InputFile(role=role, media_type="image/png", data=data)


CASES: list[tuple[str, Route, Request, dict[str, Any]]] = [
    (
        "a picture from words",
        IMAGE,
        FOX,
        {"prompt": "a red fox", "width": 1024, "height": 768, "seed": 7},
    ),
    (
        "an edit with references, numbered, as bare base64",
        IMAGE,
        replace(
            FOX,
            seed=None,
            inputs=(
                picture("image"),
                picture("reference", b"two"),
                picture("reference", b"three"),
            ),
        ),
        {
            "prompt": "a red fox",
            "width": 1024,
            "height": 768,
            "input_image": "b25l",
            "input_image_2": "dHdv",
            "input_image_3": "dGhyZWU=",
        },
    ),
    (
        "what is white in a mask",
        FILL,
        Request(kind="image", prompt="a hat", inputs=(picture("image"), picture("mask", b"two"))),
        {"prompt": "a hat", "image": "b25l", "mask": "dHdv"},
    ),
    (
        "a film from words",
        FILM,
        RUN,
        {
            "mode": "t2v",
            "prompt": "it runs",
            "aspect_ratio": "auto",
            "duration": 5,
            "resolution": "fhd",
            "generate_audio": False,
        },
    ),
    (
        "a film from its first picture",
        FILM,
        Request(kind="video", prompt="it runs", duration_s=5, inputs=(picture("start"),)),
        {
            "mode": "i2v",
            "prompt": "it runs",
            "aspect_ratio": "auto",
            "duration": 5,
            "keyframes": ["b25l"],
        },
    ),
    (
        "a film between two pictures, in their order",
        FILM,
        Request(
            kind="video",
            prompt="it runs",
            duration_s=5,
            inputs=(picture("end", b"two"), picture("start")),
        ),
        {
            "mode": "i2v",
            "prompt": "it runs",
            "aspect_ratio": "auto",
            "duration": 5,
            "keyframes": ["b25l", "dHdv"],
        },
    ),
]


@pytest.mark.parametrize(
    ("route", "request_", "sent"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_a_request_is_spelled_as_documented(
    route: Route, request_: Request, sent: dict[str, Any]
) -> None:
    assert payload(route, request_) == sent
    assert payload(route, request_, ADDRESS) == {**sent, "webhook_url": ADDRESS}


def test_words_that_look_like_a_picture_stay_words() -> None:
    said = "data:image/png;base64,b25l is what I see"
    assert payload(IMAGE, replace(FOX, prompt=said))["prompt"] == said


def test_a_last_picture_alone_would_become_the_first_and_is_refused() -> None:
    with pytest.raises(Rejected, match="one to start with"):
        payload(FILM, replace(RUN, inputs=(picture("end"),)))


@pytest.mark.parametrize("key", ["bfl_caf\u00e9", "bfl_1\r\nX-Evil: 1"])
async def test_a_key_that_cannot_be_one_is_refused_unspoken(key: str) -> None:
    async def nothing(exchange: Exchange) -> None:
        await exchange.reply()

    async with serving(nothing) as server, open_client() as client:
        with pytest.raises(Unauthorized) as raised:
            await BlackForestLabs("bfl", server.url, key, client).submit(IMAGE, FOX, key="g-1")
        assert key not in repr(raised.value)
        assert not server.seen
