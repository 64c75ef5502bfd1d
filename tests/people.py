"""People with accounts, for tests of password mode: made in the database, logged in over HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import socketio

from accounts import identity
from accounts.passwords import Passwords
from db import accounts
from db.connect import open_engine
from tests.house import Served, serve

PASSWORD = "correct horse battery"
SECRET = "Tests-only-secret-0123456789-abcdefghijk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account: `client` carries their cookie, `by_key` an API key of theirs."""

    email: str
    user_id: UUID
    client: httpx.AsyncClient
    by_key: httpx.AsyncClient
    key: str


@contextlib.asynccontextmanager
async def serve_people(data_dir: Path, **settings: str) -> AsyncIterator[Served]:
    """A server in password mode."""
    async with serve(
        data_dir, **{"AUTH_MODE": "password", "CHAINLIT_AUTH_SECRET": SECRET, **settings}
    ) as served:
        yield served


async def add_account(database_url: str, email: str, *, is_admin: bool = False) -> UUID:
    """An account with `PASSWORD`."""
    hashed = await Passwords().hash(PASSWORD)
    engine = open_engine(database_url)
    async with engine.begin() as connection:
        made = await accounts.add(
            connection, identity.by_password(email), hashed, is_admin=is_admin
        )
    await engine.dispose()
    assert made is not None
    return made


@contextlib.asynccontextmanager
async def a_person(served: Served, database_url: str, email: str) -> AsyncIterator[Person]:
    """A person with an account, logged in, and with a key for `generate` and `read`."""
    user_id = await add_account(database_url, email)
    options: dict[str, Any] = {"base_url": served.url, "trust_env": False, "timeout": 60}
    async with httpx.AsyncClient(**options) as client, httpx.AsyncClient(**options) as by_key:
        entered = await client.post("/login", data={"username": email, "password": PASSWORD})
        assert entered.status_code == 200, entered.text
        key = (await client.post("/api/keys", json={"name": "test"})).json()["key"]
        by_key.headers["Authorization"] = f"Bearer {key}"
        yield Person(email=email, user_id=user_id, client=client, by_key=by_key, key=key)


@contextlib.asynccontextmanager
async def connected(
    person: Person, thread_id: UUID | None = None, session_id: str | None = None
) -> AsyncIterator[socketio.AsyncClient]:
    """The person's chat, by its socket, as the page opens it."""
    socket = socketio.AsyncClient(reconnection=False)
    cookies = "; ".join(f"{name}={value}" for name, value in person.client.cookies.items())
    auth = {"sessionId": session_id or str(uuid4()), "clientType": "webapp", "userEnv": "{}"}
    if thread_id is not None:
        auth["threadId"] = str(thread_id)
    await socket.connect(
        str(person.client.base_url),
        socketio_path="/ws/socket.io",
        transports=["websocket"],
        headers={"Cookie": cookies},
        auth=auth,
    )
    try:
        await socket.emit("connection_successful")
        yield socket
    finally:
        await socket.disconnect()
