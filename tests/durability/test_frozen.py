"""A worker that was only frozen, and wakes when others have its jobs: it must not act on them."""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass
from typing import Any

import pytest

from tests.durability.conftest import NewLab
from tests.durability.lab import Lab, p50_p95, tell
from tests.durability.processes import House
from tests.durability.routes import KEYED, UNKEYED
from tests.journeys.cards import outage


@dataclass(frozen=True, slots=True)
class Size:
    """How many, how long at least, and which waits are shortened for that."""

    how_many: int
    frozen_s: float
    constants: dict[str, Any]


#: A second is to these what ten are to the product's own.
SHORT = Size(
    8,
    5.0,
    {"heartbeat_s": 1.0, "db.jobs.HEARTBEAT_MAX_S": 4, "generations.engine.FROZEN_S": 3.5},
)
LONG = Size(20, 60.0, {})
SIZES = [
    pytest.param(SHORT, id="short"),
    pytest.param(LONG, id="60 s", marks=pytest.mark.long),
]
#: The heartbeat's limit, a sweep, and a slow machine.
TAKEN_OVER_S = 50.0
#: How long the provider takes to answer a submit; how long we wait for what follows of it.
SUBMIT_S, HOME_S = 5.0, 15.0


async def freeze(lab: Lab, size: Size, first: House, ids: list[str]) -> dict[str, int]:
    """Stop a house as a whole until another has its jobs, and for so long; then let it go on. The
    claims of the new owner.
    """
    before, frozen_s = await lab.book.claims(ids), time.time()
    first.signal(signal.SIGSTOP)
    seconds = await lab.book.all_taken_over(before, frozen_s, TAKEN_OVER_S)
    tell(f"{len(ids)} under way, their worker frozen", **p50_p95(seconds))
    await outage(max(0.0, frozen_s + size.frozen_s - time.time()))
    after = await lab.book.claims(ids)
    first.signal(signal.SIGCONT)
    return after


@pytest.mark.timeout(180)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("stopped_then", [False, True])
async def test_a_worker_that_wakes_leaves_its_jobs_to_their_new_owner(
    new_lab: NewLab, database_url: str, size: Size, stopped_then: bool
) -> None:
    async with new_lab(database_url, KEYED) as lab:
        lab.constants = size.constants
        await lab.demo.hold(True)
        first = await lab.house()
        ids = await lab.ask(size.how_many, first)
        await lab.book.all_are(ids, "in_progress")
        await lab.house()
        after = await freeze(lab, size, first, ids)
        if stopped_then:
            first.signal(signal.SIGTERM)
            assert await first.ended() == 0
            await outage(1.5)
        else:
            # It lives again: what it is asked now it takes.
            ids.append(await lab.ask_for("a boat", first))
        assert await lab.book.claims(list(after)) == after
        await lab.demo.hold(False)
        told = await lab.settled()
        tell("  account", **told.figures())
        assert told.wrong() == {}
        assert told.statuses == {"completed": len(ids)}
        assert told.submit_requests == len(ids)
        assert await lab.book.claims(list(after)) == after


@pytest.mark.timeout(180)
@pytest.mark.parametrize("size", SIZES)
async def test_a_worker_that_is_frozen_in_the_middle_of_its_submits_sends_none_twice(
    new_lab: NewLab, database_url: str, size: Size
) -> None:
    async with new_lab(database_url, KEYED) as lab:
        lab.constants = size.constants
        first = await lab.house()
        await lab.demo.fault(on="submit", fault="late", times=0, delay_s=SUBMIT_S)
        for route in (KEYED, UNKEYED):
            await lab.ask(size.how_many, first, route=route)
        await lab.book.all_are(lab.ids, "submitting")
        before, frozen_s = await lab.book.claims(lab.ids), time.time()
        first.signal(signal.SIGSTOP)
        await lab.demo.calm()
        await lab.house()
        await lab.book.all_taken_over(before, frozen_s, TAKEN_OVER_S)
        await outage(max(0.0, frozen_s + size.frozen_s - time.time()))
        await lab.book.until(lambda: unknown_are(lab, size.how_many), HOME_S)
        first.signal(signal.SIGCONT)
        # The answers that were waiting for the one that slept come home now, and rescue these.
        with contextlib.suppress(TimeoutError):
            await lab.book.until(lambda: unknown_are(lab, 0), HOME_S)
        told = await lab.settled()
        tell(
            f"frozen with {2 * size.how_many} on their way, {size.how_many} given up meanwhile",
            **told.figures(),
        )
        assert told.wrong() == {}
        assert told.statuses["completed"] + told.unknown == 2 * size.how_many
        unknown = await lab.book.count("status = 'unknown' and model = %s", [KEYED.model])
        assert unknown == 0


async def unknown_are(lab: Lab, how_many: int) -> bool:
    """Whether so many wait for a person's decision."""
    return await lab.book.count("status = 'unknown'") == how_many
