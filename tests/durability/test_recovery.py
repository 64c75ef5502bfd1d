"""Whoever dies, another goes on, at once: how soon, by the fencing numbers of its generations."""

from __future__ import annotations

import signal
import time

import pytest

from tests.durability.conftest import NewLab
from tests.durability.lab import p50_p95, tell
from tests.durability.routes import CALM

#: P5 says 2 s on a quiet machine; the rest is for a loaded one.
TAKEN_OVER_S = 10.0
SIZES = [20, pytest.param(200, marks=pytest.mark.long)]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("how_many", SIZES)
async def test_of_two_workers_one_is_killed_and_the_other_goes_on(
    new_lab: NewLab, database_url: str, how_many: int
) -> None:
    async with new_lab(database_url, CALM) as lab:
        await lab.demo.hold(True)
        first = await lab.house()
        ids = await lab.ask(how_many, first)
        await lab.book.all_are(ids, "in_progress")
        await lab.house()
        before, killed_s = await lab.book.claims(ids), time.time()
        first.signal(signal.SIGKILL)
        seconds = await lab.book.all_taken_over(before, killed_s, TAKEN_OVER_S)
        tell(f"{how_many} under way, one of two workers killed", **p50_p95(seconds))
        await lab.demo.hold(False)
        told = await lab.settled()
        tell("  account", **told.figures())
        assert told.wrong() == {}
        assert told.statuses == {"completed": how_many}
        assert await lab.book.claims(ids) == {one: claim + 1 for one, claim in before.items()}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("how_many", SIZES)
async def test_a_restart_takes_over_at_once(
    new_lab: NewLab, database_url: str, how_many: int
) -> None:
    async with new_lab(database_url, CALM) as lab:
        await lab.demo.hold(True)
        supervised = await lab.supervised()
        ids = await lab.ask(how_many, supervised)
        await lab.book.all_are(ids, "in_progress")
        before, killed_s = await lab.book.claims(ids), time.time()
        (await supervised.ready()).signal(signal.SIGKILL)
        await supervised.died()
        await supervised.ready()
        ready_s = time.time() - killed_s
        seconds = await lab.book.all_taken_over(before, killed_s, ready_s + TAKEN_OVER_S)
        tell(f"{how_many} under way, the only worker killed", ready_s=ready_s, **p50_p95(seconds))
        released_s = time.time()
        await lab.demo.hold(False)
        told = await lab.settled()
        tell("  account", all_done_s=time.time() - released_s, **told.figures())
        assert told.wrong() == {}
        assert told.statuses == {"completed": how_many}
        assert seconds[-1] < ready_s + TAKEN_OVER_S


@pytest.mark.timeout(180)
@pytest.mark.parametrize("how_many", SIZES)
async def test_a_worker_that_is_told_to_stop_hands_over_and_ends_well(
    new_lab: NewLab, database_url: str, how_many: int
) -> None:
    async with new_lab(database_url, CALM) as lab:
        await lab.demo.hold(True)
        first = await lab.house()
        ids = await lab.ask(how_many, first)
        await lab.book.all_are(ids, "in_progress")
        await lab.house()
        before, told_s = await lab.book.claims(ids), time.time()
        first.signal(signal.SIGTERM)
        assert await first.ended() == 0
        ended_s = time.time() - told_s
        seconds = await lab.book.all_taken_over(before, told_s, TAKEN_OVER_S)
        tell(f"{how_many} under way, SIGTERM", ended_s=ended_s, **p50_p95(seconds))
        await lab.demo.hold(False)
        told = await lab.settled()
        tell("  account", **told.figures())
        assert told.wrong() == {}
        assert told.statuses == {"completed": how_many}
        assert await lab.book.claims(ids) == {one: claim + 1 for one, claim in before.items()}


@pytest.mark.timeout(180)
@pytest.mark.long
async def test_a_lock_that_is_cut_under_20_costs_one_take_over_and_no_submit(
    new_lab: NewLab, database_url: str
) -> None:
    async with new_lab(database_url, CALM) as lab:
        await lab.demo.hold(True)
        first = await lab.house()
        ids = await lab.ask(20, first)
        await lab.book.all_are(ids, "in_progress")
        before, cut_s = await lab.book.claims(ids), time.time()
        assert len(await lab.book.cut_worker_locks()) == 1
        seconds = await lab.book.all_taken_over(before, cut_s, TAKEN_OVER_S)
        tell("20 under way, the lock's connection cut", **p50_p95(seconds))
        await lab.demo.hold(False)
        told = await lab.settled()
        tell("  account", **told.figures())
        assert told.wrong() == {}
        assert told.statuses == {"completed": 20}
        assert told.submit_requests == 20
        assert await lab.book.claims(ids) == {one: claim + 1 for one, claim in before.items()}
