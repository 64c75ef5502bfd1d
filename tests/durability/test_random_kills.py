"""Houses die at random again and again, those that accept and those that work: all that was
acknowledged is finished, and paid for once.
"""

from __future__ import annotations

import asyncio
import functools
import random
import signal
import sys
from collections.abc import Sequence

import pytest

from tests.durability.conftest import NewLab
from tests.durability.lab import Lab, tell
from tests.durability.processes import Supervised
from tests.durability.routes import KEYED, UNKEYED, Route, word
from tests.durability.servers import start_server, start_worker
from tests.journeys.cards import outage

#: Seconds from one kill to the next.
GAP_S = (1.5, 4.0)
AT_ONCE = 4
SUBMIT_S = 0.5


async def keep_killing(houses: Sequence[Supervised], chance: random.Random, last_s: float) -> int:
    """Kill one of them every few seconds for so long; how many times."""
    loop = asyncio.get_running_loop()
    until_s, kills = loop.time() + last_s, 0
    while loop.time() < until_s:
        await outage(chance.uniform(*GAP_S))
        house = chance.choice(houses).house
        # One that has come up: otherwise a slow machine never sees a server that answers.
        if house is not None and house.ready.is_set() and not house.over.is_set():
            house.signal(signal.SIGKILL)
            kills += 1
    return kills


async def keep_asking(lab: Lab, doors: Sequence[Supervised], how_many: int, last_s: float) -> None:
    """Ask for so many, a few at a time, evenly over so long."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    async with asyncio.TaskGroup() as asking:
        for done in range(0, how_many, AT_ONCE):
            await outage(max(0.0, began_s + last_s * done / how_many - loop.time()))
            asking.create_task(lab.ask(min(AT_ONCE, how_many - done), *doors))


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("route", "how_many", "last_s", "real"),
    [
        (KEYED, 40, 9.0, False),
        pytest.param(KEYED, 300, 180.0, True, marks=pytest.mark.long),
        pytest.param(UNKEYED, 300, 180.0, False, marks=pytest.mark.long),
    ],
    ids=word,
)
async def test_kills_at_random_lose_nothing_and_send_nothing_twice(
    new_lab: NewLab, database_url: str, route: Route, how_many: int, last_s: float, real: bool
) -> None:
    """`real`: a server and two workers, as people start them; else two that do both."""
    seed = random.SystemRandom().randrange(1 << 32)
    sys.stdout.write(f"seed {seed}\n")
    async with new_lab(database_url, route) as lab:
        if real:
            doors = [await lab.supervise(functools.partial(start_server, lab.how()))]
            worker = functools.partial(start_worker, lab.how())
            houses = [*doors, await lab.supervise(worker), await lab.supervise(worker)]
        else:
            doors = houses = [await lab.supervised(), await lab.supervised()]
        # So that kills meet submits on their way.
        await lab.demo.fault(on="submit", fault="late", times=0, delay_s=SUBMIT_S)
        async with asyncio.TaskGroup() as both:
            killing = both.create_task(keep_killing(houses, random.Random(seed), last_s))
            both.create_task(keep_asking(lab, doors, how_many, last_s))
        told = await lab.settled(within_s=90.0)
        tell(f"{killing.result()} kills in {last_s:.0f} s", **told.figures())
        assert killing.result() >= last_s / GAP_S[1] / 2
        assert told.wrong() == {}
        assert told.statuses["completed"] + told.unknown == told.accepted == how_many, told.codes
        assert not (route.keyed and told.unknown)
