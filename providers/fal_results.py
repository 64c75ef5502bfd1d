"""What fal's queue and its models say: how a request stands, what it made, why it failed.

COMPLETED is not yet success: what came of a request, only its result tells, by a status of its own.
`type` is the machine's word for a model's error, `error_type` that of fal itself.
Source: fal.ai/docs/documentation/model-apis (errors, request-errors), fal.ai/docs/inference-api
(queue/status, queue/result), 2026-11-22; fal-client 1.0.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from providers.contract import (
    Cancelled,
    ErrorCode,
    Failed,
    JobState,
    Malformed,
    Route,
    Running,
    Succeeded,
    Waiting,
)
from providers.failures import classify, message_of, plain_text
from providers.log_progress import progress_in
from providers.outputs import find_outputs

POSITION_MAX = 1_000_000
LOG_LINES = 50
STILL_RUNNING = "still in progress"
CANCELLED = "client_cancelled"
NSFW = "the picture was blacked out: the provider found that it is not safe to show"
POLICY = frozenset({"content_policy_violation"})
TIMEOUTS = frozenset({"request_timeout", "generation_timeout"})
NO_ROOM = ("runner_", "startup_timeout", "scheduling")  # fal had nobody to do it
BROKEN = frozenset(
    {
        *("internal_server_error", "internal_error", "bad_request", "no_media_generated"),
        *("downstream_service_error", "downstream_service_unavailable"),
    }
)
RETRYABLE = frozenset({"provider_error", "timeout", "unavailable", "rate_limited"})
Json = Mapping[str, object]


def standing(body: object) -> JobState | None:
    """Return how a request stands in the queue; None: it is complete, and its result tells more.

    Raises: Malformed.
    """
    if not isinstance(body, Mapping):
        raise Malformed("the request's status is no JSON object")
    match body.get("status"):
        case "IN_QUEUE":
            return Waiting(position=position_in(body.get("queue_position")))
        case "IN_PROGRESS":
            return Running(progress=progress_in("\n".join(log_lines(body.get("logs")))))
        case "COMPLETED":
            return None
        case other:
            raise Malformed(f"unknown job status {plain_text(str(other))[:60]!r}")


def position_in(position: object) -> int | None:
    """Return the place in the queue, None for what is none."""
    if isinstance(position, bool) or not isinstance(position, int):
        return None
    return position if 0 <= position < POSITION_MAX else None


def log_lines(logs: object) -> Iterator[str]:
    """Yield the newest lines of a log."""
    for line in logs[-LOG_LINES:] if isinstance(logs, list) else ():
        if isinstance(line, Mapping):
            yield str(line.get("message") or "")


def is_failure(body: object) -> bool:
    """Whether an answer speaks of an error in fal's own words, and comes from nobody on the way."""
    if not isinstance(body, Mapping):
        return False
    return bool(body.get("error_type") or body.get("error") or types_in(body))


def types_in(body: Json) -> list[str]:
    """Return the types of a model's errors."""
    detail = body.get("detail")
    rows = detail if isinstance(detail, list) else ()
    return [str(row["type"]) for row in rows if isinstance(row, Mapping) and row.get("type")]


def code_of(body: Json, status: int | None) -> ErrorCode:
    """Return what an error means: by its types, then by its words, then by its status."""
    types = [*types_in(body), *([str(body["error_type"])] if body.get("error_type") else ())]
    if POLICY & set(types):
        return "content_policy"
    if TIMEOUTS & set(types):
        return "timeout"
    if any(name.startswith(NO_ROOM) or "scheduling" in name for name in types):
        return "unavailable"
    if BROKEN & set(types):
        return "provider_error"
    by_words = classify(message_of(body))
    if by_words != "provider_error":
        return by_words
    return "invalid_request" if status is not None and 400 <= status < 500 else "provider_error"


def failed(
    route: Route, body: object, status: int | None = None, retryable: str = "", secret: str = ""
) -> JobState:
    """Return a request that ended without a result. `status` is that of its result, `retryable` the
    header that says whether it is worth trying again.
    """
    told: Json = body if isinstance(body, Mapping) else {}
    if told.get("error_type") == CANCELLED:
        return Cancelled()
    code = code_of(told, status)
    is_free = status is not None and status >= 500 or bool(told.get("error_type"))
    return Failed(
        code=code,
        message=plain_text(message_of(told), secret) or "the provider gives no reason",
        retryable=code in RETRYABLE and retryable.lower() != "false",
        charged=False if is_free else route.dialect.charges_failed,
    )


def made(route: Route, body: object, secret: str = "") -> JobState:
    """Return what a complete request brought, without the pictures that were blacked out."""
    shown, hidden = without_blackened(body)
    outputs = find_outputs(shown, route.dialect.output)
    if outputs:
        return Succeeded(outputs=outputs)
    if hidden:
        charged = route.dialect.charges_failed
        return Failed(code="content_policy", message=NSFW, retryable=False, charged=charged)
    if is_failure(body):
        return failed(route, body, secret=secret)
    said = body.get("description") if isinstance(body, Mapping) else None
    why = f": {said}" if isinstance(said, str) and said else ""
    return failed(route, {"error": f"the provider finished the job without a result{why}"})


def without_blackened(body: object) -> tuple[object, int]:
    """Return a result without the pictures flagged as not safe, and how many those were."""
    if not isinstance(body, Mapping) or not isinstance(body.get("has_nsfw_concepts"), list):
        return body, 0
    flags = [flag is True for flag in body["has_nsfw_concepts"]]
    if isinstance(images := body.get("images"), list):
        flags += [False] * (len(images) - len(flags))
        kept = [image for image, is_bad in zip(images, flags, strict=False) if not is_bad]
        return {**body, "images": kept}, sum(flags)
    return ({} if any(flags) else body), sum(flags)
