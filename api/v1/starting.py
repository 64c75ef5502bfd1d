"""From checked arguments to generations that run: one, or several where more pictures are wanted
than the model makes at once.

The arguments are those of a tool and are checked as its; the heart is asked directly, since a tool
knows neither a size of edits and films nor several generations under one key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from accounts.visitor import Visitor
from api.problems import STATUS_OF, Problem
from api.v1.joining import Purchase
from generations.contract import Caller, GenerationError, Wanted
from providers.abilities import SEED_MAX
from providers.model import Model
from runtime import Runtime
from tools.arguments import Arguments
from tools.reading import read_arguments
from tools.tool import Tool, ToolError

Reading = dict[str, Any]
Shape = TypeVar("Shape", bound=Arguments)


@dataclass(slots=True)
class Started:
    """What was started; `refused`: why there is not more."""

    readings: list[Reading] = field(default_factory=list)
    refused: GenerationError | None = None


async def start(
    runtime: Runtime,
    visitor: Visitor,
    purchase: Purchase,
    wanted: Wanted,
    names: Mapping[str, str],
) -> Started:
    """Start what is wanted, or find it started; `names`: what this door calls arguments.

    Raises: Problem: nothing was started.
    """
    started = Started()
    try:
        most = model_of(runtime, wanted, names).max_n
        left = wanted.n
        while left > 0:
            part = replace(wanted, n=min(most, left), seed=_seed(wanted, left))
            caller = Caller(user_id=visitor.user_id, repeat=purchase.repeat(len(started.readings)))
            reading = await runtime.admission.submit(caller, part)
            started.readings.append(reading)
            left -= int(reading["params"].get("n", 1))
    except GenerationError as error:
        if not started.readings:
            raise refusal_of(error, names) from error
        started.refused = error
    return started


def arguments_of(
    tool: Tool, shape: type[Shape], given: Mapping[str, Any], names: Mapping[str, str]
) -> Shape:
    """The arguments of a tool, checked as its. Raises: Problem."""
    try:
        read = read_arguments(tool, given)
    except ToolError as error:
        errors = _renamed(error.errors, names)
        told = "; ".join(f"{found['loc']}: {found['msg']}" for found in errors)
        raise Problem(422, error.code, told or error.message, errors) from error
    if not isinstance(read, shape):
        raise TypeError(f"{tool.name} takes other arguments")
    return read


def model_of(runtime: Runtime, wanted: Wanted, names: Mapping[str, str]) -> Model:
    """The model that will be taken. Raises: Problem."""
    try:
        return runtime.admission.model_for(wanted)
    except GenerationError as error:
        raise refusal_of(error, names) from error


def refusal_of(error: GenerationError, names: Mapping[str, str]) -> Problem:
    """The refusal, with the arguments as this door calls them."""
    errors = _renamed(error.errors, names)
    return Problem(STATUS_OF.get(error.code, 422), error.code, error.message, errors)


def _renamed(errors: Sequence[Mapping[str, str]], names: Mapping[str, str]) -> list[dict[str, str]]:
    renamed = []
    for found in errors:
        word, dot, rest = found["loc"].partition(".")
        renamed.append({**found, "loc": f"{names.get(word, word)}{dot}{rest}"})
    return renamed


def _seed(wanted: Wanted, left: int) -> int | None:
    """Later generations of the same request must not make the same pictures again."""
    if wanted.seed is None or wanted.seed > SEED_MAX:
        return wanted.seed
    return (wanted.seed + wanted.n - left) % (SEED_MAX + 1)
