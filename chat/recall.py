"""From the stored thread to the agent's words: steps become turns, and what was finished meanwhile,
what an old system had made, or what the page around the chat tells becomes a line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from agent.history import (
    Answered,
    Attachment,
    Called,
    Said,
    Turn,
    finished_line,
    imported_line,
    page_line,
)
from db import conversation, readings, users
from db.conversation import Imported, Spoken
from generations.contract import Caller
from runtime import Runtime
from tools.answers import OLD_SYSTEMS

ENDED = ("failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """The conversation before the message that is answered now."""

    turns: tuple[Turn, ...]
    news: tuple[str, ...]


async def recall(runtime: Runtime, caller: Caller, before: datetime) -> Recalled:
    """Read the caller's thread up to a moment, and what was settled since the last turn began."""
    if caller.thread_id is None:
        return Recalled(turns=(), news=())
    async with runtime.engine.connect() as connection:
        spoken = await conversation.read(
            connection, caller.user_id, caller.thread_id, before=before
        )
        asked = [step for step in spoken if step.type == "user_message"]
        finished = (
            await readings.finished_since(
                connection, caller.user_id, caller.thread_id, asked[-1].created_at
            )
            if asked
            else []
        )
        page = await users.page_context(connection, caller.user_id)
    turns, untold = turns_of(spoken)
    # What came from an old system is told where its card stands.
    news = [finished_line(one) for one in finished if one["provider"] not in OLD_SYSTEMS]
    return Recalled(turns=tuple(turns), news=(*untold, *news, *([page_line(page)] if page else ())))


@dataclass(slots=True)
class _Open:
    """A turn while its steps are gathered."""

    said: Said
    calls: list[Called] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def close(self) -> Turn:
        answered = []
        if self.calls:
            answered.append(Answered(calls=tuple(self.calls)))
        if text := "\n\n".join(text for text in self.texts if text.strip()):
            answered.append(Answered(text=text))
        return Turn(said=self.said, answered=tuple(answered))


def turns_of(spoken: Sequence[Spoken]) -> tuple[list[Turn], tuple[str, ...]]:
    """Group steps into turns, and the lines that the person's next message is to begin with: of
    imported pictures the model has no call, so each is told before what is said next.

    A conversation that begins with an answer, as imported documents do, begins with a turn in which
    the person said nothing.
    """
    turns: list[_Open] = []
    known: set[UUID] = set()
    lines: list[str] = []
    for step in spoken:
        new = [one for one in step.imported if one.id not in known]
        known.update(one.id for one in new)
        lines += map(_line, new)
        if step.type == "user_message":
            pictures = tuple(
                Attachment(asset_id=str(asset_id), name=name) for asset_id, name in step.pictures
            )
            turns.append(_Open(Said(text=step.output, attachments=pictures, lines=tuple(lines))))
            lines = []
        elif step.type == "tool":
            if turns:
                result = _json_object(step.output)
                turns[-1].calls.append(Called(name=step.name, arguments=step.input, result=result))
        else:
            if not turns:
                turns.append(_Open(Said(text="")))
            turns[-1].texts.append(step.output)
    return [turn.close() for turn in turns], tuple(lines)


def _line(one: Imported) -> str:
    name = f"#{one.number}" if one.number else str(one.id)
    if one.status == "completed":
        status = "completed" if one.has_file else "lost"
    else:
        # Behind `failed:` the studio's own lines have the reason.
        status = f"{one.status} before" if one.status in ENDED else "unfinished"
    return imported_line(name, one.kind, status, one.prompt)


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
