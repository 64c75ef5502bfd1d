"""The engine: procrastinate calls `drive(generation_id)` again and again until the generation is
settled.

The seam to it is small on purpose: `db.jobs.defer_drive` puts a call on record, `Engine.run` makes
the calls, and the sweep gives the calls of a dead worker to the living. A worker lives as long as
its session lock in Postgres: when the lock's connection ends, its drivers are cancelled here and
its jobs are taken over there, and a new life begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import psycopg
import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy.ext.asyncio import AsyncEngine

from db import jobs
from db.connect import DATABASE_ERRORS, close_connection, open_connection
from generations.calls import OurJobs, OurWorker, UntilSettled, run_worker
from generations.chores import Chore

log = structlog.get_logger(__name__)

CONCURRENCY = 2000
SWEEP_EVERY_S = 1.0
#: A worker whose own clock shows such a gap was frozen: others may own its jobs by now.
FROZEN_S = 20.0
RESTART_FIRST_S = 0.2
RESTART_MAX_S = 5.0
#: A submit that is on its way when the server stops may take so long to come home.
STOP_GRACE_S = 150.0
HAND_OVER_S = 5.0
#: A life that ended by an accident may take so long to clear away before the next one begins.
CLEAR_AWAY_S = 2.0

Drive = Callable[[UUID], Awaitable[None]]
ENGINE_ERRORS = (*DATABASE_ERRORS, ConnectorException, psycopg.Error)


class Engine:
    """Runs drivers in this process, one worker life after the other, until it is told to stop."""

    def __init__(
        self,
        engine: AsyncEngine,
        direct_url: str,
        drive: Drive,
        chores: Sequence[Chore] = (),
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._engine = engine
        self._direct_url = direct_url
        self._drive = drive
        self._chores = chores
        self._concurrency = concurrency
        self._drivers: set[asyncio.Task[Any]] = set()
        self._stopping = asyncio.Event()
        self.alive = asyncio.Event()

    def stop(self) -> None:
        """Let drivers go after their present step and end `run`; jobs are handed over at once."""
        self._stopping.set()

    async def run(self) -> None:
        """Live until `stop`: when a life ends by an accident, begin the next one."""
        wait_s = RESTART_FIRST_S
        while not self._stopping.is_set():
            try:
                await self._live()
                wait_s = RESTART_FIRST_S
            except ENGINE_ERRORS as error:
                log.warning("engine lost its database", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - the worker's boundary: it must outlive any mistake
                log.exception("engine life ended")
            if not self._stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._stopping.wait()
                wait_s = min(RESTART_MAX_S, wait_s * 2)

    async def _live(self) -> None:
        lost = asyncio.Event()
        async with self._locked(lost) as lock, self._opened(lock) as app:
            worker = asyncio.create_task(
                run_worker(
                    OurWorker(
                        app,
                        queues=[jobs.QUEUE],
                        concurrency=self._concurrency,
                        install_signal_handlers=False,
                        fetch_job_polling_interval=1,
                        shutdown_graceful_timeout=0.05,
                        delete_jobs="successful",
                    )
                ),
                name="engine-worker",
            )
            worker.add_done_callback(_look_at_error)
            sweep = asyncio.create_task(self._sweep(), name="engine-sweep")
            self.alive.set()
            try:
                await _first(worker, sweep, lost.wait(), self._stopping.wait())
            finally:
                self.alive.clear()
                await self._wind_up(worker, sweep)
            for task in (worker, sweep):
                if task.done() and not task.cancelled() and (error := task.exception()):
                    raise error

    async def _wind_up(self, worker: asyncio.Task[Any], sweep: asyncio.Task[Any]) -> None:
        """End a life; one that was told to stop lets submits on their way come home."""
        # First no new jobs, then no old ones: otherwise what is let go of would be fetched again.
        worker.cancel()
        self._let_go_of_drivers()
        await _ended(sweep, timeout_s=5)
        if self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_GRACE_S):
                    while self._drivers:
                        await asyncio.wait(self._drivers)
        # Told once: at a second cancel the worker would leave without handing its jobs over. One
        # that waits for a submit which outlives this life, or for a dead pool, is left behind.
        limit_s = HAND_OVER_S if self._stopping.is_set() else CLEAR_AWAY_S
        await asyncio.wait({worker}, timeout=limit_s)

    @contextlib.asynccontextmanager
    async def _locked(self, lost: asyncio.Event) -> AsyncIterator[asyncpg.Connection]:
        connection = await open_connection(self._direct_url, on_lost=lost.set)
        try:
            yield connection
        finally:
            await close_connection(connection)

    @contextlib.asynccontextmanager
    async def _opened(self, lock: asyncpg.Connection) -> AsyncIterator[App]:
        connector = PsycopgConnector(
            conninfo=self._direct_url,
            kwargs={"options": "-c search_path=jobs"},
            min_size=1,
            max_size=6,
            timeout=10,
        )
        app = App(connector=connector)
        manager = OurJobs(connector, lock, lambda: self._concurrency - len(self._drivers))
        app.job_manager = manager
        app.task(name=jobs.TASK, queue=jobs.QUEUE, retry=UntilSettled())(self._driven)
        async with app.open_async():
            try:
                yield app
            finally:
                manager.is_over = True

    async def _driven(self, generation_id: str) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a driver runs as a task")
        self._drivers.add(task)
        try:
            await self._drive(UUID(generation_id))
        except DATABASE_ERRORS as error:
            log.warning("driver stopped", error=type(error).__name__, generation_id=generation_id)
            raise
        finally:
            self._drivers.discard(task)

    def _let_go_of_drivers(self) -> None:
        """Cancel our drivers ourselves: procrastinate's own stop may hang in a fetch on a dead
        pool.
        """
        for task in list(self._drivers):
            task.cancel()

    async def _sweep(self) -> None:
        """At once and every second: take over from the dead; and do the chores that are due."""
        count, last = 0, time.monotonic()
        await self._take_over()
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            now = time.monotonic()
            if now - last > FROZEN_S:
                log.warning("engine was frozen", seconds=round(now - last))
                return
            last = now
            count += 1
            await self._take_over()
            for chore in self._chores:
                if count % chore.every_s == 0:
                    # Each alone: locks of one would stand in the way of the next.
                    async with self._engine.begin() as connection:
                        await chore.do(connection)

    async def _take_over(self) -> None:
        async with self._engine.begin() as connection:
            if taken := await jobs.take_over(connection):
                log.info("generations taken over", count=taken)


async def _first(*waits: asyncio.Task[Any] | Coroutine[Any, Any, Any]) -> None:
    """Return when the first of these is done; what was started only for the wait is cancelled."""
    tasks = [
        wait if isinstance(wait, asyncio.Task) else asyncio.create_task(wait) for wait in waits
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, wait in zip(tasks, waits, strict=True):
            if task is not wait:
                task.cancel()


def _look_at_error(task: asyncio.Task[Any]) -> None:
    """Nobody may be left to hear of it."""
    if not task.cancelled():
        task.exception()


async def _ended(task: asyncio.Task[Any], *, timeout_s: float) -> None:
    """Cancel a task and wait for its end, but not for ever."""
    task.cancel()
    await asyncio.wait({task}, timeout=timeout_s)
