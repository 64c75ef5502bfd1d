"""What the doors say to the heart: who asks, what is wanted, and the few ways in which that can be
refused.

GenerationError(message, errors=())
  NotFound      no such generation or picture for this caller; what is another's does not exist
  NotPossible   the model cannot do it, or an argument is wrong: says what is possible
  Conflict      the generation is in a status in which this cannot be done
  OverBudget    it would cost more than may be spent today
  KeyReused     the key of a request that may be repeated was used for another one
  ShutOut       the account was disabled meanwhile
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from providers.contract import Kind, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A request that may be sent twice: its key, and what tells it from another under that key."""

    key: str
    request_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and from where: the step and the index of the call make a repeated turn find what
    it started.
    """

    user_id: UUID
    thread_id: UUID | None = None
    step_id: UUID | None = None
    call_index: int | None = None
    repeat: Repeat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedInput:
    """A picture as the caller named it: asset id, generation id (its first asset), `#3` or
    `#3.2`.
    """

    role: Role
    picture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A generation as it was asked for, before it is checked against a model."""

    kind: Kind
    prompt: str
    model: str | None = None
    aspect_ratio: str | None = None
    size: str | None = None
    resolution: str | None = None
    duration_s: float | None = None
    n: int = 1
    seed: int | None = None
    negative_prompt: str | None = None
    style: str | None = None
    audio: bool | None = None
    inputs: tuple[WantedInput, ...] = ()


class GenerationError(Exception):
    """The heart refuses; `message` is written for a person, `errors` name the arguments at
    fault.
    """

    code = "invalid_request"

    def __init__(self, message: str, errors: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.errors = tuple(errors)


class NotFound(GenerationError):
    """No such thing for this caller."""

    code = "not_found"


class NotPossible(GenerationError):
    """The request cannot be carried out as it stands; nothing was sent to any provider."""

    code = "invalid_request"


class Conflict(GenerationError):
    """The generation's status forbids it."""

    code = "conflict"


class OverBudget(GenerationError):
    """It would cost more than may be spent today."""

    code = "over_budget"


class KeyReused(GenerationError):
    """The same key came with another request."""

    code = "idempotency_mismatch"


class ShutOut(GenerationError):
    """The account was disabled while something of its ran."""

    code = "forbidden"
