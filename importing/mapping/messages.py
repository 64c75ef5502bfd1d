"""What was said in the old chat, from both tables that kept it.

`Message_v2` holds parts as two versions of an SDK wrote them; the deprecated `Message` holds a text
or the parts that a model is sent. What a person read is taken; reasoning and plumbing are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from importing.drafts import NotTaken, Said
from importing.mapping.mentions import Gathered
from importing.mapping.pictures import replace_pictures, spelled
from importing.mapping.tool_results import look_through, without_artifacts
from importing.reading.values import (
    clean,
    date,
    first,
    identity,
    is_missing,
    mapping,
    opened,
    read_id,
    shown,
    unique,
)

TEXT_CHARS_MAX = 200_000
PARTS_MAX = 5_000
_PLUMBING = {
    *("reasoning", "redacted-reasoning", "step-start", "source", "source-url", "source-document"),
    *("tool-call", "tool-error"),
}


def message(row: Mapping[str, Any], now: datetime | None = None) -> Said | NotTaken:
    """The message that a row of either table is; `now` is the end of sane dates, by default this
    moment.
    """
    message_id = identity(row, "id")
    if isinstance(message_id, NotTaken):
        return message_id
    chat_id = read_id(row.get("chatId"))
    if chat_id is None:
        return NotTaken(reason="no_chat", detail="The message names no conversation.")
    role = _role(row.get("role"))
    if role is None:
        detail = f"It was said by neither a person nor the assistant: {shown(row.get('role'))}"
        return NotTaken(reason="role", detail=detail)
    gathered = Gathered(message_id, is_user=role == "user")
    text = _text(row, gathered)
    mentions = gathered.mentions
    if not (text or mentions or gathered.documents):
        return NotTaken(reason="no_content", detail="There is nothing in it that a person saw.")
    return Said(
        id=message_id,
        chat_id=chat_id,
        role=role,
        text=text,
        mentions=mentions,
        documents=tuple(gathered.documents),
        created_at=date(row, now, gathered.remarks, "createdAt"),
        remarks=unique(gathered.remarks),
    )


def _role(value: Any) -> Literal["user", "assistant"] | None:
    if value == "user":
        return "user"
    return "assistant" if value in ("assistant", "tool") else None


def _text(row: Mapping[str, Any], gathered: Gathered) -> str:
    """The message's markdown; what is in it besides is gathered on the way."""
    texts = [_part(part, gathered) for part in _parts(row, gathered)]
    attached = first(row, "attachments", "experimental_attachments")
    for item in _listed(attached, "attachments", gathered):
        gathered.attachment(item)
    if row.get("role") == "tool":
        texts = []
    text = "\n\n".join(text for text in [*texts, "\n".join(gathered.lines)] if text.strip())
    if len(text) > TEXT_CHARS_MAX:
        gathered.remarks.append("text_cut")
        text = text[: TEXT_CHARS_MAX - 1] + "\u2026"
    return clean(text)


def _parts(row: Mapping[str, Any], gathered: Gathered) -> list[Any]:
    parts = first(row, "parts")
    if parts is not None and parts != []:
        return _listed(parts, "parts", gathered)
    content = row.get("content")
    return [content] if isinstance(content, str) else _listed(content, "content", gathered)


def _listed(value: Any, field: str, gathered: Gathered) -> list[Any]:
    """The list, also where it was stored as a text of JSON; a text of its own is the only part."""
    if is_missing(value):
        return []
    found = opened(value)
    if not isinstance(found, list):
        if field == "parts" and isinstance(value, str):
            return [value]
        gathered.remarks.append(f"unreadable: {field}")
        return []
    if len(found) > PARTS_MAX:
        gathered.remarks.append(f"{field}_cut")
    return found[:PARTS_MAX]


def _part(part: Any, gathered: Gathered) -> str:
    """The text of a part; what is none brings mentions."""
    if isinstance(part, str):
        return _written(part, gathered)
    if not isinstance(part, Mapping):
        gathered.remarks.append("unreadable: part")
        return ""
    word = part.get("type")
    if word == "text":
        text = part.get("text")
        if isinstance(text, str):
            return _written(text, gathered)
        gathered.remarks.append("unreadable: text")
    elif word in ("file", "image"):
        gathered.file(part)
    elif isinstance(word, str) and (word in _PLUMBING or word.startswith("data-")):
        pass
    elif not _tool(word, part, gathered):
        gathered.remarks.append(f"unknown_part: {shown(word)}")
    return ""


def _written(text: str, gathered: Gathered) -> str:
    if gathered.is_user:
        return spelled(text)
    return replace_pictures(without_artifacts(text, gathered), gathered.picture)


def _tool(word: Any, part: Mapping[str, Any], gathered: Gathered) -> bool:
    """Look through a tool's answer; False: the part is none."""
    if word == "tool-invocation":
        call = mapping(part.get("toolInvocation"))
        look_through(call.get("result"), gathered, call.get("toolName"))
    elif word == "tool-result":
        look_through(first(part, "result", "output"), gathered, part.get("toolName"))
    elif word == "dynamic-tool":
        look_through(part.get("output"), gathered, part.get("toolName"))
    elif isinstance(word, str) and word.startswith("tool-"):
        look_through(part.get("output"), gathered, word[5:])
    else:
        return False
    return True
