"""Postgres is killed under load, and comes back: what was acknowledged is there."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.embedded import Cluster, EmbeddedPostgres
from db.migrate import migrate
from tests.durability.conftest import NewLab
from tests.durability.lab import tell
from tests.durability.routes import KEYED
from tests.durability.test_random_kills import keep_asking
from tests.journeys.cards import outage


@dataclass(frozen=True, slots=True)
class Mortal:
    """A Postgres of the test's own."""

    server: EmbeddedPostgres
    url: str

    async def die(self, away_s: float) -> None:
        """Be killed as a whole server by `kill -9`, stay away for so long, and come back."""
        assert self.server.shared is not None
        cluster = self.server.shared.server
        assert isinstance(cluster, Cluster)
        facts = cluster.pid_file()
        assert facts is not None
        os.kill(facts.pid, signal.SIGKILL)
        await outage(away_s)
        assert await asyncio.to_thread(self.server.enter) == self.url


@pytest.fixture
async def mortal(shared_folder: Path, tmp_path: Path) -> AsyncIterator[Mortal]:
    folder = shared_folder / f"mortal-{tmp_path.name}"
    await asyncio.to_thread(folder.mkdir, mode=0o711)
    server = EmbeddedPostgres(folder)
    url = await asyncio.to_thread(server.enter)
    await asyncio.to_thread(migrate, url)
    yield Mortal(server, url)
    await asyncio.to_thread(server.leave)


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("how_many", "deaths", "gap_s", "away_s", "last_s"),
    [
        (30, 1, (2.0, 3.0), 0.5, 6.0),
        pytest.param(300, 8, (5.0, 20.0), 0.5, 100.0, marks=pytest.mark.long),
        pytest.param(100, 1, (5.0, 6.0), 60.0, 30.0, marks=pytest.mark.long),
    ],
)
async def test_what_was_acknowledged_survives_a_killed_postgres(
    new_lab: NewLab,
    mortal: Mortal,
    how_many: int,
    deaths: int,
    gap_s: tuple[float, float],
    away_s: float,
    last_s: float,
) -> None:
    async with new_lab(mortal.url, KEYED) as lab:
        house = await lab.supervised()
        async with asyncio.TaskGroup() as both:
            both.create_task(keep_asking(lab, [house], how_many, last_s))
            for _ in range(deaths):
                await outage(random.uniform(*gap_s))
                await mortal.die(away_s)
        told = await lab.settled(within_s=120.0)
        tell(f"Postgres killed {deaths} times, away for {away_s} s", **told.figures())
        assert told.wrong() == {}
        assert told.statuses == {"completed": how_many}
        # The house itself has outlived it.
        assert house.lives == 1
