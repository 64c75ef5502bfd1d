"""The rows of Super Chatbot's tables, but for its `messages` and `documents`.

It made everything through SuperDuperAI, so its rows mostly name a file there; that name goes first,
and what both systems tell of becomes one thing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.identity import NoEmail, normal_email
from db.thread_rows import title as thread_title
from importing.drafts import Clock, Draft, NotTaken
from importing.mapping.drafting import Told, draft_of, file_names
from importing.reading.values import (
    date,
    first,
    identity,
    mapping,
    opened,
    other_id,
    read_id,
    shown,
)

_GUEST = re.compile(r"guest-\d+", re.ASCII)
EMAIL_CHARS_MAX = 400
_TRUTHS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the old chat; a guest, and whoever has no address that could be one, has no
    `email`.
    """

    id: str
    email: str | None
    is_guest: bool
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A conversation, without its messages."""

    id: str
    user_id: str
    title: str | None
    created_at: datetime | None
    #: Everybody with the link could read it there.
    is_public: bool
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A thumb, up or down."""

    chat_id: str
    message_id: str
    is_upvoted: bool


def generated_media(row: Mapping[str, Any], clock: Clock) -> Draft | NotTaken:
    """What a row of `GeneratedMedia` is here."""
    media_id = identity(row, "id")
    if isinstance(media_id, NotTaken):
        return media_id
    remarks: list[str] = []
    file_id = other_id(row, remarks, "fileId")
    request_id = other_id(row, remarks, "requestId")
    settings = opened(row.get("settings"))
    if settings is not None and not isinstance(settings, Mapping):
        remarks.append("unreadable: settings")
    told = Told(
        row=row,
        names=file_names(file_id, request_id, (f"chatbot:media:{media_id}",)),
        owner=_owner(row, remarks),
        type=row.get("type"),
        urls=(row.get("url"),),
        status=row.get("status"),
        reason=row.get("error"),
        prompt=row.get("prompt"),
        sources=(row, mapping(settings)),
        length=first(mapping(settings), "duration"),
        remarks=remarks,
    )
    return draft_of(told, clock)


def _owner(row: Mapping[str, Any], remarks: list[str]) -> str | None:
    user_id = other_id(row, remarks, "userId")
    if user_id is not None:
        return f"chatbot:user:{user_id}"
    session_id = other_id(row, remarks, "sessionId")
    return f"chatbot:session:{session_id}" if session_id is not None else None


def person(row: Mapping[str, Any]) -> Person | NotTaken:
    """Who a row of `User` is; the password is not taken over, nor the balance."""
    user_id = identity(row, "id")
    if isinstance(user_id, NotTaken):
        return user_id
    said = first(row, "email")
    if said is None:
        return Person(id=user_id, email=None, is_guest=True)
    if not isinstance(said, str) or len(said) > EMAIL_CHARS_MAX:
        return Person(id=user_id, email=None, is_guest=False, remarks=("unreadable: email",))
    if _GUEST.fullmatch(said.strip()):
        return Person(id=user_id, email=None, is_guest=True)
    try:
        return Person(id=user_id, email=normal_email(said), is_guest=False)
    except NoEmail:
        remark = f"no_email_address: {shown(said)}"
        return Person(id=user_id, email=None, is_guest=False, remarks=(remark,))


def chat(row: Mapping[str, Any], now: datetime | None = None) -> Chat | NotTaken:
    """The conversation that a row of `Chat` is."""
    chat_id = identity(row, "id")
    if isinstance(chat_id, NotTaken):
        return chat_id
    user_id = read_id(first(row, "userId"))
    if user_id is None:
        return NotTaken(reason="no_owner", detail="The conversation names nobody whose it is.")
    remarks: list[str] = []
    title = row.get("title")
    if title is not None and not isinstance(title, str):
        remarks.append("unreadable: title")
    return Chat(
        id=chat_id,
        user_id=user_id,
        title=thread_title(title) if isinstance(title, str) else None,
        created_at=date(row, now, remarks, "createdAt"),
        is_public=row.get("visibility") == "public",
        remarks=tuple(remarks),
    )


def vote(row: Mapping[str, Any]) -> Vote | NotTaken:
    """The thumb that a row of `Vote_v2`, or of the deprecated `Vote`, is."""
    chat_id, message_id = read_id(row.get("chatId")), read_id(row.get("messageId"))
    if chat_id is None or message_id is None:
        return NotTaken(reason="no_id", detail="It names no message of a conversation.")
    said = row.get("isUpvoted")
    is_upvoted = _TRUTHS.get(str(said).lower()) if isinstance(said, bool | str) else None
    if is_upvoted is None:
        return NotTaken(reason="broken_vote", detail=f"It is neither up nor down: {shown(said)}")
    return Vote(chat_id=chat_id, message_id=message_id, is_upvoted=is_upvoted)


def project(row: Mapping[str, Any]) -> tuple[str, str] | NotTaken:
    """A project of SuperDuperAI and the user of the chat whose it is, from `UserProject`."""
    project_id, user_id = read_id(row.get("projectId")), read_id(row.get("userId"))
    if project_id is None or user_id is None:
        return NotTaken(reason="no_id", detail="It names no project of somebody.")
    return project_id, user_id
