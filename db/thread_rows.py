"""Chainlit's words and our columns: its `parentId` is our `parent_id`, `start` our `started_at`.

Pure functions, and the only place that knows both spellings. Towards us everything is made
storable first: Postgres knows no NUL, no lone surrogate and no NaN, and no message may be lost for
one of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from db.ids import parse_id

#: The element that draws a generation: it is stored as nothing but the id.
CARD = "GenerationCard"
#: The element that says a turn was cut off, and offers to take it up again.
INTERRUPTION = "InterruptedTurn"
#: Who answers in a chat; also the name of the avatar.
ASSISTANT = "Kinora"
NAME_CHARS_MAX = 120
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_OUR_MEDIA = re.compile(r"/media/([0-9a-fA-F-]{36})(?:[?#].*)?")

_STEP_COLUMNS = {
    "parentId": "parent_id",
    "name": "name",
    "type": "type",
    "input": "input",
    "output": "output",
    "isError": "is_error",
    "streaming": "streaming",
    "waitForAnswer": "wait_for_answer",
    "metadata": "metadata",
    "tags": "tags",
    "generation": "generation",
    "showInput": "show_input",
    "language": "language",
    "icon": "icon",
    "command": "command",
    "modes": "modes",
    "defaultOpen": "default_open",
    "autoCollapse": "auto_collapse",
    "createdAt": "created_at",
    "start": "started_at",
    "end": "ended_at",
}
_ELEMENT_COLUMNS = {
    "forId": "step_id",
    "type": "type",
    "name": "name",
    "display": "display",
    "mime": "mime",
    "chainlitKey": "chainlit_key",
    "props": "props",
    "size": "size",
    "language": "language",
    "page": "page",
    "autoPlay": "auto_play",
    "playerConfig": "player_config",
}
_MOMENTS = ("created_at", "started_at", "ended_at")


def storable(value: Any) -> Any:
    """The same text or JSON as Postgres takes it: U+FFFD in texts, null for NaN and infinity."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {storable(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def title(text: str | None) -> str | None:
    """A thread's name made of a message: one line of sensible length; None when nothing is left."""
    line = " ".join(storable((text or "")[: NAME_CHARS_MAX * 10]).split())
    if len(line) > NAME_CHARS_MAX:
        line = line[: NAME_CHARS_MAX - 1].rstrip() + "\u2026"
    return line or None


def known_id(value: object, what: str) -> UUID:
    """The UUID of a thing to be written.

    Raises:
        ValueError: it is none; such a thing can exist nowhere.
    """
    found = parse_id(value)
    if found is None:
        raise ValueError(f"the id of this {what} is not a UUID")
    return found


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def stamp(moment: datetime | str | None) -> str | None:
    """Chainlit's spelling of a moment, to the microsecond: it comes back in later writes."""
    if moment is None:
        return None
    if isinstance(moment, str) and moment.endswith("+00:00"):
        # As Postgres writes it; a thread has dozens of them.
        return moment[:-6] + "Z"
    known = _moment(moment) if isinstance(moment, str) else moment
    return known.astimezone(UTC).isoformat().replace("+00:00", "Z")


def step_values(step: Mapping[str, Any]) -> dict[str, Any]:
    """The columns this step says something about, without its ids; None says nothing."""
    values = {
        column: storable(step[key])
        for key, column in _STEP_COLUMNS.items()
        if step.get(key) is not None
    }
    for column in _MOMENTS:
        if column in values:
            values[column] = _moment(values[column])
    if "parent_id" in values:
        values["parent_id"] = known_id(values["parent_id"], "step's parent")
    if "show_input" in values:
        values["show_input"] = str(values["show_input"]).lower()
    return values


def step_dict(row: Mapping[str, Any]) -> dict[str, Any]:
    """Chainlit's step from a row as JSON; an input that is not to be shown stays back."""
    step = {key: row[column] for key, column in _STEP_COLUMNS.items()}
    for key in ("createdAt", "start", "end"):
        step[key] = stamp(step[key])
    if step["showInput"] in (None, "false"):
        step["input"] = ""
    step["showInput"] = {"true": True, "false": False}.get(step["showInput"], step["showInput"])
    return {
        **step,
        "id": row["id"],
        "threadId": row["thread_id"],
        "feedback": feedback_dict(row.get("feedback")),
    }


def mirrored(step_id: UUID) -> UUID:
    """Another id that means the same step; that of this one is the step's own again."""
    return UUID(int=step_id.int ^ ((1 << 128) - 1))


def in_runs(said: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Chainlit's steps of an imported thread, each answer in a run: only there its page shows how
    an answer is rated. Their runs are stored nowhere.
    """
    shown: list[dict[str, Any]] = []
    for step in said:
        if step["type"] != "assistant_message" or step["parentId"] is not None:
            shown.append(step)
            continue
        run = {key: step[key] for key in ("threadId", "createdAt", "start", "end", "feedback")}
        run |= {"id": str(mirrored(UUID(step["id"]))), "parentId": None, "type": "run"}
        run |= {"name": "on_message", "input": "", "output": ""}
        shown += [run, {**step, "parentId": run["id"], "feedback": None}]
    return shown


def feedback_dict(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Chainlit's feedback from a row as JSON."""
    if row is None:
        return None
    return {
        "id": row["id"],
        "forId": row["step_id"],
        "value": row["value"],
        "comment": row["comment"],
    }


def element_values(element: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of an element, without its ids and without its addresses.

    Raises:
        ValueError: a custom element whose name is no plain word; the page loads a file called so.
    """
    values = {
        column: storable(element[key])
        for key, column in _ELEMENT_COLUMNS.items()
        if element.get(key) is not None
    }
    if element.get("type") == "custom" and not str(element.get("name")).isidentifier():
        raise ValueError("the name of a custom element is a plain word")
    if "step_id" in values:
        values["step_id"] = parse_id(values["step_id"])
    if is_card(element):
        values["props"] = {}
    return values


def is_card(element: Mapping[str, Any]) -> bool:
    """Whether this element draws one of our generations."""
    return element.get("type") == "custom" and element.get("name") == CARD


def card_generation(element: Mapping[str, Any]) -> UUID | None:
    """The generation a card speaks of; None for every other element.

    Raises:
        ValueError: a card that speaks of none.
    """
    if not is_card(element):
        return None
    return known_id((element.get("props") or {}).get("generation_id"), "card's generation")


def media_asset(url: str | None) -> UUID | None:
    """The asset behind an address of ours; None for every other address: those are not kept."""
    ours = _OUR_MEDIA.fullmatch(url or "")
    return parse_id(ours.group(1)) if ours else None


def element_dict(row: Mapping[str, Any], readings: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Chainlit's element from a row as JSON; a card gets its generation's reading, if any."""
    element = {key: row[column] for key, column in _ELEMENT_COLUMNS.items()}
    if is_card(element):
        generation_id = row["generation_id"]
        element["props"] = {
            "generation_id": generation_id,
            "snapshot": readings.get(generation_id or ""),
            # What was imported may stand in several threads; a handle is one thread's.
            "thread_id": row["thread_id"],
        }
    return {
        **element,
        "id": row["id"],
        "threadId": row["thread_id"],
        "url": row["url"],
        "objectKey": None,
    }


def thread_dict(row: Mapping[str, Any]) -> dict[str, Any]:
    """Chainlit's thread from a row, still without its steps and elements."""
    return {
        "id": str(row["id"]),
        "createdAt": stamp(row["created_at"]),
        "name": row["name"],
        "userId": str(row["user_id"]),
        "userIdentifier": row["identifier"],
        "tags": row["tags"],
        "metadata": row["metadata"],
        "steps": [],
        "elements": [],
    }


def interruption(
    step_id: UUID, thread_id: UUID, started_at: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A notice that a turn was interrupted, as Chainlit's step and element; it is stored
    nowhere.
    """
    notice_id = str(uuid5(step_id, INTERRUPTION))
    step = {
        "id": notice_id,
        "threadId": str(thread_id),
        "parentId": None,
        "type": "assistant_message",
        "name": ASSISTANT,
        "output": "",
        "createdAt": stamp(started_at),
        "start": stamp(started_at),
        "end": stamp(started_at),
    }
    element = {
        "id": str(uuid5(step_id, f"{INTERRUPTION} element")),
        "threadId": str(thread_id),
        "forId": notice_id,
        "type": "custom",
        "name": INTERRUPTION,
        "display": "inline",
        "mime": "application/json",
        "props": {"turn": str(step_id), "notice": notice_id},
    }
    return step, element
