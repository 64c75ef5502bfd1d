"""What is sent to fal, word for word, and which app a request lives at."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from providers.contract import InputFile
from providers.fal import app_of, payload
from tests.providers.company_routes import FOX, route_to


@pytest.mark.parametrize(
    ("endpoint", "app"),
    [
        ("fal-ai/flux/dev", "fal-ai/flux"),
        ("fal-ai/flux", "fal-ai/flux"),
        ("fal-ai/veo3.1/fast/image-to-video", "fal-ai/veo3.1"),
        ("bytedance/seedance-2.0/text-to-video", "bytedance/seedance-2.0"),
        ("workflows/acme/fox/v2", "workflows/acme/fox"),
        ("comfy/acme/fox", "comfy/acme/fox"),
    ],
)
def test_a_request_lives_at_the_app_of_its_model(endpoint: str, app: str) -> None:
    assert app_of(endpoint) == app


def test_the_body_is_the_models_input_and_nothing_around_it() -> None:
    route = route_to(
        "fal",
        "fal-ai/nano-banana-2/edit",
        {"pictures": "image_urls", "n": "num_images", "width_px": "image_size.width"},
        lists=("pictures",),
        defaults={"enable_safety_checker": True},
    )
    picture = InputFile(role="image", media_type="image/png", data=b"one")
    assert payload(route, replace(FOX, n=2, width_px=64, height_px=64, inputs=(picture,))) == {
        "prompt": "a red fox",
        "aspect_ratio": "16:9",
        "seed": 7,
        "num_images": 2,
        "image_size": {"width": 64},
        "image_urls": [f"data:image/png;base64,{base64.b64encode(b'one').decode()}"],
        "enable_safety_checker": True,
    }
