"""A small balancer on real sockets: a visitor stays with one replica by a cookie, and comes to a
living one when theirs is gone.

It does what any balancer in front of several servers has to do, and nothing else. Bodies of
requests need a length; answers pass unread, as they come.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

COOKIE = "replica"
HEAD_END, LAST_CHUNK = b"\r\n\r\n", b"0\r\n\r\n"
CHUNK_BYTES = 65536
CONNECT_S, CLOSE_S = 2.0, 10.0
#: How long a busy machine may take to say that it is ready.
LOOK_S = 10.0
LOOK_EVERY_S = 0.25
PROBE = b"GET /readyz HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n"
#: May be asked of another replica when the first one died over it.
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(eq=False, kw_only=True)
class Replica:
    """A server behind the balancer; `is_ready` is what it says itself of new visitors."""

    name: str
    port: int
    is_ready: bool = False
    #: Sockets of the chat that are open through us.
    sockets: int = 0

    async def reach(self) -> Ends:
        """A connection. Raises: OSError."""
        async with asyncio.timeout(CONNECT_S):
            return await asyncio.open_connection("127.0.0.1", self.port)

    async def look(self) -> None:
        """Ask whether it takes new visitors."""
        try:
            async with asyncio.timeout(LOOK_S):
                self.is_ready = b" 200 " in await self._ask(PROBE)
        except OSError:
            self.is_ready = False

    async def _ask(self, request: bytes) -> bytes:
        """The first line of the answer."""
        reader, writer = await self.reach()
        try:
            writer.write(request)
            return await reader.readline()
        finally:
            writer.transport.abort()


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of a request or an answer."""

    first: str
    lines: list[str]

    @classmethod
    def of(cls, raw: bytes) -> Head:
        """Take them apart."""
        first, *lines = raw.removesuffix(HEAD_END).decode("latin-1").split("\r\n")
        return cls(first, lines)

    def get(self, name: str) -> str:
        """A header, empty when there is none."""
        found = (line.split(":", 1) for line in self.lines)
        return next((value.strip() for key, value in found if key.lower() == name), "")

    def without(self, *names: str) -> Head:
        """The same without these headers."""
        kept = [line for line in self.lines if line.split(":", 1)[0].lower() not in names]
        return Head(self.first, kept)

    def also(self, *lines: str) -> Head:
        """The same with more headers."""
        return Head(self.first, [*self.lines, *lines])

    def raw(self) -> bytes:
        """As it is sent."""
        return ("\r\n".join([self.first, *self.lines]) + "\r\n\r\n").encode("latin-1")

    @property
    def is_upgrade(self) -> bool:
        """Whether it asks for a websocket."""
        return self.get("upgrade").lower() == "websocket"


@dataclass(kw_only=True)
class Balancer:
    """Visitors come in at `url`."""

    url: str = ""
    replicas: list[Replica] = field(default_factory=list)
    _turn: itertools.count[int] = field(default_factory=itertools.count)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    def order(self, head: Head) -> list[Replica]:
        """Whom to ask: the visitor's own replica first if it takes requests, else ready ones in
        turn. A socket that stands stays where it is.
        """
        found = re.search(rf"(?:^|;\s*){COOKIE}=(\w+)", head.get("cookie"))
        ready = [replica for replica in self.replicas if replica.is_ready]
        theirs = [replica for replica in ready if found and replica.name == found[1]]
        at = next(self._turn) % len(ready) if ready and not theirs else 0
        others = [replica for replica in self.replicas if not replica.is_ready]
        return list(dict.fromkeys([*theirs, *ready[at:], *ready[:at], *others]))

    async def look(self) -> None:
        """Ask every replica again and again."""
        while True:
            await asyncio.gather(*(replica.look() for replica in self.replicas))
            await asyncio.sleep(LOOK_EVERY_S)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a visitor, and all requests on it."""
        self._open.add(writer)
        try:
            visitor = Visitor(reader, writer)
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while await self._pass_on(visitor):
                    pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()
            self._left.set()

    async def _pass_on(self, visitor: Visitor) -> bool:
        """One request; whether the connection may carry another."""
        head = await visitor.head()
        method = head.first.split(" ", 1)[0]
        body = await visitor.body(head)
        for replica in self.order(head):
            try:
                there, back = await replica.reach()
            except OSError:
                continue
            try:
                back.write(_asked(head, visitor.address).raw() + body)
                answer = await _answer(there)
                if answer is not None:
                    return await self._bring(visitor, head, replica, answer, (there, back))
            finally:
                back.transport.abort()
            if method not in REPEATABLE:
                break
        visitor.writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        await visitor.writer.drain()
        return True

    async def _bring(
        self, visitor: Visitor, head: Head, replica: Replica, answer: Head, ends: Ends
    ) -> bool:
        """The answer of a replica, with our cookie if the visitor has another one or none."""
        there, back = ends
        if f"{COOKIE}={replica.name}" not in head.get("cookie"):
            answer = answer.also(f"Set-Cookie: {COOKIE}={replica.name}; Path=/; HttpOnly")
        if " 101 " not in answer.first:
            visitor.writer.write(answer.without("connection").raw())
            return await visitor.bring_body(there, answer, head.first.split(" ", 1)[0])
        visitor.writer.write(answer.raw())
        replica.sockets += 1
        try:
            both = [
                asyncio.create_task(_pump(visitor.reader, back)),
                asyncio.create_task(_pump(there, visitor.writer)),
            ]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            await _end(*both)
        finally:
            replica.sockets -= 1
        return False

    async def close(self) -> None:
        """End every connection."""
        async with asyncio.timeout(CLOSE_S):
            while self._open:
                self._left.clear()
                for writer in self._open:
                    writer.transport.abort()
                await self._left.wait()


class Visitor:
    """A visitor's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.address: str = writer.get_extra_info("peername")[0]
        self._ahead = b""

    async def head(self) -> Head:
        """The next request. Raises: IncompleteReadError: there is none."""
        raw = self._ahead + await self.reader.readuntil(HEAD_END)
        self._ahead = b""
        return Head.of(raw)

    async def body(self, head: Head) -> bytes:
        """What the request brings along."""
        return await self.reader.readexactly(int(head.get("content-length") or 0))

    async def bring_body(self, there: asyncio.StreamReader, answer: Head, method: str) -> bool:
        """The rest of an answer, piece by piece; whether the connection may carry another request:
        not when the visitor has gone, or the replica has died in the middle.
        """
        coming = asyncio.create_task(self._bring_all(there, answer, method))
        left = asyncio.create_task(self.reader.read(1))
        try:
            await asyncio.wait((coming, left), return_when=asyncio.FIRST_COMPLETED)
            if left.done() and not left.result():
                return False
            # What comes while an answer goes is the next request.
            return await coming
        finally:
            await _end(coming, left)
            if left.done() and not left.cancelled():
                self._ahead = left.result()

    async def _bring_all(self, there: asyncio.StreamReader, answer: Head, method: str) -> bool:
        """Whether it came whole."""
        bytes_read, tail = 0, b""
        while data := await there.read(CHUNK_BYTES):
            bytes_read, tail = bytes_read + len(data), (tail + data)[-len(LAST_CHUNK) :]
            self.writer.write(data)
            await self.writer.drain()
        if answer.get("transfer-encoding"):
            return tail == LAST_CHUNK
        has_none = method == "HEAD" or answer.first.split(" ")[1] in ("204", "304")
        return has_none or bytes_read == int(answer.get("content-length") or -1)


async def _answer(there: asyncio.StreamReader) -> Head | None:
    """The head of an answer; None when the replica died over it."""
    try:
        return Head.of(await there.readuntil(HEAD_END))
    except (OSError, asyncio.IncompleteReadError):
        return None


def _asked(head: Head, address: str) -> Head:
    """The request as a replica is to see it: its Host stays, each has a connection of its own."""
    kept = head.without("x-forwarded-for", *(() if head.is_upgrade else ("connection",)))
    ends = () if head.is_upgrade else ("Connection: close",)
    return kept.also(f"X-Forwarded-For: {address}", *ends)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(CHUNK_BYTES):
        target.write(data)
        await target.drain()


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def balance(ports: Sequence[int]) -> AsyncIterator[Balancer]:
    """A balancer in front of servers on these ports of this machine, until the block ends."""
    names = "abcdefgh"
    balancer = Balancer(
        replicas=[Replica(name=name, port=port) for name, port in zip(names, ports, strict=False)]
    )
    server = await asyncio.start_server(balancer.serve, "127.0.0.1", 0)
    balancer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    looking = asyncio.create_task(balancer.look())
    try:
        yield balancer
    finally:
        looking.cancel()
        server.close()
        await balancer.close()
