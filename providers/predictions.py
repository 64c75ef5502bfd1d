"""What a prediction of Replicate says of itself: where it stands, what it made, why it failed.

What a model returns is its own choice: an address, a list, a table with names of its own.
Source: replicate.com/docs/reference/http#predictions.get and the OpenAPI document, 2026-08-22;
`aborted` is believed, from replicate.com/docs/topics/predictions/lifecycle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from providers.contract import (
    Cancelled,
    Failed,
    Gone,
    JobState,
    Malformed,
    Output,
    Route,
    Running,
    Succeeded,
    Waiting,
)
from providers.failures import classify, message_of, plain_text
from providers.log_progress import progress_in
from providers.outputs import DEPTH_MAX, OUTPUTS_MAX, as_result, find_outputs

LOG_CHARS_MAX = 4000
FLAGGED = re.compile(r"NSFW content (?:was )?detected", re.IGNORECASE)
RETRYABLE = frozenset({"provider_error", "timeout"})


def parse(route: Route, body: object, secret: str = "") -> JobState:
    """Return how a prediction stands. Raises: Malformed, Gone."""
    if not isinstance(body, Mapping):
        raise Malformed("the prediction is no JSON object")
    match body.get("status"):
        case "starting":
            return Waiting()
        case "processing":
            return Running(progress=progress_in(body.get("logs")))
        case "succeeded":
            return succeeded(route, body)
        case "failed":
            said = plain_text(message_of(body.get("error")), secret)
            return failed(route, said or "the provider gives no reason")
        case "canceled" | "aborted":  # the second: stopped before it had begun
            if is_out_of_time(body):
                charged = route.dialect.charges_failed
                message = "the provider stopped the prediction at its time limit"
                return Failed(code="timeout", message=message, charged=charged)
            return Cancelled()
        case other:
            raise Malformed(f"unknown job status {plain_text(str(other), secret)[:60]!r}")


def succeeded(route: Route, body: Mapping[str, object]) -> JobState:
    """Return a finished prediction: done is not yet success. Raises: Gone: it was deleted."""
    output, path = body.get("output"), route.dialect.output
    outputs = find_outputs(output, path)
    if not outputs and path is None:
        outputs = all_addresses(output)
    if outputs:
        return Succeeded(outputs=outputs)
    if body.get("data_removed") is True:
        raise Gone("the provider has deleted the result, as it does after an hour")
    if FLAGGED.search(str(body.get("logs") or "")[-LOG_CHARS_MAX:]):
        return failed(route, "NSFW content detected, and no result left")
    said = plain_text(message_of(body.get("error")))
    return failed(route, said or "the provider finished the job without a result")


def failed(route: Route, said: str) -> Failed:
    """Return a prediction that ended without a result, by the model's own words."""
    code = classify(said)
    charged = route.dialect.charges_failed
    return Failed(code=code, message=said, retryable=code in RETRYABLE, charged=charged)


def all_addresses(output: object) -> tuple[Output, ...]:
    """Return every address anywhere in an output, in order."""
    some = zip(texts_in(output, 0), range(OUTPUTS_MAX), strict=False)
    found = dict.fromkeys(address for text, _ in some if (address := as_result(text)))
    return tuple(Output(url=url) for url in found)


def texts_in(value: object, depth: int) -> Iterator[str]:
    """Yield the texts in a value, in order."""
    if isinstance(value, str):
        yield value
    elif depth < DEPTH_MAX and isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(one, depth + 1)


def is_out_of_time(body: Mapping[str, object]) -> bool:
    """Whether a stopped prediction ended by its deadline, and not because we asked."""
    try:
        ended, limit = (
            datetime.fromisoformat(str(body.get(name))) for name in ("completed_at", "deadline")
        )
        return ended >= limit
    except (ValueError, TypeError):
        return False
