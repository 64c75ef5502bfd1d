"""A small world around the rules of a generation's life: rows that are moved by compare-and-set, a
provider with a ledger of its own, news, a line, a clock that is turned. Every decision in it is
`generations.lifecycle`'s; what is here is only what the rules are asked about.

Each write passes the witness, who knows nothing of the rules and holds what was promised.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from generations import lifecycle
from generations.lifecycle import Status
from providers.contract import (
    AnswerLost,
    Busy,
    Cancelled,
    Failed,
    Gone,
    JobState,
    LostSubmit,
    Malformed,
    NeverSent,
    OutOfCredit,
    Output,
    ProviderError,
    Rejected,
    Running,
    Succeeded,
    Unauthorized,
    Unreachable,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
DEADLINE_S = 600.0
PATIENCE_S = 30.0
#: What a move compares; `test_any_life` holds it against the statement of `db.generations`.
COMPARED = ("id", "status", "attempt", "claim")
CHART = {old: frozenset(news) for old, news in lifecycle.MOVES.items()}
#: What a call meets, by the luck of 0 (well) to 15; all that is not named goes well.
SUBMIT_LUCK: dict[int, type[ProviderError]] = {
    8: Busy,
    9: OutOfCredit,
    10: NeverSent,
    11: Rejected,
    12: AnswerLost,
    15: Unauthorized,
}
LOSES_ITS_ANSWER = (6, 7, 13, 14)
LOOK_LUCK: dict[int, type[ProviderError]] = {
    10: Unreachable,
    11: Unreachable,
    12: Malformed,
    13: Busy,
    14: Unauthorized,
    15: Malformed,
}
FETCH_GONE = 9
QUICK = (4, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The columns of a generation that decide anything."""

    id: int
    way: LostSubmit
    queued_at: datetime
    status: Status = Status.QUEUED
    attempt: int = 1
    claim: int = 0
    job: str | None = None
    code: str | None = None
    charged: str = "no"
    cost: int | None = None
    waits: bool = False
    placed: bool = False
    deleted: bool = False
    deadline_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(slots=True)
class RemoteJob:
    """One paid job, as the provider knows it; `asks`: when, and whether it was answered."""

    id: str
    of: tuple[int, int]
    cost: int
    state: str = "running"
    asks: list[tuple[datetime, str]] = field(default_factory=list)
    is_forgotten: bool = False
    lost_result: bool = False


@dataclass(slots=True)
class Clock:
    now: datetime = START

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(slots=True)
class RemoteProvider:
    """Takes, makes, loses, refuses, as luck has it; `accepted` counts by generation and attempt."""

    clock: Clock
    jobs: dict[str, RemoteJob] = field(default_factory=dict)
    accepted: Counter[tuple[int, int]] = field(default_factory=Counter)
    looked_up: set[tuple[int, int]] = field(default_factory=set)
    garbled: Counter[tuple[int, int]] = field(default_factory=Counter)
    is_away: bool = False
    paused_until: datetime = START
    streak: int = 0

    def submit(self, row: Life, luck: int) -> str | ProviderError:
        """The job, or what the driver sees instead; lost answers may have been accepted."""
        if self.is_away:
            return NeverSent("nobody there")
        if luck in SUBMIT_LUCK and SUBMIT_LUCK[luck] is not Rejected:
            return SUBMIT_LUCK[luck]("no luck")
        of = row.id, row.attempt
        job = self.job_of(of) if row.way == "key" else None
        if job is None:
            if luck in SUBMIT_LUCK:
                return SUBMIT_LUCK[luck]("not this one")
            self.accepted[of] += 1
            number = len(self.jobs) + 1
            job = self.jobs[f"j{number}"] = RemoteJob(
                f"j{number}", of, cost=number, state="done" if luck in QUICK else "running"
            )
        return AnswerLost("no answer") if luck in LOSES_ITS_ANSWER else job.id

    def job_of(self, of: tuple[int, int]) -> RemoteJob | None:
        return next((job for job in self.jobs.values() if job.of == of), None)

    def find(self, row: Life, luck: int) -> str | None:
        of = row.id, row.attempt
        try:
            self._meet(luck)
        except Malformed:
            self.garbled[of] += 1
            raise
        self.looked_up.add(of)
        job = self.job_of(of)
        return None if job is None else job.id

    def poll(self, job_id: str, luck: int) -> JobState:
        job = self.jobs[job_id]
        try:
            self._meet(luck)
        except ProviderError:
            job.asks.append((self.clock.now, "nothing"))
            raise
        job.asks.append((self.clock.now, job.state))
        if job.is_forgotten:
            raise Gone("not known")
        states: dict[str, JobState] = {
            "running": Running(),
            "done": Succeeded(outputs=(Output(url=job_id),), cost_usd=job.cost),
            "failed": Failed(code="provider_error", message="it broke"),
            "cancelled": Cancelled(),
        }
        return states[job.state]

    def cancel(self, job_id: str, luck: int) -> None:
        self._meet(luck)
        if self.jobs[job_id].state == "running":
            self.jobs[job_id].state = "cancelled"

    def fetch(self, job_id: str, luck: int) -> None:
        self._meet(luck)
        job = self.jobs[job_id]
        if job.is_forgotten or luck == FETCH_GONE:
            job.lost_result = True
            raise Gone("expired")

    def _meet(self, luck: int) -> None:
        if self.is_away:
            raise Unreachable("nobody there")
        if luck in LOOK_LUCK:
            raise LOOK_LUCK[luck]("no luck")


class Broken(AssertionError):
    """A promise that was not kept."""


def hold(kept: bool, promise: str, *seen: object) -> None:
    if not kept:
        raise Broken(promise, *seen)


@dataclass(slots=True)
class World:
    """Rows, calls of the engine, news and files; `hears`: webhooks reach us."""

    hears: bool
    clock: Clock
    provider: RemoteProvider
    rows: dict[int, Life] = field(default_factory=dict)
    todo: set[int] = field(default_factory=set)
    #: Generation -> the driver whose call it is; None: of a dead worker.
    doing: dict[int, object | None] = field(default_factory=dict)
    words: dict[tuple[int, int], str] = field(default_factory=dict)
    unread: set[tuple[int, int]] = field(default_factory=set)
    assets: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    costs: dict[tuple[int, int], int] = field(default_factory=dict)

    def is_overdue(self, row: Life) -> bool:
        return lifecycle.is_overdue(
            self.clock.now, deadline_at=row.deadline_at, queued_at=row.queued_at
        )

    def is_unwanted(self, row: Life) -> bool:
        return lifecycle.is_unwanted(self.clock.now, row.cancel_requested_at)

    def deadline(self) -> datetime:
        return self.clock.now + timedelta(seconds=DEADLINE_S)

    def accept(self, way: LostSubmit) -> None:
        row = Life(id=len(self.rows) + 1, way=way, queued_at=self.clock.now)
        self.rows[row.id] = row
        self.todo.add(row.id)

    def claim(self, generation_id: int) -> Life:
        row = self.rows[generation_id]
        self.rows[row.id] = replace(row, claim=row.claim + 1)
        return self.rows[row.id]

    def move(self, known: Life, to: Status, by: str = "driver", **values: Any) -> Life | None:
        """As `db.generations.move`, and as `Hands.move` refuses what the chart has not."""
        now = self.rows[known.id]
        if any(getattr(now, name) != getattr(known, name) for name in COMPARED):
            return None
        may = to is known.status or lifecycle.may_move(known.status, to)
        hold(may, "the chart has no such arrow", known.status, to)
        hold(by != "driver" or known.claim == now.claim, "an older claim writes", known, now)
        return self.write(now, by, status=to, **values)

    def write(self, now: Life, by: str, **values: Any) -> Life:
        new = replace(now, **values)
        if new.status is not now.status:
            if new.status in lifecycle.SETTLED:
                new = replace(new, finished_at=self.clock.now, waits=False)
            self._witness_move(now, new, by)
        if new.cost is not None:
            self.note_cost((new.id, new.attempt), new.cost)
        self.rows[new.id] = new
        return new

    def note_cost(self, of: tuple[int, int], cost: int) -> None:
        hold(self.costs.setdefault(of, cost) == cost, "a cost is written once", of, cost)

    def complete(self, row: Life) -> None:
        """Status and files change together."""
        if self.move(row, Status.COMPLETED) is not None:
            self.assets[row.id].append(row.attempt)

    def tell(self, job: RemoteJob) -> None:
        """News of a job come in, as `db.webhook_notes.note` takes them."""
        row = self.rows[job.of[0]]
        if not self.hears or self.words.get(job.of) == job.id + job.state:
            return
        self.words[job.of] = job.id + job.state
        self.unread.add(job.of)
        is_gone = row.status in lifecycle.SETTLED and row.deleted
        if (row.status is Status.UNKNOWN or job.of[1] != row.attempt) and not is_gone:
            self.todo.add(row.id)

    def heard(self, of: tuple[int, int]) -> str | None:
        job = self.provider.job_of(of) if of in self.words else None
        return None if job is None else job.id

    def sweep(self) -> None:
        """Calls of the dead, places that came free, forgotten calls, what nobody decided."""
        self.todo |= {row for row, driver in self.doing.items() if driver is None}
        self.doing = {row: driver for row, driver in self.doing.items() if driver is not None}
        for row in list(self.rows.values()):
            late = self.clock.now - row.queued_at > timedelta(seconds=lifecycle.QUEUED_MAX_S)
            if row.waits and (late or self.clock.now >= self.provider.paused_until):
                self.rows[row.id] = replace(row, waits=False, placed=True)
                self.todo.add(row.id)
            elif row.status in lifecycle.OPEN and not row.waits and row.id not in self.doing:
                self.todo.add(row.id)
            undecided = timedelta(seconds=lifecycle.UNKNOWN_MAX_S)
            finished_at = row.finished_at or self.clock.now
            if row.status is Status.UNKNOWN and self.clock.now - finished_at > undecided:
                self.move(row, Status.FAILED, by="sweep", code="submit_unknown")

    def _witness_move(self, old: Life, new: Life, by: str) -> None:
        of = old.id, old.attempt
        job = self.provider.jobs[old.job] if old.job else None
        hold(new.status in CHART[old.status], "a move that is not charted", old, new)
        if old.status in lifecycle.SETTLED:
            movers = {"retry", "drop", "news", "late answer", "sweep"}
            hold(by in movers and old.status is not Status.COMPLETED, "settled, but moved", old, by)
            hold(by == "retry" or old.status is Status.UNKNOWN, "not decided on anew", old, by)
        if new.status is Status.CANCELLED:
            hold(new.cancel_requested_at is not None, "cancelled without a wish", old, new)
        if new.status is Status.UNKNOWN and old.way != "ask":
            now, wished_at = self.clock.now, old.cancel_requested_at
            unwanted = wished_at is not None and (now - wished_at).total_seconds() > PATIENCE_S
            over = unwanted or (old.deadline_at is not None and now > old.deadline_at)
            garbled = self.provider.garbled[of] >= lifecycle.MALFORMED_MAX
            looked = old.way == "lookup" and (of in self.provider.looked_up or garbled)
            deaf = old.way == "webhook" and not self.hears
            hold(over or looked or deaf, "given up, but could be asked", old)
        if new.status is Status.FAILED and old.status in (Status.QUEUED, Status.SUBMITTING):
            hold(not self.provider.accepted[of], "failed, but it was accepted", old, new)
        if new.code == "timeout" and job and old.deadline_at:
            late = [answer for at, answer in job.asks if at > old.deadline_at]
            unheard = late[-lifecycle.LAST_ASKS :] == ["nothing"] * lifecycle.LAST_ASKS
            hold(
                unheard or late[-1:] in (["running"], ["cancelled"]),
                "too late, but not asked once more",
                old,
                job,
            )
        if new.code == "expired" and job:
            hold(job.is_forgotten or job.lost_result, "expired, but it is there", old, job)
