"""Two rows of two old systems that speak of one generation: the fuller fields of either.

Which of them is read first makes no difference to what comes of it, so that both systems may be
imported together or one after the other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from db.ids import new_id
from db.imported import Imported, NewFile
from importing.drafts import Clock, Draft
from importing.writing.owners import Owner

UNKNOWN_MODEL = "unknown"
#: The media backend, as a provider is called; the other is `chatbot`.
BACKEND = "superduper"
#: Which word about how it ended is believed: a file proves itself.
_WITH_FILE = 4
_SAYS = {"failed": 3, "completed": 2, "in_progress": 1}


def begun(draft: Draft, legacy_id: str, owner: Owner, clock: Clock) -> Imported:
    """The generation that a first row makes."""
    code, message = draft.error or (None, None)
    created_at = draft.created_at or clock.now
    return Imported(
        id=new_id(created_at),
        user_id=owner.id,
        legacy_id=legacy_id,
        kind=draft.kind,
        status=draft.status,
        prompt=draft.prompt,
        model=draft.model or UNKNOWN_MODEL,
        provider=legacy_id.partition(":")[0],
        params=draft.params,
        error_code=code,
        error_message=message,
        notes=list(draft.notes),
        created_at=created_at,
        files=len(draft.media),
    )


def joined(held: Imported, draft: Draft, legacy_id: str, owner: Owner, clock: Clock) -> Imported:
    """The same with what another row adds; equal to `held` when that is nothing."""
    new = begun(draft, legacy_id, owner, clock)
    # The backend made it, whoever told of it first.
    named = max(held, new, key=lambda one: (one.provider == BACKEND, one is held))
    better, other = (new, held) if _proof(new) > _proof(held) else (held, new)
    return replace(
        held,
        user_id=owner.id,
        legacy_id=named.legacy_id,
        provider=named.provider,
        kind=better.kind if draft.is_kind_sure else held.kind,
        status=better.status,
        prompt=max(held.prompt, new.prompt, key=_fullness),
        model=max({held.model, new.model} - {UNKNOWN_MODEL}, key=_fullness, default=UNKNOWN_MODEL),
        params=_fuller(held.params, new.params),
        error_code=better.error_code,
        error_message=better.error_message,
        # What is odd about the word that is not believed is of no use.
        notes=better.notes or (other.notes if better.status == other.status else []),
        created_at=held.created_at
        if draft.created_at is None
        else min(held.created_at, new.created_at),
        files=held.files or new.files,
    )


def files_of(held: Imported, draft: Draft) -> list[NewFile]:
    """The files that a row brings, none of which is here."""
    return [
        NewFile(
            user_id=held.user_id,
            generation_id=held.id,
            position=position,
            url=medium.url,
            media_type=medium.media_type,
            name=medium.name,
            width_px=medium.width_px,
            height_px=medium.height_px,
            duration_s=medium.duration_s,
            created_at=held.created_at,
        )
        for position, medium in enumerate(draft.media)
    ]


def _proof(held: Imported) -> int:
    return _WITH_FILE if held.files else _SAYS[held.status]


def _fuller(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {name: max(one[name], other[name], key=_fullness) for name in one.keys() & other.keys()}
    return {**one, **other, **both}


def _fullness(value: object) -> tuple[int, str]:
    """The longer one says more; between equals nobody cares, but it must be the same one always."""
    return len(str(value)), str(value)
