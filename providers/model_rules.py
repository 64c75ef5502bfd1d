"""What the tables of a file of models must be for each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from providers.dialect import Word
from providers.model_rows import ModelRow, ModelsFile, RouteRow, SizesRow
from providers.toml_lines import Path

Problem = tuple[Path, str]

#: Which of these fields (any one) carries an ability or an input to the endpoint.
CARRIES: dict[str, tuple[Word, ...]] = {
    "seed": ("seed",),
    "negative_prompt": ("negative_prompt",),
    "style": ("style",),
    "audio": ("audio",),
    "durations_s": ("duration_s",),
    "resolutions": ("resolution", "size", "width_px"),
    "aspect_ratios": ("aspect_ratio", "size", "width_px"),
    "text": ("prompt",),
    "image": ("image", "pictures"),
    "mask": ("mask",),
    "start_image": ("start_image",),
    "end_image": ("end_image",),
    "reference": ("reference", "pictures"),
}
ABILITIES = ("seed", "negative_prompt", "style", "audio", "durations_s", "resolutions")
DEFAULTS = {
    "default_aspect_ratio": "aspect_ratios",
    "default_duration_s": "durations_s",
    "default_resolution": "resolutions",
}
NEED_SIZES = ("size", "width_px", "height_px")


def problems_of(file: ModelsFile) -> Iterator[Problem]:
    """Yield everything in a well-formed file that cannot be meant."""
    counts = Counter(model.id for model in file.models)
    for at, model in enumerate(file.models):
        path: Path = ("models", at)
        if counts[model.id] > 1:
            yield (*path, "id"), f"id `{model.id}` stands {counts[model.id]} times in this file"
        yield from problems_of_model(path, model)
        places = Counter((route.provider, route.endpoint) for route in model.routes)
        for number, route in enumerate(model.routes):
            if places[route.provider, route.endpoint] > 1:  # a job is followed by its endpoint
                yield (
                    (*path, "routes", number, "endpoint"),
                    "endpoint must differ from route to route",
                )
            yield from problems_of_route((*path, "routes", number), model, route)


def problems_of_model(path: Path, model: ModelRow) -> Iterator[Problem]:
    """Yield what is wrong with a model beside its routes."""
    if model.demo and "demo" not in model.label.lower():
        yield (*path, "label"), "label of a demo model must carry the word Demo"
    for default, choices in DEFAULTS.items():
        value, possible = getattr(model, default), getattr(model, choices)
        if value is not None and value not in possible:
            yield (*path, default), f"{default} must be one of {choices}"
    if model.kind == "video" and not model.durations_s:
        yield (*path, "kind"), "a video model needs durations_s"
    if model.kind == "image" and model.durations_s:
        yield (*path, "durations_s"), "durations_s is for video models"
    words = [word.rstrip("!") for word in model.inputs]
    if "text" not in words or len(set(words)) < len(words):
        yield (*path, "inputs"), "inputs must name text, and each word once"
    if ("reference" in words) != (model.max_references > 0):
        yield (
            (*path, "inputs"),
            "inputs names reference when max_references is above 0, and only then",
        )
    if model.sizes:
        yield from problems_of_sizes((*path, "sizes"), model, model.sizes)


def problems_of_sizes(path: Path, model: ModelRow, sizes: SizesRow) -> Iterator[Problem]:
    """Yield what is wrong with a model's sizes."""
    if sizes.short_side_px and set(sizes.short_side_px) != set(model.resolutions):
        yield path, "sizes.short_side_px must name every one of resolutions"
    if sizes.min_px > sizes.max_px:
        yield path, "sizes.min_px must not be above sizes.max_px"


def problems_of_route(path: Path, model: ModelRow, route: RouteRow) -> Iterator[Problem]:
    """Yield what is wrong with a route."""
    promised = {word.rstrip("!"): word for word in model.inputs}
    inputs = route.inputs or model.inputs
    for word in inputs:
        if word.rstrip("!") not in promised:
            yield (*path, "inputs"), f"inputs: {word.rstrip('!')} is no input of the model"
    for word in promised.values():
        if word.endswith("!") and word not in inputs:
            yield (*path, "inputs"), f"inputs must hold {word}, which the model requires"
    yield from problems_of_fields((*path, "fields"), model, route)
    if route.poll_s and route.poll_max_s and route.poll_max_s < route.poll_s:
        yield (*path, "poll_max_s"), "poll_max_s must not be below poll_s"
    for resolution in route.price.usd_at if route.price else ():
        if resolution not in model.resolutions:
            yield (*path, "price"), f"price.usd_at: {resolution} is none of resolutions"


def problems_of_fields(path: Path, model: ModelRow, route: RouteRow) -> Iterator[Problem]:
    """Yield what a route has no field for, though its model promises it."""
    inputs = route.inputs or model.inputs
    needed = [ability for ability in ABILITIES if getattr(model, ability)]
    if model.aspect_ratios and not {"image!", "start_image!"} & set(inputs):
        needed.append("aspect_ratios")
    for name in (*needed, *(word.rstrip("!") for word in inputs)):
        if not any(word in route.fields for word in CARRIES[name]):
            fields = " or ".join(CARRIES[name])
            yield path, f"fields must have {fields}, because the model has {name}"
    if model.sizes is None and any(word in route.fields for word in NEED_SIZES):
        yield path, "fields has a size, so the model needs sizes"
