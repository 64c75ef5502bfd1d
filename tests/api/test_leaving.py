"""What an ended login is good for: nothing, in whatever dress its token comes, and however long ago
the request began that is still under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest

from accounts import tokens
from db import accounts
from db.connect import open_engine
from tests.api.conftest import PasswordServer
from tests.db.samples import encoded, picture
from tests.demo_process import Demo
from tests.people import PASSWORD, SECRET, Person, a_person

BOUNDARY = "picture"
HEAD = (
    f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=file; filename=a.png\r\n"
    "Content-Type: image/png\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.fixture
async def carl(password_server: PasswordServer) -> AsyncIterator[Person]:
    email = f"carl-{uuid4().hex}@example.org"
    async with a_person(password_server.served, password_server.database_url, email) as somebody:
        yield somebody


async def disable(server: PasswordServer, person: Person) -> None:
    engine = open_engine(server.database_url)
    async with engine.begin() as connection:
        await accounts.disable(connection, person.user_id)
    await engine.dispose()


async def test_an_ended_login_tells_nothing_in_any_dress(
    password_server: PasswordServer, carl: Person
) -> None:
    token = carl.client.cookies["access_token"]
    assert (await carl.client.post("/logout")).status_code == 200
    dresses = (
        f"access_token={token}",
        f'access_token="{token}"',
        f"access_token_0={token}",
        f"a=b; access_token={token}",
        f'a="b\\073access_token={token}"',
        f'a="b\\073 access_token_0={token}"',
    )
    nobody = password_server.served.client
    for dress in dresses:
        for path in ("/user", "/api/usage"):
            answer = await nobody.get(path, headers={"Cookie": dress})
            assert answer.status_code == 401, (dress, path)


async def test_who_logs_in_again_has_left_the_login_before(carl: Person) -> None:
    before = carl.client.cookies["access_token"]
    again = {"username": carl.email, "password": PASSWORD}
    assert (await carl.client.post("/login", data=again)).status_code == 200
    assert carl.client.cookies["access_token"] != before
    assert (await carl.client.get("/api/usage")).status_code == 200
    carl.client.cookies.clear()
    old = {"Cookie": f"access_token={before}"}
    assert (await carl.client.get("/api/usage", headers=old)).status_code == 401


async def test_a_long_poll_ends_with_what_let_it_in(
    password_server: PasswordServer, carl: Person, calm_demo: Demo
) -> None:
    await calm_demo.hold(True)
    wanted = {"prompt": "a wait", "model": "demo-image-quick"}
    started = await carl.client.post("/api/tools/generate_image", json=wanted)
    path = f"/api/generations/{started.json()['id']}?wait=60"
    polls = [asyncio.create_task(client.get(path)) for client in (carl.client, carl.by_key)]
    await calm_demo.until(started.json()["id"], "submits:1")
    await disable(password_server, carl)
    async with asyncio.timeout(20):
        assert [(await poll).status_code for poll in polls] == [401, 401]


async def test_an_upload_that_ends_too_late_is_not_taken(
    password_server: PasswordServer, carl: Person
) -> None:
    begun, out = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        data = encoded(picture(), "PNG")
        yield HEAD + data[:50]
        begun.set()
        await out.wait()
        yield data[50:] + TAIL

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    sending = asyncio.create_task(
        carl.by_key.post("/api/uploads", content=slowly(), headers=headers)
    )
    await begun.wait()
    # So much is certain after an answer to a later request: this one is inside.
    assert await _answered(carl.client)
    await disable(password_server, carl)
    while await _answered(carl.client):  # noqa: ASYNC110 - another process changes it
        await asyncio.sleep(0.05)
    out.set()
    assert (await sending).status_code == 401


async def _answered(client: httpx.AsyncClient) -> bool:
    return (await client.get("/api/usage")).status_code == 200


def test_a_token_has_three_parts_and_nothing_around_them() -> None:
    token = tokens.sign(SECRET.encode(), "password:a@b", "a", UUID(int=1), 60)
    assert tokens.read(SECRET.encode(), token) is not None
    for stray in (f"{token}=", f" {token}", f"{token}\n", f"{token};", "a" * 9_000_000, "..", ""):
        assert tokens.read(SECRET.encode(), stray) is None
