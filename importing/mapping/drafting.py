"""A generation of ours from what a row tells: the same rules for every table that tells of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from importing.drafts import Clock, Draft, Kind, Medium, NotTaken, name_of_url
from importing.mapping.addresses import (
    OTHER_TYPES,
    first_url,
    kind_of_type,
    kind_of_word,
    type_by_url,
    type_of,
)
from importing.mapping.params import DURATION_S_MAX, model_of, params_of
from importing.mapping.standing import Signs, standing
from importing.reading.values import clean, date, is_missing, positive_number, shown, unique

PROMPT_CHARS_MAX = 20_000


@dataclass(slots=True, kw_only=True)
class Told:
    """What a row tells, in its own words."""

    row: Mapping[str, Any]
    #: In the ledger, the main one first.
    names: tuple[str | None, ...]
    owner: str | None
    #: The word for its kind, and the kind that the row's make betrays without one.
    type: Any
    kind_by_make: Kind | None = None
    #: Places where an address may stand, the best first.
    urls: tuple[Any, ...]
    status: Any
    has_failed_task: bool = False
    are_tasks_done: bool = False
    reason: Any = None
    prompt: Any
    #: Objects that say what was asked for, the best first.
    sources: tuple[Mapping[str, Any], ...]
    #: How long the file is.
    length: Any = None
    file_name: str | None = None
    notes: tuple[str, ...] = ()
    remarks: list[str] = field(default_factory=list)


def file_names(
    file_id: str | None, request_id: str | None, own: tuple[str, ...]
) -> tuple[str, ...]:
    """A thing's names in the ledger: its file's, or the request's where no file was named; its own;
    and the request's last.
    """
    file = (f"superduper:file:{file_id}",) if file_id else ()
    request = (f"superduper:file:{request_id}",) if request_id else ()
    return (*file, *own, *request) if file else (*request, *own)


def draft_of(told: Told, clock: Clock) -> Draft | NotTaken:
    """The generation that is told of."""
    url, was_given = first_url(told.urls)
    kind, is_kind_sure = _kind(told, url)
    if kind is None:
        word = str(told.type).strip().lower()
        return NotTaken(reason=word, detail=f"It is no picture, film or sound: its type is {word}.")
    remarks = told.remarks
    created_at = date(told.row, clock.now, remarks, "created_at", "createdAt")
    stands = standing(_signs(told, url, was_given), created_at, clock, remarks)
    if isinstance(stands, NotTaken):
        odd = f" ({', '.join(remarks)})" if remarks else ""
        return replace(stands, detail=stands.detail + odd)
    if url is None and any(not is_missing(value) for value in told.urls):
        remarks.append("unusable_url")
    prompt, notes = limited_prompt(told.prompt, "prompt", remarks)
    params = _params(told, remarks)
    media = (_medium(url, kind, told, params),) if url and stands.status == "completed" else ()
    return Draft(
        names=unique((*told.names, *(name_of_url(medium.url) for medium in media))),
        owner=told.owner,
        kind=kind,
        is_kind_sure=is_kind_sure,
        status=stands.status,
        prompt=prompt,
        model=model_of(told.sources, remarks),
        params=params,
        error=stands.error,
        notes=(*stands.notes, *notes, *told.notes),
        media=media,
        created_at=created_at,
        remarks=unique(remarks),
    )


def _kind(told: Told, url: str | None) -> tuple[Kind | None, bool]:
    """The kind and whether it is sure; None: it is none of ours."""
    word = told.type
    if isinstance(word, str) and word.strip().lower() in OTHER_TYPES:
        return None, True
    kind = kind_of_word(word)
    if kind is None and not is_missing(word):
        told.remarks.append(f"unknown_type: {shown(word)}")
    kind = kind or told.kind_by_make or kind_of_type(type_by_url(url))
    if kind is None and positive_number(told.length, DURATION_S_MAX) is not None:
        kind = "video"
    return kind or "image", kind is not None


def _signs(told: Told, url: str | None, was_given: bool) -> Signs:
    return Signs(
        word=told.status,
        has_failed_task=told.has_failed_task,
        are_tasks_done=told.are_tasks_done,
        has_url=was_given,
        is_url_usable=url is not None,
        reason=told.reason,
    )


def limited_prompt(value: Any, what: str, remarks: list[str]) -> tuple[str, tuple[str, ...]]:
    """A prompt of bearable length, and the note that it was cut."""
    if value is None:
        return "", ()
    if not isinstance(value, str):
        remarks.append(f"unreadable: {what}")
        return "", ()
    if len(value) <= PROMPT_CHARS_MAX:
        return clean(value), ()
    remarks.append(f"{what}_cut")
    shown_name = what.replace("_", " ")
    note = (
        f"The {shown_name} had {len(value):,} characters in the old system; the first "
        f"{PROMPT_CHARS_MAX:,} are kept."
    )
    return clean(value[:PROMPT_CHARS_MAX]), (note,)


def _params(told: Told, remarks: list[str]) -> dict[str, Any]:
    params = params_of(told.sources, remarks)
    for source in told.sources:
        value = source.get("negative_prompt") or source.get("negativePrompt")
        if value:
            text, notes = limited_prompt(value, "negative_prompt", remarks)
            told.notes += notes
            return {**params, "negative_prompt": text} if text else params
    return params


def _medium(url: str, kind: Kind, told: Told, params: Mapping[str, Any]) -> Medium:
    return Medium(
        url=url,
        media_type=type_of(url, kind),
        name=told.file_name,
        width_px=params.get("width_px"),
        height_px=params.get("height_px"),
        duration_s=None if kind == "image" else positive_number(told.length, DURATION_S_MAX),
    )
