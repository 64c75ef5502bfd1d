"""Whoever dies, another goes on: at once, once, and without a second submit."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from db import generations, jobs
from generations.contract import Wanted
from runtime import Runtime
from settings import ROOT, child_environment
from tests.demo_process import Demo
from tests.generations.test_lost_submit import MODEL, SlowLine, house_at, row_of
from tests.house import Served, local, open_house, reaches, serve, settled

HOW_MANY = 4
#: The sweep and the engine's poll come every second; the rest is a slow machine's.
TAKEN_OVER_S = 10.0
START_S = 40.0
PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from tests.generations.test_takeover import follow
from tests.house import open_house

async def main(database_url, demo_url, folder, how_many):
    async with open_house(database_url, demo_url, Path(folder)) as house:
        print(json.dumps(await follow(house, int(how_many))), flush=True)
        await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


@dataclass(frozen=True, slots=True)
class Other:
    """Another process, and the generations that it follows."""

    process: asyncio.subprocess.Process
    ids: list[str]


async def follow(house: Runtime, how_many: int) -> list[str]:
    """The ids of so many new generations, once the house follows them all at the provider."""
    wanted = Wanted(kind="image", prompt="a red fox", model="demo-image-quick")
    started = [await house.admission.submit(local(house), wanted) for _ in range(how_many)]
    for reading in started:
        await reaches(house, reading["id"], "in_progress")
    return [reading["id"] for reading in started]


@contextlib.asynccontextmanager
async def another_house(database_url: str, demo: Demo, folder: Path) -> AsyncIterator[Other]:
    """A house in a process of its own, with generations that it follows."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, database_url, demo.url, str(folder), str(HOW_MANY)),
        cwd=ROOT,
        env=child_environment() | {"PYTHONWARNINGS": "ignore"},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            while not (line := await process.stdout.readline()).startswith(b"["):
                assert line, "it ended before it was ready"
        yield Other(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def claims_of(house: Runtime, ids: list[str]) -> list[int]:
    async with house.engine.connect() as connection:
        rows = [await generations.load(connection, UUID(generation_id)) for generation_id in ids]
    return [row.claim for row in rows if row is not None]


async def until_taken_over(house: Runtime, ids: list[str], before: list[int]) -> list[int]:
    """The claims as soon as all of them are newer."""
    async with asyncio.timeout(TAKEN_OVER_S):
        while True:
            now = await claims_of(house, ids)
            if all(new > old for new, old in zip(now, before, strict=True)):
                return now
            await house.watch.sleep(UUID(ids[0]), 1 << 60, 0.05)


async def assert_made_and_paid_once(house: Runtime, demo: Demo, ids: list[str]) -> None:
    for generation_id in ids:
        done = await settled(house, generation_id)
        assert (done["status"], done["attempt"]) == ("completed", 1), done["error"]
        ledger = await demo.ledger(generation_id)
        assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)


def cut_worker_locks(database_url: str) -> list[Any]:
    """Terminate the connections that hold a worker's session lock."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        return connection.execute(
            """
            select pg_terminate_backend(pid) from pg_locks
            where locktype = 'advisory' and classid = %s and granted and database =
                (select oid from pg_database where datname = current_database())
            """,
            (jobs.WORKER_LOCK,),
        ).fetchall()


def what_asyncio_complains_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Tasks that were left behind, or whose errors nobody looked at."""
    gc.collect()
    return [record.getMessage() for record in caplog.records if record.name == "asyncio"]


async def test_a_lock_that_is_cut_costs_one_take_over_and_no_submit(
    database_url: str, calm_demo: Demo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await calm_demo.hold(True)
    async with open_house(database_url, calm_demo.url, tmp_path) as house:
        ids = await follow(house, HOW_MANY)
        before = await claims_of(house, ids)
        assert cut_worker_locks(database_url) == [(True,)]
        after = await until_taken_over(house, ids, before)
        await calm_demo.hold(False)
        await assert_made_and_paid_once(house, calm_demo, ids)
        assert after == await claims_of(house, ids) == [claim + 1 for claim in before]
    assert what_asyncio_complains_of(caplog) == []


async def test_what_a_killed_process_was_at_is_finished_by_another(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    await calm_demo.hold(True)
    async with (
        another_house(database_url, calm_demo, tmp_path) as other,
        open_house(database_url, calm_demo.url, tmp_path) as house,
    ):
        before = await claims_of(house, other.ids)
        other.process.kill()
        after = await until_taken_over(house, other.ids, before)
        await calm_demo.hold(False)
        await assert_made_and_paid_once(house, calm_demo, other.ids)
        assert after == [claim + 1 for claim in before]


async def test_a_life_that_ends_in_the_middle_of_a_submit_leaves_nothing_behind(
    database_url: str, calm_demo: Demo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The next life begins without waiting for it, and gives it up; its answer comes late."""
    async with (
        SlowLine(calm_demo.url).open() as line,
        house_at(database_url, line.url, calm_demo, tmp_path) as house,
    ):
        wanted = Wanted(kind="image", prompt="a red fox", model="by-webhook")
        sent = (await house.admission.submit(local(house), wanted))["id"]
        async with asyncio.timeout(10):
            await line.asked.wait()
        assert cut_worker_locks(database_url) == [(True,)]
        assert (await settled(house, sent, TAKEN_OVER_S))["status"] == "unknown"
        line.released.set()
        await reaches(house, sent, "completed", TAKEN_OVER_S)
    assert what_asyncio_complains_of(caplog) == []


async def test_a_stop_waits_longer_for_a_submit_than_for_anything_else(
    database_url: str, calm_demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generations.engine.HAND_OVER_S", 0.05)
    async with (
        SlowLine(calm_demo.url).open() as line,
        house_at(database_url, line.url, calm_demo, tmp_path) as house,
    ):
        wanted = Wanted(kind="image", prompt="a red fox", model="by-webhook")
        sent = (await house.admission.submit(local(house), wanted))["id"]
        async with asyncio.timeout(10):
            await line.asked.wait()
        (engine,) = [task for task in asyncio.all_tasks() if task.get_name() == "engine"]
        house.jobs.stop()
        ended, _ = await asyncio.wait({engine}, timeout=1.0)
        assert not ended
        line.released.set()
        async with asyncio.timeout(10):
            await engine
        row = await row_of(house, sent)
    assert (row.status, row.claim) == ("in_progress", 1)
    assert row.provider_job is not None


async def test_a_server_that_is_told_to_stop_hands_over_and_lets_its_submit_come_home(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    await calm_demo.hold(True)
    async with (
        SlowLine(calm_demo.url).open() as line,
        serve(tmp_path, **settings_for(database_url, calm_demo, tmp_path, line)) as served,
    ):
        held = [await start(served, "demo-image-quick") for _ in range(HOW_MANY)]
        for generation_id in held:
            await calm_demo.until(generation_id, "polls:1")
        on_its_way = await start(served, "by-webhook")
        async with asyncio.timeout(10):
            await line.asked.wait()
        async with house_at(database_url, line.url, calm_demo, tmp_path) as house:
            before = await claims_of(house, held)
            served.signal(signal.SIGTERM)
            await until_taken_over(house, held, before)
            assert served.process.returncode is None
            assert (await claims_of(house, [on_its_way])) == [1]
            line.released.set()
            assert await served.ended() == 0
            await calm_demo.hold(False)
            await assert_made_and_paid_once(house, calm_demo, held)
            done = await settled(house, on_its_way)
            assert (done["status"], done["attempt"]) == ("completed", 1), done["error"]


def settings_for(database_url: str, demo: Demo, folder: Path, line: SlowLine) -> dict[str, str]:
    """A server's settings that share the house's database and files, with a slow paid painter."""
    models = folder / "models.toml"
    models.write_text(MODEL.format(way="webhook"), "utf-8")
    return {
        "DATABASE_URL": database_url,
        "DEMO_BASE_URL": demo.url,
        "MODELS_FILE": str(models),
        "RUNPOD_API_KEY": "rpa_x",
        "RUNPOD_BASE_URL": f"{line.url}/v2",
    }


async def start(served: Served, model: str) -> str:
    wanted = {"prompt": "a red fox", "model": model}
    answer = await served.client.post("/api/tools/generate_image", json=wanted)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])
