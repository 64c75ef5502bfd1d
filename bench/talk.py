"""A visitor without a browser who says something in a conversation and hears the answer."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import socketio

from bench.visit import message

CONNECT_S = 20.0


@dataclass(slots=True, kw_only=True)
class Answered:
    """An answer as it came."""

    thread_id: str = ""
    #: From the message's leaving to the first words; None when nothing was said.
    first_s: float | None = None
    words: int = 0
    events: int = 0


class Talk:
    """One conversation over one socket."""

    def __init__(self) -> None:
        self.socket = socketio.AsyncClient(reconnection=False)
        self.answered = Answered()
        self.asked_at = 0.0
        self.ended = asyncio.Event()
        self.socket.on("stream_start", self._started)
        self.socket.on("stream_token", self._went_on)
        self.socket.on("first_interaction", self._began)
        self.socket.on("task_end", self._ended)

    async def _started(self, step: dict[str, Any]) -> None:
        self._heard(step["output"])

    async def _went_on(self, piece: dict[str, Any]) -> None:
        self._heard(piece["token"])

    def _heard(self, text: str) -> None:
        if text and self.answered.first_s is None:
            self.answered.first_s = time.perf_counter() - self.asked_at
        self.answered.words += len(text.split())
        self.answered.events += 1

    async def _began(self, facts: dict[str, Any]) -> None:
        self.answered.thread_id = facts["thread_id"]

    async def _ended(self, *_: object) -> None:
        self.ended.set()

    async def say(self, text: str, within_s: float) -> Answered:
        """Say something and hear the whole answer; one at a time."""
        self.answered = Answered(thread_id=self.answered.thread_id)
        self.ended.clear()
        self.asked_at = time.perf_counter()
        await self.socket.emit("client_message", {"message": message(text), "fileReferences": []})
        async with asyncio.timeout(within_s):
            await self.ended.wait()
        return self.answered


@contextlib.asynccontextmanager
async def talk_with(url: str) -> AsyncIterator[Talk]:
    """Connect as the page does; what is measured begins when the server has taken that in."""
    talk = Talk()
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        told = (await client.get("/")).cookies
    await talk.socket.connect(
        url,
        socketio_path="/ws/socket.io",
        transports=["websocket"],
        headers={"Cookie": "; ".join(f"{name}={value}" for name, value in told.items())},
        auth={"sessionId": str(uuid4()), "clientType": "webapp", "userEnv": "{}"},
    )
    try:
        await talk.socket.call("connection_successful", timeout=CONNECT_S)
        yield talk
    finally:
        await talk.socket.disconnect()
