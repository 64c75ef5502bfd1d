"""Gemini Omni films: an interaction in the background, looked at until it is over.

`completed` is not yet a film: what the model made stands in the last step it put out, and a film
that was filtered is not there. Its bytes are asked for as an address: they are fetched with our
key, and only from the very place the provider is configured at.
Source: google-genai 3.4.0 (_gaos/types/interactions: interaction, videoresponseformat, videoconfig,
modeloutputstep, error), https://ai.google.dev/gemini-api/docs/omni, 2026-11-22; that Omni takes
`background` is a field of its type and proven by nobody we could read.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from providers.contract import (
    Cancelled,
    ErrorCode,
    Failed,
    JobState,
    Malformed,
    Output,
    Request,
    Role,
    Route,
    Running,
    Succeeded,
    Waiting,
)
from providers.dialect import Json
from providers.failures import classify, message_of, plain_text
from providers.spelling import put, spell

#: In which order pictures are given; the first two are the first and the last frame.
ROLES: tuple[Role, ...] = ("start", "end", "image", "reference")
TASKS: dict[str, str] = {"start": "image_to_video", "reference": "reference_to_video"}
#: What stands for the filter in a step's error or in an interaction's errors.
FILTERED = re.compile(
    r"safety|prohibited|blocklist|recitation|content[ _-]?filter|filtered|responsible ai|\brai\b"
    r"|violat\w* .{0,40}polic|polic\w* .{0,40}violat",
    re.IGNORECASE,
)
OUT_OF_CREDIT = re.compile(r"credits? .{0,20}depleted|billing", re.IGNORECASE)
RETRYABLE = frozenset({"provider_error", "timeout"})


def payload(route: Route, request: Request, webhook_url: str | None = None) -> dict[str, Json]:
    """Return the body of a new interaction.

    The dialect says where durations, shapes and seeds go; prompt and pictures are one input.
    """
    body = spell(route.dialect, replace(request, inputs=()))
    text = body.pop("prompt", request.prompt)
    pictures = [file for role in ROLES for file in request.inputs if file.role == role]
    content: list[Json] = [{"type": "text", "text": text}]
    for file in pictures:
        data = base64.b64encode(file.data).decode("ascii")
        content.append({"type": "image", "data": data, "mime_type": file.media_type})
    roles = {file.role for file in pictures} - {"end"}
    if len(roles) == 1 and (task := TASKS.get(next(iter(roles)))):
        put(body, "generation_config.video_config.task", task)
    put(body, "response_format.type", "video")
    put(body, "response_format.delivery", "uri")
    return {
        "model": route.endpoint,
        "background": True,
        "store": True,
        **body,
        "input": [{"type": "user_input", "content": content}],
        **({"webhook_config": {"uris": [webhook_url]}} if webhook_url else {}),
    }


def parse(body: object, secret: str = "") -> JobState:
    """Return how an interaction stands. Raises: Malformed."""
    if not isinstance(body, Mapping):
        raise Malformed("the interaction is no JSON object")
    match body.get("status"):
        case "queued":
            return Waiting()
        case "in_progress":
            return Running()
        case "completed" | "incomplete":
            return ended(body, secret)
        case "failed":
            return failed(body, secret)
        case "cancelled":
            return Cancelled()
        case "budget_exceeded":
            return Failed(
                code="provider_error", message="the interaction's own budget was exceeded"
            )
        case "requires_action" | "requires_continuation" as status:
            # Asked for by agents with tools, and by answers in text; a film can do neither.
            return Failed(
                code="provider_error", message=f"the model stopped and asks for more ({status})"
            )
        case other:
            raise Malformed(f"unknown interaction status {plain_text(str(other), secret)[:60]!r}")


def ended(body: Mapping[str, object], secret: str) -> JobState:
    """Return what an interaction that is over has brought."""
    outputs = tuple(Output(url=url) for url in dict.fromkeys(films(body)))
    return Succeeded(outputs=outputs) if outputs else failed(body, secret)


def films(body: Mapping[str, object]) -> Iterator[str]:
    """Yield the films of the last step that has any: earlier ones are drafts."""
    for step in reversed(steps(body)):
        found = [url for block in as_list(step.get("content")) if (url := film(block))]
        if found:
            yield from found
            return


def steps(body: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return what the model put out, in order."""
    return [
        step
        for step in as_list(body.get("steps"))
        if isinstance(step, Mapping) and step.get("type") == "model_output"
    ]


def film(block: object) -> str | None:
    """Return a film's address, or its bytes as a data URI."""
    if not isinstance(block, Mapping) or block.get("type") != "video":
        return None
    uri, data = block.get("uri"), block.get("data")
    if isinstance(uri, str) and uri.lower().startswith(("http://", "https://")):
        return uri
    if isinstance(data, str) and data:
        return f"data:{block.get('mime_type') or 'video/mp4'};base64,{data}"
    return None


def failed(body: Mapping[str, object], secret: str) -> Failed:
    """Return an interaction without a film, by what it says of itself."""
    code, said = reason_of(body, secret)
    return Failed(
        code=code,
        message=said or "the interaction ended without a film, and says no reason",
        retryable=code in RETRYABLE,
    )


def reason_of(body: Mapping[str, object], secret: str) -> tuple[ErrorCode, str]:
    """Return why there is no film: by the errors of the whole and of its steps, else by the words
    that the model put out instead of one.
    """
    told = [*as_list(body.get("errors")), body.get("error")]
    told += [step.get("error") for step in steps(body)]
    for error in told:
        if error:
            said = plain_text(message_of(error) or str(error), secret)
            if OUT_OF_CREDIT.search(said):
                return "out_of_credit", said
            return ("content_policy" if FILTERED.search(str(error)) else classify(said)), said
    for block in (block for step in steps(body) for block in as_list(step.get("content"))):
        text = block.get("text") if isinstance(block, Mapping) else None
        if isinstance(text, str) and text.strip():
            said = plain_text(text, secret)
            return ("content_policy" if FILTERED.search(said) else "provider_error"), said
    return "provider_error", ""


def as_list(value: object) -> list[object]:
    """Return a list as it is, and anything else as an empty one."""
    return value if isinstance(value, list) else []
