"""What fal's queue and its models say, on good days and on bad ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.contract import (
    Cancelled,
    Failed,
    JobState,
    Malformed,
    Output,
    Running,
    Succeeded,
    Waiting,
)
from providers.fal_results import failed, made, standing
from tests.providers.company_routes import route_to

ROUTE = route_to("fal", "fal-ai/flux/dev")
ONE, TWO = "https://v3.fal.media/files/a/1.png", "https://v3.fal.media/files/a/2.png"


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"status": "IN_QUEUE", "queue_position": 3}, Waiting(position=3)),
        ({"status": "IN_QUEUE", "queue_position": 0}, Waiting(position=0)),
        ({"status": "IN_QUEUE", "queue_position": "soon"}, Waiting()),
        ({"status": "IN_QUEUE", "queue_position": True}, Waiting()),
        ({"status": "IN_QUEUE"}, Waiting()),
        ({"status": "IN_PROGRESS", "logs": None}, Running(progress=None)),
        ({"status": "IN_PROGRESS", "logs": "45%|"}, Running(progress=None)),
        ({"status": "IN_PROGRESS", "logs": [{"message": None}, "x"]}, Running(progress=None)),
        (
            {
                "status": "IN_PROGRESS",
                "logs": [{"message": " 10%|#"}, {"message": " 45%|####"}, {"message": "saving"}],
            },
            Running(progress=0.45),
        ),
        ({"status": "COMPLETED", "logs": []}, None),
    ],
)
def test_a_request_waits_runs_or_is_complete(body: object, state: JobState | None) -> None:
    assert standing(body) == state


@pytest.mark.parametrize(
    "body",
    [
        *({"status": "FAILED"}, {"status": "CANCELED"}, {"status": "completed"}, {"status": None}),
        *({}, [], None, "COMPLETED", {"status": ["COMPLETED"]}),
    ],
)
def test_an_unknown_status_is_malformed_and_never_still_running(body: object) -> None:
    with pytest.raises(Malformed):
        standing(body)


def pictures(*flags: object) -> dict[str, Any]:
    return {"images": [{"url": ONE}, {"url": TWO}], "seed": 1, "has_nsfw_concepts": list(flags)}


@pytest.mark.parametrize(
    ("body", "urls"),
    [
        (pictures(False, False), [ONE, TWO]),
        (pictures(True, False), [TWO]),
        (pictures(False, True), [ONE]),
        (pictures(True), [TWO]),
        (pictures(), [ONE, TWO]),
        (pictures(False, False, True), [ONE, TWO]),
        ({**pictures(), "has_nsfw_concepts": None}, [ONE, TWO]),
        ({"image": {"url": ONE, "width": 64}}, [ONE]),
        ({"image": {"url": ONE}, "has_nsfw_concepts": [False]}, [ONE]),
        ({"video": {"url": ONE, "content_type": "video/mp4"}, "seed": 1}, [ONE]),
        ({"images": [{"url": "data:image/png;base64,AAAA"}]}, ["data:image/png;base64,AAAA"]),
    ],
)
def test_results_are_found_and_blacked_out_pictures_are_none(body: object, urls: list[str]) -> None:
    assert made(ROUTE, body) == Succeeded(outputs=tuple(Output(url=url) for url in urls))


def test_a_path_in_the_dialect_says_where_the_results_stand() -> None:
    pathed = replace(ROUTE, dialect=replace(ROUTE.dialect, output="parts.0"))
    assert made(pathed, {"image": {"url": ONE}, "parts": [TWO]}) == Succeeded(
        outputs=(Output(url=TWO),)
    )


@pytest.mark.parametrize(
    "body", [pictures(True, True), {"image": {"url": ONE}, "has_nsfw_concepts": [True]}]
)
def test_nothing_but_blacked_out_pictures_is_refused_by_policy(body: object) -> None:
    state = made(ROUTE, body)
    assert isinstance(state, Failed)
    assert (state.code, state.retryable) == ("content_policy", False)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "provider_error"),
        ([], "provider_error"),
        (None, "provider_error"),
        ("text", "provider_error"),
        ({"images": []}, "provider_error"),
        ({"images": [], "description": "blocked by our content policy"}, "content_policy"),
        ({"error": "CUDA out of memory"}, "provider_error"),
        ({"detail": [{"type": "content_policy_violation", "msg": "no"}]}, "content_policy"),
    ],
)
def test_done_without_a_result_is_a_failure(body: object, code: str) -> None:
    state = made(ROUTE, body)
    assert isinstance(state, Failed)
    assert state.code == code
    assert state.message


def typed(kind: str, message: str = "something") -> dict[str, Any]:
    return {"detail": [{"loc": ["body", "prompt"], "msg": message, "type": kind}]}


FAILURES: list[tuple[object, int | None, str, str, bool, bool | None]] = [
    (typed("content_policy_violation"), 422, "false", "content_policy", False, None),
    (typed("content_policy_violation"), 422, "true", "content_policy", False, None),
    (typed("image_too_small"), 422, "", "invalid_request", False, None),
    (typed("greater_than"), 422, "", "invalid_request", False, None),
    (typed("file_download_error"), 422, "", "invalid_request", False, None),
    (typed("no_media_generated"), 422, "", "provider_error", True, None),
    (typed("internal_server_error"), 500, "", "provider_error", True, False),
    (typed("internal_server_error"), 500, "false", "provider_error", False, False),
    (typed("downstream_service_unavailable"), 500, "true", "provider_error", True, False),
    (typed("generation_timeout"), 504, "", "timeout", True, False),
    ({"detail": "x", "error_type": "request_timeout"}, 504, "", "timeout", True, False),
    ({"error": "x", "error_type": "startup_timeout"}, None, "", "unavailable", True, False),
    ({"error": "x", "error_type": "runner_disconnected"}, None, "", "unavailable", True, False),
    (
        {"error": "x", "error_type": "runner_scheduling_failure"},
        503,
        "",
        "unavailable",
        True,
        False,
    ),
    ({"error": "Request timed out"}, None, "", "timeout", True, None),
    ({"error": "Invalid status code: 500"}, None, "", "provider_error", True, None),
    ({"detail": "Exhausted balance"}, 400, "", "out_of_credit", False, None),
    ({"detail": "no such field"}, 422, "", "invalid_request", False, None),
    ({}, None, "", "provider_error", True, None),
    ("text", 422, "", "invalid_request", False, None),
]


@pytest.mark.parametrize(("body", "status", "header", "code", "retryable", "charged"), FAILURES)
def test_a_failure_is_told_apart_by_its_type(
    body: object, status: int | None, header: str, code: str, retryable: bool, charged: bool | None
) -> None:
    state = failed(ROUTE, body, status, header)
    assert isinstance(state, Failed)
    assert (state.code, state.retryable, state.charged) == (code, retryable, charged)
    assert state.message


def test_a_cancelled_request_is_no_failure() -> None:
    assert failed(ROUTE, {"error": "x", "error_type": "client_cancelled"}) == Cancelled()
