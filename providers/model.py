"""What a model can do and by which routes: one row of the catalogue."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from providers.contract import Kind, Request, Role, Route
from providers.sizes import Sizes

INPUT_OF_ROLE: dict[Role, str] = {
    "image": "image",
    "mask": "mask",
    "start": "start_image",
    "end": "end_image",
    "reference": "reference",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a provider takes from us: so many jobs at once, and `submits` in `per_s` seconds; None:
    any number.
    """

    at_once: int | None = None
    submits: int | None = None
    per_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of the catalogue. `inputs` are words of text, image, mask, start_image, end_image and
    reference, with a `!` behind those required; `sizes` None: the provider chooses the pixels;
    `keeps_shape`: it follows the shape of the picture it is given by itself.
    """

    id: str
    label: str
    kind: Kind
    demo: bool
    inputs: tuple[str, ...]
    aspect_ratios: tuple[str, ...]
    default_aspect_ratio: str | None
    sizes: Sizes | None
    keeps_shape: bool
    durations_s: tuple[float, ...]
    default_duration_s: float | None
    resolutions: tuple[str, ...]
    default_resolution: str | None
    max_n: int
    seed: bool
    negative_prompt: bool
    style: bool
    audio: bool
    max_references: int
    prompt_chars_max: int
    routes: tuple[Route, ...]

    def route_for(
        self, roles: Collection[Role], providers: Collection[str] | None = None
    ) -> Route | None:
        """Return the first route that takes these inputs, at one of these providers (None: any)."""
        for route in self.routes:
            if (providers is None or route.provider in providers) and takes(route.inputs, roles):
                return route
        return None

    def providers(self) -> tuple[str, ...]:
        """Return the names of the providers it can be had from, in the order they are tried."""
        return tuple(dict.fromkeys(route.provider for route in self.routes))


def takes(inputs: tuple[str, ...], roles: Collection[Role]) -> bool:
    """Whether input words allow exactly these roles: nothing too much, nothing required missing."""
    given = {"text"} | {INPUT_OF_ROLE[role] for role in roles}
    allowed = {word.rstrip("!") for word in inputs}
    required = {word.rstrip("!") for word in inputs if word.endswith("!")}
    return required <= given <= allowed


def estimate_usd(model: Model, route: Route, request: Request) -> float | None:
    """Return what a request costs by the route's price; None where no price or no size is known."""
    price = route.price
    if price is None:
        return None
    usd = price.usd_at.get(request.resolution or model.default_resolution or "", price.usd)
    if price.unit == "second":
        seconds = request.duration_s or model.default_duration_s
        return None if seconds is None else round(usd * seconds * request.n, 6)
    if price.unit == "image":
        return round(usd * request.n, 6)
    if request.width_px is None or request.height_px is None:
        return None
    return round(usd * request.width_px * request.height_px / 1e6 * request.n, 6)
