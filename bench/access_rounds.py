"""The rounds of `bench.access` that are asked inside one process: accepted requests beside bare
inserts, and what the layers in front of the doors take.

The whole app stands here, from the guard to the database, and is called without a socket. Its
engine was stopped, so that what is accepted stays in line: no generation is made while the CPU is
counted. In the end the same app answers a client in another process over a socket.

    AUTH_MODE=password DATABASE_URL=... python -m bench.access_rounds ROUNDS REQUESTS
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import uvicorn
import uvloop
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Scope

from accounts import keys
from accounts.rate import Rate
from agent.chat_model import open_chat_model
from api.access import RATE_WINDOW_S, Access
from api.front import front_of
from api.guard import Guard
from db import keys as key_rows
from db import users
from db.ids import new_id
from db.tables import generations
from logs import configure_logging
from runtime import Runtime, open_runtime
from server import create_app
from settings import Loaded, load
from tests.house import free_port

OWNER = "password:bench@example.org"
BODY = {"model": "dear", "prompt": "A lighthouse in a storm, oil on canvas, heavy brush strokes"}
DOOR = "/api/tools/generate_image"
WARM_UP = 60
LAYER_CALLS = 500
PATIENCE_S = 30.0
Took = dict[str, list[float]]
Ask = Callable[[], Awaitable[Any]]


async def asked(app: ASGIApp, scope: Scope, body: bytes = b"") -> tuple[int, bytes]:
    """What the app answers, without a server in between."""
    answer: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        answer.append(message)

    await app({**scope, "state": {}, "headers": list(scope["headers"])}, receive, send)
    return answer[0]["status"], b"".join(message.get("body", b"") for message in answer[1:])


def scope_of(body: bytes, key: str | None) -> Scope:
    """A request as a server hands it on."""
    headers = [
        (b"host", b"localhost:8000"),
        (b"user-agent", b"bench"),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if key is not None:
        headers.append((b"authorization", f"Bearer {key}".encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": DOOR,
        "raw_path": DOOR.encode(),
        "query_string": b"",
        "root_path": "",
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "headers": headers,
    }


class Asker:
    """Somebody with a key, and two ways to a row."""

    def __init__(self, app: ASGIApp, engine: AsyncEngine, key: str) -> None:
        self.app, self.engine, self.key = app, engine, key
        self.body = json.dumps(BODY).encode()
        self.scope = scope_of(self.body, key)
        self.row: dict[str, Any] = {}
        self.insert = insert(generations)

    async def post(self) -> UUID:
        """Have a picture accepted."""
        status, answer = await asked(self.app, self.scope, self.body)
        if status != 202:
            raise RuntimeError(f"{status}: {answer.decode()}")
        return UUID(json.loads(answer)["id"])

    async def learn(self, generation_id: UUID) -> None:
        """Know the row that an accepted request leaves, without what the table adds by itself."""
        adds = {column.name for column in generations.c if column.server_default is not None}
        async with self.engine.connect() as connection:
            query = select(generations).where(generations.c.id == generation_id)
            row = (await connection.execute(query)).mappings().one()
        self.row = {
            name: value
            for name, value in row.items()
            if value is not None and (name not in adds or name in ("params", "pinned"))
            if name != "search"
        }

    async def insert_bare(self) -> None:
        """Put the same row there, by one statement in one transaction."""
        async with self.engine.begin() as connection:
            await connection.execute(self.insert, self.row | {"id": new_id()})


async def timed(ask: Ask, calls: int) -> tuple[float, float]:
    """Milliseconds a call, and milliseconds of this process's CPU a call."""
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        await ask()
    scale = 1000 / calls
    return (time.perf_counter() - began) * scale, (time.process_time() - cpu) * scale


async def posts(asker: Asker, rounds: int, requests: int) -> Took:
    """Accepted requests and bare inserts in turn."""
    await asker.learn(await asker.post())
    for _ in range(WARM_UP):
        await asker.post()
        await asker.insert_bare()
    took: Took = defaultdict(list)
    ways: list[tuple[str, Ask]] = [("post", asker.post), ("insert", asker.insert_bare)]
    for _ in range(rounds):
        for name, ask in ways:
            wall_ms, cpu_ms = await timed(ask, requests)
            took[name].append(wall_ms)
            took[f"{name} CPU"].append(cpu_ms)
    return took


async def layers(runtime: Runtime, key: str, rounds: int) -> Took:
    """Microseconds that each layer takes, in front of an app that does nothing."""
    stub, front = PlainTextResponse("ok"), front_of(runtime.loaded.settings)
    settings = runtime.loaded.settings
    free = settings.model_copy(update={"requests_per_minute": 0})
    uncounted = replace(runtime, loaded=Loaded(free, {}, []))
    rate = Rate(settings.requests_per_minute, RATE_WINDOW_S)
    apps: dict[str, tuple[ASGIApp, str | None]] = {
        "nothing": (stub, None),
        "guard": (Guard(stub, front), None),
        "access, nobody": (Guard(Access(stub, lambda: uncounted), front), None),
        "access, nobody, counted": (Guard(Access(stub, lambda: runtime), front), None),
        "access, by key, counted": (Guard(Access(stub, lambda: runtime), front), key),
    }
    took: Took = defaultdict(list)
    for _ in range(rounds):
        for name, (app, shown) in apps.items():
            scope = scope_of(b"", shown)
            _, cpu_ms = await timed(partial(asked, app, scope), LAYER_CALLS)
            took[name].append(cpu_ms * 1000)
        cpu = time.process_time()
        for number in range(LAYER_CALLS):
            rate.count(number % 100)
        took["count"].append((time.process_time() - cpu) * 1_000_000 / LAYER_CALLS)
    return took


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """The same app under uvicorn, in this process."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
    )
    serving = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


async def over_a_socket(asker: Asker, rounds: int, requests: int) -> list[float]:
    """CPU milliseconds of a request by a client in another process."""
    took = []
    async with served(asker.app) as url:
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.access_client", url + DOOR, asker.key),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        if client.stdin is None or client.stdout is None:
            raise RuntimeError("the client has no pipes")
        for number in range(rounds + 1):
            cpu = time.process_time()
            client.stdin.write(json.dumps({"requests": requests, "body": BODY}).encode() + b"\n")
            if not await client.stdout.readline():
                raise RuntimeError("the client went away")
            if number:
                took.append((time.process_time() - cpu) * 1000 / requests)
        client.stdin.close()
        await client.wait()
    return took


async def until(reached: Callable[[], bool]) -> None:
    """Look again and again. Raises: TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not reached():  # noqa: ASYNC110 - what is looked at tells nobody
            await asyncio.sleep(0.02)


async def make_key(engine: AsyncEngine) -> str:
    """A user with a key."""
    given = keys.make()
    async with engine.begin() as connection:
        user_id = await users.ensure(connection, OWNER)
        await key_rows.create(
            connection,
            user_id,
            name="bench",
            prefix=given.prefix,
            secret_sha256=given.digest(),
            scopes=keys.DEFAULT_SCOPES,
        )
    return given.text()


async def main(rounds: int, requests: int) -> None:
    """Ask, and print what it took as JSON."""
    loaded = load()
    configure_logging("json")
    async with open_runtime(loaded) as runtime:
        runtime.jobs.stop()
        await until(lambda: not runtime.jobs.alive.is_set())
        chat = open_chat_model(loaded, runtime.demo_url)
        app = Guard(Access(create_app(runtime, chat), lambda: runtime), front_of(loaded.settings))
        asker = Asker(app, runtime.engine, await make_key(runtime.engine))
        took = {
            "posts": await posts(asker, rounds, requests),
            "socket": {"CPU": await over_a_socket(asker, rounds, requests)},
            "layers": await layers(runtime, asker.key, rounds),
        }
        await chat.close()
    sys.stdout.write("\n" + json.dumps(took) + "\n")


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
