"""How a thing of an old system stands here: the first rule that fits decides.

What never came to its end over there has none here either: nothing imported is ever asked for
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from importing.drafts import Clock, DraftStatus, NotTaken
from importing.reading.values import clean, is_missing, shown

WITHOUT_RESULT = "Imported without a result: it was still in progress when it was brought over."
FAILED_THERE = "It had failed in the old system."
CANCELLED_THERE = "It was cancelled in the old system."
NO_FILE = "The old system called it completed, but kept no file of it."
NO_ADDRESS = (
    "Its file could not be brought over: the old system's address of it is none of the web."
)
FILE_OF_FAILED = "The old system named a file of it all the same; it was not brought over."
REASON_CHARS_MAX = 500

Word = Literal["failed", "cancelled", "completed", "in_progress"]
_MEANING: dict[str, Word] = {
    **dict.fromkeys(
        "error errored failed failure fail rejected timeout timed_out".split(), "failed"
    ),
    **dict.fromkeys("cancelled canceled aborted".split(), "cancelled"),
    **dict.fromkeys(
        "completed complete success succeeded done finished ready".split(), "completed"
    ),
    **dict.fromkeys(
        "in_progress inprogress pending queued processing running started streaming waiting "
        "created generating submitted".split(),
        "in_progress",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a row says about its end."""

    word: Any = None
    has_failed_task: bool = False
    are_tasks_done: bool = False
    has_url: bool = False
    is_url_usable: bool = False
    #: What went wrong, in the old system's words.
    reason: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The status here, and what is to be said about it."""

    status: DraftStatus
    error: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()


def meaning_of(word: Any) -> Word | None:
    """What a status of an old system means."""
    if not isinstance(word, str):
        return None
    return _MEANING.get(word[:40].strip().lower().replace("-", "_").replace(" ", "_"))


def standing(
    signs: Signs, created_at: datetime | None, clock: Clock, remarks: list[str]
) -> Standing | NotTaken:
    """How it stands; what may still come to its end is left for a later run."""
    meaning = meaning_of(signs.word)
    if meaning is None and not is_missing(signs.word):
        remarks.append(f"unknown_status: {shown(signs.word)}")
    if meaning in ("failed", "cancelled") or signs.has_failed_task:
        return _failed(signs, meaning)
    is_done = meaning == "completed" or (signs.are_tasks_done and is_missing(signs.word))
    if signs.has_url or is_done:
        return Standing(status="completed", notes=_lacks(signs))
    if clock.keeps_in_progress:
        return Standing(status="in_progress")
    if _is_stale(created_at, clock):
        return Standing(status="failed", error=("expired", WITHOUT_RESULT))
    return NotTaken(
        reason="younger",
        detail="It was in progress and may still come to its end: a later run takes it.",
    )


def _failed(signs: Signs, meaning: Word | None) -> Standing:
    sentence = CANCELLED_THERE if meaning == "cancelled" else FAILED_THERE
    if isinstance(signs.reason, str) and signs.reason.strip():
        said = " ".join(clean(signs.reason[: REASON_CHARS_MAX * 2]).split())
        sentence = f"{sentence[:-1]}: {said[:REASON_CHARS_MAX]}"
    notes = (FILE_OF_FAILED,) if signs.has_url else ()
    return Standing(status="failed", error=("provider_error", sentence), notes=notes)


def _lacks(signs: Signs) -> tuple[str, ...]:
    if signs.is_url_usable:
        return ()
    return (NO_ADDRESS,) if signs.has_url else (NO_FILE,)


def _is_stale(created_at: datetime | None, clock: Clock) -> bool:
    """Of what has no date the source's own is known: it is no younger than that."""
    began_at = created_at or clock.written_at
    return began_at is not None and began_at < clock.stale_before
