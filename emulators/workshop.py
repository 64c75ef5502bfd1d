"""Where accepted jobs become files: lanes, pace, and the drawing itself.

Pictures are drawn in threads (numpy and Pillow let the event loop breathe), films in a child
process each, so that a cancelled film stops at once and the machine's other work goes first.
"""

import asyncio
import itertools
import json
import sys
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from emulators.endpoints import ENDPOINTS, Endpoint
from emulators.jobs import Jobs
from emulators.orders import OrderError, read_picture_order
from emulators.painter.picture import paint_pictures
from emulators.store import Job

TICK_S = 0.1  # how often paced progress moves
HELD_PROGRESS = 0.5  # where held jobs wait
ROOT = Path(__file__).resolve().parent.parent
FILM_LINE_BYTES = 65_536


class DrawingError(Exception):
    """A film's process ended without a film; the message is the job's error."""


class Line:
    """Who waits for a place in a lane; to tell somebody's place costs the same in a long line."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._in_order: list[int] = []
        self._next = itertools.count()

    def join(self, job_id: str) -> None:
        """Wait behind everybody else."""
        number = self._numbers[job_id] = next(self._next)
        self._in_order.append(number)

    def leave(self, job_id: str) -> None:
        """Wait no more, if still waiting."""
        if (number := self._numbers.pop(job_id, None)) is not None:
            del self._in_order[bisect_left(self._in_order, number)]

    def place(self, job_id: str) -> int:
        """Return a place in the line; 1 is the next one, or one who does not wait any more."""
        number = self._numbers.get(job_id)
        return 1 if number is None else bisect_left(self._in_order, number) + 1


class Workshop:
    """Owns a task for every unfinished job; while `is_held`, none of them finishes."""

    def __init__(self, jobs: Jobs, results_dir: Path) -> None:
        self._jobs = jobs
        self._results_dir = results_dir
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._lanes = {name: asyncio.Semaphore(e.lane_width) for name, e in ENDPOINTS.items()}
        self._lines = {name: Line() for name in ENDPOINTS}
        self.is_held = False

    def begin(self, job: Job) -> None:
        """Take a job into work; it goes on by itself until it is finished or cancelled."""
        self._lines[job.endpoint].join(job.id)
        task = asyncio.create_task(self._work(job), name=f"draw {job.id}")
        self._tasks[job.id] = task
        task.add_done_callback(lambda done: self._leave(job.id, done))

    def _leave(self, job_id: str, task: asyncio.Task[None]) -> None:
        """Forget a task; one that broke in a way nobody foresaw fails its job."""
        self._tasks.pop(job_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._jobs.fail(job_id, f"the painter broke: {type(error).__name__}: {error}")

    def drop(self, job_id: str) -> None:
        """Stop working on a job that was cancelled."""
        if task := self._tasks.get(job_id):
            task.cancel()

    async def close(self) -> None:
        """Stop all work; unfinished jobs are drawn again after the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def queue_position(self, job: Job) -> int:
        """Return a waiting job's place in its lane; 1 is the next one."""
        return self._lines[job.endpoint].place(job.id)

    async def _work(self, job: Job) -> None:
        endpoint = ENDPOINTS[job.endpoint]
        try:
            async with self._place(endpoint, job.id):
                output = await self._draw(endpoint, job)
            self._jobs.finish(job.id, output)
        except (OrderError, DrawingError) as error:
            self._jobs.fail(job.id, str(error))
        finally:
            self._lines[endpoint.name].leave(job.id)

    @asynccontextmanager
    async def _place(self, endpoint: Endpoint, job_id: str) -> AsyncIterator[None]:
        """Hold a place in the lane; a quick endpoint starts all its jobs at once."""
        if endpoint.quick:
            self._start(endpoint, job_id)
            async with self._lanes[endpoint.name]:
                yield
            return
        await asyncio.sleep(endpoint.queue_s)
        async with self._lanes[endpoint.name]:
            self._start(endpoint, job_id)
            yield

    def _start(self, endpoint: Endpoint, job_id: str) -> None:
        self._lines[endpoint.name].leave(job_id)
        self._jobs.start(job_id)

    async def _draw(self, endpoint: Endpoint, job: Job) -> dict[str, Any]:
        """Draw at the endpoint's pace: what a caller sees is never ahead of either."""
        drawn = [0.0]
        draw = self._draw_picture if endpoint.kind == "image" else self._draw_film
        pace = asyncio.create_task(self._pace(endpoint, job, drawn))
        try:
            output = await draw(endpoint, job, drawn)
            drawn[0] = 1.0
            await pace
        finally:
            pace.cancel()
        if job.doom:
            raise DrawingError(job.doom)
        return output

    async def _pace(self, endpoint: Endpoint, job: Job, drawn: list[float]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            passed = (loop.time() - began) / endpoint.run_s if endpoint.run_s else 1.0
            progress = min(passed, drawn[0], HELD_PROGRESS if self.is_held else 1.0)
            self._jobs.report_progress(job.id, round(min(progress, 0.99), 3))
            if progress >= 1.0:
                return
            await asyncio.sleep(TICK_S if endpoint.run_s else TICK_S / 10)

    async def _draw_picture(
        self, endpoint: Endpoint, job: Job, drawn: list[float]
    ) -> dict[str, Any]:
        order = read_picture_order(self._jobs.input_of(job), job.id)
        drawn[0] = 0.9  # a picture is drawn at a stroke; its pace alone is seen
        folder = self._results_dir / job.id
        pictures = await asyncio.to_thread(paint_pictures, order, folder, endpoint.quick)
        return {"images": pictures, "cost": round(endpoint.price_usd * len(pictures), 6)}

    async def _draw_film(self, endpoint: Endpoint, job: Job, drawn: list[float]) -> dict[str, Any]:
        folder = self._results_dir / job.id
        folder.mkdir(exist_ok=True)
        spec = {
            "input": self._jobs.input_of(job),
            "job_id": job.id,
            "file": str(folder / "0.mp4"),
            "quick": endpoint.quick,
        }
        film = await film_in_a_process(spec, drawn)
        return {**film, "cost": round(endpoint.price_usd * film["duration"], 6)}


async def film_in_a_process(spec: dict[str, Any], drawn: list[float]) -> dict[str, Any]:
    """Run `python -m emulators.film`; it reports its frames into `drawn`. Raises DrawingError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "emulators.film",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        limit=FILM_LINE_BYTES,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(spec).encode())
        process.stdin.close()
        async for line in process.stdout:
            report: dict[str, Any] = json.loads(line)
            if "progress" in report:
                drawn[0] = min(report["progress"], 0.99)
            elif "film" in report:
                film: dict[str, Any] = report["film"]
                return film
            else:
                raise DrawingError(report["error"])
        raise DrawingError(f"the film's process ended with code {await process.wait()}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
