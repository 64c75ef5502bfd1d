"""How an endpoint spells our words: data of the catalogue.

A dialect is why no adapter knows any endpoint: the field names, the order of width and height in a
size, a list where others take one picture, all stand in the catalogue; `spelling.spell` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

#: `size` is width and height together, `pictures` the image and then the references.
Word = Literal[
    "prompt",
    "negative_prompt",
    "style",
    "aspect_ratio",
    "resolution",
    "size",
    "width_px",
    "height_px",
    "duration_s",
    "n",
    "seed",
    "audio",
    "image",
    "mask",
    "start_image",
    "end_image",
    "reference",
    "pictures",
]
WORDS: tuple[Word, ...] = get_args(Word)

Scalar = str | int | float | bool
Json = Scalar | list["Json"] | dict[str, "Json"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """How one word is written: the field's name (dots go deeper), and how its value is put.

    `format` writes the value as text with `{value}`, `{width_px}`, `{height_px}` in it; `values`
    replaces single values, given as text; `is_list` sends every picture of the role, in a list.
    """

    name: str
    format: str | None = None
    values: Mapping[str, Scalar] = field(default_factory=dict)
    is_list: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one endpoint is spoken to and what its answers look like.

    `defaults` are sent with every request, under what the words say; `output` is the path of the
    results in the answer (`result.videos.0.url`), None: they are searched for; `charges_failed`
    tells whether a failed job costs money, None: nobody knows.
    """

    fields: Mapping[Word, Spelling]
    defaults: Mapping[str, Json] = field(default_factory=dict)
    output: str | None = None
    charges_failed: bool | None = None
