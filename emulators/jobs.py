"""The book of jobs: accepted once per key, moved only forward, written down before told.

All moves happen in the event loop's thread, so a move is one step and needs no lock.
"""

import time
import uuid
from collections import Counter
from dataclasses import replace
from typing import Any

from emulators.endpoints import Endpoint
from emulators.ledger import Ledger, generation_of
from emulators.store import Job, Status, Store


class Jobs:
    """Every job ever accepted, with the live progress of those in work."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger
        self._jobs = {job.id: job for job in store.jobs()}
        self._by_key = {job.key: job for job in self._jobs.values() if job.key}
        self._progress: dict[str, float] = {}

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
        return Counter(job.status for job in self._jobs.values() if job.endpoint == endpoint)

    def input_of(self, job: Job) -> dict[str, Any]:
        """Return what an unfinished job was asked to draw."""
        return self._store.input_of(job.id)

    def accept(
        self, endpoint: Endpoint, key: str | None, job_input: dict[str, Any], doom: str | None
    ) -> Job:
        """Write a new job into the book; the caller has looked for the key before."""
        job_id = f"{uuid.uuid4()}-u1"
        job = Job(
            id=job_id,
            endpoint=endpoint.name,
            key=key,
            subject=generation_of(key) if key else job_id,
            status=Status.IN_QUEUE,
            output=None,
            error=None,
            doom=doom,
            accepted_at=time.time(),
            started_at=None,
            finished_at=None,
        )
        self._store.insert(job, job_input)
        self._jobs[job.id] = job
        if key:
            self._by_key[key] = job
        self._ledger.note(job)
        return job

    def _move(self, job: Job) -> Job:
        self._store.update(job)
        self._jobs[job.id] = job
        self._ledger.note(job)
        if job.is_finished:
            self._progress.pop(job.id, None)
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
