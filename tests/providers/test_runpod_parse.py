"""What a status object says, in every shape that workers are known to use."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from providers.catalogue import load_catalogue
from providers.contract import (
    Cancelled,
    Failed,
    JobState,
    Malformed,
    Output,
    Route,
    Running,
    Succeeded,
    Waiting,
)
from providers.runpod import parse

URL = "https://image.runpod.ai/a/1.png"
OTHER = "https://image.runpod.ai/a/2.png"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(80)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(80)).decode()
WEBP = base64.b64encode(b"RIFF\x00\x00\x00\x00WEBP" + bytes(80)).decode()
MP4 = base64.b64encode(b"\x00\x00\x00\x20ftypisom" + bytes(80)).decode()


@pytest.fixture(scope="module")
def route() -> Route:
    """A route of a public endpoint, which does not charge for failures."""
    return load_catalogue().find("p-video")[0].routes[0]


OUTPUTS: list[tuple[str, object, list[str]]] = [
    ("image_url", {"image_url": URL, "cost": 0.02}, [URL]),
    ("video_url", {"video_url": URL}, [URL]),
    ("a film with its preview", {"image_url": OTHER, "video_url": URL}, [URL]),
    ("a list beside its first", {"image_url": URL, "images": [URL, OTHER]}, [URL, OTHER]),
    ("images of objects", {"images": [{"url": URL, "seed": 1}, {"url": OTHER}]}, [URL, OTHER]),
    ("images of strings", {"images": [URL, OTHER]}, [URL, OTHER]),
    (
        "comfy base64",
        {"images": [{"filename": "a.png", "type": "base64", "data": PNG}]},
        [f"data:image/png;base64,{PNG}"],
    ),
    ("comfy s3", {"images": [{"filename": "a", "type": "s3_url", "data": URL}]}, [URL]),
    ("s3_url", {"images": [{"s3_url": URL}]}, [URL]),
    ("list of objects", [{"image": URL, "seed": 3}, {"image": OTHER}], [URL, OTHER]),
    ("list of base64 objects", [{"image": JPEG}], [f"data:image/jpeg;base64,{JPEG}"]),
    ("list of strings", [URL, OTHER], [URL, OTHER]),
    ("bare address", URL, [URL]),
    ("bare base64", WEBP, [f"data:image/webp;base64,{WEBP}"]),
    ("base64 with line ends", f"{PNG[:76]}\n{PNG[76:]}", [f"data:image/png;base64,{PNG}"]),
    ("bare data URI", f"data:image/png;base64,{PNG}", [f"data:image/png;base64,{PNG}"]),
    ("message", {"status": "success", "message": PNG}, [f"data:image/png;base64,{PNG}"]),
    ("message address", {"message": URL}, [URL]),
    ("base64 film", {"video": MP4}, [f"data:video/mp4;base64,{MP4}"]),
    ("nested", {"output": {"result": {"url": URL}}}, [URL]),
    ("result list", {"result": [{"url": URL}]}, [URL]),
    ("the same twice", {"images": [URL, URL]}, [URL]),
]


@pytest.mark.parametrize(
    ("output", "urls"), [row[1:] for row in OUTPUTS], ids=[r[0] for r in OUTPUTS]
)
def test_results_are_found_in_every_shape(route: Route, output: object, urls: list[str]) -> None:
    state = parse(route, {"id": "j", "status": "COMPLETED", "output": output})
    assert isinstance(state, Succeeded)
    assert [one.url for one in state.outputs] == urls


def test_a_path_in_the_dialect_says_where_the_results_stand(route: Route) -> None:
    pathed = replace(route, dialect=replace(route.dialect, output="deep.list.1.link"))
    body = {
        "status": "COMPLETED",
        "output": {"image_url": OTHER, "deep": {"list": [{}, {"link": URL}]}},
    }
    assert parse(pathed, body) == Succeeded(outputs=(Output(url=URL),))
    nothing: list[object] = [{"deep": {"list": []}}, {"deep": None}, [], "text", None]
    for output in nothing:
        assert isinstance(parse(pathed, {"status": "COMPLETED", "output": output}), Failed)


@pytest.mark.parametrize(
    ("cost", "cost_usd"),
    [
        (0.5, 0.5),
        (0, 0.0),
        (None, None),
        ("1", None),
        (True, None),
        (-1, None),
        (float("nan"), None),
    ],
)
def test_the_cost_is_what_the_provider_says(
    route: Route, cost: object, cost_usd: float | None
) -> None:
    state = parse(route, {"status": "COMPLETED", "output": {"image_url": URL, "cost": cost}})
    assert state == Succeeded(outputs=(Output(url=URL),), cost_usd=cost_usd)


@pytest.mark.parametrize(
    ("output", "progress"),
    [
        (None, None),
        ("Update 1/4", 0.25),
        ("3 / 4 done", 0.75),
        ("40 %", 0.4),
        ("denoising  12.5%|###", 0.125),
        ("0.4", 0.4),
        ("step 5", None),
        ("7/0", None),
        (0.4, 0.4),
        (1.0, 1.0),
        (1, 0.01),
        (45, 0.45),
        (45.5, 0.455),
        (500, 1.0),
        (10**400, 1.0),
        (-3, 0.0),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        ({"progress": 0.5}, 0.5),
        ({"progress": "2/8", "eta": 3}, 0.25),
        ({"percent": 60}, 0.6),
        ({"message": "9/10"}, 0.9),
        ({"progress": {"progress": 1}}, None),
        ([1], None),
    ],
)
def test_progress_is_read_from_what_workers_send(
    route: Route, output: object, progress: float | None
) -> None:
    for status in ("IN_PROGRESS", "RUNNING"):
        assert parse(route, {"status": status, "output": output}) == Running(progress=progress)


def test_an_address_in_a_progress_message_is_no_result(route: Route) -> None:
    body = {"status": "IN_PROGRESS", "output": {"image_url": URL}}
    assert parse(route, body) == Running(progress=None)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"status": "IN_QUEUE"}, Waiting()),
        ({"status": "IN_QUEUE", "queue_position": 2}, Waiting(position=2)),
        ({"status": "IN_QUEUE", "queue_position": "soon"}, Waiting()),
        ({"status": "CANCELLED"}, Cancelled()),
    ],
)
def test_a_job_waits_or_was_cancelled(route: Route, body: dict[str, Any], state: JobState) -> None:
    assert parse(route, body) == state


BOXED = json.dumps({"error_type": "<class 'X'>", "error_message": "boom", "error_traceback": "..."})
FAILURES: list[tuple[object, str, str, bool]] = [
    ("CUDA out of memory", "provider_error", "CUDA out of memory", True),
    (BOXED, "provider_error", "boom", True),
    ({"message": "boom"}, "provider_error", "boom", True),
    (["boom"], "provider_error", "boom", True),
    (None, "provider_error", "the provider gives no reason", True),
    ("", "provider_error", "the provider gives no reason", True),
    ("{not json", "provider_error", "{not json", True),
    ("NSFW content detected. Try running it again", "content_policy", "NSFW", False),
    ("Input was flagged as sensitive (E005)", "content_policy", "E005", False),
    ("Request Moderated", "content_policy", "Moderated", False),
    ("Blocked by our content policy", "content_policy", "policy", False),
    ("Insufficient balance on account", "out_of_credit", "balance", False),
    ("Invalid parameter: size format must be width*height", "invalid_request", "size", False),
    ("worker timed out waiting for GPU", "timeout", "timed out", True),
]


@pytest.mark.parametrize(("error", "code", "says", "retryable"), FAILURES)
def test_a_failed_job_says_why(
    route: Route, error: object, code: str, says: str, retryable: bool
) -> None:
    state = parse(route, {"status": "FAILED", "error": error})
    assert isinstance(state, Failed)
    assert (state.code, state.retryable, state.charged) == (code, retryable, False)
    assert says in state.message


def test_a_job_stopped_by_the_providers_clock_is_a_timeout(route: Route) -> None:
    state = parse(route, {"status": "TIMED_OUT", "error": "job timed out after 600 s"})
    assert isinstance(state, Failed)
    assert (state.code, state.retryable) == ("timeout", True)


@pytest.mark.parametrize("output", [None, {}, [], "", {"images": []}, {"seed": 7}, "done", 7])
def test_done_without_a_result_is_a_failure(route: Route, output: object) -> None:
    state = parse(route, {"status": "COMPLETED", "output": output})
    assert isinstance(state, Failed)
    assert state.code == "provider_error"
    assert "without a result" in state.message


def test_done_with_an_error_inside_is_that_failure(route: Route) -> None:
    state = parse(route, {"status": "COMPLETED", "output": {"error": "NSFW content"}})
    assert isinstance(state, Failed)
    assert state.code == "content_policy"


def test_who_pays_for_a_failure_is_what_the_route_says(route: Route) -> None:
    unknown = replace(route, dialect=replace(route.dialect, charges_failed=None))
    state = parse(unknown, {"status": "FAILED", "error": "boom"})
    assert isinstance(state, Failed)
    assert state.charged is None


@pytest.mark.parametrize(
    "body", [{"status": "BAKING"}, {"status": None}, {"status": "completed"}, {}, [], None, "x"]
)
def test_a_word_that_runpod_does_not_know_is_never_still_running(
    route: Route, body: object
) -> None:
    with pytest.raises(Malformed):
        parse(route, body)


def test_a_message_is_short_single_and_without_secrets_or_data(route: Route) -> None:
    error = f"key rpa_CANARY\x00 failed\n on {PNG * 3} " + "very " * 400
    state = parse(route, {"status": "FAILED", "error": error}, "rpa_CANARY")
    assert isinstance(state, Failed)
    assert state.message.startswith("key [key] failed on [...] very very")
    assert len(state.message) <= 500


def test_an_answer_nested_beyond_reason_does_no_harm(route: Route) -> None:
    deep: object = "https://image.runpod.ai/x"
    for _ in range(900):
        deep = {"output": deep, "error": deep, "message": deep}
    for status in ("COMPLETED", "FAILED"):
        state = parse(route, {"status": status, "output": deep, "error": deep})
        assert isinstance(state, Failed)
