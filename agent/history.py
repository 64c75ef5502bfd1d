"""A conversation in neutral words, and how it is laid out for a chat model.

Whoever keeps the conversation rebuilds it as `Turn`s; only the newest that fit are sent, whole
turns at a time, so that a tool call never stands without its result. Everything that goes out is
cleaned of what no server can read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.digest import digest
from tools.reading import ARGUMENTS_BYTES_MAX

TURNS_MAX = 40
HISTORY_CHARS_MAX = 60_000
MESSAGE_CHARS_MAX = 32_000
PAGE_CHARS_MAX = 8000
LEFT_OUT = "[Earlier parts of this conversation are left out.]"
CUT = "\n[The rest of this text was too long and is left out.]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A picture that a person sent: `picture` is a scaled data URI for models that see, None to
    only name it.
    """

    asset_id: str
    name: str
    picture: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person wrote in one message, and what was attached to it; lines of the studio's, as
    those of the news, stand in front.
    """

    text: str
    attachments: tuple[Attachment, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A tool call of the past: JSON text as arguments, and the tool's whole answer."""

    name: str
    arguments: str
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One stretch of the agent's answer: words, then the calls that followed them."""

    text: str = ""
    calls: tuple[Called, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of a person and everything the agent did about it."""

    said: Said
    answered: tuple[Answered, ...] = ()


Message = dict[str, Any]


def build_messages(
    system: str,
    history: Sequence[Turn],
    news: Iterable[str],
    new: Said,
    *,
    sees: bool,
) -> list[Message]:
    """Lay out a request: one system message, the turns that fit, the new message with the news.

    Templates of several model families take one system message, at the beginning, so news stand in
    front of the person's words: there they also come after the tool results they bring up to date.
    """
    recent = fitting(history)
    system = system if len(recent) == len(history) else f"{system}\n{LEFT_OUT}"
    messages: list[Message] = [{"role": "system", "content": system}]
    ids = call_ids()
    for turn in recent:
        messages.extend(turn_messages(turn, ids, sees=sees))
    return [*messages, person_message(new, sees=sees, news=news)]


def fitting(history: Sequence[Turn]) -> list[Turn]:
    """The newest turns within the bounds, oldest first."""
    kept: list[Turn] = []
    chars = 0
    for turn in reversed(history[-TURNS_MAX:]):
        chars += sum(
            len(json.dumps(m, ensure_ascii=False))
            for m in turn_messages(turn, call_ids(), sees=False)
        )
        if chars > HISTORY_CHARS_MAX:
            break
        kept.insert(0, turn)
    return kept


def turn_messages(turn: Turn, ids: Iterator[str], *, sees: bool) -> Iterator[Message]:
    yield person_message(turn.said, sees=sees)
    for answered in turn.answered:
        calls = [
            (next(ids), call.name, as_object_text(call.arguments), call.result)
            for call in answered.calls
        ]
        if answered.text or calls:
            yield agent_message(answered.text, [call_part(*call[:3]) for call in calls])
        for call_id, _, _, result in calls:
            yield tool_message(call_id, result)


def person_message(said: Said, *, sees: bool, news: Iterable[str] = ()) -> Message:
    """News, the person's words, a line for each attachment; pictures for a model that sees."""
    named = [f"[attached: {one_line(a.asset_id)} {one_line(a.name)}]" for a in said.attachments]
    lines = [*map(clean, (*said.lines, *news)), clipped(clean(said.text)), *named]
    text = "\n".join(line for line in lines if line) or "..."
    pictures = [a.picture for a in said.attachments if a.picture and sees]
    if not pictures:
        return {"role": "user", "content": text}
    parts: list[Message] = [{"type": "text", "text": text}]
    parts += [{"type": "image_url", "image_url": {"url": picture}} for picture in pictures]
    return {"role": "user", "content": parts}


def agent_message(text: str, calls: Sequence[Message]) -> Message:
    message: Message = {"role": "assistant", "content": clipped(clean(text)) or None}
    if calls:
        message["tool_calls"] = list(calls)
    return message


def call_part(call_id: str, name: str, arguments: str) -> Message:
    function = {"name": clean(name), "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def tool_message(call_id: str, result: Mapping[str, Any]) -> Message:
    content = clean(json.dumps(digest(result), ensure_ascii=False))
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def call_ids(start: int = 0) -> Iterator[str]:
    """Ids of our own, unique in a request: servers repeat theirs, and one takes only nine letters
    or digits.

    Source: https://github.com/anomalyco/opencode/issues/1680, 2025-08-07.
    """
    while True:
        yield f"call{start:05d}"
        start += 1


def as_object_text(arguments: str) -> str:
    """The arguments as JSON text of an object, `{}` where they are none: templates parse them again
    and fail.
    """
    if len(arguments) > ARGUMENTS_BYTES_MAX:
        return "{}"
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return "{}"
    return clean(json.dumps(value, ensure_ascii=False)) if isinstance(value, dict) else "{}"


def finished_line(generation: Mapping[str, Any]) -> str:
    """The line that tells the model of a generation settled since the last turn, from its JSON."""
    name = generation.get("handle") or generation["id"]
    error = generation.get("error")
    why = f": {one_line(error['message'])}" if error else ""
    return f"[{name} {generation['kind']} {generation['status']}{why}]"


def imported_line(name: str, kind: str, status: str, prompt: str) -> str:
    """The line that tells the model of what an old system had made: no call of its own does."""
    return f"[{name} {kind} {status}{f': {one_line(prompt)}' if prompt else ''}]"


def page_line(said: Mapping[str, Any]) -> str:
    """The line that tells the model what the page around the chat says of itself."""
    return f"[this page: {one_line(json.dumps(said, ensure_ascii=False), PAGE_CHARS_MAX)}]"


def one_line(text: str, chars_max: int = 300) -> str:
    """A name or message of somebody else's, made fit for a line in square brackets."""
    flat = " ".join(clean(text).replace("[", "(").replace("]", ")").split())
    return flat if len(flat) <= chars_max else f"{flat[:chars_max]}..."


def clean(text: str) -> str:
    """The text without NUL and lone surrogates, which JSON in UTF-8 cannot carry."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def clipped(text: str) -> str:
    return text if len(text) <= MESSAGE_CHARS_MAX else text[:MESSAGE_CHARS_MAX] + CUT
