"""Two sends under one key bring one job: whoever stores its answer second must not stop it."""

from __future__ import annotations

from pathlib import Path

from tests.demo_process import Demo
from tests.generations.test_lost_submit import (
    SlowLine,
    a_fox,
    cut_the_lock_of_the_busy_worker,
    house_at,
)
from tests.house import local, reaches


async def test_the_late_answer_to_the_same_key_leaves_the_job_alone(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    """The first house hangs in its submit and loses its lock; the second sends under the key, too,
    and has the job at work when the answer of the first comes home.
    """
    await calm_demo.hold(True)
    async with (
        SlowLine(calm_demo.url).open() as line,
        house_at(database_url, line.url, calm_demo, tmp_path) as first,
    ):
        started = await first.admission.submit(local(first), a_fox("key"))
        await reaches(first, started["id"], "submitting")
        async with house_at(database_url, calm_demo.url, calm_demo, tmp_path) as second:
            cut_the_lock_of_the_busy_worker(database_url)
            await reaches(second, started["id"], "in_progress")
            line.released.set()
    # A house that closes lets its submit come home, so the late answer has been dealt with.
    async with house_at(database_url, calm_demo.url, calm_demo, tmp_path) as third:
        await calm_demo.hold(False)
        await reaches(third, started["id"], "completed")
    ledger = await calm_demo.ledger(started["id"])
    assert (ledger["submits"], ledger["submit_requests"], ledger["cancels"]) == (1, 2, 0)
