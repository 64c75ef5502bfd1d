"""What a row of an old system means in our words, before anything is written.

Names in the ledger (`db.imported`) say system, thing and id: `superduper:file:<id>`,
`superduper:user:<id>`, `superduper:project:<id>`, `chatbot:user:<id>`, `chatbot:session:<id>`,
`chatbot:media:<id>`, `chatbot:document:<id>`, `chatbot:chat:<id>`, `chatbot:message:<id>`, and
`url:<hash>` for a file known by its address only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Kind = Literal["image", "video", "audio"]
DraftStatus = Literal["completed", "failed", "in_progress"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """By what time the rows are judged."""

    #: This moment, aware.
    now: datetime
    #: What is in progress and began before it has no result any more.
    stale_before: datetime
    #: Rows in progress are taken as such, whatever their age.
    keeps_in_progress: bool = False
    #: The source says nothing younger than this; None: it is read live.
    written_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """One file of a generation or of a message, where the old system kept it. `media_type` is the
    best guess: what it is, decoding will show.
    """

    url: str
    media_type: str
    name: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A generation as one row of an old system tells of it."""

    #: All its names in the ledger, the main one first; never empty.
    names: tuple[str, ...]
    #: The ledger's name of whoever it belongs to; None: the row does not say.
    owner: str | None
    kind: Kind
    #: False: nothing in the row says what kind it is, so another row's word counts more.
    is_kind_sure: bool = True
    status: DraftStatus
    prompt: str = ""
    model: str | None = None
    #: Neutral names: negative_prompt, style, aspect_ratio, width_px, height_px, resolution,
    #: duration_s, seed, steps, shot_size; only what is known.
    params: dict[str, Any] = field(default_factory=dict)
    #: Code of ours and a sentence, for failed ones.
    error: tuple[str, str] | None = None
    #: What a person should know besides.
    notes: tuple[str, ...] = ()
    media: tuple[Medium, ...] = ()
    #: Aware; None: unknown, or no moment a calendar has.
    created_at: datetime | None = None
    #: What was odd about the row, for the report: `unknown_status: weird`.
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """A row that becomes nothing here, and why: `reason` is one of a few words (`younger`, `text`,
    `broken`, ...), `detail` a sentence.
    """

    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A picture, film or sound in a message: one that is known by one of its names, or else new."""

    names: tuple[str, ...]
    kind: Kind
    medium: Medium | None
    prompt: str = ""
    #: Given by the person, not made: it is no generation.
    is_upload: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message."""

    id: str
    chat_id: str
    role: Literal["user", "assistant"]
    #: Markdown.
    text: str
    #: In the order in which they stand in the message.
    mentions: tuple[Mention, ...] = ()
    #: Ids of written documents (text, code, sheets) whose contents belong below the text.
    documents: tuple[str, ...] = ()
    created_at: datetime | None = None
    remarks: tuple[str, ...] = ()


def name_of_url(url: str) -> str:
    """The ledger's name of a file that is known by its address."""
    return f"url:{hashlib.sha256(url.encode('utf-8', 'replace')).hexdigest()[:40]}"
