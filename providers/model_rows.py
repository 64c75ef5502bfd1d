"""How a file of models is written: every table of it, checked by itself.

What one table must be for another (a default among the choices, a field for every ability) stands
in model_rules.py. docs/models.md explains every word.
"""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from providers.contract import LostSubmit
from providers.dialect import Scalar, Word
from providers.sizes import parse_ratio, parse_size

DURATIONS_MAX = 1000  # a range is written out; a million steps are a typing error
Input = Literal[
    "text", "text!", "image", "image!", "mask", "mask!", "start_image", "start_image!",
    "end_image", "end_image!", "reference", "reference!",
]  # fmt: skip


def as_table(name: str) -> BeforeValidator:
    """Let a plain text stand for a table with only this key."""
    return BeforeValidator(lambda value: {name: value} if isinstance(value, str) else value)


def read_durations(value: object) -> object:
    """Write a range out: `{ min = 1, max = 10, step = 1 }`."""
    if not isinstance(value, dict):
        return value
    bounds = {"step": 1, **value}
    if set(bounds) != {"min", "max", "step"} or not all(is_above_0(n) for n in bounds.values()):
        raise ValueError("must be a list of seconds, or { min, max, step } with numbers above 0")
    least, most, step = bounds["min"], bounds["max"], bounds["step"]
    count = int((most - least) / step + 1e-9) + 1 if most >= least else 0
    if not 0 < count <= DURATIONS_MAX:
        raise ValueError(f"must be a range of 1 to {DURATIONS_MAX} lengths")
    return [round(least + step * at, 3) for at in range(count)]


def is_above_0(value: object) -> bool:
    """Whether a value is a number above 0."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def read_sizes(value: object) -> object:
    """Let a list of sizes stand for a table with only `choices`."""
    return {"choices": value} if isinstance(value, list) else value


def is_ratio(text: str) -> str:
    """Refuse what is no ratio."""
    if parse_ratio(text) is None:
        raise ValueError(f"must be a ratio like 16:9, not `{text}`")
    return text


def is_size(text: str) -> str:
    """Refuse what is no size."""
    if parse_size(text) is None:
        raise ValueError(f"must be a size like 1024x576, not `{text}`")
    return text


def is_host(text: str) -> str:
    """Refuse what is no name of a host: results come from there without further question."""
    if not re.fullmatch(r"(\*\.)?([a-z0-9-]+\.)+[a-z][a-z0-9-]*(:\d{1,5})?", text):
        raise ValueError(f"must be a host like media.example.com or *.example.com, not `{text}`")
    return text


def as_text(value: object) -> object:
    """Take a TOML date for its text."""
    return value.isoformat() if isinstance(value, datetime.date) else value


Ratio = Annotated[str, AfterValidator(is_ratio)]
Size = Annotated[str, AfterValidator(is_size)]
Host = Annotated[str, AfterValidator(is_host)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Pixels = Annotated[int, Field(ge=1, le=16384)]


class Row(BaseModel):
    """A table of the file: nothing unknown in it, nothing converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PriceRow(Row):
    """What it costs, since when, and who says so."""

    unit: Literal["image", "second", "megapixel"]
    usd: Usd
    usd_at: dict[str, Usd] = {}
    as_of: Annotated[str, BeforeValidator(as_text), Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    source: Annotated[str, Field(min_length=1)]


class SpellingRow(Row):
    """How a word is written at the endpoint."""

    name: Name
    format: str | None = None
    values: dict[str, Scalar] = {}
    is_list: bool = Field(False, alias="list")


#: Who can be asked; each is a file of this folder.
ProviderName = Literal["runpod", "fal", "replicate", "bfl", "gemini", "images", "comfyui", "demo"]


class RouteRow(Row):
    """A model at a provider."""

    provider: ProviderName
    endpoint: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_./:-]{0,199}$")]
    inputs: list[Input] | None = None
    on_lost_submit: LostSubmit | None = None
    price: PriceRow | None = None
    poll_s: Positive | None = None
    poll_max_s: Positive | None = None
    deadline_s: Positive | None = None
    result_hosts: list[Host] = []
    fields: dict[Word, Annotated[SpellingRow, as_table("name")]]
    defaults: dict[Name, JsonValue] = {}
    output: str | None = None
    charges_failed: bool | None = None


class SizesRow(Row):
    """Which sizes there are, or the rules they follow."""

    choices: list[Size] = []
    multiple: Pixels = 1
    min_px: Pixels = 64
    max_px: Pixels = 4096
    square_px: Pixels = 1024
    long_side_px: Pixels | None = None
    short_side_px: dict[str, Pixels] = {}


class ModelRow(Row):
    """A model of the catalogue."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    label: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Literal["image", "video"]
    demo: bool = False
    inputs: list[Input] = ["text!"]
    aspect_ratios: list[Ratio] = []
    default_aspect_ratio: str | None = None
    sizes: Annotated[SizesRow, BeforeValidator(read_sizes)] | None = None
    keeps_shape: bool = False
    durations_s: Annotated[list[Positive], BeforeValidator(read_durations)] = []
    default_duration_s: Positive | None = None
    resolutions: list[str] = []
    default_resolution: str | None = None
    max_n: Annotated[int, Field(ge=1, le=16)] = 1
    seed: bool = False
    negative_prompt: bool = False
    style: bool = False
    audio: bool = False
    max_references: Annotated[int, Field(ge=0, le=16)] = 0
    prompt_chars_max: Annotated[int, Field(ge=1)] = 4000
    routes: Annotated[list[RouteRow], Field(min_length=1)]


class ProviderRow(Row):
    """What all routes of a provider share."""

    on_lost_submit: LostSubmit
    result_hosts: list[Host] = []
    tells_cost: bool = True
    at_once: int | None = Field(None, ge=1, le=100_000)
    submits: int | None = Field(None, ge=1, le=1_000_000)
    per_s: float = Field(60.0, gt=0, le=86_400)


class ModelsFile(Row):
    """A whole file."""

    providers: dict[str, ProviderRow] = {}
    models: list[ModelRow] = []
