"""Behind a balancer a server that is told to stop says so first, and closes its door only then."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.demo_process import Demo
from tests.people import serve_people

SAID_S = 10.0
#: As balancers are told to ask in docs/deploy.md.
ASKS_EVERY_S = 1.0


async def test_a_server_that_stops_answers_until_a_balancer_has_noticed(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> None:
    """With a public address: 503 at `/readyz`, and everything else as before, on new lines too."""
    settings = {"DATABASE_URL": fresh_database("stopping"), "DEMO_BASE_URL": demo.url}
    public = {"PUBLIC_URL": "https://kinora.example.org"}
    async with serve_people(shared_folder / "stopping", **settings, **public) as served:
        served.signal(signal.SIGTERM)
        async with asyncio.timeout(SAID_S):
            while (await served.client.get("/readyz")).status_code != 503:
                pass
        new_line = {"Connection": "close"}
        noticed = time.monotonic() + ASKS_EVERY_S
        while time.monotonic() < noticed:
            assert (await served.client.get("/healthz", headers=new_line)).status_code == 200
            assert (await served.client.get("/api/usage", headers=new_line)).status_code == 401
        assert await served.ended() == 0
