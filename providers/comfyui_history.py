"""What a ComfyUI's history and queue say of a prompt: where it stands, what it made, why it failed.

Source: ComfyUI's server.py and execution.py (`PromptQueue`, repository Comfy-Org/ComfyUI @002c3fb),
2026-11-22; docs.comfy.org/development/comfyui-server/comms_routes, 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from urllib.parse import urlencode

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
from providers.failures import classify, plain_text
from providers.outputs import OUTPUTS_MAX

#: Under which a node lists its files; films of some nodes are called gifs.
LISTS = ("videos", "gifs", "images")
RETRYABLE = frozenset({"provider_error", "timeout"})


def parse(route: Route, entry: object, outputs: Collection[str], base_url: str) -> JobState:
    """Return how a prompt of the history ended; `outputs` are the nodes whose files count, none
    named: all of them. Raises: Malformed.
    """
    if not isinstance(entry, Mapping):
        raise Malformed("the prompt's history is no JSON object")
    status = entry.get("status")
    told: Mapping[str, object] = status if isinstance(status, Mapping) else {}
    messages = told.get("messages")
    events = dict(events_in(messages if isinstance(messages, list) else []))
    if "execution_interrupted" in events:
        return Cancelled()
    match told.get("status_str"):
        case "error":
            return failed(route, events.get("execution_error"))
        case "success" | None:  # old servers keep no status
            found = tuple(files_in(entry.get("outputs"), outputs, base_url))[:OUTPUTS_MAX]
            if found:
                return Succeeded(outputs=found)
            return Failed(
                code="provider_error",
                message="the workflow ran and saved no picture or film",
                charged=route.dialect.charges_failed,
            )
        case other:
            raise Malformed(f"unknown job status {plain_text(str(other))[:60]!r}")


def events_in(messages: list[object]) -> Iterator[tuple[str, object]]:
    """Yield what happened during a run, by name."""
    for message in messages:
        if isinstance(message, list) and len(message) == 2 and isinstance(message[0], str):
            yield message[0], message[1]


def failed(route: Route, error: object) -> Failed:
    """Return a run that a node broke off."""
    told: Mapping[str, object] = error if isinstance(error, Mapping) else {}
    said = plain_text(str(told.get("exception_message") or "the workflow gives no reason"))
    code = classify(said)
    node = told.get("node_type")
    return Failed(
        code=code,
        message=f"{plain_text(node)}: {said}" if isinstance(node, str) else said,
        retryable=code in RETRYABLE,
        charged=route.dialect.charges_failed,
    )


def files_in(made: object, nodes: Collection[str], base_url: str) -> Iterator[Output]:
    """Yield the saved files, in the order of the nodes; previews (`temp`) are none."""
    by_node: Mapping[str, object] = made if isinstance(made, Mapping) else {}
    for name in nodes or sorted(by_node, key=lambda node: (len(node), node)):
        node = by_node.get(name)
        for key in LISTS:
            listed = node.get(key) if isinstance(node, Mapping) else None
            for file in listed if isinstance(listed, list) else ():
                if isinstance(file, Mapping) and (url := address_of(file, base_url)):
                    yield Output(url=url)


def address_of(file: Mapping[str, object], base_url: str) -> str | None:
    """Return where a saved file is to be had, None for what is not saved."""
    words = {name: file.get(name) for name in ("filename", "subfolder", "type")}
    if words["type"] != "output" or not isinstance(words["filename"], str):
        return None
    return f"{base_url}/view?{urlencode({**words, 'subfolder': words['subfolder'] or ''})}"


def place_in(queue: object, prompt_id: str) -> Waiting | Running | None:
    """Return where a prompt stands in the queue, None when it is not there. Raises: Malformed.

    How far a run has got is told on a websocket alone, to whoever listens at that moment.
    """
    if not isinstance(queue, Mapping):
        raise Malformed("the queue is no JSON object")
    if any(one[1] == prompt_id for one in items_in(queue.get("queue_running"))):
        return Running()
    waiting = sorted(items_in(queue.get("queue_pending")), key=lambda one: one[0])
    places = (at for at, one in enumerate(waiting, 1) if one[1] == prompt_id)
    place = next(places, None)
    return None if place is None else Waiting(position=place)


def items_in(listed: object) -> Iterator[tuple[float, str]]:
    """Yield number and id of the prompts in a part of the queue, which is a heap and unordered.

    Raises: Malformed.
    """
    if not isinstance(listed, list):
        raise Malformed("the queue has no list of prompts")
    for item in listed:
        if not isinstance(item, list) or len(item) < 2 or not isinstance(item[0], int | float):
            raise Malformed("the queue holds something else than prompts")
        yield float(item[0]), str(item[1])
