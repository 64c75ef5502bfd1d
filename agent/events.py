"""What comes out of a turn of the agent, in order; the last one is always `Ended`.

Cancelling the task that reads (or, between two events, closing the iterator) is the Stop button:
the model's stream ends at once, no event follows, and generations that were started go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """A piece of what the agent says."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallStarted:
    """The model has begun to write a call, its `index`-th of this turn; a cut stream leaves it
    without a finish.
    """

    index: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallFinished:
    """A call was run or refused. `arguments` is JSON text of an object, also where the model's was
    not; `result` is the tool's whole answer, or its refusal (`failed`); `started`: a generation
    that the call set going.
    """

    index: int
    name: str
    arguments: str
    result: dict[str, Any]
    started: bool
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end of the turn; `message` is for the person, and None only when all went well."""

    reason: Literal["done", "limit", "error"]
    message: str | None = None


Event = TextDelta | ToolCallStarted | ToolCallFinished | Ended
