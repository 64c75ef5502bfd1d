"""What was asked, and what is said when it cannot be had.

The messages are for two readers: a person, and a language model that repairs its call by them. Each
names the model, the value that was asked for, and what can be had instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from providers.contract import Kind, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person asked for, in the tools' words; None: not said.

    `source_px` is width and height of the picture that is edited or animated: without another word
    the result keeps its shape.
    """

    kind: Kind
    prompt: str
    negative_prompt: str | None = None
    style: str | None = None
    aspect_ratio: str | None = None
    size: str | None = None
    resolution: str | None = None
    duration_s: float | None = None
    n: int = 1
    seed: int | None = None
    audio: bool | None = None
    inputs: tuple[Role, ...] = ()
    source_px: tuple[int, int] | None = None


class CannotDo(Exception):
    """The model cannot do what was asked; `errors` names each argument and what is possible."""

    def __init__(self, errors: Iterable[dict[str, str]]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(error["msg"] for error in self.errors))


class Findings:
    """The refusals of one check, in the order they were found."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []

    def refuse(self, argument: str, message: str) -> None:
        """Note what is wrong with an argument."""
        self.errors.append({"loc": argument, "msg": message})


def one_of(words: Iterable[str], joint: str = "or") -> str:
    """Return `a, b or c`."""
    *most, last = list(words) or [""]
    return f"{', '.join(most)} {joint} {last}" if most else last


def spans(values: tuple[float, ...]) -> str:
    """Return `1 to 10` for whole numbers in a row, else every value."""
    steps = {b - a for a, b in zip(values, values[1:], strict=False)}
    if len(values) > 2 and steps == {1}:
        return f"{number(values[0])} to {number(values[-1])}"
    return one_of(number(value) for value in values)


def number(value: float) -> str:
    """Return a number without a needless `.0`."""
    return str(int(value)) if float(value).is_integer() else str(value)


def shown(text: str) -> str:
    """Return what somebody sent in a form that fits in a sentence."""
    return repr(text if len(text) <= 40 else text[:40] + "...")
