"""The words that arguments are made of: texts, sizes, ratios and the names of pictures, each with
its bounds.

Language models fill in every field they are shown, so an optional argument sent as null or as an
empty text counts as not sent; anything else that does not fit is refused with words that say what
would.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

PROMPT_CHARS_MAX = 8000
WORDS_CHARS_MAX = 200
REFERENCES_MAX = 16
N_MAX = 1000
DURATION_S_MAX = 86_400.0
#: The largest whole number that survives every JSON reader.
SEED_MAX = 2**53 - 1

PICTURE_NAMES = (
    "A picture is named by its asset id, as in `[attached: <asset id> <name>]`, by the id of the "
    "generation that made it, or by its handle: `#3` is the (first) picture of generation 3, "
    "`#3.2` its second."
)

SURROGATE = re.compile("[\ud800-\udfff]")
RATIO = re.compile(r"[1-9]\d{0,3}(\.\d{1,3})?:[1-9]\d{0,3}(\.\d{1,3})?")
SIZE = re.compile(r"([1-9]\d{0,4})\s*[xX*×]\s*([1-9]\d{0,4})")
RESOLUTION = re.compile(r"[0-9A-Za-z]{2,16}")
HANDLE = re.compile(r"#[1-9]\d{0,8}")
PICTURE_HANDLE = re.compile(r"#[1-9]\d{0,8}(\.[1-9]\d{0,3})?")


def whole_text(value: object) -> object:
    """Refuse what no column and no provider can carry; other types are left to pydantic."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("must not contain the NUL character (\\u0000)")
        if found := SURROGATE.search(value):
            raise ValueError(
                "is not valid Unicode: half of a surrogate pair stands alone "
                f"at character {found.start()}"
            )
    return value


def no_boolean(value: object) -> object:
    """Python reads true as 1; a caller who sends it means something else."""
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    return value


def ratio(value: str) -> str:
    if not RATIO.fullmatch(value):
        raise ValueError('must be written as width:height, for example "16:9"')
    return value


def size(value: str) -> str:
    found = SIZE.fullmatch(value)
    if not found:
        raise ValueError('must be written as WxH in pixels, for example "1024x576"')
    return f"{found[1]}x{found[2]}"


def resolution(value: str) -> str:
    if not RESOLUTION.fullmatch(value):
        raise ValueError('must be one word, for example "720p"')
    return value


def generation_name(value: str) -> str:
    if not (HANDLE.fullmatch(value) or is_uuid(value)):
        raise ValueError("must be the id of a generation or its handle, for example #3")
    return value


def picture_name(value: str) -> str:
    if not (PICTURE_HANDLE.fullmatch(value) or is_uuid(value)):
        raise ValueError(
            "must name a picture by asset id, by generation id, or by handle: #3, or #3.2 for the "
            "second picture of #3; addresses and file names are not understood"
        )
    return value


def is_uuid(value: str) -> bool:
    """Whether the text is a UUID in the one spelling we use."""
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


Prompt = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=PROMPT_CHARS_MAX),
    BeforeValidator(whole_text),
]
Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=WORDS_CHARS_MAX),
    BeforeValidator(whole_text),
]
Ratio = Annotated[Words, AfterValidator(ratio)]
Size = Annotated[Words, AfterValidator(size)]
Resolution = Annotated[Words, AfterValidator(resolution)]
GenerationName = Annotated[Words, AfterValidator(generation_name)]
PictureName = Annotated[Words, AfterValidator(picture_name)]
Pictures = Annotated[list[PictureName], Field(max_length=REFERENCES_MAX)]
Count = Annotated[int, Field(ge=1, le=N_MAX), BeforeValidator(no_boolean)]
Seed = Annotated[int, Field(ge=0, le=SEED_MAX), BeforeValidator(no_boolean)]
Seconds = Annotated[float, Field(gt=0, le=DURATION_S_MAX), BeforeValidator(no_boolean)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000), BeforeValidator(no_boolean)]
PaintedKind = Literal["image", "video"]
AnyKind = Literal["image", "video", "audio"]


class Arguments(BaseModel):
    """The arguments of one tool; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _blank_is_not_sent(cls, sent: Any) -> Any:
        if not isinstance(sent, dict):
            return sent
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {
            name: value
            for name, value in sent.items()
            if not (name in optional and (value is None or is_blank(value)))
        }


def is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()
