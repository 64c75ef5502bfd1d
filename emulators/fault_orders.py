"""How a fault is ordered: as a JSON rule for anybody's requests, or in a few words for one job.

The words, `step=fault[:argument][*times]` by commas, stand in the header `X-Demo-Fault` of a submit
or in a mark in its prompt, `[[fault: poll=status:503*2]]`.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

Step = Literal["submit", "poll", "cancel", "result", "chat", "webhook"]
FaultName = Literal[
    "drop_before",
    "drop_after",
    "status",
    "hang",
    "late",
    "malformed",
    "html",
    "unknown_status",
    "fail",
    "stuck",
    "flap",
    "other_job",
    "drip",
    "short",
    "empty",
    "wrong_type",
    "early",
    "twice",
    "forged",
    "lost",
    "reordered",
]
ANYWHERE: tuple[FaultName, ...] = ("drop_before", "drop_after", "status", "hang", "malformed")
ABOUT_A_JOB: tuple[FaultName, ...] = (*ANYWHERE, "late", "html", "unknown_status", "fail")
POSSIBLE: dict[Step, tuple[FaultName, ...]] = {
    "submit": (*ABOUT_A_JOB, "other_job"),
    "poll": (*ABOUT_A_JOB, "other_job", "stuck", "flap"),
    "cancel": ABOUT_A_JOB,
    "result": (*ANYWHERE, "late", "html", "wrong_type", "drip", "short", "empty"),
    "chat": ANYWHERE,
    "webhook": ("early", "late", "twice", "forged", "lost", "reordered"),
}
HEADER = "X-Demo-Fault"
FIELDS = frozenset(
    ("on", "fault", "times", "endpoint", "generation", "status", "retry_after_s", "delay_s")
)
DELAY_S = 2.0
MAX_S = 3600.0
MARK = re.compile(r"\s*\[\[fault:(?P<orders>[^\[\]]*)\]\]", re.IGNORECASE)
MARK_BEGINS = re.compile(r"\[\[fault:", re.IGNORECASE)
ORDER = re.compile(
    r"(?P<on>\w+)\s*=\s*(?P<fault>\w+)(?P<arguments>(?::[\d.]+)*)(?:\s*\*\s*(?P<times>\d{1,6}))?"
)
HOW = "write step=fault[:argument][*times], several by commas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule; `left` requests will still meet it, and with 0 all, until it is deleted."""

    on: Step
    fault: FaultName
    left: int = 1
    id: int = 0
    endpoint: str | None = None
    generation: str | None = None
    status: int = 500
    retry_after_s: float | None = None
    delay_s: float = DELAY_S

    def fits(self, step: Step, endpoint: str, generation: str | None) -> bool:
        """Whether this rule speaks of such a request."""
        return (
            self.on == step
            and self.endpoint in (None, endpoint)
            and self.generation in (None, generation)
        )

    def as_json(self) -> dict[str, Any]:
        """Return the rule as `GET /_faults` shows it."""
        return {
            "id": self.id,
            "on": self.on,
            "fault": self.fault,
            "left": self.left,
            "endpoint": self.endpoint,
            "generation": self.generation,
            "status": self.status,
            "retry_after_s": self.retry_after_s,
            "delay_s": self.delay_s,
        }


def read_rule(body: dict[str, Any]) -> Fault:
    """Return the rule in a body of `POST /_faults`. Raises ValueError with what is allowed."""
    if unknown := set(body) - FIELDS:
        raise ValueError(f"unknown fields {sorted(unknown)}; known are {sorted(FIELDS)}")
    on, fault = read_names(body.get("on"), body.get("fault"), get_args(Step))
    times, status = body.get("times", 1), body.get("status", 500)
    if not is_whole(times) or times < 0:
        raise ValueError("`times` must be a whole number; 0 is until deleted")
    if not is_whole(status):
        raise ValueError("`status` must be a whole number")
    endpoint, generation = body.get("endpoint"), body.get("generation")
    if not isinstance(endpoint, str | None) or not isinstance(generation, str | None):
        raise ValueError("`endpoint` and `generation` must be texts")
    retry_after_s = body.get("retry_after_s")
    return Fault(
        on=on,
        fault=fault,
        left=times,
        endpoint=endpoint,
        generation=generation,
        status=read_status(status),
        retry_after_s=None if retry_after_s is None else read_seconds("retry_after_s", body),
        delay_s=read_seconds("delay_s", {"delay_s": DELAY_S, **body}),
    )


def read_orders(text: str) -> tuple[Fault, ...]:
    """Return what a header or a mark orders. Raises ValueError with what is possible."""
    return tuple(read_order(part.strip()) for part in text.split(","))


def read_order(text: str) -> Fault:
    """Return one order of a few words. Raises ValueError."""
    match = ORDER.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is no fault; {HOW}")
    steps = tuple(step for step in POSSIBLE if step != "chat")
    on, fault = read_names(match["on"].lower(), match["fault"].lower(), steps)
    try:
        numbers = [float(number) for number in match["arguments"].split(":")[1:]]
    except ValueError as error:
        raise ValueError(f"`{text}` has an argument that is no number") from error
    most = {"status": 2, "late": 1}.get(fault, 0)
    if len(numbers) > most:
        raise ValueError(f"`{fault}` takes {('no argument', 'one argument', 'two')[most]}")
    more: dict[str, Any] = {}
    if fault == "status" and numbers:
        more["status"] = read_status(numbers[0])
    if fault == "status" and len(numbers) == 2:
        more["retry_after_s"] = read_seconds("Retry-After", {"Retry-After": numbers[1]})
    if fault == "late" and numbers:
        more["delay_s"] = read_seconds("the delay", {"the delay": numbers[0]})
    return Fault(on=on, fault=fault, left=int(match["times"] or 1), **more)


def read_names(on: object, fault: object, steps: tuple[str, ...]) -> tuple[Step, FaultName]:
    """Return a step and one of its faults. Raises ValueError with what is possible."""
    if on not in steps:
        raise ValueError(f"the step (`on`) must be one of {', '.join(steps)}")
    step = cast("Step", on)
    if fault not in POSSIBLE[step]:
        raise ValueError(f"a fault on {step} must be one of {', '.join(POSSIBLE[step])}")
    return step, fault


def is_whole(value: object) -> bool:
    """Whether a JSON value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def read_status(number: float) -> int:
    """Return an HTTP status that is an error. Raises ValueError."""
    if number != int(number) or not 400 <= number <= 599:
        raise ValueError("`status` must be a whole number between 400 and 599")
    return int(number)


def read_seconds(name: str, body: dict[str, Any]) -> float:
    """Return a span of time from a body. Raises ValueError."""
    value = body[name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 <= value <= MAX_S:
        raise ValueError(f"{name} must be 0 to {MAX_S:g} seconds")
    return float(value)


def without_marks(text: str) -> str:
    """Return a prompt as it is to be painted."""
    return MARK.sub("", text).strip() if MARK.search(text) else text


def marked_orders(text: str) -> tuple[Fault, ...]:
    """Return what the marks in a prompt order. Raises ValueError when one makes no sense."""
    if MARK_BEGINS.search(MARK.sub("", text)):
        raise ValueError("a mark must end in `]]` and hold no brackets")
    marks = [match["orders"] for match in MARK.finditer(text)]
    return tuple(order for orders in marks for order in read_orders(orders))
