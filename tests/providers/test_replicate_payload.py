"""What is sent to Replicate, word for word, and where to."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from providers.contract import InputFile
from providers.replicate import path_of, payload
from tests.providers.company_routes import FOX, route_to

ADDRESS = "https://kinora.example.org/webhooks/replicate/0199-a/1/token"
ROUTE = route_to(
    "replicate",
    "black-forest-labs/flux-2-pro",
    {"pictures": "input_images"},
    lists=("pictures",),
    defaults={"output_format": "png"},
)
SMALL, LARGE = b"small", b"large" * 100_000


@pytest.mark.parametrize(
    ("endpoint", "path", "version"),
    [
        ("google/veo-3.1", "models/google/veo-3.1/predictions", None),
        ("deployments/acme/painter", "deployments/acme/painter/predictions", None),
        ("acme/painter:5c7d5dc6", "predictions", "acme/painter:5c7d5dc6"),
        ("5c7d5dc6dd8b", "predictions", "5c7d5dc6dd8b"),
    ],
)
def test_an_endpoint_says_where_its_predictions_are_made(
    endpoint: str, path: str, version: str | None
) -> None:
    assert path_of(endpoint) == path
    assert payload(replace(ROUTE, endpoint=endpoint), FOX).get("version") == version


def test_a_request_goes_out_in_the_models_own_words() -> None:
    spelled = {"prompt": "a red fox", "aspect_ratio": "16:9", "seed": 7, "output_format": "png"}
    assert payload(ROUTE, FOX) == {"input": spelled}
    assert payload(ROUTE, FOX, ADDRESS) == {
        "input": spelled,
        "webhook": ADDRESS,
        "webhook_events_filter": ["start", "completed"],
    }


def test_an_uploaded_picture_goes_by_its_address_and_a_small_one_inside() -> None:
    files = tuple(
        InputFile(role="reference", media_type="image/png", data=data) for data in (SMALL, LARGE)
    )
    inside = [f"data:image/png;base64,{base64.b64encode(data).decode()}" for data in (SMALL, LARGE)]
    request = replace(FOX, inputs=files)
    assert payload(ROUTE, request)["input"]["input_images"] == inside  # type: ignore[index,call-overload]
    sent = payload(ROUTE, request, None, {inside[1]: "https://api.replicate.com/v1/files/f"})
    assert sent["input"]["input_images"] == [  # type: ignore[index,call-overload]
        inside[0],
        "https://api.replicate.com/v1/files/f",
    ]
