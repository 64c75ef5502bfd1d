"""The demo provider outlives its own death, and leaves when it is asked to."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY = {"Authorization": "Bearer any"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def begin(port: int, data_dir: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "emulators", "--port", str(port), "--data-dir", str(data_dir)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@asynccontextmanager
async def provider(
    port: int, data_dir: Path
) -> AsyncIterator[tuple[subprocess.Popen[bytes], httpx.AsyncClient]]:
    """A provider on a port and a folder; killed at the end when it still runs."""
    process = await asyncio.to_thread(begin, port, data_dir)
    try:
        address = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(20), httpx.AsyncClient(base_url=address, trust_env=False) as c:
            assert process.stdout is not None
            await asyncio.to_thread(process.stdout.readline)
            while True:
                try:
                    if (await c.get("/healthz")).json()["pid"] == process.pid:
                        break
                except httpx.TransportError:
                    assert process.poll() is None
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=20) as client:
            yield process, client
    finally:
        process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


async def submit(
    client: httpx.AsyncClient, endpoint: str, generation: str, webhook: str | None = None
) -> Any:
    headers = KEY | {"Idempotency-Key": f"{generation}-1"}
    drawn = {"prompt": "a boat at night", "duration": 1, "width": 320, "height": 180}
    body = {"input": drawn, "webhook": webhook}
    return (await client.post(f"/v2/{endpoint}/run", json=body, headers=headers)).json()["id"]


async def until(client: httpx.AsyncClient, generation: str, what: str) -> Any:
    asked = {"generation": generation, "until": what, "timeout_s": "15"}
    answer = await client.get("/_wait", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_after_kill_9_everything_is_there_and_unfinished_jobs_are_drawn(
    tmp_path: Path,
) -> None:
    port, data_dir = free_port(), tmp_path / "state"
    done, held = str(uuid4()), str(uuid4())
    async with provider(port, data_dir) as (process, client):
        picture = await submit(client, "demo-image-quick", done)
        await until(client, done, "completed")
        shown = await client.get(f"/v2/demo-image-quick/status/{picture}", headers=KEY)
        await client.post("/_control", json={"hold": True})
        film = await submit(client, "demo-video-quick", held)
        await until(client, held, "in_progress")
        before = (await client.get("/_ledger")).json()
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    async with provider(port, data_dir) as (process, client):
        again = await client.get(f"/v2/demo-image-quick/status/{picture}", headers=KEY)
        assert again.json()["output"] == shown.json()["output"]
        assert (await client.get(again.json()["output"]["image_url"])).status_code == 200
        assert await submit(client, "demo-image-quick", done) == picture
        page = await until(client, held, "completed")
        assert (page["submits"], page["jobs"][0]["id"]) == (1, film)
        book = (await client.get("/_ledger")).json()
        assert book["generations"][done]["submits"] == 1
        assert book["generations"][done]["polls"] == before["generations"][done]["polls"] + 1
        assert (data_dir.stat().st_mode & 0o777) == 0o700
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_asked_to_stop_it_leaves_with_0_even_with_work_and_waiters_open(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with provider(free_port(), tmp_path) as (process, client):
        await submit(client, "demo-video", str(uuid4()))
        await client.post("/_faults", json={"on": "submit", "fault": "hang"})
        hanging = asyncio.create_task(submit(client, "demo-image", generation := str(uuid4())))
        await until(client, generation, "submits:1")
        await submit(client, "demo-image-quick", told := str(uuid4()), "http://127.0.0.1:9/hook")
        await until(client, told, "webhooks:1")
        process.send_signal(number)
        assert await asyncio.to_thread(process.wait, 10) == 0
        with pytest.raises(httpx.TransportError):
            await hanging


def refused(*arguments: str) -> str:
    """What a provider that cannot start says."""
    command = [sys.executable, "-m", "emulators", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


async def test_a_folder_or_a_port_in_use_is_refused_in_one_line(tmp_path: Path) -> None:
    port = free_port()
    async with provider(port, tmp_path):
        said = await asyncio.to_thread(refused, "--port", "0", "--data-dir", str(tmp_path))
        assert "another demo provider" in said
        said = await asyncio.to_thread(refused, "--port", str(port))
        assert "cannot listen" in said
