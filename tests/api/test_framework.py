"""Chainlit's app behind the fence: what of it exists, and what it says to nonsense."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from chainlit.server import app as chainlit
from PIL import Image

from api.framework import HIDDEN, KNOWN, LOCAL, OPEN
from tests.api.conftest import FRIEND, PUBLIC_URL, PasswordServer
from tests.people import connected

#: The same in every process that collects these tests.
NOBODYS = UUID("3f2504e0-4f89-41d3-9a0c-0305e82c3301")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
#: Answered by routes of ours that stand in front.
OURS = {
    *(("POST", "/login"), ("POST", "/logout"), ("PUT", "/feedback"), ("DELETE", "/feedback")),
    *(("GET", "/public/{id}"), ("GET", "/assets/{id}"), ("HEAD", "/")),
    *(("POST", "/set-session-cookie"), ("POST", "/auth/jwt")),
}
#: Everything else that Chainlit 2.12 has.
SHUT = {
    *(("GET", "/copilot/{id}"), ("GET", "/auth/oauth/{id}")),
    *(("GET", "/auth/oauth/{id}/callback"), ("POST", "/auth/oauth/azure-ad-hybrid/callback")),
    *(("GET", "/project/share/{id}"), ("PUT", "/project/thread/share")),
    *(("PUT", "/project/element"), ("DELETE", "/project/element")),
    *(("POST", "/mcp"), ("DELETE", "/mcp"), ("GET", "/{id}")),
    *(
        (method, path)
        for path in ("/docs", "/redoc", "/openapi.json")
        for method in ("GET", "HEAD")
    ),
    *((method, "/docs/oauth2-redirect") for method in ("GET", "HEAD")),
}


def routes_of(routes: Any) -> Iterator[tuple[str, str]]:
    """Method and path of every route, those of routers within included; ids read `{id}`."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None:
            yield from routes_of(inner.routes)
        for method in getattr(route, "methods", None) or ():
            parts = ["{id}" if part.startswith("{") else part for part in route.path.split("/")]
            yield method, "/".join(parts)


def test_every_route_of_the_framework_is_open_fronted_or_shut() -> None:
    theirs = set(routes_of(chainlit.routes))
    passed = {(m, p) for m, p in (*OPEN, *KNOWN, *LOCAL) if not p.startswith("/ws/")}
    assert theirs - OURS - SHUT == passed
    assert theirs >= SHUT


def filled(path: str) -> str:
    return path.replace("{id}", str(uuid4())).replace("{rest:path}", str(uuid4()))


@pytest.mark.parametrize(
    "path",
    [
        *sorted({path for _, path in SHUT} | set(HIDDEN)),
        *("/nothing", "/nothing/at/all", "/project", "/project/nothing", "/auth", "/ws/other"),
        *("/docs/", "/DOCS", "/project/share", "/../docs", "/%2e%2e/docs", "/.env"),
    ],
)
async def test_what_is_shut_is_404_for_every_method_and_everybody(
    password_server: PasswordServer, path: str
) -> None:
    for client in (password_server.served.client, password_server.ada.client):
        for method in METHODS:
            answer = await client.request(method, filled(path))
            assert answer.status_code in ((404, 401) if path == "/ws/other" else (404,)), method
            assert answer.headers["content-type"] == "application/problem+json"
            assert "<html" not in answer.text.lower()


@pytest.mark.parametrize(("method", "path"), sorted(KNOWN))
async def test_what_belongs_to_people_needs_a_login(
    password_server: PasswordServer, method: str, path: str
) -> None:
    answer = await password_server.served.client.request(method, filled(path))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


async def test_in_password_mode_nobody_comes_in_by_a_header(
    password_server: PasswordServer,
) -> None:
    assert (await password_server.served.client.post("/auth/header")).status_code == 404


NONSENSE: list[bytes] = [
    *(b"", b"{", b"null", b"[]", b'"x"', b"1", b"{}", b"[" * 10000, b"\xff\xfe", b"NaN"),
    b'{"session_id": {}, "sessionId": [], "payload": 1, "action": 2, "threadId": 3, "filter": 4}',
    b'{"session_id": "\\u0000;\\r\\nX: 1", "sessionId": "nobody", "action": {}, "threadId": "x"}',
    json.dumps(
        {
            "sessionId": str(uuid4()),
            "threadId": str(uuid4()),
            "name": "x",
            "action": {"id": "1", "name": "try_again", "payload": {}},
        }
    ).encode(),
]


@pytest.mark.parametrize(
    ("method", "path"),
    [*((m, p) for m, p in KNOWN if m != "GET"), ("POST", "/set-session-cookie")],
)
async def test_nonsense_is_a_problem_without_insides(
    password_server: PasswordServer, method: str, path: str
) -> None:
    lines = password_server.served.lines
    before = len(lines)
    for body in NONSENSE:
        headers = {"Content-Type": "application/json"}
        answer = await password_server.ada.client.request(
            method, path, content=body, headers=headers
        )
        assert_a_problem(answer, body)
    assert [line for line in lines[before:] if "Traceback" in line] == []


@pytest.mark.parametrize(
    "path",
    [
        *(f"/project/file/x?session_id={said}" for said in ("", "x", NOBODYS)),
        *("/project/file/x", "/project/file/..", "/project/file/%2e%2e%2fsettings.py?session_id=x"),
        *("/project/thread/x", "/project/thread/x/element/y", "/project/thread/%00"),
        *(f"/project/thread/{NOBODYS}", f"/project/thread/{NOBODYS}/element/{NOBODYS}"),
        *("/avatars/..%2f..%2fsettings", "/avatars/..%5csettings", "/avatars/%00"),
        *("/logo?theme=../../x", "/project/translations?language=../../x"),
        *("/public/../settings.py", "/public/%2e%2e/settings.py", "/assets/..%2findex.html"),
    ],
)
async def test_an_id_or_a_path_that_leads_nowhere_is_a_problem(
    password_server: PasswordServer, path: str
) -> None:
    answer = await password_server.ada.client.get(path)
    assert_a_problem(answer, path)


async def test_a_stranger_to_the_session_gets_and_puts_no_file(
    password_server: PasswordServer,
) -> None:
    session_id, picture = str(uuid4()), io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    files = {"file": ("red.png", picture.getvalue(), "image/png")}
    where = f"/project/file?session_id={session_id}"
    async with connected(password_server.ada, session_id=session_id):
        kept = await password_server.ada.client.post(where, files=files)
        assert kept.status_code == 200, kept.text
        file = f"/project/file/{kept.json()['id']}?session_id={session_id}"
        assert (await password_server.ada.client.get(file)).status_code == 200
        bob, nobody = password_server.bob.client, password_server.served.client
        assert (await bob.get(file)).status_code == 404
        assert (await bob.post(where, files=files)).status_code == 404
        assert (await nobody.get(file)).status_code == 401
        assert (await nobody.post(where, files=files)).status_code == 401


async def test_the_page_of_anothers_thread_is_none(password_server: PasswordServer) -> None:
    thread_id = uuid4()
    async with connected(password_server.ada) as socket:
        arrived = asyncio.Event()

        @socket.on("first_interaction")  # type: ignore[untyped-decorator]
        def note(said: dict[str, str]) -> None:
            nonlocal thread_id
            thread_id = UUID(said["thread_id"])
            arrived.set()

        said = {"id": str(uuid4()), "name": "ada", "type": "user_message", "output": "hello"}
        await socket.emit("client_message", {"message": said, "fileReferences": []})
        await asyncio.wait_for(arrived.wait(), 20)
    bob = password_server.bob.client
    assert (await bob.get(f"/project/thread/{thread_id}")).status_code == 404
    for method in ("PUT", "DELETE"):
        body = {"threadId": str(thread_id), "name": "mine"}
        assert (await bob.request(method, "/project/thread", json=body)).status_code == 404
    assert (await password_server.ada.client.get(f"/project/thread/{thread_id}")).status_code == 200


def assert_a_problem(answer: httpx.Response, asked: object) -> None:
    """Refused, in words for people, without a word of how it is made."""
    assert 400 <= answer.status_code < 500, (asked, answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json", (asked, answer.text)
    for inside in ("Traceback", "Error(", "site-packages", ".py"):
        assert inside not in answer.text


async def test_the_page_stands_in_frames_of_trusted_pages_only(
    password_server: PasswordServer,
) -> None:
    client = password_server.served.client
    page = await client.get("/login")
    assert f"frame-ancestors 'self' {FRIEND}" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    for path in ("/assets/nothing.js", "/public/favicon.svg", "/logo", "/healthz", "/user", "/mcp"):
        answer = await client.get(path)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_at_the_public_address_cookies_are_for_https(password_server: PasswordServer) -> None:
    said = {"session_id": str(uuid4())}
    ada = password_server.ada.client
    for host, is_secure in (
        (urlsplit(PUBLIC_URL).netloc, True),
        (ada.base_url.netloc.decode(), False),
    ):
        answer = await ada.post("/set-session-cookie", json=said, headers={"Host": host})
        assert answer.status_code == 200, answer.text
        cookie = answer.headers["set-cookie"]
        assert ("Secure" in cookie) is is_secure
        assert "HttpOnly" in cookie
        assert ("strict-transport-security" in answer.headers) is is_secure
