"""Every company at the emulator's wires: how each is switched on, and a quick model of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

_SIZES = "sizes = { multiple = 16, min_px = 64, max_px = 512, square_px = 64 }"
_SHAPES = 'aspect_ratios = ["16:9"]'
_SIDES = 'width_px = "width", height_px = "height"'
_ROW = """
[[models]]
id = "{model}"
label = "Bench {model}"
kind = "{kind}"
{abilities}
[[models.routes]]
provider = "{provider}"
endpoint = "{endpoint}"
poll_s = 0.5
poll_max_s = 2.0
{route}
"""
#: Who sends the same requests beside an adapter.
PLAIN, OURS = ", bare by httpx", ", bare by our client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A model of a company; `has_jobs` is false where a submit is answered when all is made."""

    model: str
    provider: str
    endpoint: str
    route: str
    abilities: str = _SIZES
    kind: Literal["image", "video"] = "image"
    has_jobs: bool = True


COMPANIES = (
    Company(
        model="runpod",
        provider="runpod",
        endpoint="demo-image-quick",
        route=f'fields = {{ prompt = "prompt", {_SIDES} }}',
    ),
    Company(
        model="fal",
        provider="fal",
        endpoint="demo/painter-quick/dev",
        route='fields = { prompt = "prompt", width_px = "image_size.width", '
        'height_px = "image_size.height" }',
    ),
    Company(
        model="replicate",
        provider="replicate",
        endpoint="demo/painter-quick",
        route=f'fields = {{ prompt = "prompt", {_SIDES} }}',
    ),
    Company(
        model="bfl",
        provider="bfl",
        endpoint="flux-2-pro-quick",
        route=f'fields = {{ prompt = "prompt", {_SIDES} }}',
    ),
    Company(
        model="gemini-picture",
        provider="gemini",
        endpoint="gemini-3.1-flash-image-quick",
        abilities=_SHAPES,
        route='fields = { prompt = "prompt", '
        'aspect_ratio = "generationConfig.imageConfig.aspectRatio" }',
        has_jobs=False,
    ),
    Company(
        model="images",
        provider="images",
        endpoint="gpt-image-2-quick",
        route='fields = { prompt = "prompt", size = "size" }',
        has_jobs=False,
    ),
    Company(
        model="comfyui",
        provider="comfyui",
        endpoint="text-to-image",
        route=f'fields = {{ prompt = "prompt", {_SIDES} }}\n'
        'defaults = { checkpoint = "quick.safetensors" }',
    ),
    Company(
        model="gemini-film",
        provider="gemini",
        endpoint="gemini-omni-1.2-flash-quick",
        kind="video",
        abilities=f"{_SHAPES}\ndurations_s = [1]",
        route='on_lost_submit = "webhook"\nfields = { prompt = "prompt", aspect_ratio = '
        '"response_format.aspect_ratio", duration_s = { name = "response_format.duration", '
        'format = "{value}s" } }',
    ),
)
BY_MODEL = {company.model: company for company in COMPANIES}


def switched_on(emulator: str) -> Mapping[str, str]:
    """The settings that point every company at this emulator."""
    return {
        "RUNPOD_API_KEY": "bench",
        "RUNPOD_BASE_URL": f"{emulator}/v2",
        "FAL_KEY": "id:bench",
        "FAL_BASE_URL": f"{emulator}/fal",
        "REPLICATE_API_TOKEN": "bench",
        "REPLICATE_BASE_URL": f"{emulator}/replicate/v1",
        "BFL_API_KEY": "bench",
        "BFL_BASE_URL": f"{emulator}/bfl/v1",
        "GEMINI_API_KEY": "AIza-bench",
        "GEMINI_BASE_URL": f"{emulator}/gemini",
        "IMAGES_API_KEY": "sk-bench",
        "IMAGES_BASE_URL": f"{emulator}/images/v1",
        "COMFYUI_BASE_URL": f"{emulator}/comfyui",
        "DEMO_BASE_URL": emulator,
        "MAX_IN_FLIGHT_PER_USER": "0",
    }


def models_text() -> str:
    """The file of these models."""
    names = ("model", "kind", "abilities", "provider", "endpoint", "route")
    return "".join(
        _ROW.format(**{name: getattr(company, name) for name in names}) for company in COMPANIES
    )
