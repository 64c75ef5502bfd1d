"""A whole runtime in the test's own loop, and the server in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from db.files import LocalFiles
from generations.contract import Caller
from runtime import Runtime, open_runtime
from settings import ROOT, child_environment, load

READY_S = 60.0
END_S = 30.0


@contextlib.asynccontextmanager
async def open_house(
    database_url: str, demo_url: str, data_dir: Path, **more: str
) -> AsyncIterator[Runtime]:
    """Open everything but the server, in this process."""
    environ = {
        "DATABASE_URL": database_url,
        "DEMO_BASE_URL": demo_url,
        "DATA_DIR": str(data_dir),
        **more,
    }
    loaded = load(environ, env_file=data_dir / "no.env")
    async with open_runtime(loaded) as runtime:
        yield runtime


def local(runtime: Runtime, **more: Any) -> Caller:
    """The local user as a caller."""
    return Caller(user_id=runtime.local_user_id, **more)


def folder_of(runtime: Runtime) -> Path:
    """The folder that its files lie in."""
    assert isinstance(runtime.files, LocalFiles)
    return runtime.files.root


async def settled(runtime: Runtime, generation_id: str, within_s: float = 30.0) -> dict[str, Any]:
    """The generation once it is settled; fails when that takes too long."""
    caller = local(runtime)
    async with asyncio.timeout(within_s):
        reading = await runtime.admission.get(caller, generation_id)
        while reading["status"] not in ("completed", "failed", "cancelled", "unknown"):
            await runtime.watch.sleep(UUID(generation_id), reading["v"], 1.0)
            reading = await runtime.admission.get(caller, generation_id)
    return reading


async def reaches(
    runtime: Runtime, generation_id: str, status: str, within_s: float = 30.0
) -> dict[str, Any]:
    """The generation once it has this status."""
    caller = local(runtime)
    async with asyncio.timeout(within_s):
        reading = await runtime.admission.get(caller, generation_id)
        while reading["status"] != status:
            await runtime.watch.sleep(UUID(generation_id), reading["v"], 1.0)
            reading = await runtime.admission.get(caller, generation_id)
    return reading


@dataclass(kw_only=True)
class Served:
    """The server as a person starts it, in a process of its own."""

    url: str
    process: asyncio.subprocess.Process
    client: httpx.AsyncClient
    lines: list[str] = field(default_factory=list)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server itself."""
        os.kill(self.process.pid, number)

    async def ended(self, within_s: float = END_S) -> int:
        """Its exit code."""
        async with asyncio.timeout(within_s):
            return await self.process.wait()


def free_port() -> int:
    """A port that is free just now."""
    with socket.create_server(("127.0.0.1", 0)) as trial:
        return int(trial.getsockname()[1])


@contextlib.asynccontextmanager
async def serve(data_dir: Path, **settings: str) -> AsyncIterator[Served]:
    """Run `server.py` with these settings until the block ends, ready when the block begins."""
    await asyncio.to_thread(data_dir.mkdir, mode=0o711, parents=True, exist_ok=True)
    port = settings.pop("PORT", None) or str(free_port())
    environ = child_environment() | {
        "DATA_DIR": str(data_dir),
        "PORT": port,
        "CHAINLIT_APP_ROOT": str(chainlit_root(data_dir)),
        "PYTHONWARNINGS": "ignore",
        **settings,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "server.py"),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    limits = httpx.Limits(keepalive_expiry=2.0)  # A server closes what was idle for five seconds.
    async with httpx.AsyncClient(
        base_url=url, trust_env=False, timeout=90, limits=limits
    ) as client:
        served = Served(url=url, process=process, client=client)
        reader = asyncio.create_task(_read_lines(process, served.lines))
        try:
            await _until_ready(served)
            yield served
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                try:
                    await served.ended()
                except TimeoutError:
                    process.kill()
            await reader


def chainlit_root(data_dir: Path) -> Path:
    """A folder for what Chainlit writes, with our own files linked in, so that runs do not meet."""
    root = data_dir / "chainlit"
    if not root.exists():
        shutil.copytree(ROOT / ".chainlit", root / ".chainlit")
        (root / "public").symlink_to(ROOT / "public")
    return root


async def _read_lines(process: asyncio.subprocess.Process, lines: list[str]) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        lines.append(line.decode(errors="replace").rstrip())  # noqa: PERF401 - read meanwhile


async def _until_ready(served: Served) -> None:
    try:
        async with asyncio.timeout(READY_S):
            while served.process.returncode is None:
                with contextlib.suppress(httpx.TransportError):
                    if (await served.client.get("/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass
    raise AssertionError("the server did not get ready:\n" + "\n".join(served.lines[-40:]))
