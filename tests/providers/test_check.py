"""What can be asked of which model, and what is said when it cannot be had."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.abilities import SEED_MAX, check
from providers.catalogue import Catalogue, load_catalogue
from providers.contract import Role
from providers.findings import CannotDo, Wanted
from providers.model import estimate_usd

IMAGE = Wanted(kind="image", prompt="a red fox")
VIDEO = Wanted(kind="video", prompt="it runs")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


REFUSED: list[tuple[str, Wanted, str, str]] = [
    (
        "demo-video",
        replace(VIDEO, duration_s=900),
        "duration_s",
        "demo-video makes films of 1 to 10 seconds; 900 is not possible",
    ),
    (
        "wan-2.6",
        replace(VIDEO, duration_s=4),
        "duration_s",
        "wan-2.6 makes films of 5, 10 or 15 seconds; 4 is not possible",
    ),
    (
        "demo-video",
        replace(VIDEO, duration_s=2.5),
        "duration_s",
        "demo-video makes films of 1 to 10 seconds; 2.5 is not possible",
    ),
    (
        "demo-video",
        replace(VIDEO, duration_s=float("nan")),
        "duration_s",
        "demo-video makes films of 1 to 10 seconds; nan is not possible",
    ),
    (
        "demo-video",
        replace(VIDEO, aspect_ratio="21:9"),
        "aspect_ratio",
        "demo-video has aspect_ratio 16:9, 9:16, 1:1, 4:3 or 3:4; '21:9' is not possible",
    ),
    (
        "demo-video",
        replace(VIDEO, aspect_ratio="wide"),
        "aspect_ratio",
        "demo-video has aspect_ratio 16:9, 9:16, 1:1, 4:3 or 3:4; 'wide' is not possible",
    ),
    (
        "demo-video",
        replace(VIDEO, resolution="4k"),
        "resolution",
        "demo-video has resolution 480p or 720p; '4k' is not possible",
    ),
    (
        "p-image",
        replace(IMAGE, resolution="2k"),
        "resolution",
        "p-image has no choice of resolution; leave it out",
    ),
    (
        "demo-image",
        replace(IMAGE, n=5),
        "n",
        "demo-image makes 1 to 4 at once (max_n 4); 5 is not possible",
    ),
    (
        "p-image",
        replace(IMAGE, n=2),
        "n",
        "p-image makes 1 at once (max_n 1); 2 is not possible",
    ),
    ("demo-image", replace(IMAGE, n=0), "n", "demo-image makes 1 to 4 at once (max_n 4); 0 is"),
    (
        "nano-banana-2",
        replace(IMAGE, seed=1, inputs=("image",)),
        "seed",
        "nano-banana-2 takes no seed; leave it out",
    ),
    (
        "demo-image",
        replace(IMAGE, seed=-1),
        "seed",
        f"seed is a whole number from 0 to {SEED_MAX}, not -1",
    ),
    ("demo-image", replace(IMAGE, seed=SEED_MAX + 1), "seed", "seed is a whole number"),
    (
        "p-image",
        replace(IMAGE, negative_prompt="snow"),
        "negative_prompt",
        "p-image takes no negative_prompt; say it in the prompt instead",
    ),
    (
        "p-image",
        replace(IMAGE, style="ink"),
        "style",
        "p-image takes no style; say it in the prompt instead",
    ),
    (
        "demo-video",
        replace(VIDEO, audio=True),
        "audio",
        "demo-video makes no sound; leave audio out",
    ),
    ("demo-image", replace(IMAGE, prompt=" \n"), "prompt", "the prompt is empty"),
    (
        "p-image",
        replace(IMAGE, prompt="x" * 10_000_000),
        "prompt",
        "p-image takes up to 4000 characters in prompt; 10000000 are too many",
    ),
    ("demo-image", replace(IMAGE, prompt="a\0b"), "prompt", "prompt holds a NUL"),
    ("demo-image", replace(IMAGE, style="\ud83d"), "style", "style holds a NUL or half a"),
    (
        "demo-image",
        replace(IMAGE, size="4000x100"),
        "size",
        "demo-image has sides of 64 to 2048 pixels in steps of 8; "
        "4000x100 is not possible, nearest is 2048x96",
    ),
    (
        "flux-1-schnell",
        replace(IMAGE, size="1000x1000"),
        "size",
        "nearest is 1024x1024",
    ),
    (
        "z-image-turbo",
        replace(IMAGE, size="1920x1080"),
        "size",
        "1280x720 or 720x1280; 1920x1080 is not possible, nearest is 1280x720",
    ),
    (
        "p-image",
        replace(IMAGE, size="1600x900"),
        "size",
        "p-image takes no size; use aspect_ratio, nearest is 16:9",
    ),
    ("demo-image", replace(IMAGE, size="big"), "size", "size is width x height, as 1024x576"),
    ("demo-image", replace(IMAGE, size="0x10"), "size", "size is width x height, as 1024x576"),
    (
        "demo-image",
        replace(IMAGE, size="1024x1024", aspect_ratio="16:9"),
        "size",
        "size 1024x1024 is not 16:9; send one of the two",
    ),
    (
        "flux-1-fill",
        replace(IMAGE, inputs=("image",)),
        "mask",
        "flux-1-fill needs mask",
    ),
    (
        "flux-1-schnell",
        replace(IMAGE, inputs=("image",)),
        "image",
        "flux-1-schnell cannot use image; beside text it takes no pictures",
    ),
    (
        "z-image-turbo",
        replace(IMAGE, inputs=("image", "mask")),
        "mask",
        "z-image-turbo cannot use mask; beside text it takes image",
    ),
    (
        "demo-image",
        replace(IMAGE, inputs=("mask",)),
        "image",
        "mask needs image as well",
    ),
    (
        "demo-video",
        replace(VIDEO, inputs=("end",)),
        "start_image",
        "end_image needs start_image as well",
    ),
    (
        "demo-image",
        replace(IMAGE, inputs=("reference",) * 5),
        "references",
        "demo-image takes up to 4 as references; 5 are too many",
    ),
    (
        "demo-image",
        VIDEO,
        "model",
        "demo-image makes pictures, not films; name another model",
    ),
]


@pytest.mark.parametrize(("name", "wanted", "loc", "says"), REFUSED)
def test_what_a_model_cannot_do_is_refused_with_what_it_can(
    catalogue: Catalogue, name: str, wanted: Wanted, loc: str, says: str
) -> None:
    with pytest.raises(CannotDo) as raised:
        check(catalogue.find(name)[0], wanted)
    (error,) = raised.value.errors
    assert error["loc"] == loc
    assert says in error["msg"]
    assert str(raised.value) == error["msg"]
    assert len(error["msg"]) < 300


def test_everything_that_is_wrong_is_said_at_once(catalogue: Catalogue) -> None:
    wanted = replace(VIDEO, duration_s=900, aspect_ratio="7:1", n=9, prompt="")
    with pytest.raises(CannotDo) as raised:
        check(catalogue.find("demo-video")[0], wanted)
    assert [one["loc"] for one in raised.value.errors] == [
        "prompt",
        "n",
        "duration_s",
        "aspect_ratio",
    ]


SIZES: list[tuple[str, Wanted, str | None, tuple[int | None, int | None]]] = [
    ("demo-image", IMAGE, "1:1", (1024, 1024)),
    ("demo-image", replace(IMAGE, aspect_ratio="16:9"), "16:9", (1280, 720)),
    ("demo-image", replace(IMAGE, aspect_ratio=" 32 : 18 "), "16:9", (1280, 720)),
    ("demo-image", replace(IMAGE, aspect_ratio="16/9"), "16:9", (1280, 720)),
    ("demo-image", replace(IMAGE, aspect_ratio="21:9"), "21:9", (1512, 648)),
    ("demo-image", replace(IMAGE, size="1024x576"), "16:9", (1024, 576)),
    ("demo-image", replace(IMAGE, size="1024*576", aspect_ratio="16:9"), "16:9", (1024, 576)),
    ("demo-image", replace(IMAGE, size="1000 x 704"), None, (1000, 704)),
    ("demo-image-quick", replace(IMAGE, aspect_ratio="2:3"), "2:3", (213, 320)),
    ("flux-1-schnell", replace(IMAGE, aspect_ratio="16:9"), "16:9", (1344, 768)),
    ("flux-1-schnell", replace(IMAGE, aspect_ratio="9:21"), "9:21", (640, 1536)),
    ("z-image-turbo", replace(IMAGE, aspect_ratio="3:4"), "3:4", (768, 1024)),
    ("z-image-turbo", replace(IMAGE, size="512x512"), "1:1", (512, 512)),
    ("p-image", replace(IMAGE, aspect_ratio="3:2"), "3:2", (None, None)),
    ("demo-video", VIDEO, "16:9", (1280, 720)),
    ("demo-video", replace(VIDEO, resolution="480P"), "16:9", (854, 480)),
    ("demo-video", replace(VIDEO, aspect_ratio="9:16", resolution="480p"), "9:16", (480, 854)),
    ("demo-video", replace(VIDEO, aspect_ratio="4:3"), "4:3", (960, 720)),
    ("demo-video-quick", VIDEO, "16:9", (320, 180)),
    ("wan-2.6", replace(VIDEO, aspect_ratio="9:16", resolution="1080p"), "9:16", (1080, 1920)),
]


@pytest.mark.parametrize(("name", "wanted", "ratio", "pixels"), SIZES)
def test_a_shape_becomes_pixels_by_the_models_rules(
    catalogue: Catalogue,
    name: str,
    wanted: Wanted,
    ratio: str | None,
    pixels: tuple[int | None, int | None],
) -> None:
    request = check(catalogue.find(name)[0], wanted)
    assert (request.aspect_ratio, (request.width_px, request.height_px)) == (ratio, pixels)


FOLLOWING: list[tuple[str, Wanted, str | None, tuple[int | None, int | None]]] = [
    ("demo-image", replace(IMAGE, source_px=(1280, 720)), "16:9", (1280, 720)),
    ("demo-image", replace(IMAGE, source_px=(1000, 700)), None, (1200, 840)),
    ("demo-image", replace(IMAGE, source_px=(4000, 30)), None, (2048, 88)),
    ("demo-image", replace(IMAGE, source_px=(9, 16), aspect_ratio="1:1"), "1:1", (1024, 1024)),
    ("demo-image", IMAGE, "1:1", (1024, 1024)),
    ("z-image-turbo", replace(IMAGE, source_px=(1000, 700)), "4:3", (1024, 768)),
    ("p-image", replace(IMAGE, source_px=(1000, 700)), None, (None, None)),
    ("p-image", replace(IMAGE, source_px=(1600, 900)), "16:9", (None, None)),
    ("p-image", IMAGE, None, (None, None)),
    ("demo-video", replace(VIDEO, source_px=(720, 1280)), "9:16", (720, 1280)),
    ("seedance-1.5-pro", replace(VIDEO, source_px=(700, 1000)), "3:4", (None, None)),
    ("wan-2.6", replace(VIDEO, source_px=(1000, 1000)), None, (720, 720)),
]


@pytest.mark.parametrize(("name", "wanted", "ratio", "pixels"), FOLLOWING)
def test_without_a_word_the_result_keeps_the_shape_of_its_picture(
    catalogue: Catalogue,
    name: str,
    wanted: Wanted,
    ratio: str | None,
    pixels: tuple[int | None, int | None],
) -> None:
    model, _ = catalogue.find(name)
    role: Role = "image" if model.kind == "image" else "start"
    request = check(model, replace(wanted, inputs=(role,)))
    assert (request.aspect_ratio, (request.width_px, request.height_px)) == (ratio, pixels)


def test_what_was_not_said_is_filled_with_the_models_own(catalogue: Catalogue) -> None:
    request = check(catalogue.find("p-video")[0], VIDEO)
    assert (request.duration_s, request.resolution, request.aspect_ratio) == (5, "720p", "16:9")
    assert (request.n, request.seed, request.audio, request.style) == (1, None, None, None)
    silent = check(catalogue.find("demo-video")[0], replace(VIDEO, audio=False))
    assert silent.audio is None


@pytest.mark.parametrize(
    ("name", "wanted", "usd"),
    [
        ("demo-image", replace(IMAGE, n=3), 0.009),
        ("demo-video", replace(VIDEO, duration_s=4), 0.04),
        ("p-image", IMAGE, 0.005),
        ("p-image", replace(IMAGE, inputs=("image",)), 0.01),
        ("p-video", replace(VIDEO, duration_s=10, resolution="1080p"), 0.4),
        ("wan-2.6", replace(VIDEO, duration_s=5), 0.5),
        ("wan-2.6", replace(VIDEO, duration_s=15, resolution="1080p"), 2.25),
        ("flux-1-schnell", IMAGE, 0.002517),
        ("nano-banana-2", replace(IMAGE, inputs=("image",), resolution="4k"), 0.1512),
    ],
)
def test_an_estimate_follows_the_routes_price(
    catalogue: Catalogue, name: str, wanted: Wanted, usd: float
) -> None:
    model, _ = catalogue.find(name)
    route = model.route_for(wanted.inputs)
    assert route is not None
    assert estimate_usd(model, route, check(model, wanted)) == usd


def test_without_a_price_there_is_no_estimate(catalogue: Catalogue) -> None:
    model, _ = catalogue.find("demo-image")
    request = check(model, IMAGE)
    assert estimate_usd(model, replace(model.routes[0], price=None), request) is None
