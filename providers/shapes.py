"""Which shape and how many pixels: the part of the check that reckons."""

from __future__ import annotations

from fractions import Fraction

from providers.findings import Findings, Wanted, one_of, shown
from providers.model import Model
from providers.sizes import (
    Sizes,
    fit,
    is_within,
    nearest_choice,
    nearest_ratio,
    parse_ratio,
    parse_size,
    snap,
)

SHAPE_TOLERANCE = 0.02  # 854x480 is 16:9
Shape = tuple[str | None, tuple[int, int] | None]


def check_shape(model: Model, wanted: Wanted, resolution: str | None, findings: Findings) -> Shape:
    """Return the ratio, if it has a name, and the pixels, if we are the ones to choose them."""
    before = len(findings.errors)
    ratio_name = check_ratio(model, wanted, findings)
    pixels = check_size(model, wanted, findings)
    if len(findings.errors) > before:
        return None, None
    if pixels is not None:
        return match_size(model, wanted, ratio_name, pixels, findings)
    if ratio_name is None and ("image" in wanted.inputs or "start" in wanted.inputs):
        return shape_of_source(model, wanted.source_px, resolution)
    return default_shape(model, resolution, ratio_name)


def check_ratio(model: Model, wanted: Wanted, findings: Findings) -> str | None:
    """Return the ratio as the catalogue spells it (32:18 is 16:9), None when none was asked for."""
    if wanted.aspect_ratio is None:
        return None
    asked = parse_ratio(wanted.aspect_ratio)
    for name in model.aspect_ratios:
        if asked is not None and parse_ratio(name) == asked:
            return name
    possible = one_of(model.aspect_ratios)
    findings.refuse(
        "aspect_ratio",
        f"{model.id} has aspect_ratio {possible}; {shown(wanted.aspect_ratio)} is not possible"
        if possible
        else f"{model.id} keeps the shape of the picture it is given; leave aspect_ratio out",
    )
    return None


def check_size(model: Model, wanted: Wanted, findings: Findings) -> tuple[int, int] | None:
    """Return the pixels asked for, None when none were."""
    if wanted.size is None:
        return None
    asked = parse_size(wanted.size)
    if asked is None or 0 in asked:
        findings.refuse("size", f"size is width x height, as 1024x576; not {shown(wanted.size)}")
        return None
    if model.sizes is None:
        ratio = Fraction(*asked)
        instead = "leave it out"
        if model.aspect_ratios:
            instead = f"use aspect_ratio, nearest is {nearest_ratio(model.aspect_ratios, ratio)}"
        findings.refuse("size", f"{model.id} takes no size; {instead}")
    elif not is_possible(model.sizes, asked):
        findings.refuse("size", f"{model.id} {size_rule(model.sizes, asked)}")
    return asked


def match_size(
    model: Model,
    wanted: Wanted,
    ratio_name: str | None,
    pixels: tuple[int, int],
    findings: Findings,
) -> Shape:
    """Return an exact size with the name of its shape; refuse one that contradicts the ratio."""
    ratio = Fraction(*pixels)
    if ratio_name is not None:
        asked = parse_ratio(ratio_name) or ratio
        if abs(float(ratio / asked) - 1) > SHAPE_TOLERANCE:
            findings.refuse("size", f"size {wanted.size} is not {ratio_name}; send one of the two")
        return ratio_name, pixels
    return name_of(model, ratio), pixels


def shape_of_source(
    model: Model, source_px: tuple[int, int] | None, resolution: str | None
) -> Shape:
    """Return the shape of the given picture, as near as the model can come."""
    if source_px is None:
        return (None, None) if model.keeps_shape else default_shape(model, resolution)
    ratio = Fraction(*source_px)
    name = name_of(model, ratio)
    is_listed = model.sizes is None or bool(model.sizes.choices)
    if name is None and is_listed and model.aspect_ratios and not model.keeps_shape:
        name = nearest_ratio(model.aspect_ratios, ratio)
    return name, fit(model.sizes, ratio, resolution) if model.sizes else None


def default_shape(model: Model, resolution: str | None, ratio_name: str | None = None) -> Shape:
    """Return a named ratio, or the model's usual one, with its pixels."""
    name = ratio_name or model.default_aspect_ratio
    ratio = parse_ratio(name) if name else None
    if model.sizes is None:
        return name, None
    return name, fit(model.sizes, ratio or Fraction(1), resolution)


def name_of(model: Model, ratio: Fraction) -> str | None:
    """Return the model's name for a shape, None when it has none."""
    return next((name for name in model.aspect_ratios if parse_ratio(name) == ratio), None)


def is_possible(sizes: Sizes, asked: tuple[int, int]) -> bool:
    """Whether exactly these pixels can be had."""
    return asked in sizes.choices if sizes.choices else is_within(sizes, *asked)


def size_rule(sizes: Sizes, asked: tuple[int, int]) -> str:
    """Say which sizes there are and which is nearest to the one asked for."""
    width, height = asked
    if sizes.choices:
        near = nearest_choice(sizes, Fraction(width, height))
        rule = f"has size {one_of([f'{w}x{h}' for w, h in sizes.choices])}"
    else:
        near = snap(sizes, width, height)
        step = f" in steps of {sizes.multiple}" if sizes.multiple > 1 else ""
        rule = f"has sides of {sizes.min_px} to {sizes.max_px} pixels{step}"
    return f"{rule}; {width}x{height} is not possible, nearest is {near[0]}x{near[1]}"
