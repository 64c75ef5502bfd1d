"""The demo provider as tests use it: its process, its ledger, its faults, and waiting without
sleeping.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from settings import ROOT, child_environment

START_S = 30.0
#: A server closes a connection that was idle for five seconds, and httpx's own limit is the same:
#: under load it would ask in the very moment in which the line is closed.
SHORT_LIVED = httpx.Limits(keepalive_expiry=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A running demo provider."""

    url: str
    client: httpx.AsyncClient

    async def ledger(self, generation_id: str) -> dict[str, Any]:
        """What the provider itself counted for a generation; zeros when it never heard of it."""
        book = (await self.client.get("/_ledger")).json()["generations"]
        nothing = {"submits": 0, "submit_requests": 0, "polls": 0, "cancels": 0, "downloads": 0}
        found: dict[str, Any] = book.get(generation_id, nothing)
        return found

    async def until(self, generation_id: str, what: str, within_s: float = 20.0) -> None:
        """Return when the provider sees `what` (a status, `submits:1`, `polls:2`)."""
        answer = await self.client.get(
            "/_wait",
            params={"generation": generation_id, "until": what, "timeout_s": within_s},
            timeout=within_s + 5,
        )
        assert answer.status_code == 200, f"never saw {what}: {answer.text}"

    async def hold(self, on: bool) -> None:
        """Keep accepted jobs unfinished, or let them go on."""
        (await self.client.post("/_control", json={"hold": on})).raise_for_status()

    async def fault(self, **fault: Any) -> None:
        """Order a fault; see emulators/README.md."""
        (await self.client.post("/_faults", json=fault)).raise_for_status()

    async def calm(self) -> None:
        """No faults, nothing held."""
        (await self.client.delete("/_faults")).raise_for_status()
        await self.hold(False)


@contextlib.asynccontextmanager
async def start_demo(folder: Path) -> AsyncIterator[Demo]:
    """Run `python -m emulators` on a free port for as long as the block lasts."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulators", "--port", "0", "--data-dir", str(folder / "state")),
        cwd=ROOT,
        env=child_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            line = (await process.stdout.readline()).decode()
            url = next(word.strip(",") for word in line.split() if word.startswith("http://"))
            async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
                while True:
                    with contextlib.suppress(httpx.TransportError):
                        if (await client.get("/healthz")).status_code == 200:
                            break
        async with httpx.AsyncClient(
            base_url=url, trust_env=False, timeout=30, limits=SHORT_LIVED
        ) as client:
            yield Demo(url=url, client=client)
    finally:
        process.terminate()
        async with asyncio.timeout(15):
            await process.wait()
