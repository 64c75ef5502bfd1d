"""The JSON of a generation and of what belongs to it, as others may rely on it. Fields may be added
at any time; none is taken away.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from providers.contract import ErrorCode, Kind, Role
from tools.arguments import AnyKind

Status = Literal[
    "queued",
    "submitting",
    "in_progress",
    "storing",
    "completed",
    "failed",
    "cancelled",
    "unknown",
]


class Asset(BaseModel):
    """A stored picture, film or sound: made by a generation, uploaded, or imported."""

    id: UUID
    url: str = Field(description="Where the bytes are, from the root of this server.")
    thumbnail_url: str | None = Field(
        description="The same as a small WebP picture; of a film, a frame; null for a sound."
    )
    media_type: str = Field(examples=["image/png"])
    width_px: int | None
    height_px: int | None
    duration_s: float | None = Field(description="Null for a picture.")
    size_bytes: int | None


class Input(BaseModel):
    """A picture that a generation is made from."""

    role: Role
    asset_id: UUID


class GenerationError(BaseModel):
    """Why it failed, or cannot be known."""

    code: ErrorCode
    message: str = Field(description="For a person.")
    retryable: bool = Field(description="Whether the same request may well succeed.")


class Cost(BaseModel):
    """US dollars; null while unknown."""

    estimated: float | None
    actual: float | None


class Generation(BaseModel):
    """One order for a picture or a film: exactly one job at a provider. `queued`, `submitting`,
    `in_progress` and `storing` are open; the other four are settled, and nothing more will happen
    by itself. `unknown`: the request was sent and its answer never came; it may have been charged,
    and is never sent again unless somebody retries it.
    """

    id: UUID
    handle: str | None = Field(description="Its name in a conversation, `#3`; null outside of one.")
    kind: AnyKind
    status: Status
    progress: float | None = Field(ge=0, le=1, description="Null when the provider tells none.")
    queue_position: int | None = Field(description="Its place in line, while it waits in one.")
    prompt: str
    model: str = Field(description="A model's id, the same at whichever provider it runs.")
    provider: str = Field(description="At whom it is made.")
    params: dict[str, Any] = Field(
        description="What was asked for or chosen: `aspect_ratio`, `width_px`, `height_px`, "
        "`resolution`, `duration_s`, `seed`, `n`, `negative_prompt`, `style`, `audio`."
    )
    parent_id: UUID | None = Field(description="The generation whose picture it was made from.")
    thread_id: UUID | None = Field(description="The conversation that it belongs to.")
    inputs: list[Input]
    assets: list[Asset] = Field(description="What was made; all of it or nothing.")
    error: GenerationError | None = Field(description="Null unless failed or unknown.")
    notes: list[str] = Field(description="What else a person should know.")
    charged: Literal["no", "yes", "maybe"]
    cost_usd: Cost
    attempt: int = Field(ge=1, description="1, and one more with each retry.")
    cancel_requested_at: datetime | None
    created_at: datetime
    submitted_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
    v: int = Field(
        ge=1, description="Grows with each change: a reading that has no higher one is not newer."
    )


class GenerationPage(BaseModel):
    """Some of the caller's generations, newest first."""

    data: list[Generation]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null: end.")


class RouteOfModel(BaseModel):
    """A provider that runs the model."""

    provider: str
    available: bool = Field(description="Whether this installation has its key.")


class Price(BaseModel):
    """What one unit costs, where that is known."""

    unit: Literal["image", "second", "megapixel"]
    usd: float
    as_of: str = Field(description="When it was looked up.", examples=["2026-11-22"])


class Model(BaseModel):
    """A model of the catalogue."""

    id: str
    label: str
    kind: Kind
    demo: bool = Field(description="Comes with Kinora, needs no key and paints nothing real.")
    provider: str = Field(description="Whose route would be taken now.")
    routes: list[RouteOfModel]
    inputs: list[str] = Field(
        description="Words of `text`, `image`, `mask`, `start_image`, `end_image`, `reference`; "
        "`!` behind those it needs."
    )
    aspect_ratios: list[str]
    durations_s: list[float]
    resolutions: list[str]
    max_n: int = Field(description="The most variants of one call.")
    price: Price | None
    available: bool


class Catalogue(BaseModel):
    """All models, the available ones first."""

    data: list[Model]


class FunctionOfTool(BaseModel):
    """A tool as a language model is shown it."""

    name: str
    description: str
    parameters: dict[str, Any] = Field(description="JSON Schema of its arguments.")


class ListedTool(BaseModel):
    """A tool in the shape of OpenAI's function calling."""

    type: Literal["function"]
    function: FunctionOfTool


class ToolList(BaseModel):
    """All tools, ready to be pasted into a call to a language model."""

    tools: list[ListedTool]


class Usage(BaseModel):
    """What the caller has spent since midnight UTC."""

    today_usd: float
    budget_usd: float | None = Field(description="The most for a day; null: no limit.")
    in_flight: int = Field(description="How many are at a provider, or on the way back.")
    resets_at: datetime


class FaultyArgument(BaseModel):
    """An argument that was refused."""

    loc: str = Field(description="Which one.")
    msg: str = Field(description="Why, and what would do.")


class Problem(BaseModel):
    """A refusal (RFC 9457): `code` is to act on, `detail` to read."""

    type: str = Field(examples=["urn:kinora:problem:not-found"])
    title: str
    status: int
    detail: str
    code: str
    errors: list[FaultyArgument] = Field([], description="The arguments at fault, if any are.")
