"""One kill -9 at each named place, with pictures under way: nothing is lost, and nothing is sent
twice.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from crash_points import POINTS
from db.migrate import pending
from tests.demo_process import Demo
from tests.durability.conftest import NewLab
from tests.durability.lab import Lab, tell
from tests.durability.routes import KEYED, UNKEYED, Route, word

PLACES = [
    point for point in POINTS if point.startswith(("accept.", "drive.", "submit.", "look.", "coll"))
]
#: These come when the provider is done: all have been sent by then.
LATE = ("look.succeeded", "collect.")
SHORT, SHORT_AT = 6, 3
LONG, LONG_AT = 20, 10
#: Where what was sent may not be on record.
OPEN_WINDOW = ("submit.intended", "submit.answering", "submit.answered")


async def die_at(lab: Lab, point: str, how_many: int, at_pass: int) -> int:
    """Have so many under way, be killed there, and go on; how many were on record as sent."""
    await lab.demo.hold(True)
    house = await lab.supervised(CRASHPOINT=f"{point}:{at_pass}")
    asking = asyncio.create_task(lab.ask(how_many, house))
    if point.startswith(LATE):
        await lab.book.all_are(await asking, "in_progress")
        await lab.demo.hold(False)
    assert await house.died() == -signal.SIGKILL
    await asking
    await lab.demo.hold(False)
    return house.lives


def places(short: list[tuple[str, Route]]) -> list[object]:
    """The short forms, and every place with and without a key in the long one."""
    cases = [pytest.param(point, route, SHORT, SHORT_AT) for point, route in short]
    cases += [
        pytest.param(point, route, LONG, LONG_AT, marks=pytest.mark.long)
        for route in (KEYED, UNKEYED)
        for point in PLACES
    ]
    return [*cases]


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    ("point", "route", "how_many", "at_pass"),
    places(
        [
            ("accept.committed", KEYED),
            ("submit.intended", UNKEYED),
            ("submit.answering", KEYED),
            ("submit.answered", UNKEYED),
            ("collect.midway", UNKEYED),
        ]
    ),
    ids=word,
)
async def test_a_kill_there_loses_nothing_and_sends_nothing_twice(
    new_lab: NewLab, database_url: str, point: str, route: Route, how_many: int, at_pass: int
) -> None:
    async with new_lab(database_url, route) as lab:
        await die_at(lab, point, how_many, at_pass)
        told = await lab.settled()
        tell(f"{point} {'with' if route.keyed else 'without'} a key", **told.figures())
        assert told.wrong() == {}
        assert told.statuses["completed"] + told.unknown == told.accepted == how_many, told.codes
        if route.keyed or point.startswith(LATE):
            assert told.unknown == 0
        elif point in OPEN_WINDOW:
            assert 1 <= told.unknown <= how_many
        # The killed one's own: a result on its way, and the small picture of it.
        assert told.unfinished <= 2 * how_many


@pytest.fixture
def empty_database(postgres: Callable[[str], str]) -> Iterator[str]:
    """A database that nobody has migrated."""
    name = f"t{uuid4().hex[:12]}"
    with psycopg.connect(postgres("kinora"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    yield postgres(name)
    with psycopg.connect(postgres("kinora"), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def test_a_kill_between_the_scripts_of_the_database_is_made_good_by_the_next_start(
    empty_database: str, new_lab: NewLab, database_url: str, calm_demo: Demo
) -> None:
    async with new_lab(database_url, KEYED) as lab:
        lab.book.url, whole = empty_database, lab.book.url
        killed = await lab.begin(CRASHPOINT="migrate.between")
        assert await killed.ended() == -signal.SIGKILL
        assert len(await asyncio.to_thread(pending, empty_database)) == 1
        house = await lab.house()
        assert await asyncio.to_thread(pending, empty_database) == []
        await house.order(key="a", prompt="a red fox", model=KEYED.model, seed=1)
        lab.book.url = whole
