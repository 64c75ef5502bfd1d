"""The built-in catalogue as people find it, and the models of a file of one's own beside it."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from providers.abilities import check
from providers.catalogue import Catalogue, UnknownModel, load_catalogue
from providers.contract import Kind, LostSubmit, Role
from providers.findings import Wanted
from providers.model import INPUT_OF_ROLE, Model, takes

BOTH = ("runpod", "demo")
ROLE_OF_INPUT = {word: role for role, word in INPUT_OF_ROLE.items()}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def required(model: Model) -> tuple[Role, ...]:
    words = [word.rstrip("!") for word in model.inputs if word.endswith("!") and word != "text!"]
    return tuple(ROLE_OF_INPUT[word] for word in words)


def test_every_built_in_model_can_be_asked_in_every_shape_it_names(catalogue: Catalogue) -> None:
    for model in catalogue.models:
        for ratio in model.aspect_ratios:
            for resolution in model.resolutions or (None,):
                for duration_s in model.durations_s or (None,):
                    wanted = Wanted(
                        kind=model.kind,
                        prompt="x",
                        aspect_ratio=ratio,
                        resolution=resolution,
                        duration_s=duration_s,
                        inputs=required(model),
                    )
                    request = check(model, wanted)
                    assert (request.width_px is None) == (model.sizes is None)


def test_every_built_in_row_is_sane(catalogue: Catalogue) -> None:
    assert 20 <= sum(not model.demo for model in catalogue.models) <= 25
    assert len(catalogue.models) == len({model.id for model in catalogue.models})
    assert len(catalogue.models) == len({model.label for model in catalogue.models})
    for model in catalogue.models:
        assert model.demo == model.id.startswith("demo-") == ("Demo" in model.label)
        assert (model.default_aspect_ratio in model.aspect_ratios) == bool(model.aspect_ratios)
        assert bool(model.durations_s) == (model.kind == "video")
        for route in model.routes:
            assert model.demo == (route.provider == "demo")
            assert not model.demo or route.endpoint == model.id
            assert 0 < route.poll_s <= route.poll_max_s < 30 < route.deadline_s


def test_each_company_is_asked_with_its_own_care(catalogue: Catalogue) -> None:
    ways: dict[str, set[LostSubmit]] = {}
    for route in (route for model in catalogue.models for route in model.routes):
        ways.setdefault(route.provider, set()).add(route.on_lost_submit)
        assert bool(route.result_hosts) == (route.provider not in ("images", "comfyui", "demo"))
    assert ways == {
        "runpod": {"webhook"},
        "fal": {"webhook"},
        "replicate": {"webhook"},
        "bfl": {"webhook", "ask"},  # its films' endpoint takes no address for news
        "gemini": {"ask", "webhook"},  # pictures come with the answer, films later
        "images": {"ask"},
        "comfyui": {"key"},
        "demo": {"key"},
    }
    assert set(catalogue.bounds) == set(ways) - {"fal", "demo"}


def test_each_price_says_since_when_and_by_whom(catalogue: Catalogue) -> None:
    unknown = []
    for model in catalogue.models:
        for route in model.routes:
            if route.price is None:
                unknown.append(f"{model.id}@{route.provider}")
                continue
            day = datetime.date.fromisoformat(route.price.as_of)
            assert datetime.date(2026, 1, 1) < day < datetime.date(2027, 1, 1)
            assert len(route.price.source) > 6
            assert (route.price.usd == 0) == (route.provider == "comfyui")
            assert all(usd > 0 for usd in route.price.usd_at.values())
            assert (route.price.unit == "second") == (model.kind == "video")
            if route.provider == "runpod":
                assert route.price.source.startswith("https://docs.runpod.io/")
    # Where no price of the company's could be read; the same models' first routes have theirs.
    assert unknown == ["nano-banana-2@replicate", "seedance-2.0@replicate"]


def test_the_demo_models_are_those_the_interface_names(catalogue: Catalogue) -> None:
    demo = {model.id: model for model in catalogue.models if model.demo}
    assert list(demo) == ["demo-image", "demo-image-quick", "demo-video", "demo-video-quick"]
    image, video = demo["demo-image"], demo["demo-video"]
    assert image.inputs == ("text!", "image", "mask", "reference")
    assert (image.max_n, image.seed, image.negative_prompt, image.style) == (4, True, True, True)
    assert video.inputs == ("text!", "start_image", "end_image", "reference")
    assert video.durations_s == tuple(range(1, 11))
    assert video.resolutions == ("480p", "720p")
    assert video.aspect_ratios == ("16:9", "9:16", "1:1", "4:3", "3:4")


@pytest.mark.parametrize(
    ("name", "found", "pinned"),
    [
        ("wan-2.6", "wan-2.6", None),
        (" WAN-2.6 ", "wan-2.6", None),
        ("Wan 2.6", "wan-2.6", None),
        ("wan-2.6@runpod", "wan-2.6", "runpod"),
        ("demo-image@demo", "demo-image", "demo"),
    ],
)
def test_a_model_is_found_by_its_name(
    catalogue: Catalogue, name: str, found: str, pinned: str | None
) -> None:
    model, provider = catalogue.find(name)
    assert (model.id, provider) == (found, pinned)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("wan-2.5", "there is no model `wan-2.5`; did you mean wan-2.6"),
        ("dall-e-3", "the models are"),
        ("", "the models are p-image, "),
        ("x" * 5000, "there is no model `xxx"),
        ("wan-2.6@fal", "wan-2.6 cannot be had from `fal`, only from runpod"),
    ],
)
def test_an_unknown_model_is_answered_with_those_there_are(
    catalogue: Catalogue, name: str, says: str
) -> None:
    with pytest.raises(UnknownModel) as raised:
        catalogue.find(name)
    assert says.lower() in str(raised.value).lower()
    assert len(str(raised.value)) < 600


@pytest.mark.parametrize(
    ("kind", "providers", "inputs", "expected"),
    [
        ("image", ("demo",), (), "demo-image"),
        ("video", ("demo",), (), "demo-video"),
        ("image", BOTH, (), "p-image"),
        ("video", BOTH, (), "p-video"),
        ("image", BOTH, ("image",), "p-image"),
        ("image", BOTH, ("image", "mask"), "demo-image"),
        ("video", BOTH, ("start",), "p-video"),
        ("video", BOTH, ("start", "end"), "seedance-1.5-pro"),
        ("image", ("fal", "demo"), (), "flux-2-pro"),
        ("image", ("replicate", "demo"), ("image",), "flux-2-pro"),
        ("image", ("bfl", "images"), (), "flux-2-pro"),
        ("image", ("bfl", "demo"), ("image", "mask"), "flux-1-fill"),
        ("image", ("gemini", "images"), ("reference",), "nano-banana-2.1"),
        ("image", ("comfyui", "images"), (), "sdxl"),
        ("image", ("images", "demo"), ("image", "mask"), "gpt-image-2.5-flare"),
        ("video", ("fal", "demo"), (), "veo-3.1-fast"),
        ("video", ("replicate", "demo"), ("start",), "veo-3.1-fast"),
        ("video", ("bfl", "demo"), ("start", "end"), "flux-3-video"),
        ("video", ("gemini", "demo"), ("reference",), "gemini-omni-flash"),
        ("video", ("comfyui", "demo"), ("start",), "wan-2.2-5b"),
        ("video", ("images", "demo"), (), "demo-video"),
        ("image", (), (), None),
        ("audio", BOTH, (), None),
    ],
)
def test_the_default_is_the_first_that_can_be_had_and_can_do_it(
    catalogue: Catalogue,
    kind: Kind,
    providers: tuple[str, ...],
    inputs: tuple[Role, ...],
    expected: str | None,
) -> None:
    found = catalogue.default(kind, providers, inputs)
    assert (found.id if found else None) == expected


def test_a_route_is_taken_by_what_is_given_and_where_it_may_be_asked(catalogue: Catalogue) -> None:
    wan, _ = catalogue.find("wan-2.6")
    ways: list[tuple[tuple[Role, ...], str]] = [((), "wan-2-6-t2v"), (("start",), "wan-2-6-i2v")]
    for roles, endpoint in ways:
        route = wan.route_for(roles, ("runpod",))
        assert route is not None
        assert route.endpoint == endpoint
        assert wan.route_for(roles, ("demo",)) is None
    mask: tuple[Role, ...] = ("mask",)
    assert wan.route_for(mask) is None


def test_inputs_are_taken_when_nothing_is_missing_and_nothing_too_much() -> None:
    inputs = ("text!", "start_image!", "end_image")
    possible: list[tuple[Role, ...]] = [("start",), ("start", "end")]
    impossible: list[tuple[Role, ...]] = [(), ("end",), ("start", "reference")]
    assert all(takes(inputs, roles) for roles in possible)
    assert not any(takes(inputs, roles) for roles in impossible)


OWN = """
[[models]]
id = "my-flux"
label = "My FLUX"
kind = "image"
routes = [{ provider = "runpod", endpoint = "abc123", fields = { prompt = "prompt" } }]

[[models]]
id = "p-image"
label = "My P-Image"
kind = "image"
routes = [{ provider = "runpod", endpoint = "def456", fields = { prompt = "text" } }]
"""


def test_a_file_of_ones_own_adds_models_in_front_and_replaces_others_in_place(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    own = load_catalogue(path)
    assert [model.id for model in own.models] == [
        "my-flux",
        *(model.id for model in catalogue.models),
    ]
    assert own.find("p-image")[0].label == "My P-Image"
    first = own.default("image", BOTH)
    assert first is not None
    assert first.id == "my-flux"
    route = first.routes[0]
    assert (route.on_lost_submit, route.price) == ("webhook", None)
    assert route.result_hosts == ("*.runpod.ai", "*.runpod.net")
    assert (route.poll_s, route.poll_max_s, route.deadline_s) == (1.0, 5.0, 600.0)
