"""An import may die at any moment, as by `kill -9`: run again, it goes on, and nothing is there
twice.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.importing.moving import Moving, old_systems
from tests.old_systems.superduper import Files

#: Batches are of 500 rows, or fewer at the end of a table: this many are at least written.
BATCHES = 14
DEATH_S = 60.0


@pytest.fixture
def moving(postgres: Callable[[str], str], database_url: str, tmp_path: Path) -> Iterator[Moving]:
    with old_systems(
        postgres, database_url, tmp_path / "data", Files(count=1200), chats=120, messages=10
    ) as ready:
        yield ready


def content(moving: Moving) -> dict[str, list[str]]:
    """Everything that was imported, without ids and moments that differ from run to run."""
    queries = {
        "generations": "select concat_ws('|', legacy_id, kind, status, prompt, model, params,"
        " number, thread_id, u.identifier) from kinora.generations g"
        " join kinora.users u on u.id = g.user_id",
        "files": "select concat_ws('|', g.legacy_id, a.position, r.url, a.name)"
        " from kinora.remote_files r join kinora.assets a on a.id = r.asset_id"
        " left join kinora.generations g on g.id = a.generation_id",
        "threads": "select concat_ws('|', t.id, name, generation_count, u.identifier)"
        " from kinora.threads t join kinora.users u on u.id = t.user_id",
        "messages": "select concat_ws('|', id, thread_id, type, name, output, created_at)"
        " from kinora.steps",
        "shown": "select concat_ws('|', e.thread_id, e.step_id, e.type, g.legacy_id, r.url)"
        " from kinora.elements e left join kinora.generations g on g.id = e.generation_id"
        " left join kinora.remote_files r on r.asset_id = e.asset_id",
        "votes": "select concat_ws('|', step_id, value) from kinora.feedbacks",
        "ledger": "select legacy_id from kinora.imported where legacy_id not like '%%@%%'",
    }
    return {name: sorted(row for (row,) in moving.rows(query)) for name, query in queries.items()}


async def killed(moving: Moving, **settings: str) -> None:
    """Run an import that dies."""
    process = await moving.start(*moving.sources, **settings)
    async with asyncio.timeout(DEATH_S):
        await process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.long) for n in (2, 3, 4))])
async def test_killed_five_times_it_is_complete_and_has_no_doubles(
    moving: Moving, seed: int
) -> None:
    draw = random.Random(seed)
    for _ in range(5):
        point = draw.choice(["import.written", "import.batch"])
        # Every run writes at least what the one before did not.
        await killed(moving, CRASHPOINT=f"{point}:{draw.randint(1, BATCHES)}")
    report = await moving.bring()
    assert any(table["unchanged"] for table in report["tables"].values())
    after_kills = content(moving)
    wipe(moving)
    await moving.bring()
    assert content(moving) == after_kills


async def test_a_second_import_at_the_same_time_is_refused(moving: Moving) -> None:
    with psycopg.connect(moving.database_url) as connection:
        connection.execute("select pg_advisory_lock(546678)")
        code, said, told = await moving.run(*moving.sources)
    assert (code, said) == (1, "")
    assert "another import is running" in told


async def test_one_that_is_interrupted_says_how_it_goes_on(moving: Moving) -> None:
    """Ctrl-C while it waits for a row that somebody holds."""
    with psycopg.connect(moving.database_url) as connection:
        connection.execute("lock table kinora.generations in access exclusive mode")
        process = await moving.start(*moving.sources)
        await asyncio.to_thread(until_somebody_waits, moving.database_url)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(DEATH_S):
            said, told = await process.communicate()
    assert process.returncode == 130, told.decode()
    report = json.loads(said)
    assert not report["is_whole"]
    assert report["tables"]["chatbot.User"]["taken"] > 0
    assert "run it again" in told.decode()


def until_somebody_waits(url: str) -> None:
    """Return when somebody waits for a lock in this database."""
    query = (
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and wait_event_type = 'Lock'"
    )
    give_up_at = time.monotonic() + DEATH_S
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(query).fetchone() == (0,):
            assert time.monotonic() < give_up_at
            connection.execute("select pg_sleep(0.05)")


def wipe(moving: Moving) -> None:
    """Empty the new house."""
    with psycopg.connect(moving.database_url) as connection:
        connection.execute("truncate kinora.users, kinora.imported cascade")
