"""What is sent to each endpoint, word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.abilities import check
from providers.catalogue import Catalogue, load_catalogue
from providers.contract import InputFile, Role
from providers.findings import Wanted
from providers.runpod import payload

IMAGE_POLICY = {"executionTimeout": 600_000, "ttl": 660_000}
VIDEO_POLICY = {"executionTimeout": 2_700_000, "ttl": 2_760_000}
ONE = "data:image/png;base64,b25l"
TWO = "data:image/jpeg;base64,dHdv"


def picture(role: Role, data: bytes = b"one", media_type: str = "image/png") -> InputFile:
    return InputFile(role=role, media_type=media_type, data=data)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


WIRE = ("runpod", "demo")  # who speaks it
IMAGE = Wanted(kind="image", prompt="a red fox")
VIDEO = Wanted(kind="video", prompt="it runs")
CASES: list[tuple[str, Wanted, tuple[InputFile, ...], str, dict[str, Any]]] = [
    (
        "p-image",
        replace(IMAGE, aspect_ratio="9:16", seed=7),
        (),
        "p-image-t2i",
        {"prompt": "a red fox", "aspect_ratio": "9:16", "seed": 7},
    ),
    (
        "p-image",
        replace(IMAGE, source_px=(1000, 700)),
        (picture("image"), picture("reference", b"two", "image/jpeg")),
        "p-image-edit",
        {"prompt": "a red fox", "aspect_ratio": "match_input_image", "images": [ONE, TWO]},
    ),
    (
        "p-image",
        replace(IMAGE, aspect_ratio="1:1"),
        (picture("reference"),),
        "p-image-edit",
        {"prompt": "a red fox", "aspect_ratio": "1:1", "images": [ONE]},
    ),
    (
        "z-image-turbo",
        replace(IMAGE, aspect_ratio="16:9"),
        (),
        "z-image-turbo",
        {"prompt": "a red fox", "size": "1280*720"},
    ),
    (
        "z-image-turbo",
        replace(IMAGE, source_px=(3000, 4000)),
        (picture("image"),),
        "z-image-turbo",
        {"prompt": "a red fox", "size": "768*1024", "image": ONE},
    ),
    (
        "flux-1-schnell",
        replace(IMAGE, seed=0),
        (),
        "black-forest-labs-flux-1-schnell",
        {
            "prompt": "a red fox",
            "width": 1024,
            "height": 1024,
            "seed": 0,
        },
    ),
    (
        "qwen-image",
        replace(IMAGE, size="1328x1328"),
        (),
        "qwen-image-t2i",
        {"prompt": "a red fox", "size": "1328*1328"},
    ),
    (
        "seedream-4",
        replace(IMAGE, aspect_ratio="16:9"),
        (),
        "seedream-v4-t2i",
        {"prompt": "a red fox", "size": "2560*1440"},
    ),
    (
        "nano-banana-2",
        replace(IMAGE, resolution="2K"),
        (picture("image"),),
        "google-nano-banana-2-edit",
        {"prompt": "a red fox", "resolution": "2k", "images": [ONE]},
    ),
    (
        "p-video",
        replace(VIDEO, duration_s=4.0, audio=False),
        (),
        "p-video",
        {
            "prompt": "it runs",
            "duration": 4,
            "resolution": "720p",
            "aspect_ratio": "16:9",
            "save_audio": False,
        },
    ),
    (
        "p-video",
        VIDEO,
        (picture("start"),),
        "p-video",
        {"prompt": "it runs", "image": ONE, "duration": 5, "resolution": "720p"},
    ),
    (
        "wan-2.6",
        replace(VIDEO, aspect_ratio="9:16", resolution="1080p"),
        (),
        "wan-2-6-t2v",
        {"prompt": "it runs", "duration": 5, "size": "1080*1920"},
    ),
    (
        "wan-2.6",
        replace(VIDEO, duration_s=10, source_px=(720, 1280)),
        (picture("start"),),
        "wan-2-6-i2v",
        {"prompt": "it runs", "image": ONE, "duration": 10, "size": "1280*720"},
    ),
    (
        "seedance-1.5-pro",
        replace(VIDEO, audio=True, source_px=(900, 1600)),
        (picture("start"), picture("end", b"two", "image/jpeg")),
        "seedance-v1-5-pro-i2v",
        {
            "prompt": "it runs",
            "image": ONE,
            "last_image": TWO,
            "duration": 5,
            "resolution": "720p",
            "aspect_ratio": "9:16",
            "generate_audio": True,
        },
    ),
    (
        "demo-image",
        replace(IMAGE, aspect_ratio="16:9", n=3, seed=5, style="ink", negative_prompt="snow"),
        (),
        "demo-image",
        {
            "prompt": "a red fox",
            "negative_prompt": "snow",
            "style": "ink",
            "width": 1280,
            "height": 720,
            "num_images": 3,
            "seed": 5,
        },
    ),
    (
        "demo-image-quick",
        replace(IMAGE, source_px=(1600, 900)),
        (picture("image"), picture("mask", b"two", "image/jpeg"), picture("reference")),
        "demo-image-quick",
        {
            "prompt": "a red fox",
            "width": 320,
            "height": 180,
            "num_images": 1,
            "image": ONE,
            "mask": TWO,
            "images": [ONE],
        },
    ),
    (
        "demo-video",
        replace(VIDEO, duration_s=4, source_px=(1280, 720)),
        (picture("start"), picture("end", b"two", "image/jpeg")),
        "demo-video",
        {
            "prompt": "it runs",
            "duration": 4,
            "width": 1280,
            "height": 720,
            "image": ONE,
            "end_image": TWO,
        },
    ),
    (
        "demo-video-quick",
        replace(VIDEO, aspect_ratio="9:16", duration_s=1, seed=1),
        (picture("reference"), picture("reference", b"two", "image/jpeg")),
        "demo-video-quick",
        {
            "prompt": "it runs",
            "duration": 1,
            "width": 180,
            "height": 320,
            "seed": 1,
            "images": [ONE, TWO],
        },
    ),
]


@pytest.mark.parametrize(
    ("name", "wanted", "files", "endpoint", "sent"),
    CASES,
    ids=[f"{case[0]}-{'-'.join(file.role for file in case[2]) or 'text'}" for case in CASES],
)
def test_each_model_is_asked_in_its_own_words(
    catalogue: Catalogue,
    name: str,
    wanted: Wanted,
    files: tuple[InputFile, ...],
    endpoint: str,
    sent: dict[str, Any],
) -> None:
    roles = tuple(file.role for file in files)
    model, _ = catalogue.find(name)
    request = replace(check(model, replace(wanted, inputs=roles)), inputs=files)
    route = model.route_for(roles, WIRE)
    assert route is not None
    assert route.endpoint == endpoint
    policy = IMAGE_POLICY if model.kind == "image" else VIDEO_POLICY
    assert payload(route, request) == {"input": sent, "policy": policy}


def test_every_built_in_route_of_this_wire_is_among_these(catalogue: Catalogue) -> None:
    routes = [route for model in catalogue.models for route in model.routes]
    assert {route.endpoint for route in routes if route.provider in WIRE} == {
        endpoint for _, _, _, endpoint, _ in CASES
    }


def test_a_deadline_beyond_what_runpod_takes_is_clipped(catalogue: Catalogue) -> None:
    model, _ = catalogue.find("demo-image")
    request = check(model, IMAGE)
    long = replace(model.routes[0], deadline_s=1e7)
    assert payload(long, request)["policy"] == {
        "executionTimeout": 604_800_000,
        "ttl": 604_800_000,
    }
    short = replace(model.routes[0], deadline_s=1)
    assert payload(short, request)["policy"] == {"executionTimeout": 5000, "ttl": 65_000}
