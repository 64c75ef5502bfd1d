"""The chat's socket of a real server with accounts: who gets in, and what a client cannot do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
import socketio
from socketio.exceptions import ConnectionError as Refused

from chat.incoming import SILENT
from tests.api.conftest import FRIEND, PUBLIC_URL, PasswordServer
from tests.people import Person, connected

WITHIN_S = 20.0
PATH = "/ws/socket.io/?EIO=4&transport=websocket"


def cookie_of(person: Person) -> str:
    return "; ".join(f"{name}={value}" for name, value in person.client.cookies.items())


async def handshake(server: PasswordServer, person: Person | None, **headers: str) -> int:
    """The status of a handshake: 101 where the socket opens."""
    given = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    if person is not None:
        given["Cookie"] = cookie_of(person)
    async with (
        httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as client,
        client.stream("GET", server.served.url + PATH, headers=given) as answer,
    ):
        return answer.status_code


async def test_the_socket_opens_for_people_from_pages_we_trust(
    password_server: PasswordServer,
) -> None:
    ada, own = password_server.ada, password_server.served.url
    assert await handshake(password_server, ada) == 101
    for origin in (own, PUBLIC_URL, FRIEND):
        assert await handshake(password_server, ada, Origin=origin) == 101
    evil = ("https://evil.example", "null", f"{FRIEND}.evil.example", "http://localhost:1")
    for origin in evil:
        assert await handshake(password_server, ada, Origin=origin) == 403
    assert await handshake(password_server, ada, Host="evil.example") == 403
    assert await handshake(password_server, ada, Sec_Fetch_Site="cross-site") == 403


async def test_nobody_gets_no_socket_in_either_form(password_server: PasswordServer) -> None:
    assert await handshake(password_server, None) == 403
    polling = PATH.replace("websocket", "polling")
    assert (await password_server.served.client.get(polling)).status_code == 401
    by_key = {"Authorization": f"Bearer {password_server.ada.key}"}
    assert await handshake(password_server, None, **by_key) == 403
    assert (await password_server.ada.client.get(polling)).status_code == 200
    foreign = {"Origin": "https://evil.example"}
    answer = await password_server.ada.client.get(polling, headers=foreign)
    assert answer.status_code == 403


async def test_neither_thread_nor_session_of_another_opens(
    password_server: PasswordServer,
) -> None:
    session_id = str(uuid4())
    async with connected(password_server.ada, session_id=session_id) as socket:
        thread_id = await say(socket, "hello")
        with pytest.raises(Refused):
            async with connected(password_server.bob, session_id=session_id):
                pass
        with pytest.raises(Refused):
            async with connected(password_server.bob, thread_id=thread_id):
                pass
        with pytest.raises(Refused):
            async with connected(password_server.bob, session_id="../../x"):
                pass


async def say(socket: socketio.AsyncClient, text: str, **more: Any) -> Any:
    """Say the first thing of a thread; the thread's id."""
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def begun(said: dict[str, str]) -> None:
        if not told.done():
            told.set_result(said["thread_id"])

    socket.on("first_interaction", begun)
    payload = {"id": str(uuid4()), "output": text, "type": "user_message", **more}
    await socket.emit("client_message", {"message": payload, "fileReferences": []})
    return await asyncio.wait_for(told, WITHIN_S)


async def until(check: Callable[[], Awaitable[Any]]) -> Any:
    """What the check finds, once it finds something."""
    async with asyncio.timeout(WITHIN_S):
        while not (found := await check()):  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.05)
    return found


async def test_what_a_client_claims_of_its_message_is_not_kept(
    password_server: PasswordServer,
) -> None:
    claimed = {
        "threadId": str(uuid4()),
        "parentId": str(uuid4()),
        "name": "Kinora",
        "type": "assistant_message",
        "metadata": {"favorite": True},
        "tags": ["x"],
        "createdAt": "1999-01-01T00:00:00Z",
        "isError": True,
        "generation": {"a": 1},
    }
    async with connected(password_server.ada) as socket:
        thread_id = await say(socket, "what can you make?", **claimed)

    async def stored() -> list[dict[str, Any]]:
        answer = await password_server.ada.client.get(f"/project/thread/{thread_id}")
        steps = answer.json()["steps"] if answer.status_code == 200 else []
        return [step for step in steps if step["output"] == "what can you make?"]

    [step] = await until(stored)
    assert (step["type"], step["name"]) == ("user_message", "ada@example.org")
    assert (step["threadId"], step["parentId"]) == (thread_id, None)
    assert (step.get("isError") or False, step.get("tags") or []) == (False, [])
    assert step["createdAt"] > "2020"
    assert not (step.get("metadata") or {}).get("favorite")


JUNK: tuple[Any, ...] = (
    *(None, 1, "x", [], {}, [[[]]], {"message": 1}, {"message": {"id": 1}}),
    {"message": {"id": str(uuid4()), "output": {"a": 1}}},
    {"message": {"id": str(uuid4()), "output": "\u0000"}, "fileReferences": {"id": 1}},
)


async def test_junk_of_every_event_leaves_no_trace(password_server: PasswordServer) -> None:
    lines = password_server.served.lines
    before = len(lines)
    async with connected(password_server.ada) as socket:
        for event in (*sorted(SILENT), "client_message", "stop", "nothing_known", "connect"):
            await socket.emit(event)
            for junk in JUNK:
                await socket.emit(event, junk)
                await socket.emit(event, (junk, junk, junk))
        await say(socket, "are you there?")
    assert [line for line in lines[before:] if "Traceback" in line or "rror" in line] == []


async def test_a_message_beyond_a_megabyte_ends_the_socket_and_nothing_else(
    password_server: PasswordServer,
) -> None:
    lines = password_server.served.lines
    before = len(lines)
    async with connected(password_server.ada) as socket:
        await socket.emit("client_message", {"message": {"output": "x" * 2_000_000}})
        await asyncio.wait_for(socket.wait(), WITHIN_S)
    assert (await password_server.served.client.get("/healthz")).status_code == 200
    assert [line for line in lines[before:] if "Traceback" in line] == []


async def test_an_edit_from_the_socket_changes_nothing_and_runs_nothing(
    password_server: PasswordServer,
) -> None:
    step_id = str(uuid4())
    async with connected(password_server.ada) as socket:
        thread_id = await say(socket, "hello", id=step_id)
        edited = {"id": step_id, "threadId": thread_id, "output": "draw ten films"}
        await socket.emit("edit_message", {"message": edited})
        await socket.emit("message_favorite", {"message": {**edited, "metadata": {"favorite": 1}}})

        def outputs() -> list[tuple[str]]:
            with psycopg.connect(password_server.database_url) as connection:
                query = "select output from kinora.steps where id = %s"
                return connection.execute(query, [step_id]).fetchall()

        await until(lambda: asyncio.to_thread(outputs))
        # Answered in order: once this thread's next words are stored, the edit has been seen.
        await socket.emit("stop")
    assert await asyncio.to_thread(outputs) == [("hello",)]
