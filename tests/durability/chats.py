"""A conversation over a socket, as the page has it: it comes back to its thread when the line
breaks, says again what was not stored, and takes up what was interrupted.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any
from uuid import uuid4

import httpx
import socketio
from socketio.exceptions import ConnectionError as Refused

from bench.visit import message
from tests.journeys.cards import outage
from tests.sticky_proxy import COOKIE

CONNECT_S, ANSWER_S = 30.0, 60.0
#: How long a dead process may count as one that still answers.
DECIDED_WITHIN_S = 15.0
TRY_AGAIN_EVERY_S = 0.3


class Chat:
    """One page without a browser. `client` is the person's, with the cookies of one browser."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.session_id, self.thread_id = str(uuid4()), ""
        #: The threads that the page was given, the last one last; what its window was told.
        self.given: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []
        #: How often a turn was taken up again, and a message said again.
        self.taken_up = self.said_again = 0
        #: Whether words of the answer have come.
        self.hears = False
        #: Seconds from the new socket until the thread was there.
        self.resumed_s: list[float] = []
        self._changed = asyncio.Event()
        self._busy = self._ended = False
        self._socket: socketio.AsyncClient | None = None
        self._connected_at = 0.0

    @property
    def has_ended(self) -> bool:
        """Whether the last message is answered."""
        return self._ended

    @property
    def replica(self) -> str | None:
        """Where the balancer sends it."""
        return self.client.cookies.get(COOKIE)

    @property
    def is_connected(self) -> bool:
        """Whether the line stands."""
        return self._socket is not None and self._socket.connected

    async def connect(self, url: str = "") -> None:
        """Open a socket, at the next try if need be; the old one is left."""
        await self.leave()
        async with asyncio.timeout(CONNECT_S):
            while not await self._knock(url or str(self.client.base_url)):
                await outage(TRY_AGAIN_EVERY_S)

    async def _knock(self, url: str) -> bool:
        socket = socketio.AsyncClient(reconnection=False)
        for name in ("first_interaction", "resume_thread", "window_message"):
            socket.on(name, getattr(self, f"_{name}"))
        for name in ("stream_start", "task_start", "task_end", "disconnect"):
            socket.on(name, getattr(self, f"_{name}"))
        auth = {"sessionId": self.session_id, "threadId": self.thread_id, "clientType": "webapp"}
        try:
            # As the page's other requests do: the balancer may send us elsewhere from now on.
            await self.client.get(f"{url.rstrip('/')}/api/status")
            cookies = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
            await socket.connect(
                url,
                socketio_path="/ws/socket.io",
                transports=["websocket"],
                headers={"Cookie": cookies},
                auth=auth,
            )
            self._socket, self._connected_at = socket, time.monotonic()
            await socket.call("connection_successful", timeout=CONNECT_S)
        except (Refused, httpx.TransportError, socketio.exceptions.SocketIOError):
            await socket.disconnect()
            return False
        return True

    async def clear(self) -> None:
        """Leave for good: the server has nothing to keep."""
        assert self._socket is not None
        await self._socket.call("clear_session", timeout=CONNECT_S)
        await self.leave()

    async def leave(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                await self._socket.disconnect()

    async def _first_interaction(self, facts: dict[str, str]) -> None:
        self.thread_id = facts["thread_id"]

    async def _resume_thread(self, thread: dict[str, Any]) -> None:
        self.resumed_s.append(time.monotonic() - self._connected_at)
        self.given.append(thread)
        self._changed.set()

    async def _window_message(self, data: dict[str, Any]) -> None:
        self.told.append(data)
        self._changed.set()

    async def _stream_start(self, *_: object) -> None:
        self.hears = True
        self._changed.set()

    async def _task_start(self, *_: object) -> None:
        self._busy = True

    async def _task_end(self, *_: object) -> None:
        # One comes with every connection, for a turn that a page may have missed.
        self._ended = self._ended or self._busy
        self._busy = False
        self._changed.set()

    async def _disconnect(self, *_: object) -> None:
        self._changed.set()

    async def until(self, is_true: Any, within_s: float = ANSWER_S) -> None:
        """Return when it is true; asked again whenever something was heard."""
        async with asyncio.timeout(within_s):
            while not is_true():
                self._changed.clear()
                await self._changed.wait()

    async def send(self, text: str, *files: str) -> str:
        """Say something without waiting for an answer; the message's id."""
        assert self._socket is not None
        step = message(text)
        self._busy = self._ended = self.hears = False
        named = [{"id": one} for one in files]
        with contextlib.suppress(socketio.exceptions.SocketIOError):
            await self._socket.emit("client_message", {"message": step, "fileReferences": named})
        return step["id"]

    async def say(self, text: str) -> None:
        """Say something and hear the whole answer, whatever breaks meanwhile."""
        if not self.is_connected:
            await self.connect()
        step_id, waits = await self.send(text), True
        async with asyncio.timeout(ANSWER_S):
            while True:
                if waits:
                    await self.until(lambda: self._ended or not self.is_connected)
                if self._ended:
                    return
                came = len(self.given)
                await self.connect()
                thread = await self._decided(step_id, came)
                notice = notice_of(thread, step_id)
                if notice is not None:
                    self.taken_up += 1
                    if await self.try_again(notice):
                        return
                    waits = False
                elif is_answered(thread, step_id):
                    return
                else:
                    self.said_again += 1
                    step_id, waits = await self.send(text), True

    async def _decided(self, step_id: str, came: int) -> dict[str, Any]:
        """The thread as the page is given it, once that says what became of a message; it is given
        anew when the old process is found to be dead.
        """

        def is_decided() -> bool:
            if not self.is_connected:
                return True
            found = self.given[-1] if len(self.given) > came else {"steps": [], "elements": []}
            known = any(step["id"] == step_id for step in found["steps"])
            told = notice_of(found, step_id) is not None or is_answered(found, step_id)
            return len(self.given) > came and (told or not known)

        with contextlib.suppress(TimeoutError):
            await self.until(is_decided, DECIDED_WITHIN_S)
        return self.given[-1] if len(self.given) > came else await self.read()

    async def try_again(self, notice: dict[str, str]) -> bool:
        """Press that button; whether it was answered."""
        action = {"name": "try_again", "payload": notice}
        body = {"sessionId": self.session_id, "action": action}
        with contextlib.suppress(httpx.TransportError):
            answer = await self.client.post("/project/action", json=body, timeout=ANSWER_S)
            assert answer.status_code < 500 or answer.status_code == 502, answer.text
            return answer.status_code == 200
        return False

    async def read(self, url: str = "") -> dict[str, Any]:
        """The thread, as it is stored; `url`: of one server, past the balancer."""
        async with asyncio.timeout(CONNECT_S):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    answer = await self.client.get(f"{url}/project/thread/{self.thread_id}")
                    if answer.status_code == 200:
                        thread: dict[str, Any] = answer.json()
                        return thread
                await outage(TRY_AGAIN_EVERY_S)


def is_answered(thread: dict[str, Any], step_id: str) -> bool:
    """Whether a message is there, with an answer after it."""
    messages = [step for step in thread["steps"] if "message" in step["type"]]
    after = [at for at, step in enumerate(messages) if step["id"] == step_id]
    return bool(after) and any(s["type"] == "assistant_message" for s in messages[after[0] + 1 :])


def notice_of(thread: dict[str, Any], step_id: str) -> dict[str, str] | None:
    """What the notice says that the answer to a message was interrupted; None without one."""
    notices = (e["props"] for e in thread["elements"] if e["name"] == "InterruptedTurn")
    return next((props for props in notices if props["turn"] == step_id), None)


def cards_of(thread: dict[str, Any]) -> list[dict[str, Any]]:
    """What the cards of a thread draw, in their order."""
    cards = [e for e in thread["elements"] if e["name"] == "GenerationCard"]
    return [card["props"]["snapshot"] for card in cards]
