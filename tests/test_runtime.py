"""What is opened once survives what it stands on, is shared rightly, and ends in order."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import httpx

from data_folder import read_secret
from runtime import Runtime
from settings import ROOT, child_environment, load
from tests.demo_process import Demo
from tests.house import Served, open_house, serve

FOX = {"prompt": "a red fox", "model": "demo-image-quick"}
BACK_S = 40.0
AT_ONCE_S = 15.0
ROUNDS = 20
PROGRAM = """
import sys
from pathlib import Path
from data_folder import read_secret
from settings import load

loaded = load({}, Path("no.env"))
print("ready", flush=True)
for line in sys.stdin:
    print(read_secret(loaded, Path(line.rstrip("\\n"))).decode(), flush=True)
"""


async def until_ready_is(served: Served, status: int | None, within_s: float) -> None:
    """Return when `/readyz` answers so; None: when nobody answers or takes anything on any more."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                found = (await served.client.get("/readyz")).status_code
            except httpx.TransportError:
                found = None
            if found == status or (status is None and found == 503):
                return
            await asyncio.sleep(0.05)


async def start(served: Served) -> str:
    answer = await served.client.post("/api/tools/generate_image", json=FOX)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def postmaster(data_dir: Path) -> int:
    pid_file = data_dir / "postgres" / "pgdata" / "postmaster.pid"
    return int(pid_file.read_text().split()[0])


async def test_a_killed_postgres_comes_back_by_itself_and_the_generation_is_finished(
    shared_folder: Path, calm_demo: Demo
) -> None:
    """And in the end, of a server that waits for a submit, the second signal ends the waiting."""
    data_dir = shared_folder / "of-its-own"
    async with serve(data_dir, DEMO_BASE_URL=calm_demo.url) as served:
        await calm_demo.hold(True)
        generation_id = await start(served)
        await calm_demo.until(generation_id, "polls:1")
        killed = postmaster(data_dir)
        os.kill(killed, signal.SIGKILL)
        await until_ready_is(served, 503, AT_ONCE_S)
        assert (await served.client.get("/healthz")).status_code == 200
        figures = await served.client.get("/metrics")
        assert figures.status_code == 200
        assert "\nkinora_database_up 0.0\n" in figures.text
        assert "kinora_generations{" not in figures.text
        assert "\nkinora_event_loop_lag_seconds_count " in figures.text
        await until_ready_is(served, 200, BACK_S)
        assert postmaster(data_dir) != killed
        await calm_demo.hold(False)
        place = f"/api/generations/{generation_id}"
        done = (await served.client.get(place, params={"wait": 30})).json()
        assert (done["status"], done["attempt"]) == ("completed", 1), done["error"]
        ledger = await calm_demo.ledger(generation_id)
        assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)

        await calm_demo.fault(on="submit", fault="hang", times=1)
        hanging = await start(served)
        await calm_demo.until(hanging, "submits:1")
        served.signal(signal.SIGTERM)
        await until_ready_is(served, None, AT_ONCE_S)
        served.signal(signal.SIGTERM)
        assert await served.ended(AT_ONCE_S) == 0, served.lines[-20:]
    assert not (data_dir / "postgres" / "pgdata" / "postmaster.pid").exists()


async def test_the_secret_is_made_once_however_many_begin_at_the_same_time(tmp_path: Path) -> None:
    starting = [
        asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM),
            cwd=ROOT,
            env=child_environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    processes = await asyncio.gather(*starting)
    async with asyncio.timeout(40):
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        for number in range(ROUNDS):
            data_dir = tmp_path / str(number)
            data_dir.mkdir()
            told = await asyncio.gather(*(secret_of(process, data_dir) for process in processes))
            assert told[0] == told[1] == (data_dir / "secret").read_bytes()
            assert [path.name for path in data_dir.iterdir()] == ["secret"]
        for process in processes:
            await process.communicate(b"")
    found = [(tmp_path / str(number) / "secret") for number in range(ROUNDS)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert len({path.read_bytes() for path in found}) == ROUNDS
    assert min(len(path.read_bytes()) for path in found) >= 32


async def secret_of(process: asyncio.subprocess.Process, data_dir: Path) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{data_dir}\n".encode())
    return (await process.stdout.readline()).strip()


def test_a_secret_that_was_configured_is_used_and_none_is_made(tmp_path: Path) -> None:
    secret = "a secret of at least thirty-two bytes"
    loaded = load({"CHAINLIT_AUTH_SECRET": secret}, tmp_path / "no.env")
    assert read_secret(loaded, tmp_path) == secret.encode()
    assert list(tmp_path.iterdir()) == []


async def test_each_purpose_has_a_key_of_its_own(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    async with open_house(database_url, calm_demo.url, tmp_path) as house:
        keys = {house.key(purpose) for purpose in ("media", "login", "webhook")}
        assert len(keys) == 3
        assert house.secret not in keys
        assert house.key("media") == house.key("media")
        assert await house.check() == dict.fromkeys(
            ("database", "listening", "engine", "accepting"), True
        )
        await a_stop_waits_for_turns(house)


async def a_stop_waits_for_turns(house: Runtime) -> None:
    """A turn that runs keeps the stop waiting until it ends; somebody in a hurry does not wait."""
    ends = asyncio.Event()

    async def turn() -> None:
        with house.turn():
            await ends.wait()

    running = asyncio.create_task(turn())
    await asyncio.sleep(0)
    stopping = asyncio.create_task(house.turns_ended(30))
    house.drain()
    assert not (await house.check())["accepting"]
    async with asyncio.timeout(AT_ONCE_S):
        # It hands over while the turn still runs.
        while house.jobs.alive.is_set():  # noqa: ASYNC110 - there is no event for its end
            await asyncio.sleep(0.01)
    late = asyncio.create_task(turn())
    await asyncio.sleep(0)
    running.cancel()
    # Nor is one left behind that began meanwhile.
    stopped, _ = await asyncio.wait({stopping}, timeout=0.2)
    assert not stopped
    ends.set()
    async with asyncio.timeout(5):
        await stopping
    assert late.done()
    assert house.turns == set()

    ends.clear()
    running = asyncio.create_task(turn())
    await asyncio.sleep(0)
    house.hurry()
    async with asyncio.timeout(5):
        await house.turns_ended(30)
    assert not running.done()
    ends.set()
    await running
