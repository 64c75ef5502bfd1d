"""What a prediction says, in every shape that models and bad days give it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.contract import (
    Cancelled,
    Failed,
    Gone,
    JobState,
    Malformed,
    Output,
    Running,
    Succeeded,
    Waiting,
)
from providers.predictions import parse
from tests.providers.company_routes import route_to

ROUTE = route_to("replicate", "acme/painter")
ONE, TWO = "https://replicate.delivery/a/1.png", "https://replicate.delivery/a/2.png"


def prediction(status: str | None, **more: Any) -> dict[str, Any]:
    return {"id": "p", "status": status, "output": None, "error": None, "logs": "", **more}


@pytest.mark.parametrize(
    ("output", "urls"),
    [
        (ONE, [ONE]),
        ([ONE, TWO], [ONE, TWO]),
        ([ONE, ONE], [ONE]),
        ([ONE, None], [ONE]),
        ({"images": [ONE, TWO]}, [ONE, TWO]),
        ({"video": ONE, "thumbnail": TWO}, [ONE]),
        ({"combined_mask": ONE, "parts": {"left": TWO, "n": 3}}, [ONE, TWO]),
        ([{"mask": ONE}, {"mask": TWO, "label": "fox"}], [ONE, TWO]),
        ("data:image/png;base64,AAAA", ["data:image/png;base64,AAAA"]),
    ],
)
def test_results_are_found_in_every_shape(output: object, urls: list[str]) -> None:
    state = parse(ROUTE, prediction("succeeded", output=output))
    assert state == Succeeded(outputs=tuple(Output(url=url) for url in urls))


def test_a_path_in_the_dialect_says_where_the_results_stand() -> None:
    pathed = replace(ROUTE, dialect=replace(ROUTE.dialect, output="parts.left"))
    output = {"combined_mask": ONE, "parts": {"left": TWO}}
    state = parse(pathed, prediction("succeeded", output=output))
    assert state == Succeeded(outputs=(Output(url=TWO),))
    assert isinstance(parse(pathed, prediction("succeeded", output=ONE)), Failed)


@pytest.mark.parametrize("output", [None, [], {}, "", "a text", 7, [None], {"a": "b"}])
def test_done_without_a_result_is_a_failure(output: object) -> None:
    state = parse(ROUTE, prediction("succeeded", output=output))
    assert isinstance(state, Failed)
    assert (state.code, state.retryable) == ("provider_error", True)
    logs = "0%|\nNSFW content detected in image 1"
    hidden = parse(ROUTE, prediction("succeeded", output=output, logs=logs))
    assert isinstance(hidden, Failed)
    assert (hidden.code, hidden.retryable) == ("content_policy", False)


def test_a_result_that_replicate_has_deleted_is_gone() -> None:
    with pytest.raises(Gone):
        parse(ROUTE, prediction("succeeded", data_removed=True))
    kept = prediction("succeeded", output=ONE, data_removed=True)
    assert isinstance(parse(ROUTE, kept), Succeeded)


ENDED = "2026-11-22T10:05:00.5Z"


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (prediction("starting"), Waiting()),
        (prediction("processing"), Running(progress=None)),
        (
            prediction("processing", logs="seed 7\n  5%|# |\n 45%|#### | 9/20"),
            Running(progress=0.45),
        ),
        (prediction("processing", logs="999%|"), Running(progress=1.0)),
        (prediction("processing", logs=None), Running(progress=None)),
        (prediction("processing", output=[ONE]), Running(progress=None)),
        (prediction("canceled"), Cancelled()),
        (prediction("aborted"), Cancelled()),
        (prediction("canceled", completed_at=ENDED, deadline="2026-11-22T11:00:00Z"), Cancelled()),
        (prediction("canceled", completed_at=ENDED, deadline="soon"), Cancelled()),
        (prediction("canceled", completed_at=ENDED, deadline="2026-11-22T10:00:00"), Cancelled()),
    ],
)
def test_a_prediction_waits_runs_or_was_cancelled(body: dict[str, Any], state: JobState) -> None:
    assert parse(ROUTE, body) == state


@pytest.mark.parametrize("status", ["canceled", "aborted"])
def test_one_that_ended_by_its_deadline_is_a_timeout(status: str) -> None:
    body = prediction(status, completed_at=ENDED, deadline="2026-11-22T10:05:00Z")
    state = parse(ROUTE, body)
    assert isinstance(state, Failed)
    assert (state.code, state.retryable) == ("timeout", True)


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (
            "NSFW content detected. Try running it again, or try a different prompt.",
            "content_policy",
            False,
        ),
        ("The input or output was flagged as sensitive. (E005)", "content_policy", False),
        ("Prediction failed: CUDA out of memory (E6716)", "provider_error", True),
        ("Prediction interrupted; please retry (code: PA)", "provider_error", True),
        ("Director: unexpected error handling prediction (E9243)", "provider_error", True),
        ("Model timed out", "timeout", True),
        ({"detail": "boom"}, "provider_error", True),
        (None, "provider_error", True),
    ],
)
def test_a_failed_prediction_says_why(error: object, code: str, retryable: bool) -> None:
    state = parse(ROUTE, prediction("failed", error=error))
    assert isinstance(state, Failed)
    assert (state.code, state.retryable, state.charged) == (code, retryable, None)
    assert state.message


@pytest.mark.parametrize(
    "body",
    [
        *(prediction("paused"), prediction("SUCCEEDED"), prediction(None), prediction("")),
        *({}, [], None, "text", {"status": ["succeeded"]}),
    ],
)
def test_an_unknown_status_is_malformed_and_never_still_running(body: object) -> None:
    with pytest.raises(Malformed):
        parse(ROUTE, body)


def test_a_key_in_an_error_is_not_shown() -> None:
    state = parse(
        ROUTE, prediction("failed", error="bad r8_CANARY0123456789"), "r8_CANARY0123456789"
    )
    assert isinstance(state, Failed)
    assert state.message == "bad [key]"
