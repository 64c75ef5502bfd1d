"""What a task of Black Forest Labs says of itself: where it stands, what it made, why it failed.

Source: docs.bfl.ai/api_integration/errors and the OpenAPI document (`StatusResponse`), 2026-11-22;
docs.bfl.ai/api-reference/flux3 for `Reasoning` and `Generating`, as others quote it, 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping

from providers.contract import (
    Failed,
    Gone,
    JobState,
    Malformed,
    Route,
    Running,
    Succeeded,
    Waiting,
)
from providers.failures import classify, message_of, plain_text
from providers.outputs import find_cost_usd, find_outputs, read_progress

USD_PER_CREDIT = 0.01
RETRYABLE = frozenset({"provider_error", "timeout"})


def status_of(body: Mapping[str, object]) -> object:
    """Return a task's status, which some answers call its state."""
    return body.get("status", body.get("state"))


def cost_of(body: Mapping[str, object]) -> float | None:
    """Return what a submit says the task costs."""
    credits = find_cost_usd(body)
    return None if credits is None else round(credits * USD_PER_CREDIT, 6)


def parse(route: Route, body: object, secret: str = "", cost_usd: float | None = None) -> JobState:
    """Return how a task stands; `cost_usd` is what its submit said. Raises: Malformed, Gone."""
    if not isinstance(body, Mapping):
        raise Malformed("the task is no JSON object")
    progress = read_progress(body.get("progress"))
    match status_of(body):
        case "Pending":
            return Running(progress=progress) if progress else Waiting()
        case "Reasoning" | "Generating":  # of FLUX 3
            return Running(progress=progress)
        case "Ready":
            outputs = find_outputs(body.get("result"), route.dialect.output or "sample")
            if outputs:
                return Succeeded(outputs=outputs, cost_usd=cost_usd)
            return failed(route, body, secret, "the provider finished the task without a result")
        case "Request Moderated":
            return moderated(route, body, secret, "the request")
        case "Content Moderated":
            return moderated(route, body, secret, "the result")
        case "Error" | "Failed":
            return failed(route, body, secret, "the provider gives no reason")
        case "Task not found":
            raise Gone("the provider knows this task no more")
        case other:
            raise Malformed(f"unknown job status {plain_text(str(other), secret)[:60]!r}")


def moderated(route: Route, body: Mapping[str, object], secret: str, what: str) -> Failed:
    """Return a task that was stopped for what was asked, or made."""
    details = body.get("details")
    reasons = details.get("Moderation Reasons") if isinstance(details, Mapping) else None
    named = ", ".join(map(str, reasons)) if isinstance(reasons, list) else ""
    message = f"{what} was moderated" + (f": {plain_text(named, secret)}" if named else "")
    charged = route.dialect.charges_failed
    return Failed(code="content_policy", message=message, retryable=False, charged=charged)


def failed(route: Route, body: Mapping[str, object], secret: str, instead: str) -> Failed:
    """Return a task that ended without a result, by the provider's own words."""
    parts = (body.get(name) for name in ("error", "details", "result", "message", "detail"))
    said = next((text for one in parts if (text := message_of(one))), "")
    code = classify(said)
    return Failed(
        code=code,
        message=plain_text(said, secret) or instead,
        retryable=code in RETRYABLE,
        charged=route.dialect.charges_failed,
    )
