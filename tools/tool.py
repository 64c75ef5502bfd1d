"""What a tool is: a name, words for a language model, typed arguments, and one call into the heart.

    ToolError(code, message, errors=())    for the caller, most often a language model, to act on

A tool never waits for a picture or a film: it answers at once with the row as it stands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from generations.admission import Admission
from generations.contract import Caller
from tools.answers import Answer
from tools.arguments import Arguments

#: Where no card follows.
LATER = (
    "It answers with the generation as it stands; unless that is settled, ask get_generation again "
    "after some seconds."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One thing that may be asked; `starts`: its answer is a generation that the call set going."""

    name: str
    #: What holds at every door; `in_chat` holds where a card follows what was started.
    description: str
    in_chat: str = ""
    arguments: type[Arguments]
    run: Callable[[Any, Caller, Admission], Awaitable[dict[str, Any]]]
    starts: bool = False
    #: Something is gone afterwards that does not come back by itself.
    ends: bool = False
    answers: Answer = "generation"
    #: What the caller must be allowed: `read`, or `generate` for whatever starts or changes one.
    scope: Literal["read", "generate"] = "generate"

    @property
    def title(self) -> str:
        """The name as people read it."""
        return self.name.replace("_", " ").capitalize()

    def told(self, *, in_chat: bool) -> str:
        """What a language model is told of it, where a card follows and where none does."""
        more = self.in_chat if in_chat else LATER if self.starts else ""
        return f"{self.description} {more}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool answered; `started`: a generation that the call set going (HTTP says 202)."""

    json: dict[str, Any]
    started: bool


class ToolError(Exception):
    """The call was refused: `unknown_tool`, `malformed_arguments`, or the code of the heart's
    refusal.
    """

    def __init__(self, code: str, message: str, errors: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.errors = tuple(errors)

    def json(self) -> dict[str, Any]:
        """The refusal as a language model reads it; `errors` name the arguments at fault."""
        return {"error": {"code": self.code, "message": self.message, "errors": list(self.errors)}}
