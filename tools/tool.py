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
from tools.arguments import Arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One thing that may be asked; `starts`: its answer is a generation that the call set going."""

    name: str
    description: str
    arguments: type[Arguments]
    run: Callable[[Any, Caller, Admission], Awaitable[dict[str, Any]]]
    starts: bool = False
    #: What the caller must be allowed: `read`, or `generate` for whatever starts or changes one.
    scope: Literal["read", "generate"] = "generate"


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
