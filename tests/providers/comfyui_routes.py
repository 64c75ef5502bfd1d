"""Routes at a ComfyUI as the catalogue has them, at models that the emulator draws quickly."""

from __future__ import annotations

from dataclasses import replace

from providers.contract import Route
from providers.dialect import Dialect, Spelling, Word

WORDS: dict[Word, Spelling] = {
    "prompt": Spelling(name="prompt"),
    "negative_prompt": Spelling(name="negative_prompt"),
    "width_px": Spelling(name="width"),
    "height_px": Spelling(name="height"),
    "n": Spelling(name="n"),
    "seed": Spelling(name="seed"),
}
EDIT_WORDS: dict[Word, Spelling] = {
    "prompt": Spelling(name="prompt"),
    "image": Spelling(name="image"),
    "n": Spelling(name="n"),
    "seed": Spelling(name="seed"),
}
FILM_WORDS: dict[Word, Spelling] = {
    "prompt": Spelling(name="prompt"),
    "width_px": Spelling(name="width"),
    "height_px": Spelling(name="height"),
    "seed": Spelling(name="seed"),
    "duration_s": Spelling(name="frames", values={"1": 25, "5": 121}),
}
QUICK = {"checkpoint": "quick.safetensors"}
IMAGE = Route(
    provider="comfyui",
    endpoint="text-to-image",
    on_lost_submit="key",
    price=None,
    poll_s=1.0,
    poll_max_s=5.0,
    deadline_s=600.0,
    inputs=("text!",),
    result_hosts=(),
    dialect=Dialect(fields=WORDS, defaults=QUICK, charges_failed=False),
)
SLOW = replace(IMAGE, dialect=replace(IMAGE.dialect, defaults={}))
EDIT = replace(
    IMAGE,
    endpoint="image-to-image",
    inputs=("text!", "image!"),
    dialect=Dialect(fields=EDIT_WORDS, defaults=QUICK),
)
FILM = replace(
    IMAGE,
    endpoint="wan-text-to-video",
    dialect=Dialect(fields=FILM_WORDS, defaults={"diffusion_model": "quick.safetensors"}),
)
ANIMATE = replace(
    FILM,
    endpoint="wan-image-to-video",
    inputs=("text!", "start_image!"),
    dialect=Dialect(
        fields={**FILM_WORDS, "start_image": Spelling(name="start_image")},
        defaults={"diffusion_model": "quick.safetensors"},
    ),
)
