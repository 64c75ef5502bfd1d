"""Every route of the built-in catalogue is asked for all it promises, by its company's adapter."""

from __future__ import annotations

import base64
import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from PIL import Image

from providers import bfl, comfyui, fal, gemini, gemini_video, openai_images, replicate, runpod
from providers.abilities import NEEDS, check
from providers.catalogue import load_catalogue
from providers.contract import InputFile, Request, Role, Route
from providers.dialect import Json
from providers.findings import Wanted
from providers.model import INPUT_OF_ROLE, Model, takes
from providers.workflow_templates import BUILT_IN, read_templates

HOOK = "https://kinora.example/webhooks/x/0199a0b1-c2d3-7e4f-8a5b-6c7d8e9f0a1b/1/token"
KEY = "0199a0b1-c2d3-7e4f-8a5b-6c7d8e9f0a1b-1"
TEMPLATES = read_templates(BUILT_IN)
PROMPT, NEGATIVE, STYLE, SEED = "a red fox", "no rain at all", "as in ink", 1234567
SIDES_PX = (96, 64)
DEAREST_SHARE = 1.5  # of the first route's price; beyond it no other route is taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A route and the pictures it is given; no roles: words alone."""

    model: Model
    route: Route
    roles: tuple[Role, ...]

    def __str__(self) -> str:
        given = "+".join(self.roles) or "text"
        return f"{self.model.id}@{self.route.provider}:{self.route.endpoint}:{given}"


def role_sets(model: Model, route: Route) -> Iterator[tuple[Role, ...]]:
    """Every set of pictures that leads to a route, with one reference and with the most."""
    possible = [role for role, word in INPUT_OF_ROLE.items() if word in str(route.inputs)]
    for count in range(len(possible) + 1):
        for roles in itertools.combinations(possible, count):
            is_whole = all(NEEDS[role] in roles for role in roles if role in NEEDS)
            if not is_whole or model.route_for(roles, (route.provider,)) is not route:
                continue
            yield roles
            if "reference" in roles and model.max_references > 1:
                more: list[Role] = ["reference"] * (model.max_references - 1)
                yield (*roles, *more)


CATALOGUE = load_catalogue()
CASES = [
    Case(model=model, route=route, roles=roles)
    for model in CATALOGUE.models
    for route in model.routes
    for roles in role_sets(model, route)
]


def picture(at: int, role: Role) -> InputFile:
    """A picture unlike all others of its request."""
    out = io.BytesIO()
    Image.new("RGB", SIDES_PX, (at * 10, 99, 199)).save(out, "PNG")
    return InputFile(role=role, media_type="image/png", data=out.getvalue())


def wishes(case: Case) -> Iterator[Wanted]:
    """The least one can say, and then everything, in each resolution, shape and length."""
    model = case.model
    plain = Wanted(kind=model.kind, prompt=PROMPT, inputs=case.roles)
    yield replace(plain, source_px=SIDES_PX) if case.roles else plain
    choices = itertools.zip_longest(
        model.aspect_ratios, model.resolutions, model.durations_s, fillvalue=None
    )
    for ratio, resolution, duration_s in choices:
        yield replace(
            plain,
            aspect_ratio=ratio,
            resolution=resolution,
            duration_s=duration_s,
            n=model.max_n,
            seed=SEED if model.seed else None,
            negative_prompt=NEGATIVE if model.negative_prompt else None,
            style=STYLE if model.style else None,
            audio=True if model.audio else None,
        )


def body_of(route: Route, request: Request) -> dict[str, Json]:
    """What the route's company is sent, by its own adapter."""
    match route.provider:
        case "runpod" | "demo":
            return runpod.payload(route, request, HOOK)
        case "fal":
            return fal.payload(route, request)
        case "replicate":
            return replicate.payload(route, request, HOOK)
        case "bfl":
            return bfl.payload(route, request, HOOK)
        case "gemini" if request.kind == "video":
            return gemini_video.payload(route, request, HOOK)
        case "gemini":
            return gemini.payload(route, request)
        case "images":
            return openai_images.payload(route, request)
        case "comfyui":
            return comfyui.payload(TEMPLATES[route.endpoint], route, request, KEY)
    raise AssertionError(f"nobody here speaks the wire of {route.provider}")


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_route_can_be_asked_for_all_that_its_model_promises(case: Case) -> None:
    files = tuple(picture(at, role) for at, role in enumerate(case.roles))
    for wanted in wishes(case):
        request = replace(check(case.model, wanted), inputs=files)
        sent = json.dumps(body_of(case.route, request), allow_nan=False)
        said = [wanted.prompt, wanted.negative_prompt, wanted.style, wanted.seed]
        assert [word for word in said if word is not None and str(word) not in sent] == []
        if case.route.provider == "images":
            parts = await openai_images.files_of(request)
            given = [file.data for file in files if file.role != "mask"]
            assert [data for _, data, _ in parts.pictures] == given
            assert (parts.mask is not None) == ("mask" in case.roles)
        else:
            given_as = [base64.b64encode(file.data).decode() for file in files]
            assert [sent.count(one) for one in given_as] == [1] * len(files)


def test_every_route_is_met_and_every_input_of_it() -> None:
    met = {(case.model.id, case.route.provider, case.route.endpoint) for case in CASES}
    assert met == {
        (model.id, route.provider, route.endpoint)
        for model in CATALOGUE.models
        for route in model.routes
    }
    for model in CATALOGUE.models:
        for route in model.routes:
            seen = {INPUT_OF_ROLE[role] for c in CASES if c.route is route for role in c.roles}
            assert seen == {word.rstrip("!") for word in route.inputs} - {"text"}


def test_what_a_model_takes_can_be_had_at_one_company_at_least_for_each_set_of_pictures() -> None:
    for model in CATALOGUE.models:
        whole = replace(model.routes[0], inputs=model.inputs)
        for roles in role_sets(replace(model, routes=(whole,)), whole):
            assert takes(model.inputs, roles)
            assert model.route_for(roles) is not None


def test_another_company_costs_at_most_half_more_than_the_first() -> None:
    for model in CATALOGUE.models:
        first = model.routes[0].price
        for price in (route.price for route in model.routes[1:] if route.price):
            assert first is not None
            if price.usd == 0 or price.unit != first.unit or model.id == "p-image":
                continue  # one's own machine; the two ways of p-image are no choice
            for resolution in (None, *model.resolutions):
                usual = first.usd_at.get(resolution or "", first.usd)
                assert price.usd_at.get(resolution or "", price.usd) <= DEAREST_SHARE * usual
