"""A file of SuperDuperAI: a row of its table, an object of its API, or something in between.

The table says status, prompt and address itself; the API's objects say them by their tasks, in the
order that made them, and as `url`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from importing.drafts import Clock, Draft, Kind, NotTaken
from importing.mapping.addresses import kind_of_word
from importing.mapping.drafting import Told, draft_of
from importing.mapping.standing import meaning_of
from importing.reading.values import first, identity, items, mapping, opened, other_id

_ORDERS: tuple[tuple[Kind, str], ...] = (
    ("image", "image_generation"),
    ("video", "video_generation"),
    ("audio", "audio_generation"),
)


def superduper_file(row: Mapping[str, Any], clock: Clock) -> Draft | NotTaken:
    """What this file is here."""
    file_id = identity(row, "file_id", "id")
    if isinstance(file_id, NotTaken):
        return file_id
    remarks: list[str] = []
    kind, order = _order(row, remarks)
    failed, are_done, reason = _tasks(row, remarks)
    prompt = first(row, "prompt")
    told = Told(
        row=row,
        names=(f"superduper:file:{file_id}",),
        owner=_owner(row, remarks),
        type=row.get("type"),
        kind_by_make=kind,
        urls=(row.get("download_url"), row.get("url")),
        status=row.get("status"),
        has_failed_task=failed,
        are_tasks_done=are_done,
        reason=first(row, "error", "error_message") or reason,
        prompt=order.get("prompt") if prompt is None else prompt,
        sources=(order, row),
        length=row.get("duration"),
        notes=_references(order),
        remarks=remarks,
    )
    return draft_of(told, clock)


def _owner(row: Mapping[str, Any], remarks: list[str]) -> str | None:
    user_id = other_id(row, remarks, "user_id", "userId")
    if user_id is not None:
        return f"superduper:user:{user_id}"
    project_id = other_id(row, remarks, "project_id", "projectId")
    return f"superduper:project:{project_id}" if project_id is not None else None


def _order(row: Mapping[str, Any], remarks: list[str]) -> tuple[Kind | None, Mapping[str, Any]]:
    """The order that made the file, and of which kind it is; that of the file's type first."""
    named = kind_of_word(row.get("type"))
    best: tuple[Kind | None, Mapping[str, Any]] = (None, {})
    for kind, key in _ORDERS:
        value = row.get(key)
        if value is None:
            continue
        order = opened(value)
        if not isinstance(order, Mapping):
            remarks.append(f"unreadable: {key}")
        elif best[0] is None or kind == named:
            best = (kind, order)
    return best


def _tasks(row: Mapping[str, Any], remarks: list[str]) -> tuple[bool, bool, Any]:
    """Whether one failed, whether all are done, and what the failed one says."""
    value = row.get("tasks")
    if value is None:
        return False, False, None
    tasks = opened(value)
    if not isinstance(tasks, list):
        remarks.append("unreadable: tasks")
        return False, False, None
    meanings = [meaning_of(mapping(task).get("status")) for task in tasks]
    if "failed" in meanings:
        task = mapping(tasks[meanings.index("failed")])
        return True, False, first(task, "error", "error_message", "message")
    return False, bool(meanings) and set(meanings) == {"completed"}, None


def _references(order: Mapping[str, Any]) -> tuple[str, ...]:
    count = len(items(order.get("references")))
    if not count:
        return ()
    pictures = "a reference picture" if count == 1 else f"{count} reference pictures"
    return (f"It was made with {pictures} of the old system, to which the link is not kept.",)
