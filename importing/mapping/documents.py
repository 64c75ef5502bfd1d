"""The rows of Super Chatbot's `Document`: pictures and films as JSON, and written ones.

A document has a row for each of its versions. The column of its kind is called `text`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from db.thread_rows import title as thread_title
from importing.drafts import Clock, Draft, NotTaken
from importing.mapping.addresses import kind_of_word
from importing.mapping.drafting import Told, draft_of, file_names
from importing.mapping.pictures import linked
from importing.reading.moments import moment
from importing.reading.values import (
    clean,
    first,
    identity,
    mapping,
    opened,
    other_id,
    parsed,
    shown,
)

WRITTEN_KINDS = ("text", "code", "sheet")
TABLE_ROWS_MAX = 50
TEXT_CHARS_MAX = 200_000
_FENCES = re.compile(r"`{3,}")
#: No moment is too late to tell versions apart by.
_ANY_TIME = datetime(9000, 1, 1, tzinfo=UTC)


def document_kind(row: Mapping[str, Any]) -> Any:
    """`image`, `video`, `text`, `code`, `sheet`, or whatever a stranger wrote there."""
    kind = first(row, "text", "kind")
    return kind.strip().lower() if isinstance(kind, str) else kind


def image_document(row: Mapping[str, Any], clock: Clock) -> Draft | NotTaken:
    """What a version of a picture's or film's document is here."""
    document_id = identity(row, "id")
    if isinstance(document_id, NotTaken):
        return document_id
    kind = document_kind(row)
    if kind_of_word(kind) is None:
        return NotTaken(reason="unknown_kind", detail=f"It is no picture or film: {shown(kind)}")
    content = row.get("content")
    content = parsed(content) if isinstance(content, str) else content
    if not isinstance(content, Mapping):
        return NotTaken(reason="broken_content", detail="Its content is no JSON object.")
    remarks: list[str] = []
    file_id = other_id(content, remarks, "fileId")
    request_id = other_id(content, remarks, "requestId")
    asked = _asked(row)
    settings = mapping(content.get("settings"))
    urls = tuple(content.get(key) for key in ("imageUrl", "videoUrl", "audioUrl", "url"))
    user_id = other_id(row, remarks, "userId")
    told = Told(
        row=row,
        names=file_names(file_id, request_id, _names(row, document_id, file_id or request_id)),
        owner=f"chatbot:user:{user_id}" if user_id else None,
        type=kind,
        urls=urls,
        status=content.get("status"),
        reason=content.get("error"),
        prompt=_prompt(row, content, settings, asked),
        sources=(content, settings, asked),
        length=content.get("duration"),
        remarks=remarks,
    )
    return draft_of(told, clock)


def _asked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was asked for: the title of a picture is often the JSON of it."""
    return mapping(opened(row.get("title")))


def _prompt(row: Mapping[str, Any], *places: Mapping[str, Any]) -> Any:
    for place in places:
        prompt = first(place, "prompt")
        if prompt is not None:
            return prompt
    # Of what was asked for the JSON is the title itself.
    return None if places[-1] else row.get("title")


def _names(row: Mapping[str, Any], document_id: str, file: str | None) -> tuple[str, ...]:
    """Versions share the document's name; one that names no file has one of its own besides."""
    shared = f"chatbot:document:{document_id}"
    if file:
        return (shared,)
    # Not by the clock: a version's name must not change as time goes by.
    made_at = moment(row.get("createdAt"), _ANY_TIME)
    version = made_at.isoformat() if made_at else shown(row.get("createdAt"))
    return (f"{shared}:{version}", shared)


def written_document(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """Title and markdown of a text, a program or a sheet; None: it is none, or empty."""
    kind = document_kind(row)
    content = row.get("content")
    if kind not in WRITTEN_KINDS or not isinstance(content, str) or not content.strip():
        return None
    title = row.get("title")
    heading = thread_title(title) if isinstance(title, str) else None
    text = clean(content[:TEXT_CHARS_MAX])
    if kind == "code":
        text = fenced(text)
    elif kind == "sheet":
        text = _table(text) or fenced(text, "csv")
    else:
        text = linked(_without_title(text, heading))
    if len(content) > TEXT_CHARS_MAX:
        text += (
            f"\n\n[It had {len(content):,} characters in the old system; the first "
            f"{TEXT_CHARS_MAX:,} are kept.]"
        )
    return heading or "Untitled", text


def _without_title(text: str, heading: str | None) -> str:
    """The text without a heading that says what stands above it already."""
    first, _, rest = text.lstrip().partition("\n")
    said = first.lstrip("#").strip(" *_")
    is_double = first.startswith("#") and heading is not None and said == heading and rest.strip()
    return rest.lstrip("\n") if is_double else text


def fenced(text: str, language: str = "") -> str:
    """As it is, between fences longer than any within."""
    fence = "`" * (1 + max((len(run) for run in _FENCES.findall(text)), default=2))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _table(text: str) -> str | None:
    """A small sheet as a table; None: it is none, or too large."""
    try:
        rows = []
        for row in csv.reader(io.StringIO(text, newline="")):
            if row:
                rows.append(row)
            if len(rows) > TABLE_ROWS_MAX:
                return None
    except csv.Error:
        return None
    width = max((len(row) for row in rows), default=0)
    if not 0 < width <= TABLE_ROWS_MAX:
        return None
    lines = [_line(row, width) for row in rows]
    return "\n".join([lines[0], _line(["---"] * width, width), *lines[1:]])


def _line(row: list[str], width: int) -> str:
    cells = [" ".join(linked(cell).split()).replace("|", "\\|") for cell in row]
    return f"| {' | '.join(cells + [''] * (width - len(cells)))} |"
