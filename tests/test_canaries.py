"""No secret comes out: planted in a real server, which is then used, misused and broken, they stand
in no line of its output, no answer, no row and no file.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

import api
from api.framework import KNOWN, OPEN
from settings import load
from tests.agent.scripted_server import Reply, ScriptedServer, calls, refuses, says, scripted_server
from tests.api.test_framework import routes_of
from tests.canaries import Canaries, spellings
from tests.demo_process import Demo
from tests.house import Served
from tests.people import PASSWORD, Person, a_person, connected, serve_people

OPENAI = "sk-canary/openai+7f3a9c2e5b"
RUNPOD = "rpa_canary/runpod+81d4e6f0a2"
SECRET = "canary/secret+0a9b8c7d6e5f4A3B2C1D0Exyz"
DATABASE = "canary/database+55aa77cc"
WRONG = "canary/wrong+password-2468"
PROMPT = "a canary prompt of a zeppelin over Zanzibar"
CRASH = "a canary prompt of a volcano that breaks everything"
QUICK = {"prompt": PROMPT, "model": "demo-image-quick"}
WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A server with canaries in all its pockets, and whom it asks."""

    served: Served
    database_url: str
    data_dir: Path
    chat: ScriptedServer
    painter: ScriptedServer
    canaries: Canaries


def echo(status: int, secret: str) -> Reply:
    """A provider that tells everybody with which key it was asked."""
    said = {"error": {"message": f"Incorrect API key provided: {secret}", "code": secret}}
    return refuses(status, {**said, "detail": secret, "id": secret, "status": secret})


@asynccontextmanager
async def with_password(database_url: str) -> AsyncIterator[str]:
    """The database's address with a role that has a canary for a password."""
    role = f"canary_{uuid4().hex[:8]}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role {} superuser login password {}").format(
                sql.Identifier(role), sql.Literal(DATABASE)
            )
        )
    somebody = database_url.partition("//")[2].partition("@")[0]
    try:
        yield database_url.replace(f"//{somebody}@", f"//{role}:{quote(DATABASE, safe='')}@")
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL(
                    "select pg_terminate_backend(pid) from pg_stat_activity where usename={}"
                ).format(sql.Literal(role))
            )
            connection.execute(sql.SQL("drop owned by {}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


@pytest.fixture
def scene(
    database_url: str, demo: Demo, shared_folder: Path
) -> Callable[[], AbstractAsyncContextManager[Scene]]:
    data_dir = shared_folder / "canaries"
    canaries = Canaries(
        planted={
            "OPENAI_API_KEY": OPENAI,
            "RUNPOD_API_KEY": RUNPOD,
            "CHAINLIT_AUTH_SECRET": SECRET,
            "DATABASE_URL": DATABASE,
            "password": PASSWORD,
            "wrong password": WRONG,
        }
    )

    @asynccontextmanager
    async def open_scene() -> AsyncIterator[Scene]:
        async with (
            with_password(database_url) as url,
            scripted_server() as chat,
            scripted_server() as painter,
        ):
            settings = {
                "OPENAI_API_KEY": OPENAI,
                "OPENAI_BASE_URL": chat.base_url,
                "CHAT_MODEL": "m",
                "RUNPOD_API_KEY": RUNPOD,
                "RUNPOD_BASE_URL": painter.base_url,
                "CHAINLIT_AUTH_SECRET": SECRET,
                "DATABASE_URL": url,
                "DEMO_BASE_URL": demo.url,
            }
            loaded = load({**settings, "AUTH_MODE": "password"}, env_file=data_dir / "no.env")
            for what in (repr, str):
                canaries.write("settings", what(loaded) + what(loaded.settings))
            canaries.write("settings", loaded.settings.model_dump_json())
            async with serve_people(data_dir, **settings) as served:
                yield Scene(
                    served=served,
                    database_url=database_url,
                    data_dir=data_dir,
                    chat=chat,
                    painter=painter,
                    canaries=canaries,
                )
            canaries.write("output", "\n".join(served.lines))
            await canaries.read_files(data_dir)
            canaries.dump(database_url)

    return open_scene


def test_a_canary_is_found_in_every_dress() -> None:
    for around in ("", "x", "xy"):
        canaries = Canaries(planted={"key": OPENAI})
        canaries.write("log", base64.b64encode(f"{around}{OPENAI} and more".encode()))
        assert canaries.found() == ["key in log"], around
    for form in spellings(OPENAI):
        canaries = Canaries(planted={"key": OPENAI})
        canaries.write("log", b"before " + form + b" after")
        assert canaries.found() == ["key in log"]


@pytest.mark.timeout(180)
async def test_no_secret_comes_out(
    scene: Callable[[], AbstractAsyncContextManager[Scene]],
) -> None:
    async with (
        scene() as opened,
        a_person(opened.served, opened.database_url, "ada@example.org") as ada,
    ):
        canaries = opened.canaries
        plant(canaries, ada)
        await log_in_right_and_wrong(opened, ada)
        await make_what_succeeds_and_fails(opened, ada)
        await talk(opened, ada)
        await knock_at_every_door(opened, ada)
        await break_a_tool(opened, ada)
    output = canaries.written["output"].decode()
    assert "generation accepted" in output
    assert "Traceback" in output
    assert PROMPT.encode() in canaries.written["database kinora.generations"]
    assert canaries.found() == []
    # What people write is theirs to read, and nobody's in a log.
    told = Canaries(planted={"prompt": PROMPT, "crash": CRASH}, written={"output": output.encode()})
    assert told.found() == []


def plant(canaries: Canaries, ada: Person) -> None:
    """Her key and her login are canaries, too; the answers that gave them to her are not kept."""
    canaries.planted["API key"] = ada.key.split("_")[2]
    cookie = ada.client.cookies["access_token"]
    canaries.planted["login"] = cookie
    canaries.planted["login's signature"] = cookie.rpartition(".")[2]


async def log_in_right_and_wrong(scene: Scene, ada: Person) -> None:
    ask, nobody = scene.canaries.ask, scene.served.client
    for email in (ada.email, "nobody@example.org", "no address"):
        wrong = await ask(nobody, "POST", "/login", data={"username": email, "password": WRONG})
        assert wrong.status_code == 401
    for body in ({"username": ada.email, "password": [WRONG, "x"]}, {"password": PASSWORD}):
        await ask(nobody, "POST", "/login", data=body)
    await ask(nobody, "POST", "/login", json={"username": ada.email, "password": PASSWORD})
    await ask(nobody, "POST", "/login", data={"username": ada.email, "password": WRONG * 99})


async def make_what_succeeds_and_fails(scene: Scene, ada: Person) -> None:
    ask = scene.canaries.ask
    await settle(scene, ada, QUICK, "completed")
    for status in (401, 400, 500):
        scene.painter.script[:] = [echo(status, RUNPOD)] * 20
        found = await settle(scene, ada, {"prompt": PROMPT, "model": "z-image-turbo"}, None)
        assert found["status"] in ("failed", "unknown"), found
    assert any(RUNPOD in head for head in scene.painter.headers)
    refused = await ask(ada.by_key, "POST", "/api/tools/generate_image", json={"prompt": ""})
    assert refused.status_code == 422


async def settle(
    scene: Scene, ada: Person, arguments: dict[str, str], status: str | None
) -> dict[str, Any]:
    ask = scene.canaries.ask
    started = await ask(ada.by_key, "POST", "/api/tools/generate_image", json=arguments)
    assert started.status_code == 202, started.text
    path = f"/api/generations/{started.json()['id']}?wait=60"
    found: dict[str, Any] = (await ask(ada.client, "GET", path)).json()
    assert status in (None, found["status"])
    return found


async def talk(scene: Scene, ada: Person) -> None:
    """Turns that fail at the chat model, and one that calls a tool."""
    for status in (401, 500, 400):
        scene.chat.script[:] = [echo(status, OPENAI)]
        await say(scene, ada, PROMPT, until="task_end")
    scene.chat.script[:] = [calls(("generate_image", json.dumps(QUICK))), says("Here it is.")]
    await say(scene, ada, PROMPT, until="Here it is.")
    assert any(OPENAI in head for head in scene.chat.headers)


async def say(scene: Scene, ada: Person, text: str, *, until: str) -> None:
    """Say something in the chat, and hear the answer, which is kept."""
    heard: list[str] = []

    def is_answered() -> bool:
        begun = next((n for n, one in enumerate(heard) if "first_interaction" in one), len(heard))
        return any(until in one for one in heard[begun:])

    async with connected(ada) as socket, asyncio.timeout(WITHIN_S):
        socket.on("*", lambda *said: heard.append(json.dumps(said, default=str)))
        message = {"id": str(uuid4()), "output": text, "type": "user_message"}
        await socket.emit("client_message", {"message": message, "fileReferences": []})
        while not is_answered():  # noqa: ASYNC110 - what is heard comes in this very loop
            await asyncio.sleep(0.02)
    scene.canaries.write("answer socket", "\n".join(heard))


async def knock_at_every_door(scene: Scene, ada: Person) -> None:
    """Nonsense and secrets in the wrong places, at each route there is."""
    ask, nobody = scene.canaries.ask, scene.served.client
    wrong = {"Authorization": f"Bearer {ada.client.cookies['access_token']}"}
    params = {"q": PROMPT, "cursor": ada.key, "language": WRONG}
    nonsense = b'{"prompt": [1, "\\ud800"'
    for method, path in sorted({*routes_of(api.routes().routes), *OPEN, *KNOWN}):
        if method not in ("GET", "POST", "PUT", "DELETE") or path in SKIPPED:
            continue
        there = "/".join("x" if part.startswith("{") else part for part in path.split("/"))
        await asyncio.gather(
            *(ask(who, method, there, content=nonsense) for who in (ada.client, ada.by_key)),
            ask(nobody, method, there, headers=wrong, params=params, content=nonsense),
        )


#: Streams without an end, and the doors that would end her login.
SKIPPED = {"/api/events", "/logout", "/ws/socket.io"}


#: How the database is broken, and mended again; in its complaint about the first Postgres shows the
#: whole row.
BROKEN = (
    (
        "alter table kinora.generations add constraint canary"
        " check (prompt not like '%volcano%') not valid",
        "alter table kinora.generations drop constraint canary",
    ),
    (
        "alter table kinora.generations rename column prompt to canary",
        "alter table kinora.generations rename column canary to prompt",
    ),
    (
        "update kinora.generations set cost_actual_usd = 'NaN'",
        "update kinora.generations set cost_actual_usd = null",
    ),
)


async def break_a_tool(scene: Scene, ada: Person) -> None:
    """A database that is not as the code believes, met by HTTP and by the agent."""
    ask, statuses = scene.canaries.ask, set[int]()
    wanted = {**QUICK, "prompt": CRASH}
    with psycopg.connect(scene.database_url, autocommit=True) as connection:
        for break_it, mend_it in BROKEN:
            connection.execute(break_it)
            for tool, body in (("generate_image", wanted), ("list_generations", {})):
                answer = await ask(ada.by_key, "POST", f"/api/tools/{tool}", json=body)
                statuses.add(answer.status_code)
            asked = ("generate_image", json.dumps(wanted)), ("list_generations", "{}")
            scene.chat.script[:] = [calls(*asked), says("Here it is.")]
            await say(scene, ada, CRASH, until="task_end")
            connection.execute(mend_it)
    assert {409, 500, 503} <= statuses
