"""A chat server on a real socket that replays one scripted answer per request and keeps what it was
sent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

End = Literal["whole", "cut", "hold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP answer. `cut` drops the connection inside the body, `hold` keeps it open without a
    word.
    """

    blocks: tuple[bytes, ...]
    status: int = 200
    headers: tuple[str, ...] = ("content-type: text/event-stream",)
    end: End = "whole"
    #: Ends the body by closing the connection, as servers without chunked encoding do.
    by_close: bool = False


def sse(*chunks: object, done: bool = True) -> tuple[bytes, ...]:
    """Chunks as server-sent events; text goes out as it is."""
    lines = [c if isinstance(c, str) else json.dumps(c, ensure_ascii=False) for c in chunks]
    lines += ["[DONE]"] if done else []
    return tuple(f"data: {line}\n\n".encode() for line in lines)


def delta(finish: str | None = None, **changed: Any) -> dict[str, Any]:
    """One chunk of a completion."""
    return {"choices": [{"index": 0, "delta": changed, "finish_reason": finish}]}


def says(text: str) -> Reply:
    """A plain answer."""
    return Reply(blocks=sse(delta(role="assistant"), delta(content=text), delta("stop")))


def calls(*named: tuple[str, str]) -> Reply:
    """An answer that calls tools, each in one piece at its own index."""
    pieces = [
        {"index": i, "id": f"c{i}", "function": {"name": name, "arguments": arguments}}
        for i, (name, arguments) in enumerate(named)
    ]
    return Reply(blocks=sse(delta(tool_calls=pieces), delta("tool_calls")))


def refuses(status: int, body: object, *headers: str) -> Reply:
    """A refusal; it tells the client not to repeat by itself unless other headers are given."""
    return Reply(
        blocks=(json.dumps(body).encode(),),
        status=status,
        headers=("content-type: application/json", *(headers or ("x-should-retry: false",))),
    )


@dataclass(slots=True)
class ScriptedServer:
    """Answers `POST /v1/chat/completions` from its script and `GET /v1/models` from its list."""

    port: int = 0
    script: list[Reply] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    #: Set when a client has left while its answer was held.
    left: asyncio.Event = field(default_factory=asyncio.Event)
    connections: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of the last request."""
        messages: list[dict[str, Any]] = self.requests[-1]["messages"]
        return messages

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self.connections.add(task)
        try:
            while await self.answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()
        finally:
            writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        self.headers.append(head)
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        if head.startswith("GET"):
            listed = {"object": "list", "data": [{"id": m, "object": "model"} for m in self.models]}
            reply = Reply(
                blocks=(json.dumps(listed).encode(),), headers=("content-type: application/json",)
            )
        else:
            self.requests.append(json.loads(body))
            reply = self.script.pop(0) if self.script else says("nothing is left in the script")
        return await self.send(reply, reader, writer)

    async def send(
        self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        framing = "connection: close" if reply.by_close else "transfer-encoding: chunked"
        head = [f"HTTP/1.1 {reply.status} X", *reply.headers, framing, "", ""]
        writer.write("\r\n".join(head).encode())
        for block in reply.blocks:
            writer.write(block if reply.by_close else b"%x\r\n%b\r\n" % (len(block), block))
            await writer.drain()
        if reply.end == "hold":
            await reader.read()
            self.left.set()
            return False
        if reply.end == "cut" or reply.by_close:
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


@asynccontextmanager
async def scripted_server(*script: Reply) -> AsyncGenerator[ScriptedServer]:
    """A server with this script on a free port."""
    scripted = ScriptedServer(script=list(script))
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0, limit=64 * 1024 * 1024)
    scripted.port = server.sockets[0].getsockname()[1]
    async with server:
        yield scripted
        async with asyncio.timeout(5):
            await asyncio.gather(*scripted.connections)
