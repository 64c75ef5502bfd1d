"""From a shape and a resolution to pixels, by a model's rules."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

RATIO = re.compile(r"\s*(\d{1,4})\s*[:/]\s*(\d{1,4})\s*")
SIZE = re.compile(r"\s*(\d{1,5})\s*[xX*\u00d7]\s*(\d{1,5})\s*")
EXACT_AREA_SHARE = 0.75  # an exact shape may be this much smaller than the area asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The sizes a model makes: the listed ones, or any within the bounds.

    Without a list, one of these says how large a shape becomes: `square_px` (as many pixels as a
    square of that side), `long_side_px`, or `short_side_px` for each resolution.
    """

    choices: tuple[tuple[int, int], ...] = ()
    multiple: int = 1
    min_px: int = 64
    max_px: int = 4096
    square_px: int = 1024
    long_side_px: int | None = None
    short_side_px: Mapping[str, int] = field(default_factory=dict)


def parse_ratio(text: str) -> Fraction | None:
    """Return `16:9` as a number, None when the text is no ratio."""
    found = RATIO.fullmatch(text)
    if not found or not int(found[1]) or not int(found[2]):
        return None
    return Fraction(int(found[1]), int(found[2]))


def parse_size(text: str) -> tuple[int, int] | None:
    """Return `1024x576` as width and height, None when the text is no size."""
    found = SIZE.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def nearest_ratio(ratios: tuple[str, ...], wanted: Fraction) -> str:
    """Return the one of the named ratios whose shape is most like the wanted one."""
    return min(ratios, key=lambda name: distance(parse_ratio(name) or Fraction(1), wanted))


def distance(one: Fraction, other: Fraction) -> float:
    """How unlike two shapes are: 0 is the same, and 2:1 is as far from 1:1 as 1:2."""
    return abs(math.log(one / other))


def fit(sizes: Sizes, ratio: Fraction, resolution: str | None) -> tuple[int, int]:
    """Return width and height in pixels of a shape."""
    if sizes.choices:
        return nearest_choice(sizes, ratio)
    if sizes.long_side_px is not None:
        scale = sizes.long_side_px / max(ratio, Fraction(1))
        return snap(sizes, float(ratio * scale), float(scale))
    if resolution is not None and resolution in sizes.short_side_px:
        short = sizes.short_side_px[resolution] / min(ratio, Fraction(1))
        return snap(sizes, float(ratio * short), float(short))
    area = sizes.square_px**2
    exact = exact_shape(ratio, sizes.multiple, area)
    if exact and exact[0] * exact[1] >= EXACT_AREA_SHARE * area and is_within(sizes, *exact):
        return exact
    height = math.sqrt(area / ratio)
    return snap(sizes, float(ratio) * height, height)


def nearest_choice(sizes: Sizes, ratio: Fraction) -> tuple[int, int]:
    """Return the listed size most like a shape, and of those the one nearest to the usual area."""
    area = sizes.square_px**2
    return min(
        sizes.choices,
        key=lambda size: (
            round(distance(Fraction(*size), ratio), 3),
            abs(math.log(size[0] * size[1] / area)),
        ),
    )


def exact_shape(ratio: Fraction, multiple: int, area: int) -> tuple[int, int] | None:
    """Return the largest size of exactly this shape within an area, both sides multiples."""
    width_step = math.lcm(ratio.numerator, multiple)
    height_step = math.lcm(ratio.denominator, multiple)
    unit = math.lcm(width_step // ratio.numerator, height_step // ratio.denominator)
    width, height = ratio.numerator * unit, ratio.denominator * unit
    times = math.isqrt(area // (width * height))
    return (width * times, height * times) if times else None


def snap(sizes: Sizes, width: float, height: float) -> tuple[int, int]:
    """Return the nearest size that obeys the multiple and the bounds."""
    return snap_side(sizes, width), snap_side(sizes, height)


def snap_side(sizes: Sizes, side: float) -> int:
    """Return one side as a multiple within the bounds."""
    least = math.ceil(sizes.min_px / sizes.multiple)
    most = sizes.max_px // sizes.multiple
    return min(max(round(side / sizes.multiple), least), most) * sizes.multiple


def is_within(sizes: Sizes, width: int, height: int) -> bool:
    """Whether a model with free sizes makes exactly this one."""
    return all(
        sizes.min_px <= side <= sizes.max_px and side % sizes.multiple == 0
        for side in (width, height)
    )
