"""Routes at Black Forest Labs as the catalogue has them, at the emulator's quick models."""

from __future__ import annotations

from dataclasses import replace

from providers.contract import Route
from providers.dialect import Dialect, Spelling, Word

IMAGE_WORDS: dict[Word, Spelling] = {
    "prompt": Spelling(name="prompt"),
    "width_px": Spelling(name="width"),
    "height_px": Spelling(name="height"),
    "seed": Spelling(name="seed"),
    "pictures": Spelling(name="input_image", is_list=True),
}
FILM_WORDS: dict[Word, Spelling] = {
    "prompt": Spelling(name="prompt"),
    "aspect_ratio": Spelling(name="aspect_ratio"),
    "duration_s": Spelling(name="duration"),
    "audio": Spelling(name="generate_audio"),
    "resolution": Spelling(name="resolution", values={"720p": "hd", "1080p": "fhd"}),
    "start_image": Spelling(name="keyframes.start"),
    "end_image": Spelling(name="keyframes.end"),
}
IMAGE = Route(
    provider="bfl",
    endpoint="flux-2-pro-quick",
    on_lost_submit="webhook",
    price=None,
    poll_s=1.0,
    poll_max_s=5.0,
    deadline_s=600.0,
    inputs=("text!", "image", "reference"),
    result_hosts=("*.bfl.ai",),
    dialect=Dialect(fields=IMAGE_WORDS),
)
FILM = replace(
    IMAGE,
    endpoint="flux-3-video-quick",
    on_lost_submit="ask",
    inputs=("text!", "start_image", "end_image"),
    dialect=Dialect(fields=FILM_WORDS, defaults={"mode": "t2v", "aspect_ratio": "auto"}),
)
FILL = replace(
    IMAGE,
    endpoint="flux-pro-1.0-fill",
    inputs=("text!", "image!", "mask!"),
    dialect=Dialect(
        fields={
            "prompt": Spelling(name="prompt"),
            "image": Spelling(name="image"),
            "mask": Spelling(name="mask"),
        }
    ),
)
