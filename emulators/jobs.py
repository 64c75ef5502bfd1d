"""The book of jobs: accepted once per key, moved only forward, written down before told.

All moves happen in the event loop's thread, so a move is one step and needs no lock.
"""

import itertools
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from emulators.endpoints import Endpoint
from emulators.fault_orders import without_marks
from emulators.ledger import Ledger
from emulators.store import Job, Status, Store
from emulators.submit import Submit


class Jobs:
    """Every job ever accepted, with the live progress of those in work."""

    def __init__(
        self, store: Store, ledger: Ledger, ended: Callable[[Job, dict[str, Any]], None]
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._ended = ended  # told of every job with a webhook that ends, and of its input
        self._jobs = {job.id: job for job in store.jobs()}
        self._by_key = {job.key: job for job in self._jobs.values() if job.key}
        self._progress: dict[str, float] = {}
        self._standing: dict[str, Counter[Status]] = {}
        for job in self._jobs.values():
            self._counter(job)[job.status] += 1

    def unfinished(self) -> list[Job]:
        """Return what must be drawn again after a restart, oldest first."""
        return [job for job in self._jobs.values() if not job.is_finished]

    def find(self, job_id: str) -> Job | None:
        """Return a job by its id."""
        return self._jobs.get(job_id)

    def find_by_key(self, key: str) -> Job | None:
        """Return the job that was accepted under an idempotency key."""
        job = self._by_key.get(key)
        return None if job is None else self._jobs[job.id]

    def count_by_status(self, endpoint: str) -> Counter[Status]:
        """Return how many jobs of an endpoint stand at each status."""
        return self._standing.get(endpoint, Counter())

    def _counter(self, job: Job) -> Counter[Status]:
        return self._standing.setdefault(job.endpoint, Counter())

    def another(self, job: Job) -> Job:
        """Return the newest other job of the same endpoint, or the job itself."""
        others = (other for other in reversed(self._jobs.values()) if other.id != job.id)
        return next((other for other in others if other.endpoint == job.endpoint), job)

    def newest(self, wire: str, most: int) -> list[Job]:
        """Return the newest jobs that came by a company's wire, newest first."""
        of_it = (j for j in reversed(self._jobs.values()) if (j.wire or {}).get("name") == wire)
        return list(itertools.islice(of_it, most))

    def input_of(self, job: Job) -> dict[str, Any]:
        """Return what an unfinished job was asked to draw, without the marks in its prompt."""
        job_input = self._store.input_of(job.id)
        if isinstance(prompt := job_input.get("prompt"), str):
            job_input["prompt"] = without_marks(prompt)
        return job_input

    def accept(self, endpoint: Endpoint, submit: Submit, doom: str | None) -> Job:
        """Write a new job into the book; the caller has looked for the key before."""
        job_id = f"{uuid.uuid4()}-u1"
        job = Job(
            id=job_id,
            endpoint=endpoint.name,
            key=submit.key,
            subject=submit.generation or job_id,
            status=Status.IN_QUEUE,
            output=None,
            error=None,
            doom=doom,
            accepted_at=time.time(),
            started_at=None,
            finished_at=None,
            webhook=submit.webhook,
            origin=submit.origin,
            wire=submit.wire,
        )
        self._store.insert(job, submit.job_input)
        self._jobs[job.id] = job
        self._counter(job)[job.status] += 1
        if job.key:
            self._by_key[job.key] = job
        self._ledger.note(job)
        return job

    def _move(self, job: Job) -> Job:
        self._store.update(job)
        self._counter(job)[self._jobs[job.id].status] -= 1
        self._counter(job)[job.status] += 1
        self._jobs[job.id] = job
        self._ledger.note(job)
        if job.is_finished:
            self._progress.pop(job.id, None)
            if job.webhook is not None:
                self._ended(job, self._store.input_of(job.id))
            self._store.forget_input(job.id)
        return job

    def start(self, job_id: str) -> None:
        """A place in the lane is free: the job is in work."""
        job = self._jobs[job_id]
        if not job.is_finished:
            self._move(replace(job, status=Status.IN_PROGRESS, started_at=time.time()))

    def finish(self, job_id: str, output: dict[str, Any]) -> None:
        """The drawing is done; a job cancelled meanwhile stays cancelled."""
        job = self._jobs[job_id]
        if not job.is_finished:
            self._move(
                replace(job, status=Status.COMPLETED, output=output, finished_at=time.time())
            )

    def fail(self, job_id: str, error: str) -> Job:
        """The drawing went wrong; returns the job as it stands now."""
        job = self._jobs[job_id]
        if job.is_finished:
            return job
        return self._move(replace(job, status=Status.FAILED, error=error, finished_at=time.time()))

    def cancel(self, job_id: str) -> Job:
        """Stop an unfinished job; a finished one is returned unchanged."""
        job = self._jobs[job_id]
        if job.is_finished:
            return job
        return self._move(replace(job, status=Status.CANCELLED, finished_at=time.time()))

    def progress(self, job_id: str) -> float:
        """Return how much of a job in work is done, 0 to 1."""
        return self._progress.get(job_id, 0.0)

    def report_progress(self, job_id: str, progress: float) -> None:
        """Note how much is done; it never goes back."""
        self._progress[job_id] = max(progress, self._progress.get(job_id, 0.0))
