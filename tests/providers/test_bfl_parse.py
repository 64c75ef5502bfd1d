"""What a task of Black Forest Labs says of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.bfl_tasks import cost_of, parse
from providers.contract import (
    Failed,
    Gone,
    JobState,
    Malformed,
    Output,
    Running,
    Succeeded,
    Waiting,
)
from tests.providers.bfl_routes import IMAGE

SAMPLE = "https://delivery-eu1.bfl.ai/results/a/sample.jpeg?sig=x"


def task(status: object, **more: Any) -> dict[str, Any]:
    return {"id": "t-1", "status": status, "result": None, "progress": None, **more}


STATES: list[tuple[str, dict[str, Any], JobState]] = [
    ("pending", task("Pending"), Waiting()),
    ("pending, and nothing done", task("Pending", progress=0.0), Waiting()),
    ("pending, with progress", task("Pending", progress=0.4), Running(progress=0.4)),
    ("by the other word", {"id": "t-1", "state": "Pending"}, Waiting()),
    ("thinking", task("Reasoning"), Running()),
    ("drawing", task("Generating", progress=0.5), Running(progress=0.5)),
    (
        "ready",
        task("Ready", result={"sample": SAMPLE, "seed": 42, "prompt": "https://not.a/result"}),
        Succeeded(outputs=(Output(url=SAMPLE),), cost_usd=0.03),
    ),
]


@pytest.mark.parametrize(
    ("body", "state"), [row[1:] for row in STATES], ids=[row[0] for row in STATES]
)
def test_a_task_stands_as_it_says(body: dict[str, Any], state: JobState) -> None:
    assert parse(IMAGE, body, cost_usd=0.03) == state


FAILURES: list[tuple[str, dict[str, Any], str, str, bool]] = [
    ("the request", task("Request Moderated"), "content_policy", "the request was mod", False),
    (
        "the result, with reasons",
        task("Content Moderated", details={"Moderation Reasons": ["Violence", "Gore"]}),
        "content_policy",
        "the result was moderated: Violence, Gore",
        False,
    ),
    (
        "reasons of no known form",
        task("Content Moderated", details=[1]),
        "content_policy",
        "",
        False,
    ),
    (
        "its own error",
        task("Error", details={"error": "CUDA out of memory"}),
        "provider_error",
        "CUDA out of memory",
        True,
    ),
    ("an error in words", {**task("Error"), "error": "boom"}, "provider_error", "boom", True),
    ("no reason", task("Failed"), "provider_error", "gives no reason", True),
    ("too slow", task("Failed", details="timed out"), "timeout", "timed out", True),
    ("ready without a result", task("Ready"), "provider_error", "without a result", True),
    ("ready with half a result", task("Ready", result={"seed": 4}), "provider_error", "", True),
    (
        "ready and an error",
        task("Ready", result={"error": "NSFW"}),
        "content_policy",
        "NSFW",
        False,
    ),
]


@pytest.mark.parametrize(
    ("body", "code", "said", "retryable"),
    [row[1:] for row in FAILURES],
    ids=[row[0] for row in FAILURES],
)
def test_a_task_that_failed_says_why(
    body: dict[str, Any], code: str, said: str, retryable: bool
) -> None:
    state = parse(IMAGE, body)
    assert isinstance(state, Failed)
    assert (state.code, state.retryable, state.charged) == (code, retryable, None)
    assert said in state.message


def test_the_catalogue_knows_whether_a_failure_is_paid_for() -> None:
    route = replace(IMAGE, dialect=replace(IMAGE.dialect, charges_failed=False))
    for status in ("Request Moderated", "Error"):
        state = parse(route, task(status))
        assert isinstance(state, Failed)
        assert state.charged is False


def test_a_task_that_is_forgotten_is_gone() -> None:
    with pytest.raises(Gone):
        parse(IMAGE, task("Task not found"))


@pytest.mark.parametrize("status", ["BAKING", "ready", "Queued", "", None, 3, ["Ready"]])
def test_an_unknown_status_is_never_still_running(status: object) -> None:
    with pytest.raises(Malformed, match="unknown job status"):
        parse(IMAGE, task(status))


@pytest.mark.parametrize("body", [None, [], "Ready", 3])
def test_what_is_no_task_is_malformed(body: object) -> None:
    with pytest.raises(Malformed):
        parse(IMAGE, body)


@pytest.mark.parametrize(
    ("told", "cost_usd"),
    [
        ({"cost": 3.0}, 0.03),
        ({"cost": 4}, 0.04),
        ({"cost": 1.4}, 0.014),
        ({"cost": 0}, 0.0),
        ({}, None),
        ({"cost": None}, None),
        ({"cost": "3"}, None),
        ({"cost": -1}, None),
        ({"cost": True}, None),
        ({"cost": float("nan")}, None),
    ],
)
def test_a_credit_is_a_cent(told: dict[str, Any], cost_usd: float | None) -> None:
    assert cost_of(told) == cost_usd


def test_the_key_is_not_repeated() -> None:
    state = parse(IMAGE, task("Error", details="no such key: bfl_CANARY01"), "bfl_CANARY01")
    assert isinstance(state, Failed)
    assert "CANARY" not in state.message
