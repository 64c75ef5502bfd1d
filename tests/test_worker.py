"""Workers: a server leaves its work to them, or hands it over when it stops, and nobody notices."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import socketio

from settings import ROOT, child_environment
from tests.demo_process import Demo
from tests.house import Served, free_port, open_house, serve
from tests.people import SECRET, Person, a_person, connected, serve_people
from worker import until_it_ends

FOX = {"prompt": "a red fox", "model": "demo-image-quick"}
HOW_MANY = 4
#: So many take 5 s to say.
WORDS = 100
START_S = 40.0
WITHIN_S = 20.0


@dataclass(kw_only=True)
class Worker:
    """A worker as a person starts it, in a process of its own."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    def said(self) -> list[dict[str, Any]]:
        """Its log, as a machine reads it; every line must be one."""
        return [json.loads(line) for line in self.lines]

    async def read(self) -> None:
        """Take up what it says until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip())  # noqa: PERF401 - read meanwhile

    async def end(self, number: signal.Signals) -> int:
        """Its exit code after this signal."""
        self.process.send_signal(number)
        async with asyncio.timeout(WITHIN_S):
            return await self.process.wait()


@contextlib.asynccontextmanager
async def run_worker(data_dir: Path, **settings: str) -> AsyncIterator[Worker]:
    """Run `worker.py` until the block ends, ready when the block begins."""
    worker = Worker(process=await begin_worker(data_dir, **settings))
    reading = asyncio.create_task(worker.read())
    try:
        async with asyncio.timeout(START_S):
            while not any("worker ready" in line for line in worker.lines):
                assert worker.process.returncode is None, worker.lines
                await asyncio.sleep(0.05)
        yield worker
    finally:
        if worker.process.returncode is None:
            worker.process.kill()
        await reading
        await worker.process.wait()


async def begin_worker(data_dir: Path, **settings: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "worker.py")),
        cwd=data_dir.parent,
        env=child_environment() | {"DATA_DIR": str(data_dir), "LOG_FORMAT": "json", **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_a_server_without_an_engine_is_ready_and_leaves_the_work_to_a_worker(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    shared = {"DATABASE_URL": database_url, "DEMO_BASE_URL": calm_demo.url, "WORKER": "off"}
    async with serve(tmp_path / "data", **shared) as served:
        ready = await served.client.get("/readyz")
        assert (ready.status_code, "engine" in ready.json()["checks"]) == (200, False)
        assert [line for line in served.lines if "none here (WORKER=off, environment)" in line]
        generation_id = (await start(served)).rsplit("/", 1)[1]
        assert await calm_demo.ledger(generation_id) == await calm_demo.ledger("nobody's")
        async with run_worker(tmp_path / "data", **shared) as worker:
            done = await end_of(served, f"/api/generations/{generation_id}")
            assert done["status"] == "completed", done["error"]
            assert await worker.end(signal.SIGINT) == 0, worker.lines
        first, *_, last = worker.said()
    assert first["painters"][0]["label"] == "Demo painter"
    assert (last["event"], last["code"]) == ("worker ended", 0)


async def start(served: Served) -> str:
    """The place of a new generation."""
    answer = await served.client.post("/api/tools/generate_image", json=FOX)
    assert answer.status_code == 202, answer.text
    return f"/api/generations/{answer.json()['id']}"


async def end_of(served: Served, place: str) -> dict[str, Any]:
    done: dict[str, Any] = (await served.client.get(place, params={"wait": 30})).json()
    return done


async def test_a_server_that_stops_hands_over_at_once_and_lets_its_turn_come_to_its_end(
    database_url: str, calm_demo: Demo, shared_folder: Path
) -> None:
    shared = {"DATABASE_URL": database_url, "DEMO_BASE_URL": calm_demo.url}
    data_dir = shared_folder / "handed-over"
    async with (
        serve_people(data_dir, **shared) as served,
        a_person(served, database_url, "dora@example.org") as dora,
        connected(dora) as socket,
    ):
        await calm_demo.hold(True)
        ids = [await begin(dora) for _ in range(HOW_MANY)]
        for generation_id in ids:
            await calm_demo.until(generation_id, "polls:1")
        before = claims(database_url)
        as_there = {"WORKER": "off", "AUTH_MODE": "password", "CHAINLIT_AUTH_SECRET": SECRET}
        async with run_worker(data_dir, **shared, **as_there) as worker:
            await begin_a_slow_turn(socket)
            served.signal(signal.SIGTERM)
            async with asyncio.timeout(WITHIN_S):
                while not all_newer(claims(database_url), before):  # noqa: ASYNC110 - the worker does it
                    await asyncio.sleep(0.02)
            # The turn goes on meanwhile, and the listener is open to say that nobody else may come.
            stopping = await served.client.get("/readyz")
            assert (stopping.status_code, stopping.json()["checks"]["accepting"]) == (503, False)
            assert said_last(database_url) != f"word{WORDS}"
            assert await served.ended() == 0, served.lines[-20:]
            assert said_last(database_url) == f"word{WORDS}"
            await calm_demo.hold(False)
            await until_settled(database_url)
            assert await worker.end(signal.SIGTERM) == 0, worker.lines
    for generation_id in ids:
        ledger = await calm_demo.ledger(generation_id)
        assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)


async def begin(person: Person) -> str:
    answer = await person.client.post("/api/tools/generate_image", json=FOX)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def begin_a_slow_turn(socket: socketio.AsyncClient) -> None:
    """Return once its first words have come."""
    begun = asyncio.Event()
    socket.on("stream_token", lambda *_: begun.set())
    said = {"id": str(uuid4()), "output": f"[[slow: {WORDS} words]]", "type": "user_message"}
    await socket.emit("client_message", {"message": said, "fileReferences": []})
    async with asyncio.timeout(WITHIN_S):
        await begun.wait()


def all_newer(now: list[int], before: list[int]) -> bool:
    return all(new > old for new, old in zip(now, before, strict=True))


def claims(database_url: str) -> list[int]:
    return [row[0] for row in ask(database_url, "select claim from generations order by id")]


def said_last(database_url: str) -> str:
    """The last word of the answer, if it is stored and its turn has ended."""
    found = ask(
        database_url,
        "select output from steps where type = 'assistant_message' and not exists "
        "(select from turns where ended_at is null) order by seq desc limit 1",
    )
    return str(found[0][0]).split()[-1] if found and found[0][0] else ""


def ask(database_url: str, query: str) -> list[Any]:
    with psycopg.connect(database_url, options="-c search_path=kinora") as connection:
        return connection.execute(query.encode()).fetchall()


async def until_settled(database_url: str) -> None:
    completed = [("completed",)]
    async with asyncio.timeout(WITHIN_S):
        # Other processes change it.
        while ask(database_url, "select distinct status from generations") != completed:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_what_keeps_a_worker_from_starting_is_said_in_one_line(tmp_path: Path) -> None:
    away = f"postgresql://kinora@127.0.0.1:{free_port()}/kinora"
    demo = {"DEMO_BASE_URL": "http://127.0.0.1:9"}
    for settings, said in (
        ({"WORKER": "perhaps"}, "kinora: WORKER (from environment)"),
        ({"DATABASE_URL": away, **demo}, "kinora: cannot start: "),
    ):
        process = await begin_worker(tmp_path / "data", **settings)
        async with asyncio.timeout(START_S):
            output, _ = await process.communicate()
        assert process.returncode == 2, output
        assert output.decode().startswith(said), output
        assert output.count(b"\n") == 1, output


@pytest.mark.parametrize("ending", ["stop", "broken"])
async def test_a_worker_ends_when_it_is_told_to_or_when_nothing_works_any_more(
    ending: str, database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    async with open_house(database_url, calm_demo.url, tmp_path, WORKER="off") as house:
        assert not house.jobs.alive.is_set()
        assert await house.check() == dict.fromkeys(("database", "listening", "accepting"), True)
        stop = asyncio.Event()
        waiting = asyncio.create_task(until_it_ends(house, stop))
        await asyncio.sleep(0)
        assert not waiting.done()
        (stop if ending == "stop" else house.broken).set()
        async with asyncio.timeout(WITHIN_S):
            await waiting
