"""What a ComfyUI's history and queue say of a prompt."""

from __future__ import annotations

from typing import Any

import pytest

from providers.comfyui_history import parse, place_in
from providers.contract import (
    Cancelled,
    Failed,
    Malformed,
    Output,
    Running,
    Succeeded,
    Waiting,
)
from tests.providers.comfyui_routes import IMAGE

BASE = "http://127.0.0.1:8188/api"
PROMPT = "79151ab5-8efb-58f0-b3f9-a2521d359e86"
SUCCESS = {"status_str": "success", "completed": True, "messages": []}


def file(name: str, kind: str = "output", folder: str = "") -> dict[str, str]:
    return {"filename": name, "subfolder": folder, "type": kind}


def entry(outputs: dict[str, Any], status: object = SUCCESS) -> dict[str, Any]:
    return {"prompt": [1, PROMPT, {}, {}, ["9"]], "outputs": outputs, "status": status}


def url(name: str, folder: str = "") -> str:
    return f"{BASE}/view?filename={name}&subfolder={folder}&type=output"


OUTPUTS: list[tuple[str, dict[str, Any], tuple[str, ...], list[str]]] = [
    ("one", {"9": {"images": [file("a.png")]}}, (), [url("a.png")]),
    ("two", {"9": {"images": [file("a.png"), file("b.png")]}}, (), [url("a.png"), url("b.png")]),
    (
        "of two nodes, by their numbers",
        {"10": {"images": [file("b.png")]}, "9": {"images": [file("a.png")]}},
        (),
        [url("a.png"), url("b.png")],
    ),
    (
        "of the nodes that count",
        {"10": {"images": [file("b.png")]}, "9": {"images": [file("a.png")]}},
        ("10",),
        [url("b.png")],
    ),
    (
        "previews beside it",
        {"8": {"images": [file("p.png", "temp")]}, "9": {"images": [file("a.png")]}},
        (),
        [url("a.png")],
    ),
    (
        "a film",
        {"13": {"images": [file("k_1_.mp4", folder="video")], "animated": [True]}},
        ("13",),
        [url("k_1_.mp4", "video")],
    ),
    ("a film as gifs", {"9": {"gifs": [{**file("a.mp4"), "format": "x"}]}}, (), [url("a.mp4")]),
    ("a film as videos", {"9": {"videos": [file("a.webm")]}}, (), [url("a.webm")]),
    (
        "a name that must be quoted",
        {"9": {"images": [file("a&type=input.png", folder="../x")]}},
        (),
        [f"{BASE}/view?filename=a%26type%3Dinput.png&subfolder=..%2Fx&type=output"],
    ),
    (
        "words beside it",
        {"1": {"text": ["x"]}, "9": {"images": [file("a.png")]}},
        (),
        [url("a.png")],
    ),
    ("no folder", {"9": {"images": [{"filename": "a.png", "type": "output"}]}}, (), [url("a.png")]),
]


@pytest.mark.parametrize(
    ("outputs", "nodes", "urls"), [row[1:] for row in OUTPUTS], ids=[row[0] for row in OUTPUTS]
)
def test_saved_files_are_the_results(
    outputs: dict[str, Any], nodes: tuple[str, ...], urls: list[str]
) -> None:
    for status in (SUCCESS, None):
        state = parse(IMAGE, entry(outputs, status), nodes, BASE)
        assert state == Succeeded(outputs=tuple(Output(url=one) for one in urls))


NOTHING: list[dict[str, Any]] = [
    {},
    {"9": {"images": []}},
    {"9": {"images": [file("p.png", "temp")]}},
    {"9": {"images": "a.png"}},
    {"9": {"images": [{"filename": 3, "type": "output"}, 4]}},
    {"9": None},
]


@pytest.mark.parametrize("outputs", NOTHING)
def test_a_run_that_saved_nothing_has_failed(outputs: dict[str, Any]) -> None:
    state = parse(IMAGE, entry(outputs), (), BASE)
    assert isinstance(state, Failed)
    assert (state.code, state.charged) == ("provider_error", False)
    assert "saved no picture" in state.message


def ended(*messages: object) -> dict[str, Any]:
    return entry({}, {"status_str": "error", "completed": False, "messages": list(messages)})


def test_a_node_that_broke_says_why() -> None:
    broken = {"node_type": "KSampler", "exception_message": "out of memory\n on device 0"}
    state = parse(IMAGE, ended(["execution_start", {}], ["execution_error", broken]), (), BASE)
    assert isinstance(state, Failed)
    assert (state.code, state.retryable) == ("provider_error", True)
    assert state.message == "KSampler: out of memory on device 0"


@pytest.mark.parametrize("error", [{}, None, {"exception_message": None}, "odd"])
def test_a_failure_without_words_is_a_failure(error: object) -> None:
    state = parse(IMAGE, ended(["execution_error", error]), (), BASE)
    assert isinstance(state, Failed)
    assert "gives no reason" in state.message
    assert isinstance(parse(IMAGE, ended(), (), BASE), Failed)


def test_an_interrupted_run_was_cancelled() -> None:
    assert parse(IMAGE, ended(["execution_interrupted", {}]), (), BASE) == Cancelled()


@pytest.mark.parametrize("odd", [None, [], "done", entry({}, {"status_str": "BAKING"})])
def test_what_nobody_knows_is_never_still_running(odd: object) -> None:
    with pytest.raises(Malformed):
        parse(IMAGE, odd, (), BASE)


def item(number: float, prompt_id: str) -> list[Any]:
    return [number, prompt_id, {}, {"client_id": "x"}, ["9"]]


QUEUES: list[tuple[str, list[Any], list[Any], Waiting | Running | None]] = [
    ("running", [item(4, PROMPT)], [item(5, "b")], Running()),
    ("next", [item(4, "a")], [item(6, "c"), item(5, PROMPT)], Waiting(position=1)),
    ("last", [item(4, "a")], [item(7, PROMPT), item(5, "b"), item(6, "c")], Waiting(position=3)),
    ("in front", [], [item(5, "b"), item(-6, PROMPT)], Waiting(position=1)),
    ("not there", [item(4, "a")], [item(5, "b")], None),
    ("an empty queue", [], [], None),
]


@pytest.mark.parametrize(
    ("running", "pending", "place"), [row[1:] for row in QUEUES], ids=[row[0] for row in QUEUES]
)
def test_the_queue_tells_the_place(
    running: list[Any], pending: list[Any], place: Waiting | Running | None
) -> None:
    assert place_in({"queue_running": running, "queue_pending": pending}, PROMPT) == place


@pytest.mark.parametrize(
    "queue",
    [
        None,
        [],
        {},
        {"queue_running": None, "queue_pending": []},
        {"queue_running": [[]], "queue_pending": []},
        {"queue_running": [], "queue_pending": [["5", PROMPT]]},
        {"queue_running": [], "queue_pending": [5]},
    ],
)
def test_what_is_no_queue_is_malformed(queue: object) -> None:
    with pytest.raises(Malformed):
        place_in(queue, PROMPT)
