"""The engine's calls as one life of a worker takes them: several at once, only under its lock, and
never when they are somebody else's by now.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any, cast

import asyncpg
from procrastinate import PsycopgConnector, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy
from procrastinate.worker import Worker

from db import jobs

RETRY_MAX_S = 30.0
#: So many calls are fetched at once, and so many are begun side by side.
FETCH_MAX = 25
BEGUN_AT_ONCE = 12
#: procrastinate's worker is written without types.
Untyped = Callable[[], Coroutine[Any, Any, None]]


class UntilSettled(BaseRetryStrategy):
    """A call that ends in an error is made again: the row decides when it is over, not the
    engine.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """At once after a stop or a take-over, else with a growing wait."""
        if isinstance(exception, (JobAborted, asyncio.CancelledError)):
            return RetryDecision(retry_in={"seconds": 0})
        return RetryDecision(retry_in={"seconds": int(min(RETRY_MAX_S, 2 ** min(job.attempts, 5)))})


class OurJobs(JobManager):
    """procrastinate's manager for one life of a worker: it takes the lock, and lets go of jobs that
    were taken over.
    """

    def __init__(
        self, connector: PsycopgConnector, lock: asyncpg.Connection, room: Callable[[], int]
    ) -> None:
        """`room`: how many more this worker can take."""
        super().__init__(connector)
        self._lock = lock
        self._room = room
        #: Ours by the database, and about to begin.
        self._fetched: deque[Job] = deque()
        self._fetching = asyncio.Lock()
        self._worker_id = 0
        #: The connections are closed: what still comes home finds its job taken over by others.
        self.is_over = False

    async def register_worker(self) -> int:
        """Take the session lock between registration and the first fetch, so that no job is ever
        without one.
        """
        self._worker_id = await super().register_worker()
        await jobs.hold_worker_lock(self._lock, self._worker_id)
        return self._worker_id

    async def unregister_worker(self, worker_id: int) -> None:
        """Leave the list of workers, if that can still be done; what has not begun goes back."""
        while self._fetched:
            await self.retry_job(self._fetched.popleft())
        if not self.is_over:
            await super().unregister_worker(worker_id)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Take the next job; several at once are made ours."""
        async with self._fetching:
            if not self._fetched:
                found = await self.connector.execute_query_all_async(
                    jobs.FETCH_MANY,
                    queues=list(queues or ()),
                    worker_id=worker_id,
                    count=max(1, min(FETCH_MAX, self._room())),
                )
                rows = sorted(found, key=lambda row: (-row["priority"], row["id"]))
                self._fetched.extend(Job.from_row(row) for row in rows)
        return self._fetched.popleft() if self._fetched else None

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a job back, if it is still ours, and wake the others: procrastinate tells nobody of a
        retry.
        """
        if self.is_over:
            return
        await self.connector.execute_query_all_async(
            jobs.RETRY_OURS, job_id=job.id, worker_id=self._worker_id, retry_at=retry_at
        )

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Finish a job, if it is still ours."""
        if self.is_over:
            return
        await self.connector.execute_query_all_async(
            jobs.FINISH_OURS,
            job_id=job.id,
            worker_id=self._worker_id,
            status=status.value,
            delete_job=delete_job,
        )


class OurWorker(Worker):
    """procrastinate's worker, which begins several calls side by side.

    It takes half a dozen turns of the event loop to begin one, and a busy loop turns slowly: one
    after the other, some thirty generations a second would set out, however idle the provider.
    """

    async def _fetch_and_process_jobs(self) -> None:
        begin = cast(Untyped, super()._fetch_and_process_jobs)
        ended = await asyncio.gather(
            *(begin() for _ in range(BEGUN_AT_ONCE)), return_exceptions=True
        )
        for error in ended:
            if isinstance(error, BaseException):
                raise error


async def run_worker(worker: OurWorker) -> None:
    """Run a worker until it is cancelled."""
    await cast(Untyped, worker.run)()
