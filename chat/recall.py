"""From the stored thread to the agent's words: steps become turns, and what was finished meanwhile
or is told by the page around the chat becomes a line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.history import Answered, Attachment, Called, Said, Turn, finished_line, page_line
from db import conversation, readings, users
from db.conversation import Spoken
from generations.contract import Caller
from runtime import Runtime


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
    return Recalled(
        turns=tuple(turns_of(spoken)),
        news=(*map(finished_line, finished), *([page_line(page)] if page else ())),
    )


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


def turns_of(spoken: Sequence[Spoken]) -> list[Turn]:
    """Group steps into turns; what stands before the first message of a person belongs to none."""
    turns: list[_Open] = []
    for step in spoken:
        if step.type == "user_message":
            pictures = tuple(
                Attachment(asset_id=str(asset_id), name=name) for asset_id, name in step.pictures
            )
            turns.append(_Open(Said(text=step.output, attachments=pictures)))
        elif turns and step.type == "tool":
            result = _json_object(step.output)
            turns[-1].calls.append(Called(name=step.name, arguments=step.input, result=result))
        elif turns:
            turns[-1].texts.append(step.output)
    return [turn.close() for turn in turns]


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
