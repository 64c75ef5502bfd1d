"""Two visitors without a browser: one fetches the page with all its files, one talks by the socket
and notes when each piece of the answer came, and how long the server took for a trifle meanwhile.

The one who talks is a process of its own (`python -m bench.visit URL TEXT`), so that what else is
measured meanwhile does not delay its clock.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import socketio

_FILES = re.compile(r"(?:src|href)=\"([^\":?]+\.(?:js|css))")
ANSWER_S = 60.0
PULSE_S = 0.01


@dataclass(slots=True, kw_only=True)
class Heard:
    """An answer as it came."""

    #: The seconds at which its pieces came.
    pieces: list[float] = field(default_factory=list)
    #: How many seconds each question after the server's health took while they came.
    waits: list[float] = field(default_factory=list)


async def fetch_page(url: str) -> None:
    """Fetch the page and what it names, packed as a browser takes it and thrown away unread."""
    headers = {"Accept-Encoding": "gzip"}
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
        page = (await client.get("/")).text
        await asyncio.gather(*(_fetch(client, path) for path in set(_FILES.findall(page))))


async def _fetch(client: httpx.AsyncClient, path: str) -> None:
    async with client.stream("GET", "/" + path.lstrip("./")) as response:
        response.raise_for_status()
        async for _ in response.aiter_raw():
            pass


async def say(url: str, text: str) -> Heard:
    """Send one message as the page does and hear the answer; prints a line at its first piece."""
    heard = Heard()
    started, ended = asyncio.Event(), asyncio.Event()
    socket = socketio.AsyncClient(reconnection=False)

    async def piece(*_: object) -> None:
        heard.pieces.append(time.perf_counter())
        started.set()

    async def end(*_: object) -> None:
        # One comes ahead of all, for the turn that a reopened page may have missed.
        if started.is_set():
            ended.set()

    socket.on("stream_token", piece)
    socket.on("task_end", end)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        told = (await client.get("/")).cookies
        await socket.connect(
            url,
            socketio_path="/ws/socket.io",
            transports=["websocket"],
            headers={"Cookie": "; ".join(f"{name}={value}" for name, value in told.items())},
            auth={"sessionId": str(uuid4()), "clientType": "webapp", "userEnv": "{}"},
        )
        try:
            await socket.emit("connection_successful")
            await socket.emit("client_message", {"message": message(text), "fileReferences": []})
            async with asyncio.timeout(ANSWER_S):
                await started.wait()
                print("started", flush=True)
                heard.waits = await feel_pulse(client, ended)
        finally:
            await socket.disconnect()
    return heard


async def feel_pulse(client: httpx.AsyncClient, ended: asyncio.Event) -> list[float]:
    """Ask after the server's health every so often until the answer has ended; the seconds each
    took.
    """
    waits = []
    while not ended.is_set():
        began = time.perf_counter()
        (await client.get("/health")).raise_for_status()
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(PULSE_S)
    return waits


def message(text: str) -> dict[str, str]:
    """A person's message in the words of Chainlit's page."""
    return {
        "id": str(uuid4()),
        "threadId": "",
        "name": "User",
        "type": "user_message",
        "output": text,
        "createdAt": datetime.now(UTC).isoformat(),
    }


if __name__ == "__main__":
    gc.disable()  # our own pauses are not to be counted
    print(json.dumps(asdict(asyncio.run(say(*sys.argv[1:])))))
