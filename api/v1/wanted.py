"""From OpenAI's words to those of our tools."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

from api.v1.shapes import Asked, AskedPictures, VideoRequest
from generations.contract import Wanted
from providers.model import Model
from providers.shapes import SHAPE_TOLERANCE
from providers.sizes import parse_ratio, parse_size

#: What OpenAI knows and no model here has a use for.
USELESS = (
    *("user", "safety_identifier", "quality", "background", "input_fidelity", "moderation"),
    *("output_compression", "output_format", "partial_images"),
)
#: OpenAI's styles, which are no styles in words.
STYLES = ("vivid", "natural")
AUTO = "auto"


def said(asked: BaseModel, *names: str) -> dict[str, Any]:
    """Those of these arguments that were given, by the tools' names, which are the same."""
    given = {name: getattr(asked, name) for name in names}
    if given.get("aspect_ratio") == AUTO:
        del given["aspect_ratio"]
    return {name: value for name, value in given.items() if value is not None and value != []}


def style_of(style: str | None) -> str | None:
    """A style in words."""
    return None if style in STYLES else style


def ignored_of(asked: Asked) -> list[str]:
    """The arguments that were given, and were of no use."""
    ignored = [name for name in USELESS if getattr(asked, name, None) is not None]
    return [*ignored, "style"] if getattr(asked, "style", None) in STYLES else ignored


def size_of(asked: AskedPictures | VideoRequest) -> str | None:
    """The size that was asked for, if one was."""
    return None if asked.size is None or asked.size.lower() == AUTO else asked.size


def sized(wanted: Wanted, size: str | None, model: Model) -> Wanted:
    """A film of this size: in pixels where the model is told pixels, else by the names that it has
    for a shape and for a resolution. The heart refuses what is not possible.
    """
    pixels = parse_size(size) if size else None
    if size is None or pixels is None or 0 in pixels:
        return replace(wanted, size=size)
    named = _resolution(model, min(pixels))
    if model.sizes is not None:
        is_known = named in model.resolutions
        return replace(wanted, size=size, resolution=named if is_known else None)
    ratio = wanted.aspect_ratio or _ratio(model, Fraction(*pixels))
    return replace(wanted, aspect_ratio=ratio, resolution=named)


def _resolution(model: Model, short_px: int) -> str | None:
    """The name of a resolution by its shorter side; None where there is nothing to choose."""
    return f"{short_px}p" if model.resolutions else None


def _ratio(model: Model, ratio: Fraction) -> str:
    """The model's own name for a shape, else the shape as it is."""
    for name in model.aspect_ratios:
        known = parse_ratio(name)
        if known is not None and abs(float(ratio / known) - 1) <= SHAPE_TOLERANCE:
            return name
    return f"{ratio.numerator}:{ratio.denominator}"
