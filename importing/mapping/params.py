"""What a generation was asked for, under our neutral names, from wherever a row says it.

Only what is known and can be: a width of minus one says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from importing.reading.values import (
    first,
    is_missing,
    mapping,
    positive_number,
    short_text,
    whole_number,
)

SIDE_PX_MAX = 32_768
STEPS_MAX = 10_000
SEED_MAX = 2**63 - 1
DURATION_S_MAX = 86_400.0
#: Our name, how the old systems spell it, and the least and the largest it can be.
_WHOLE: tuple[tuple[str, tuple[str, ...], int, int], ...] = (
    ("width_px", ("width",), 1, SIDE_PX_MAX),
    ("height_px", ("height",), 1, SIDE_PX_MAX),
    ("seed", ("seed",), 0, SEED_MAX),
    ("steps", ("steps",), 1, STEPS_MAX),
)
#: Our name, how the old systems spell it, and which field tells it where it is an object.
_TEXTS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("style", ("style_name", "style"), ("id", "label", "name")),
    ("aspect_ratio", ("aspect_ratio", "aspectRatio", "aspecRatio"), ("label", "id")),
    ("shot_size", ("shot_size", "shotSize"), ("label", "id", "name")),
)
_MODEL = ("id", "label", "name")
_SIZE = re.compile(r"\s*(\d{1,5})\s*[x\u00d7*]\s*(\d{1,5})\s*", re.IGNORECASE)


def params_of(sources: Sequence[Mapping[str, Any]], remarks: list[str]) -> dict[str, Any]:
    """All that the first of these objects, and then the others, say."""
    found: dict[str, Any] = {}
    resolution = _said(sources, ("resolution",))
    if resolution is not None:
        sources = (*sources, _of_resolution(resolution, found, remarks))
    for name, keys, low, high in _WHOLE:
        value = _said(sources, keys)
        if value is not None:
            _keep(found, name, whole_number(value, low, high), remarks)
    for name, keys, fields in _TEXTS:
        value = _said(sources, keys)
        if value is not None:
            _keep_text(found, name, plain(value, *fields), remarks)
    value = _said(sources, ("duration", "duration_s"))
    if value is not None:
        _keep(found, "duration_s", positive_number(value, DURATION_S_MAX), remarks)
    return found


def plain(value: Any, *fields: str) -> Any:
    """What a choice is called: the old chat stored some as objects of id and label."""
    return first(value, *fields) if isinstance(value, Mapping) else value


def model_of(sources: Sequence[Mapping[str, Any]], remarks: list[str]) -> str | None:
    """What it was made with, as the old system called it."""
    value = _said(sources, ("generation_config_name", "model"))
    return short_text(plain(value, *_MODEL), "model", remarks)


def _said(sources: Sequence[Mapping[str, Any]], keys: tuple[str, ...]) -> Any:
    for source in sources:
        for key in keys:
            value = source.get(key)
            if value is not None and not is_missing(value):
                return value
    return None


def _keep(found: dict[str, Any], name: str, value: Any, remarks: list[str]) -> None:
    if value is None:
        remarks.append(f"unreadable: {name}")
    else:
        found[name] = value


def _keep_text(found: dict[str, Any], name: str, value: Any, remarks: list[str]) -> None:
    text = short_text(value, name, remarks)
    if text is not None:
        found[name] = text


def _of_resolution(value: Any, found: dict[str, Any], remarks: list[str]) -> Mapping[str, Any]:
    """The sides that a resolution names; one without sides (`720p`) is kept as it is."""
    told = mapping(value)
    if first(told, "width") is not None and first(told, "height") is not None:
        return told
    label = plain(value, "label", "id")
    sides = _SIZE.fullmatch(label) if isinstance(label, str) else None
    if sides is None:
        _keep_text(found, "resolution", label, remarks)
        return told
    return {**told, "width": sides[1], "height": sides[2]}
