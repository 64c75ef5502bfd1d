"""The owner matrix: every door, with every id of somebody else's in every place an id can stand.

The doors are read from the application's own description and from the chat framework's list of
routes, so one that is added later is tried too, or fails here until somebody says what it names.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from chainlit.server import router as framework
from fastapi.routing import APIRoute

import api
from tests.api.belongings import Belongings, give_everything, rows
from tests.demo_process import Demo
from tests.house import Served
from tests.people import Person, a_person, connected, serve_people
from tools import registry

#: What may stand in a path or a query, and which of her ids; "" is no id of anything.
NAMES = {
    "generation_id": "generation_id",
    "asset_id": "asset_id",
    "prefix": "prefix",
    "thread_id": "thread_id",
    "ids": "generation_id",
    "video_id": "video_id",
    "after": "video_id",
    "cursor": "cursor",
    "name": "",
    **dict.fromkeys("kind status model q limit wait w download exp sig".split(), ""),
    **dict.fromkeys("model_id order variant origin".split(), ""),
}
#: A tool's arguments that name a picture or a generation.
NAMED_BY_ARGUMENT = {
    "generation": ("generation_id",),
    **dict.fromkeys(("image", "mask", "start_image", "end_image"), ("asset_id", "upload_id")),
    "references": ("asset_id", "generation_id"),
}
#: Where the widget stands.
PAGE = "http://shop.example.org"
PLAIN_ARGUMENTS = {"prompt": "a fox", "image": "00000000-0000-7000-8000-000000000000"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that somebody else makes."""

    method: str
    path: str
    query: dict[str, str]
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.query} {json.dumps(self.body, default=str)[:90]}"


@dataclass(frozen=True, slots=True)
class Scene:
    """Anna, who owns one thing of each kind, and Ben, who owns nothing; `visitor` is a user of a
    page of Ben's that the widget stands in.
    """

    served: Served
    database_url: str
    anna: Person
    ben: Person
    visitor: httpx.AsyncClient
    hers: Belongings


@pytest.fixture(scope="module")
async def scene(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> AsyncIterator[Scene]:
    database_url, folder = fresh_database("owners"), shared_folder / "owners"
    settings = {"DATABASE_URL": database_url, "ALLOWED_ORIGINS": PAGE}
    async with (
        serve_people(folder, DEMO_BASE_URL=demo.url, **settings) as served,
        a_person(served, database_url, "anna@example.org") as anna,
        a_person(served, database_url, "ben@example.org") as ben,
        a_visitor(served, database_url, ben) as visitor,
    ):
        hers = await give_everything(anna, database_url)
        yield Scene(served, database_url, anna, ben, visitor, hers)


@contextlib.asynccontextmanager
async def a_visitor(
    served: Served, database_url: str, host: Person
) -> AsyncIterator[httpx.AsyncClient]:
    """A user of the host's page, logged in by a token of the host's key."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        add = "update kinora.api_keys set scopes = scopes || '{widget}' where user_id = %s"
        connection.execute(add, [host.user_id])
    wanted = {"user": {"id": "42", "name": "Visitor"}, "origin": PAGE}
    token = (await host.by_key.post("/api/widget/tokens", json=wanted)).json()["token"]
    async with httpx.AsyncClient(base_url=served.url, trust_env=False, timeout=60) as client:
        client.headers["Origin"] = PAGE
        shown = {"Authorization": f"Bearer {token}"}
        assert (await client.post("/auth/jwt", headers=shown)).status_code == 200
        yield client


@dataclass(frozen=True, slots=True)
class Door:
    """One operation of ours, hidden or not: where each thing that it is told stands."""

    method: str
    path: str
    placed: dict[str, str]


def doors(routes: list[Any] | None = None) -> Iterator[Door]:
    """All of them, but those that answer for paths there are not."""
    for route in api.routes().routes if routes is None else routes:
        if isinstance(route, APIRoute):
            told = route.dependant
            placed = {p.name: "path" for p in told.path_params}
            placed |= {p.name: "query" for p in told.query_params}
            # Of an address that providers are given, whoever knows it is let in.
            is_ours = "rest" not in route.path and not route.path.startswith("/webhooks/")
            for method in sorted(route.methods or ()) if is_ours else ():
                yield Door(method, route.path, placed)
        elif hasattr(route, "original_router"):
            yield from doors(route.original_router.routes)


def attempts_on_doors(hers: Belongings) -> Iterator[Attempt]:
    """Every operation that takes an id, with hers."""
    for door in doors():
        unknown = set(door.placed) - set(NAMES)
        assert not unknown, f"{door}: say in NAMES what {unknown} names"
        told = {name: str(getattr(hers, NAMES[name])) for name in door.placed if NAMES[name]}
        if told:
            filled = door.path.format(**{**dict.fromkeys(door.placed, "x"), **told})
            query = {name: value for name, value in told.items() if door.placed[name] == "query"}
            yield Attempt(door.method, filled, query)


def attempts_on_tools(hers: Belongings) -> Iterator[Attempt]:
    """Every argument of every tool that names something, with hers."""
    known = set(NAMED_BY_ARGUMENT)
    for schema in registry.schemas():
        name, parameters = schema["function"]["name"], schema["function"]["parameters"]
        required = parameters.get("required", [])
        for argument in known & set(parameters["properties"]):
            for what in NAMED_BY_ARGUMENT[argument]:
                given: Any = getattr(hers, what)
                arguments = {key: PLAIN_ARGUMENTS.get(key, given) for key in required}
                arguments[argument] = [given] if argument == "references" else given
                yield Attempt("POST", f"/api/tools/{name}", {}, arguments)


async def first_bytes(client: httpx.AsyncClient, attempt: Attempt) -> tuple[int, str]:
    """Status and beginning of an answer; a stream that has nothing to say says its heartbeat."""
    async with client.stream(
        attempt.method, attempt.path, params=attempt.query, json=attempt.body
    ) as answer:
        text = ""
        async for piece in answer.aiter_text():
            text += piece
            if "still here" in text or "event:" in text:
                break
        return answer.status_code, text


def gives_away(hers: Belongings, text: str) -> list[str]:
    return [name for name in [*hers.names(), "hers alone"] if name in text]


async def test_no_door_shows_or_changes_what_is_somebody_elses(scene: Scene) -> None:
    """404 wherever an id of hers is named; a list leaves it out; her rows stay byte-identical."""
    before = rows(scene.database_url, but_of=scene.ben.user_id)
    tried = [*attempts_on_doors(scene.hers), *attempts_on_tools(scene.hers)]
    assert len(tried) > 25
    for client in (scene.ben.client, scene.ben.by_key, scene.visitor):
        for attempt in tried:
            status, text = await first_bytes(client, attempt)
            is_list = bool(attempt.query) and attempt.path.endswith(("/generations", "/events"))
            is_key = "/keys/" in attempt.path and client is not scene.ben.client
            assert status == (200 if is_list else 403 if is_key else 404), f"{attempt}: {text}"
            if attempt.path.startswith("/api/tools") or not is_list:
                continue
            assert not gives_away(scene.hers, text), attempt
    assert rows(scene.database_url, but_of=scene.ben.user_id) == before


async def test_nobody_at_all_is_let_in_anywhere(scene: Scene) -> None:
    """401 at every door, but where an address is signed or the process speaks of itself."""
    open_doors = {
        *("/healthz", "/readyz", "/metrics", "/login", "/logout", "/widget", "/widget/login"),
        *("/api/openapi.json", "/api/reference"),
    }
    async with httpx.AsyncClient(base_url=scene.served.url, trust_env=False) as nobody:
        for door in doors():
            filled = door.path.replace("{name}", "generate_image").replace(
                "{asset_id}", scene.hers.asset_id
            )
            for header in ({}, {"Authorization": "Bearer kn_12345678_" + "a" * 49}):
                url = filled.format(**dict.fromkeys(NAMES, scene.hers.generation_id))
                answer = await nobody.request(door.method, url, headers=header)
                refused = answer.status_code in (401, 404)
                assert refused or door.path in open_doors, f"{door}: {answer.text[:200]}"
                assert answer.status_code != 404 or not door.path.startswith("/api/g")


def attempts_on_framework(hers: Belongings, session_id: str) -> dict[tuple[str, str], list[Any]]:
    """What the chat framework's own routes take; None stands for a route that names nothing."""
    thread, named = str(hers.thread_id), {"threadId": str(hers.thread_id)}
    element = {
        "id": hers.element_id,
        "forId": hers.step_id,
        "type": "custom",
        "name": "GenerationCard",
        "props": {"generation_id": hers.generation_id},
        "display": "inline",
        **named,
    }
    action = {
        "id": "x",
        "name": "try_again",
        "label": "",
        "tooltip": "",
        "icon": None,
        "payload": {"turn": hers.step_id, "notice": hers.step_id},
    }
    rating = {"id": hers.feedback_id, "forId": hers.step_id, "value": 0, "comment": "not hers"}
    by_session = {"sessionId": session_id}
    return {
        ("GET", "/project/thread/{thread_id}"): [(f"/project/thread/{thread}", None)],
        ("GET", "/project/share/{thread_id}"): [(f"/project/share/{thread}", None)],
        ("GET", "/project/thread/{thread_id}/element/{element_id}"): [
            (f"/project/thread/{thread}/element/{hers.element_id}", None)
        ],
        ("PUT", "/project/element"): [("/project/element", {"element": element, **by_session})],
        ("DELETE", "/project/element"): [("/project/element", {"element": element, **by_session})],
        ("PUT", "/project/thread"): [("/project/thread", {**named, "name": "Ben's"})],
        ("PUT", "/project/thread/share"): [("/project/thread/share", {**named, "isShared": True})],
        ("DELETE", "/project/thread"): [("/project/thread", named)],
        ("POST", "/project/action"): [("/project/action", {"action": action, **by_session})],
        ("PUT", "/feedback"): [("/feedback", {"feedback": rating, **by_session})],
        ("DELETE", "/feedback"): [("/feedback", {"feedbackId": hers.feedback_id})],
    }


#: Routes of the framework that name nothing of anybody's; what they are is looked at elsewhere.
NAME_NOTHING = {
    *("/login", "/logout", "/auth/config", "/auth/jwt", "/auth/header", "/user", "/"),
    *("/auth/oauth/{provider_id}", "/auth/oauth/{provider_id}/callback"),
    *("/auth/oauth/azure-ad-hybrid/callback", "/set-session-cookie", "/project/translations"),
    *("/project/settings", "/project/threads", "/mcp", "/favicon", "/logo"),
    *("/avatars/{avatar_id:str}", "/{full_path:path}", "/health", "/public/{filename:path}"),
    *("/assets/{filename:path}", "/public/elements/{filename:path}", "/copilot/{filename:path}"),
    # Files of a live session; see the test of its own.
    *("/project/file", "/project/file/{file_id}"),
}


async def test_no_route_of_the_framework_changes_what_is_somebody_elses(scene: Scene) -> None:
    before = rows(scene.database_url, but_of=scene.ben.user_id)
    session_id = str(uuid4())
    known = attempts_on_framework(scene.hers, session_id)
    routes = {
        (method, route.path)
        for route in framework.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        if route.path not in NAME_NOTHING
    }
    assert routes == set(known), "say what the framework's new routes name"
    async with connected(scene.ben, session_id=session_id):
        for client in (scene.ben.client, scene.visitor):
            for method, path, body in (
                (method, *request) for (method, _), asked in known.items() for request in asked
            ):
                answer = await client.request(method, path, json=body)
                refused = answer.status_code in (400, 401, 403, 404)
                done = path == "/project/action" and answer.json().get("response") is None
                assert refused or done, f"{method} {path}: {answer.status_code} {answer.text}"
                assert "Hers" not in answer.text
    page = {"pagination": {"first": 20}, "filter": {"userId": str(scene.anna.user_id)}}
    for client in (scene.ben.client, scene.visitor):
        listed = await client.post("/project/threads", json=page)
        assert not gives_away(scene.hers, listed.text)
    assert rows(scene.database_url, but_of=scene.ben.user_id) == before


async def test_a_socket_changes_nothing_of_somebody_elses(scene: Scene) -> None:
    """Her message's id, her thread's id and her card, sent as his."""
    before = rows(scene.database_url, but_of=scene.ben.user_id)
    said = {
        "id": scene.hers.step_id,
        "threadId": str(scene.hers.thread_id),
        "output": "Ben's",
        "name": "ben",
        "type": "user_message",
        "createdAt": "2026-11-22T10:00:00Z",
    }
    async with connected(scene.ben) as socket:
        ended = asyncio.Event()
        socket.on("task_end", lambda *_: ended.set())
        for event in ("client_message", "edit_message", "message_favorite", "fetch_favorites"):
            await socket.emit(event, {"message": said, "fileReferences": []})
        async with asyncio.timeout(20):
            await ended.wait()
        # The last one is answered: what came before it on the same socket has been looked at.
        answered = asyncio.Event()
        socket.on("stream_token", lambda *_: answered.set())
        fine = {**said, "id": str(uuid4()), "threadId": None}
        await socket.emit("client_message", {"message": {**fine, "output": "hello"}})
        async with asyncio.timeout(20):
            await answered.wait()
    assert rows(scene.database_url, but_of=scene.ben.user_id) == before


async def test_her_thread_cannot_be_opened_by_his_socket(scene: Scene) -> None:
    before = rows(scene.database_url, but_of=scene.ben.user_id)
    with pytest.raises(Exception, match="(?i)author|refused|rejected|connect"):
        async with connected(scene.ben, thread_id=scene.hers.thread_id):
            pass
    assert rows(scene.database_url, but_of=scene.ben.user_id) == before


async def test_a_stream_brings_only_ones_own(scene: Scene) -> None:
    """She makes a picture while he listens; what he hears first is his own."""
    async with scene.ben.client.stream("GET", "/api/events") as listening:
        lines = listening.aiter_lines()
        async for line in lines:
            if line.startswith(":"):
                break
        wanted = {"prompt": "a fox", "model": "demo-image-quick"}
        hers = (await scene.anna.client.post("/api/tools/generate_image", json=wanted)).json()
        await scene.anna.client.get(f"/api/generations/{hers['id']}", params={"wait": 30})
        his = (await scene.ben.client.post("/api/tools/generate_image", json=wanted)).json()
        async with asyncio.timeout(20):
            async for line in lines:
                if line.startswith("data:"):
                    assert json.loads(line[5:])["id"] == his["id"]
                    break
