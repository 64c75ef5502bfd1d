"""Watching: one LISTEN connection a process tells every open card, stream and driver what changed.

A notification carries only an id, a version and an owner. Whoever shows generations of that owner
gets the reading, made once and shared; whoever drives the generation is woken from its sleep.
Nothing is ever acted upon here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db import readings, turns
from db.connect import DATABASE_ERRORS, close_connection, open_connection
from db.generations import CHANNEL

log = structlog.get_logger(__name__)

RECONNECT_FIRST_S = 0.1
RECONNECT_MAX_S = 5.0
HEALTH_CHECK_S = 15.0
#: A stream that does not read so many changes is closed; its browser opens a new one and catches
#: up.
STREAM_BACKLOG_MAX = 1000

Reading = dict[str, Any]


@dataclass(eq=False)
class Stream:
    """The changes of one user's generations, in order. A None ends it: too slow, a gap, or the
    server stops.
    """

    user_id: UUID
    queue: asyncio.Queue[Reading | None] = field(
        default_factory=lambda: asyncio.Queue(STREAM_BACKLOG_MAX)
    )

    def push(self, reading: Reading | None) -> None:
        """Add a change; a full queue is emptied and ended instead, since a gap is worse than a new
        start.
        """
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            reading = None
        self.queue.put_nowait(reading)


@dataclass(eq=False)
class Attention:
    """Somebody's interest in one generation: what was told since is not missed between two
    waits.
    """

    heard_version: float = 0
    #: The provider has sent word since the last wait: look now.
    nudged: bool = False
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, version: float) -> None:
        """Note a change."""
        self.heard_version = max(self.heard_version, version)
        self.told.set()

    def nudge(self) -> None:
        """Note that the provider has sent word."""
        self.nudged = True
        self.told.set()

    async def wait(self, version: int, seconds: float) -> bool:
        """Wait for a change beyond `version`, or a word of the provider, at most so long; True when
        there was one.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.heard_version <= version and not self.nudged:
                    self.told.clear()
                    await self.told.wait()
        changed = self.heard_version > version or self.nudged
        self.nudged = False
        if self.heard_version == math.inf:
            # A gap in listening is told once.
            self.heard_version = 0
        return changed


class Watch:
    """The process's ear on the database. `run` listens until cancelled; the rest is in memory."""

    def __init__(
        self,
        engine: AsyncEngine,
        listen_url: str,
        also: Mapping[str, Callable[[object], None]] | None = None,
        reconnected: Callable[[], None] = lambda: None,
    ) -> None:
        """`also`: other channels that are listened to on the same connection, and who hears;
        `reconnected`: told each time that the connection had to be made anew.
        """
        #: The number by which turns of this process are known; its lock lives on our connection.
        self.instance = secrets.randbelow(2**31 - 1)
        self._engine = engine
        self._listen_url = listen_url
        self._also = dict(also or {})
        self._reconnected = reconnected
        self._streams: dict[UUID, set[Stream]] = defaultdict(set)
        self._attentive: dict[UUID, set[Attention]] = defaultdict(set)
        self._changed: dict[UUID, set[UUID]] = defaultdict(set)
        self._news = asyncio.Event()
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def stream(self, user_id: UUID) -> Iterator[Stream]:
        """Open a stream of one user's changes for as long as the block runs."""
        stream = Stream(user_id)
        self._streams[user_id].add(stream)
        try:
            yield stream
        finally:
            self._streams[user_id].discard(stream)
            if not self._streams[user_id]:
                del self._streams[user_id]

    @contextlib.contextmanager
    def attention(self, generation_id: UUID) -> Iterator[Attention]:
        """Hear of one generation's changes for as long as the block runs."""
        attention = Attention()
        self._attentive[generation_id].add(attention)
        try:
            yield attention
        finally:
            self._attentive[generation_id].discard(attention)
            if not self._attentive[generation_id]:
                del self._attentive[generation_id]

    async def sleep(self, generation_id: UUID, version: int, seconds: float) -> bool:
        """Sleep, unless the generation changes beyond `version` from now on; True when it did."""
        with self.attention(generation_id) as attention:
            return await attention.wait(version, seconds)

    def end_streams(self) -> None:
        """End every stream, because the server stops or news may have been missed; browsers come
        back.
        """
        for streams in list(self._streams.values()):
            for stream in list(streams):
                stream.push(None)

    async def run(self) -> None:
        """Listen until cancelled, connecting again whenever the connection is lost."""
        wait_s = RECONNECT_FIRST_S
        while True:
            try:
                async with self._listening(), self._reading() as reader:
                    wait_s = RECONNECT_FIRST_S
                    await self._until_lost(reader)
            except DATABASE_ERRORS as error:
                log.warning("watch lost its connection", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - the worker's boundary: it must outlive any mistake
                log.exception("watch ended")
            self._wake_everybody()
            self._reconnected()
            await asyncio.sleep(wait_s)
            wait_s = min(RECONNECT_MAX_S, wait_s * 2)

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[asyncio.Task[None]]:
        reader = asyncio.create_task(self._read_changes(), name="watch-reader")
        try:
            yield reader
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        self._lost = asyncio.Event()
        self._connection = await open_connection(self._listen_url, on_lost=self._lost.set)
        try:
            await turns.hold_instance(self._connection, self.instance)
            await self._connection.add_listener(CHANNEL, self._hear)
            for channel in self._also:
                await self._connection.add_listener(channel, self._pass_on)
            self.listening.set()
            # What changed while nobody listened is not known: everybody looks again.
            self._wake_everybody()
            yield
        finally:
            self.listening.clear()
            await close_connection(self._connection)

    async def _until_lost(self, reader: asyncio.Task[None]) -> None:
        """Return when the connection or the reader ended; a silent death is found by asking now and
        then.
        """
        while not self._lost.is_set() and not reader.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEALTH_CHECK_S):
                    await self._lost.wait()
            if not self._lost.is_set():
                await self._connection.execute("select 1", timeout=5)
        if reader.done():
            reader.result()

    def _wake_everybody(self) -> None:
        for attentive in self._attentive.values():
            for attention in attentive:
                attention.hear(math.inf)
        self.end_streams()

    def _hear(self, connection: object, pid: int, channel: str, payload: object) -> None:
        news = json.loads(str(payload))
        generation_id, user_id = UUID(news["id"]), UUID(news["u"])
        if news.get("w"):
            # A provider's word: nothing has changed here yet that anybody could be shown.
            for attention in self._attentive.get(generation_id, ()):
                attention.nudge()
            return
        for attention in self._attentive.get(generation_id, ()):
            attention.hear(news["v"])
        if user_id in self._streams:
            self._changed[user_id].add(generation_id)
            self._news.set()

    def _pass_on(self, connection: object, pid: int, channel: str, payload: object) -> None:
        self._also[channel](payload)

    async def _read_changes(self) -> None:
        """Make the reading of what changed, once for all who look; what came in meanwhile waits for
        the next round.
        """
        while True:
            await self._news.wait()
            self._news.clear()
            changed, self._changed = self._changed, defaultdict(set)
            try:
                async with self._engine.connect() as connection:
                    for user_id, ids in changed.items():
                        found = await readings.read(connection, user_id, list(ids))
                        self._push(user_id, ids, found)
            except DATABASE_ERRORS as error:
                log.warning("watch could not read", error=type(error).__name__)
                self.end_streams()
            except Exception:
                # Whatever it was, nobody may be left looking at a stream that is silent for ever.
                self._lost.set()
                raise

    def _push(self, user_id: UUID, ids: set[UUID], found: list[Reading]) -> None:
        gone = {str(generation_id) for generation_id in ids} - {r["id"] for r in found}
        for stream in list(self._streams.get(user_id, ())):
            for reading in reversed(found):
                stream.push(reading)
            for generation_id in gone:
                stream.push({"id": generation_id, "deleted": True})
