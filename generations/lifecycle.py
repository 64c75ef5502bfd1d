"""The life of a generation as pure rules: its statuses, who moves it on, and what an error means
for it.

Nothing here reads a clock, a database or a network; `advance` does what these functions say. The
chart:

    queued      -- worker: has a place, writes the intent, then sends -> submitting
    submitting  -- worker: the provider named its job -----------------> in_progress
                -- worker: the answer is the result itself ------------> storing
                -- worker: provably not sent, or refused for now ------> queued
                -- worker: the answer was lost and cannot be had ------> unknown
    in_progress -- worker: the provider has the result ----------------> storing
    storing     -- worker: the bytes are ours -------------------------> completed
                -- worker: the address expired, a new one is asked --> in_progress
    any open    -- worker: an error that cannot heal, or the deadline -> failed
    any open    -- worker: cancelled before or at the provider --------> cancelled
    queued      -- admission: cancelled before a worker took it -------> cancelled
    unknown     -- worker: late news of the job, by answer or webhook -> in_progress
                -- worker: the result came late after all -------------> storing
                -- admission: dropped by the person -------------------> cancelled
                -- sweep: nobody answered for 24 h --------------------> failed
    settled but completed -- admission: retry (attempt + 1) -----------> queued
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from providers.contract import (
    AnswerLost,
    BlockedUrl,
    Busy,
    Cancelled,
    ErrorCode,
    Failed,
    Gone,
    JobState,
    LostSubmit,
    Malformed,
    NeverSent,
    ProviderError,
    Rejected,
    Succeeded,
    TooLarge,
    Unreachable,
)


class Status(StrEnum):
    """Where a generation stands; the comment names who moves it on."""

    QUEUED = "queued"  # the worker, or a cancel
    SUBMITTING = "submitting"  # the worker; the intent is on record, the request may be on its way
    IN_PROGRESS = "in_progress"  # the worker, by asking the provider
    STORING = "storing"  # the worker, copying the result to our storage
    COMPLETED = "completed"  # nobody: final
    FAILED = "failed"  # a person's retry
    CANCELLED = "cancelled"  # a person's retry
    UNKNOWN = "unknown"  # a person's retry or drop; the sweep after 24 h


OPEN = frozenset({Status.QUEUED, Status.SUBMITTING, Status.IN_PROGRESS, Status.STORING})
SETTLED = frozenset(Status) - OPEN
RETRYABLE = frozenset({Status.FAILED, Status.CANCELLED, Status.UNKNOWN})
#: A cancel of these needs no word from the provider.
CANCELLED_AT_ONCE = frozenset({Status.QUEUED, Status.UNKNOWN})

MOVES: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.SUBMITTING, Status.FAILED, Status.CANCELLED}),
    Status.SUBMITTING: frozenset(set(Status) - {Status.SUBMITTING, Status.COMPLETED}),
    Status.IN_PROGRESS: frozenset({Status.STORING, Status.FAILED, Status.CANCELLED}),
    Status.STORING: frozenset(
        {Status.COMPLETED, Status.IN_PROGRESS, Status.FAILED, Status.CANCELLED}
    ),
    Status.UNKNOWN: frozenset(
        {Status.IN_PROGRESS, Status.STORING, Status.QUEUED, Status.CANCELLED, Status.FAILED}
    ),
    Status.FAILED: frozenset({Status.QUEUED}),
    Status.CANCELLED: frozenset({Status.QUEUED}),
    Status.COMPLETED: frozenset(),
}

#: Waiting before an open row is tried again: doubled each time, with jitter, up to the cap.
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 30.0
#: A provider that refuses everybody is left alone: doubled at each refusal in a row, up to the cap;
#: first and most for one that is busy, and for one that wants its account topped up.
PAUSES_S = {"rate_limited": (2.0, 60.0), "out_of_credit": (60.0, 600.0)}
#: One answer that nobody understands may be somebody's on the way; so many in a row are the
#: provider's own.
MALFORMED_MAX = 3
#: After the deadline the provider is asked until it answers, but no more often than this.
LAST_ASKS = 3
LAST_ASK_GAP_S = 2.0
#: A person who cancels what may have been sent is not kept waiting for longer.
UNWANTED_S = 30.0
#: A queued generation that found no painter for a day is over, and so is an unknown one nobody
#: decided on.
QUEUED_MAX_S = 24 * 3600.0
UNKNOWN_MAX_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Again:
    """The step is done, the generation is not: call `advance` again after this many seconds."""

    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more for this driver: settled, or somebody else's."""


Verdict = Again | Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Stay in this status (or go back to queued, for a submit) and try again later."""

    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Back into the line, behind a pause of the provider, which takes nothing from anybody now."""

    asked_for_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """End here with this error."""

    status: Status
    code: ErrorCode
    message: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """Find out what became of a lost submit, by the route's way."""

    way: LostSubmit


#: The provider cannot be asked what became of the request: the person decides.
GIVEN_UP = Settle(
    status=Status.UNKNOWN,
    code="submit_unknown",
    message=(
        "The request was sent, but its answer never came, and this provider cannot be asked "
        "about it. It may have been charged. Try again, or drop it."
    ),
    retryable=True,
)


def may_move(old: Status, new: Status) -> bool:
    """Whether the chart has this arrow."""
    return new in MOVES[old]


def backoff_s(tries: int, *, asked_for_s: float | None = None) -> float:
    """Seconds until the next try after `tries` failures; what the provider asked for is the
    least.
    """
    doublings = min(max(tries - 1, 0), 16)
    exponential = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0**doublings)
    jittered = exponential * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, keeps no secret
    return max(jittered, asked_for_s or 0.0)


def pause_s(code: str, streak: int, *, asked_for_s: float | None = None) -> float:
    """Seconds in which nothing is sent to a provider after its `streak`th refusal in a row."""
    first_s, most_s = PAUSES_S[code]
    doubled = first_s * 2.0 ** min(max(streak - 1, 0), 16)
    return max(min(most_s, doubled), asked_for_s or 0.0)


def after_submit_error(
    error: ProviderError, way: LostSubmit, tries: int, *, hears: bool = False
) -> Wait | Line | Settle | Ask:
    """What a failed submit means. Only errors that prove the request was not accepted lead to
    another send. `hears`: webhooks reach us.
    """
    if isinstance(error, Busy):
        return Line(asked_for_s=error.retry_after_s)
    if isinstance(error, NeverSent):
        return Wait(after_s=backoff_s(tries, asked_for_s=error.retry_after_s))
    if isinstance(error, (AnswerLost, Unreachable)):
        return lost_submit(way, hears=hears)
    return _settled_by(error)


def after_look_error(error: ProviderError, tries: int) -> Wait | Settle:
    """What a failed look means (poll, cancel, download, or a repeat under the same key): our
    trouble to look says nothing about the job.
    """
    if isinstance(error, Malformed) and tries < MALFORMED_MAX:
        return Wait(after_s=backoff_s(tries))
    if isinstance(error, (Gone, Malformed, Rejected, BlockedUrl, TooLarge)):
        return _settled_by(error)
    # Also a key that is not accepted any more: the operator may mend it before the deadline.
    return Wait(after_s=backoff_s(tries, asked_for_s=error.retry_after_s))


def lost_submit(way: LostSubmit, *, hears: bool = False) -> Ask | Settle:
    """What becomes of a submit whose answer never came: asked about, or waited for, where that is
    possible, else unknown. Without a public address no webhook can come.
    """
    possible = way in ("key", "lookup") or (way == "webhook" and hears)
    return Ask(way) if possible else GIVEN_UP


def before_intent(*, is_cancelled: bool, overdue: bool) -> Status:
    """Where a queued one goes that is taken up: `submitting` is the intent to send."""
    if is_cancelled:
        return Status.CANCELLED
    return Status.FAILED if overdue else Status.SUBMITTING


def before_send(
    *, claim: int, claim_now: int | None, first: bool, is_cancelled: bool
) -> Status | None:
    """What is done right before a request leaves, by the row as it stands in this moment:
    `submitting` sends, None leaves it to whoever has taken the row over.
    """
    if claim_now != claim:
        return None
    # Of a repeat the provider may have the job already: a cancel is for whoever looks at that.
    return Status.CANCELLED if first and is_cancelled else Status.SUBMITTING


def clear_up(way: LostSubmit, *, hears: bool, overdue: bool, unwanted: bool) -> Ask | Settle:
    """What is done about a request that may have been sent, of which nothing was heard so far. To
    look it up costs nothing, so that is done before it is given up, too.
    """
    meaning = lost_submit(way, hears=hears)
    return GIVEN_UP if way != "lookup" and (overdue or unwanted) else meaning


def is_unwanted(now: datetime, cancel_requested_at: datetime | None) -> bool:
    """Whether a person who cancelled has waited long enough for what may have been sent."""
    waited = timedelta() if cancel_requested_at is None else now - cancel_requested_at
    return waited > timedelta(seconds=UNWANTED_S)


def is_stray(*, attempt: int, job_id: str, attempt_now: int, job_id_now: str | None) -> bool:
    """Whether a job whose answer came too late to be stored is fetched by nobody. Under one key two
    sends bring one job: whoever stores it second has nothing to stop.
    """
    return (attempt, job_id) != (attempt_now, job_id_now)


def may_rescue(status: Status, *, has_job: bool) -> bool:
    """Whether news of its job take a generation up again; one that had a job was decided on."""
    return status is Status.UNKNOWN and not has_job


def after_look(state: JobState, *, overdue: bool, is_cancelled: bool) -> Status:
    """Where a job that was looked at takes its generation; what is done is never too late. One that
    was stopped after its deadline, without a wish, was stopped by a driver that then died.
    """
    if isinstance(state, Succeeded):
        return Status.STORING
    if isinstance(state, Failed):
        return Status.FAILED
    if isinstance(state, Cancelled) and (is_cancelled or not overdue):
        return Status.CANCELLED
    return Status.FAILED if overdue else Status.IN_PROGRESS


def look_again_s(meaning: Wait, *, overdue: bool, last_asks: int) -> float | None:
    """Seconds until the next look after one that failed; None: its time is up, and it was asked
    `last_asks` times since. An outage of ours discards no paid film.
    """
    if not overdue:
        return meaning.after_s
    return LAST_ASK_GAP_S if last_asks < LAST_ASKS else None


def after_end(status: Status, *, hears: bool) -> Verdict:
    """Whether a driver goes on after a settlement: a word that came right before an unknown one was
    given up has found nobody to wake.
    """
    return Again() if hears and status is Status.UNKNOWN else Done()


def is_overdue(now: datetime, *, deadline_at: datetime | None, queued_at: datetime) -> bool:
    """Whether the time is up: of the job since its submit, else of the waiting for one."""
    if deadline_at is not None:
        return now > deadline_at
    return now - queued_at > timedelta(seconds=QUEUED_MAX_S)


def _settled_by(error: ProviderError) -> Settle:
    retryable = not isinstance(error, Gone) and error.code not in ("content_policy",)
    return Settle(status=Status.FAILED, code=error.code, message=error.message, retryable=retryable)
