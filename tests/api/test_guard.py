"""The guard alone, around an app that takes everything: whose host, from which page, how much."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from api.bodies import BODY_BYTES_MAX, BODY_BYTES_MAX_AT
from api.guard import Guard

OURS = "localhost:8000"
MIB = 1 << 20
Headers = Iterable[tuple[bytes, bytes]]


@dataclass(slots=True)
class Inside:
    """The app behind the guard: notes what reached it, and lets every socket in."""

    seen: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope["type"])
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
        elif scope["type"] == "http":
            await PlainTextResponse("in")(scope, receive, send)


async def ask(
    headers: Headers, *, kind: str = "http", method: str = "GET", path: str = "/"
) -> tuple[int | str, dict[str, str], bytes]:
    """What the guard answers: a status, or what became of the socket."""
    sent: list[Message] = []
    first = "websocket.connect" if kind == "websocket" else "http.request"

    async def receive() -> Message:
        return {"type": first}

    async def send(message: Message) -> None:
        sent.append(message)

    inside = Inside()
    scope = {"type": kind, "method": method, "path": path, "headers": list(headers)}
    await Guard(inside)(scope, receive, send)
    start = sent[0]
    answer = start["type"] if kind == "websocket" else start["status"]
    assert bool(inside.seen) == (answer in (200, "websocket.accept"))
    given = {name.decode(): value.decode() for name, value in start.get("headers", [])}
    return answer, given, b"".join(message.get("body", b"") for message in sent)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8000", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:1"),
        *("[::1]", "[::1]:65535"),
    ],
)
async def test_loopbacks_own_names_get_in_at_any_port(host: str) -> None:
    assert (await ask([(b"host", host.encode())]))[0] == 200
    assert (await ask([(b"host", host.encode())], kind="websocket"))[0] == "websocket.accept"


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example"),
        *("evil-localhost", "localhost.", "localhost.:8000", "127.0.0.1.nip.io", "127.1", "0"),
        *("0.0.0.0", "127.0.0.2", "2130706433", "0x7f.0.0.1", "[::]", "[::ffff:127.0.0.1]", "::1"),
        *("[::1", "[::1]evil", "[::1].evil.example", "", ":8000", "localhost:8000:8000"),
        # What a lenient parser of addresses would take for localhost.
        *("evil.example@localhost", "localhost@evil.example", "localhost:80@evil.example"),
        *("localhost/evil.example", "localhost?evil", "localhost#evil", "localhost\\evil"),
        *("localhost:http", "localhost:-1", "localhost evil.example", "localhost,evil.example"),
        "lo\xaacalhost",
    ],
)
async def test_no_other_name_gets_in(host: str) -> None:
    status, headers, body = await ask([(b"host", host.encode("latin-1"))])
    assert (status, json.loads(body)["code"]) == (403, "forbidden_host")
    assert headers["content-type"] == "application/problem+json"
    socket = [(b"host", host.encode("latin-1"))]
    assert (await ask(socket, kind="websocket"))[0] == "websocket.close"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"evil.example"), (b"host", OURS.encode())],
        [(b"host", OURS.encode()), (b"host", b"evil.example")],
        [(b"x-forwarded-host", OURS.encode())],
        [(b"host", b"evil.example"), (b"x-forwarded-host", OURS.encode())],
    ],
)
async def test_a_request_has_one_host_and_it_is_its_own(headers: Headers) -> None:
    assert (await ask(headers))[0] == 403


ORIGINS = [
    (None, True),
    (f"http://{OURS}", True),
    (f"https://{OURS}", True),
    (f"HTTP://{OURS.upper()}", True),
    ("null", False),
    ("", False),
    ("http://evil.example", False),
    ("http://localhost", False),
    ("http://localhost:3000", False),
    ("http://127.0.0.1:8000", False),
    (f"http://{OURS}.evil.example", False),
    (f"http://evil.example/{OURS}", False),
    (f"http://user@{OURS}", False),
    (f"{OURS}", False),
    ("file://", False),
]


@pytest.mark.parametrize(("origin", "welcome"), ORIGINS)
@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        *((method, "/api/tools/x", "http") for method in ("POST", "PUT", "PATCH", "DELETE")),
        ("GET", "/ws/socket.io/", "http"),
        ("", "/ws/socket.io/", "websocket"),
        ("", "/anything", "websocket"),
    ],
)
async def test_what_changes_something_or_opens_a_socket_comes_from_our_own_page(
    origin: str | None, welcome: bool, method: str, path: str, kind: str
) -> None:
    headers = [(b"host", OURS.encode())]
    headers += [] if origin is None else [(b"origin", origin.encode())]
    answer, _, body = await ask(headers, kind=kind, method=method, path=path)
    if kind == "websocket":
        assert answer == ("websocket.accept" if welcome else "websocket.close")
    elif welcome:
        assert answer == 200
    else:
        assert (answer, json.loads(body)["code"]) == (403, "forbidden_origin")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_a_read_may_come_from_anywhere_but_is_given_to_nobody(method: str) -> None:
    headers = [(b"host", OURS.encode()), (b"origin", b"http://evil.example")]
    status, given, _ = await ask(headers, method=method)
    assert status == 200
    assert not [name for name in given if name.startswith("access-control")]


async def test_two_origins_are_none_of_ours() -> None:
    both = [(b"origin", b"http://evil.example"), (b"origin", f"http://{OURS}".encode())]
    for origins in (both, both[::-1]):
        assert (await ask([(b"host", OURS.encode()), *origins], method="POST"))[0] == 403


async def test_an_ipv6_page_may_post_to_its_own_address() -> None:
    headers = [(b"host", b"[::1]:8000"), (b"origin", b"http://[::1]:8000")]
    assert (await ask(headers, method="POST"))[0] == 200


async def test_every_answer_carries_the_headers_of_the_house() -> None:
    for headers in ([(b"host", OURS.encode())], [(b"host", b"evil.example")]):
        _, given, _ = await ask(headers)
        assert given["x-content-type-options"] == "nosniff"
        assert given["referrer-policy"] == "same-origin"


async def test_a_header_that_an_answer_has_itself_is_left_to_it() -> None:
    async def strict(scope: Scope, receive: Receive, send: Send) -> None:
        own = {"Referrer-Policy": "no-referrer"}
        await PlainTextResponse("in", headers=own)(scope, receive, send)

    transport = httpx.ASGITransport(Guard(strict))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{OURS}") as client:
        answer = await client.get("/")
    assert answer.headers.get_list("referrer-policy") == ["no-referrer"]


async def count(request: Request) -> Response:
    """Reads all of the body and tells how much it was."""
    return PlainTextResponse(str(sum([len(piece) async for piece in request.stream()])))


async def swallow(request: Request) -> Response:
    """As a framework may: makes an answer of its own of whatever went wrong."""
    try:
        return await count(request)
    except Exception as error:  # noqa: BLE001 - that is the point
        return PlainTextResponse(type(error).__name__, status_code=400)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    paths = ["/count", *BODY_BYTES_MAX_AT]
    routes = [Route(path, count, methods=["POST"]) for path in paths]
    routes += [Route("/swallow", swallow, methods=["POST"])]
    transport = httpx.ASGITransport(Guard(Starlette(routes=routes)))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{OURS}") as client:
        yield client


async def in_pieces(size_bytes: int) -> AsyncIterator[bytes]:
    """A body that does not tell its length."""
    for start in range(0, size_bytes, 65536):
        yield b"x" * min(65536, size_bytes - start)


@pytest.mark.parametrize("path", ["/count", "/swallow", *BODY_BYTES_MAX_AT])
async def test_a_body_may_be_as_large_as_its_route_allows_and_no_larger(
    client: httpx.AsyncClient, path: str
) -> None:
    most = BODY_BYTES_MAX_AT.get(path, BODY_BYTES_MAX)
    assert (await client.post(path, content=in_pieces(most))).text == str(most)
    told, counted = b"x" * (most + 1), in_pieces(most + 1)
    answers = [await client.post(path, content=body) for body in (told, counted)]
    lie = {"Content-Length": "10"}
    answers.append(await client.post(path, content=in_pieces(most + 1), headers=lie))
    for answer in answers:
        assert answer.status_code == 413, answer.text
        is_openai = path.startswith("/v1/")
        told = answer.json()["error"] if is_openai else answer.json()
        assert told["code"] == "too_large"
        assert f"{most >> 20} MiB" in told["message" if is_openai else "detail"]
        media_type = "application/json" if is_openai else "application/problem+json"
        assert answer.headers["content-type"] == media_type


def test_pictures_get_more_room_than_words() -> None:
    assert BODY_BYTES_MAX == MIB
    pictures = {"/api/uploads", "/project/file", "/v1/images/edits", "/v1/videos"}
    assert set(BODY_BYTES_MAX_AT) == pictures
    assert min(BODY_BYTES_MAX_AT.values()) > 20 * MIB


async def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    sent: list[str] = []

    async def hasty(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.body", "body": b"done"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * MIB, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"host", OURS.encode())]}
    await Guard(hasty)(scope, receive, send)
    assert sent == ["http.response.start"]


async def test_what_is_neither_request_nor_socket_passes() -> None:
    inside = Inside()

    async def nothing(*_: Any) -> Any:
        raise AssertionError("nobody asked")

    await Guard(inside)({"type": "lifespan"}, nothing, nothing)
    assert inside.seen == ["lifespan"]
