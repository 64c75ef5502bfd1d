"""The server and the worker as a person starts them, for the supervisor: orders come by HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from settings import ROOT, child_environment
from tests.durability.processes import START_S, Ended, House
from tests.house import chainlit_root, free_port
from tests.journeys.cards import outage


@dataclass(kw_only=True)
class Server(House):
    """One life of a server; every order is a request of its own."""

    client: httpx.AsyncClient = field(default_factory=httpx.AsyncClient)

    async def until_ready(self) -> bool:
        """Whether it answered as ready before it ended."""
        if self.ready.is_set():
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                while not self.over.is_set():
                    with contextlib.suppress(httpx.TransportError):
                        if (await self.client.get("/readyz")).status_code == 200:
                            self.ready.set()
                            return True
                    await outage(0.05)
        return False

    async def order(self, **order: Any) -> str:
        """The id under which it is accepted. Raises: Ended."""
        headers = {"Idempotency-Key": order.pop("key")}
        try:
            answer = await self.client.post(
                "/api/tools/generate_image", json=order, headers=headers
            )
        except httpx.TransportError as error:
            raise Ended(type(error).__name__) from error
        if answer.status_code not in (200, 202):
            raise Ended(answer.text)
        return str(answer.json()["id"])

    async def close(self) -> None:
        """End it, hard if need be."""
        await super().close()
        await self.client.aclose()


def environment(how: dict[str, Any]) -> dict[str, str]:
    """The same settings as a house process has, as a person writes them."""
    folder = Path(how["folder"])
    return child_environment() | {
        "DATABASE_URL": how["database_url"],
        "DEMO_BASE_URL": how["demo_url"],
        "DATA_DIR": str(folder),
        "CHAINLIT_APP_ROOT": str(chainlit_root(folder)),
        "REQUESTS_PER_MINUTE": "0",
        "PYTHONWARNINGS": "ignore",
        **how["settings"],
    }


async def start(script: str, environ: dict[str, str]) -> asyncio.subprocess.Process:
    """Start one of the project's two programs."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / script)),
        cwd=ROOT,
        env=environ,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )


async def start_server(how: dict[str, Any], **environ: str) -> House:
    """A server that drives nothing itself."""
    port = str(free_port())
    process = await start(
        "server.py", environment(how) | {"PORT": port, "WORKER": "off", **environ}
    )
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30)
    return listening(Server(process=process, client=client))


async def start_worker(how: dict[str, Any], **environ: str) -> House:
    """A worker, which takes no orders and is therefore ready at once."""
    process = await start("worker.py", environment(how) | environ)
    worker = listening(House(process=process))
    worker.ready.set()
    return worker


def listening(house: House) -> House:
    """It, heard from now on."""
    house.reader = asyncio.create_task(house.listen())
    return house
