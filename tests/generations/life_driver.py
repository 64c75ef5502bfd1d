"""One driver of one generation, which may stop for ever, or for a while, at every `yield`: there
stand the gaps between what the real one (`generations.advance` and its neighbours) reads, sends and
writes. It decides nothing: that is `generations.lifecycle`'s.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from generations import lifecycle
from generations.collecting import FRESH_ADDRESSES_MAX, STORE_FAILURES_MAX
from generations.lifecycle import Again, Ask, Done, Line, Settle, Status, Verdict, Wait
from generations.sending import WORD_LOOK_S
from providers.contract import Failed, Gone, Malformed, ProviderError, Succeeded
from tests.generations.life_model import Life, World

POLL_S = 60.0
Step = Generator[None, None, Verdict]
TOO_LATE = Settle(status=Status.FAILED, code="timeout", message="too late", retryable=True)


@dataclass(slots=True, eq=False)
class Driver:
    """A driver of a worker; `luck` is what its next call of the provider meets."""

    world: World
    worker: int
    generation_id: int
    luck: int = 0
    is_frozen: bool = False
    wakes_at: datetime | None = None
    failures: int = 0
    malformed: int = 0
    gone: int = 0
    last_asks: int = 0
    way: Generator[None, None, None] = field(init=False)

    def __post_init__(self) -> None:
        self.way = self._drive()

    def step(self, luck: int) -> bool:
        """Go on to the next gap; False: it is over."""
        self.luck = luck
        return next(self.way, self) is None

    def _drive(self) -> Generator[None, None, None]:
        world = self.world
        row: Life | None = world.claim(self.generation_id)
        yield
        yield from self._read_older(world.rows[self.generation_id])
        while row is not None:
            verdict = yield from self._advance(row)
            if isinstance(verdict, Done):
                break
            self.wakes_at = world.clock.now + timedelta(seconds=verdict.after_s)
            yield
            self.wakes_at = None
            now = world.rows[self.generation_id]
            row = now if now.claim == row.claim else None
        if world.doing.get(self.generation_id) is self:
            del world.doing[self.generation_id]

    def _advance(self, row: Life) -> Step:
        steps = {
            Status.QUEUED: self._begin,
            Status.SUBMITTING: self._clear_up,
            Status.IN_PROGRESS: self._look,
            Status.STORING: self._collect,
            Status.UNKNOWN: self._rescue,
        }
        if row.status not in steps:
            return Done()
        return (yield from steps[row.status](row))

    def _settle(self, row: Life, end: Settle, charged: str | None = None) -> Verdict:
        kept = row.charged if charged is None else charged
        self.world.move(row, end.status, code=end.code, charged=kept)
        return lifecycle.after_end(end.status, hears=self.world.hears)

    def _read_older(self, row: Life) -> Generator[None, None, None]:
        world = self.world
        for of in [of for of in world.unread if of[0] == row.id and of[1] < row.attempt]:
            job_id = world.heard(of)
            try:
                state = job_id and world.provider.poll(job_id, self.luck)
            except ProviderError:
                continue
            yield
            if isinstance(state, Succeeded):
                world.note_cost(of, int(state.cost_usd or 0))
                world.unread.discard(of)

    def _begin(self, row: Life) -> Step:
        world = self.world
        is_cancelled = row.cancel_requested_at is not None
        to = lifecycle.before_intent(is_cancelled=is_cancelled, overdue=world.is_overdue(row))
        if to is Status.CANCELLED:
            world.move(row, to)
            return Done()
        if to is Status.FAILED:
            return self._settle(row, TOO_LATE)
        yield
        if not row.placed and world.clock.now < world.provider.paused_until:
            world.move(row, Status.QUEUED, waits=True)
            return Done()
        intended = world.move(
            row, to, deadline_at=world.deadline(), placed=True, waits=False, code=None
        )
        if intended is None:
            return Done()
        yield
        return (yield from self._submit(intended, first=True))

    def _submit(self, row: Life, *, first: bool) -> Step:
        world = self.world
        now = world.rows[row.id]
        to = lifecycle.before_send(
            claim=row.claim,
            claim_now=now.claim,
            first=first,
            is_cancelled=now.cancel_requested_at is not None,
        )
        if to is Status.CANCELLED:
            world.move(row, to)
        if to is not Status.SUBMITTING:
            return Done()
        yield
        answer = world.provider.submit(row, self.luck)
        yield
        if isinstance(answer, ProviderError):
            return self._send_failed(row, answer, first=first)
        return (yield from self._store_job(row, answer))

    def _send_failed(self, row: Life, error: ProviderError, *, first: bool) -> Verdict:
        world = self.world
        self.failures += 1
        meaning: Wait | Line | Settle | Ask = (
            lifecycle.after_submit_error(error, row.way, self.failures, hears=world.hears)
            if first
            else lifecycle.after_look_error(error, self.failures)
        )
        if isinstance(meaning, Line):
            world.provider.streak += 1
            pause_s = lifecycle.pause_s(error.code, world.provider.streak)
            world.provider.paused_until = world.clock.now + timedelta(seconds=pause_s)
            world.move(row, Status.QUEUED, deadline_at=None, placed=False, waits=True)
            return Done()
        if isinstance(meaning, Wait):
            kept = not first or world.move(row, Status.QUEUED, deadline_at=None)
            return Again(meaning.after_s) if kept else Done()
        if isinstance(meaning, Settle):
            sure = first and meaning is not lifecycle.GIVEN_UP
            return self._settle(row, meaning, "no" if sure else "maybe")
        return Again(lifecycle.backoff_s(self.failures))

    def _store_job(self, row: Life, job_id: str) -> Step:
        world = self.world
        values: dict[str, Any] = {"job": job_id, "charged": "maybe"}
        values["deadline_at"] = world.deadline()
        if world.move(row, Status.IN_PROGRESS, **values) is not None:
            return Again(POLL_S)
        now = world.rows[row.id]
        late = now.status in (Status.SUBMITTING, Status.UNKNOWN) and now.job is None
        if late and now.attempt == row.attempt:
            again: dict[str, Any] = {
                "status": Status.IN_PROGRESS,
                "claim": now.claim + 1,
                "code": None,
            }
            world.write(now, "late answer", **again, **values)
            world.todo.add(row.id)
        elif lifecycle.is_stray(
            attempt=row.attempt, job_id=job_id, attempt_now=now.attempt, job_id_now=now.job
        ):
            yield
            self._tell_to_stop(job_id)
        return Done()

    def _tell_to_stop(self, job_id: str) -> None:
        try:
            self.world.provider.cancel(job_id, self.luck)
        except ProviderError:
            return

    def _clear_up(self, row: Life) -> Step:
        world = self.world
        heard = world.heard((row.id, row.attempt)) if world.hears else None
        yield
        if heard is not None:
            return (yield from self._store_job(row, heard))
        meaning = lifecycle.clear_up(
            row.way,
            hears=world.hears,
            overdue=world.is_overdue(row),
            unwanted=world.is_unwanted(row),
        )
        if isinstance(meaning, Settle):
            return self._settle(row, meaning, "maybe")
        if meaning.way == "key":
            return (yield from self._submit(row, first=False))
        if meaning.way == "lookup":
            return (yield from self._look_up(row))
        return Again(WORD_LOOK_S)

    def _look_up(self, row: Life) -> Step:
        job_id = None
        try:
            job_id = self.world.provider.find(row, self.luck)
        except ProviderError as error:
            over = self.world.is_overdue(row) or self.world.is_unwanted(row)
            after_s = self._after_look_error(error, over)
            if not isinstance(after_s, Settle):
                return Again(after_s)
        yield
        if job_id is not None:
            return (yield from self._store_job(row, job_id))
        return self._settle(row, lifecycle.GIVEN_UP, "maybe")

    def _failed(self, error: ProviderError) -> int:
        """As `Pace.failed`."""
        self.failures += 1
        self.malformed += isinstance(error, Malformed)
        return self.malformed if isinstance(error, Malformed) else self.failures

    def _after_look_error(self, error: ProviderError, over: bool) -> float | Settle:
        meaning = lifecycle.after_look_error(error, self._failed(error))
        self.last_asks += over
        if isinstance(meaning, Settle):
            return meaning
        after_s = lifecycle.look_again_s(meaning, overdue=over, last_asks=self.last_asks)
        return TOO_LATE if after_s is None else after_s

    def _look(self, row: Life) -> Step:
        world, job_id = self.world, row.job or ""
        if row.cancel_requested_at is not None:
            self._tell_to_stop(job_id)
            yield
        try:
            state = world.provider.poll(job_id, self.luck)
        except ProviderError as error:
            end = self._after_look_error(error, world.is_overdue(row))
            if isinstance(end, Settle):
                yield
                return self._settle(row, end)
            return Again(end)
        self.failures = self.malformed = self.last_asks = 0
        to = lifecycle.after_look(
            state,
            overdue=world.is_overdue(row),
            is_cancelled=row.cancel_requested_at is not None,
        )
        yield
        if isinstance(state, Succeeded) and to is Status.STORING:
            moved = world.move(row, to, cost=int(state.cost_usd or 0), charged="yes")
            return Again() if moved else Done()
        if to is Status.IN_PROGRESS:
            return Again(POLL_S)
        if to is Status.FAILED and not isinstance(state, Failed):
            self._tell_to_stop(job_id)
            return self._settle(row, TOO_LATE)
        world.move(row, to)
        return Done()

    def _collect(self, row: Life) -> Step:
        world = self.world
        if row.deleted:
            world.move(row, Status.CANCELLED)
            return Done()
        try:
            world.provider.fetch(row.job or "", self.luck)
        except ProviderError as error:
            tries = self._failed(error)
            if isinstance(error, Gone) and self.gone < FRESH_ADDRESSES_MAX:
                self.gone += 1
                moved = world.move(row, Status.IN_PROGRESS)
                return Again(lifecycle.backoff_s(self.gone)) if moved else Done()
            meaning = lifecycle.after_look_error(error, tries)
            if isinstance(meaning, Wait) and self.failures <= STORE_FAILURES_MAX:
                return Again(meaning.after_s)
            unfetched = Settle(status=Status.FAILED, code="unavailable", message="", retryable=True)
            return self._settle(row, meaning if isinstance(meaning, Settle) else unfetched)
        yield
        world.complete(row)
        return Done()

    def _rescue(self, row: Life) -> Step:
        heard = self.world.heard((row.id, row.attempt))
        yield
        if heard is None or not lifecycle.may_rescue(row.status, has_job=row.job is not None):
            return Done()
        values: dict[str, Any] = {"job": heard, "deadline_at": self.world.deadline(), "code": None}
        moved = self.world.move(row, Status.IN_PROGRESS, "news", **values)
        return Again() if moved else Done()
