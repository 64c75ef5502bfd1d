"""The guard stands in front of everything: whose host, from which page, how large a body.

Local mode has no login, so the browser is the danger: a page of somebody else's could send requests
here, or bend a name of its own to 127.0.0.1. Hence the Host must be loopback's, and whatever
changes something or opens a socket must come from our own page (or from a program, which sends no
Origin).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from settings import LOOPBACK_HOSTS

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: A socket's polling handshake is a GET; it opens a door all the same.
SOCKET_PREFIX = "/ws/"
BODY_BYTES_MAX = 1024 * 1024
#: Uploads carry pictures; a form around 20 MiB of picture is a little larger.
BODY_BYTES_MAX_AT = {"/api/uploads": 21 * 1024 * 1024, "/project/file": 21 * 1024 * 1024}
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


_NAMES = "|".join(re.escape(f"[{name}]" if ":" in name else name) for name in LOOPBACK_HOSTS)
#: Not left to a parser of addresses, which finds a `localhost` in `evil.example@localhost` too.
_HOST = re.compile(rf"(?:{_NAMES})(?::[0-9]{{1,5}})?", re.IGNORECASE | re.ASCII)


class TooLarge(Exception):
    """The body grew beyond the limit while it was read."""


class Guard:
    """A thin ASGI layer; it parses nothing but headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http":
            send = _with_ours(send)
        refusal = _refusal(scope)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = BODY_BYTES_MAX_AT.get(scope["path"], BODY_BYTES_MAX)
        said = next(iter(_values(scope, b"content-length")), "")
        if said.isdecimal() and int(said) > limit:
            await _refuse(scope, receive, send, 413, "too_large", _too_large(limit))
            return
        body = _Counted(receive, limit)
        answer = _Answer(send, body, scope, receive)
        try:
            await self._app(scope, body, answer)
        except TooLarge:
            await answer.too_large()


class _Counted:
    """Counts what is really read; a body may lie about its length, or not tell it."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self.limit = limit
        self._left = limit
        self.exceeded = False

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.exceeded = True
                raise TooLarge
        return message


class _Answer:
    """Turns whatever a framework made of `TooLarge` into the 413 it is."""

    def __init__(self, send: Send, body: _Counted, scope: Scope, receive: Receive) -> None:
        self._send, self._body, self._scope, self._receive = send, body, scope, receive
        self._started = False
        self._replaced = False

    async def __call__(self, message: Message) -> None:
        if self._body.exceeded and not self._started:
            await self.too_large()
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            self._started = True
        await self._send(message)

    async def too_large(self) -> None:
        """Answer 413, once, if nothing was answered yet."""
        if not self._started:
            self._started = self._replaced = True
            answer = problem(413, "too_large", _too_large(self._body.limit))
            await answer(self._scope, self._receive, self._send)


def _with_ours(send: Send) -> Send:
    """Every answer goes out with our headers, as far as it has none of its own."""

    async def send_with_ours(message: Message) -> None:
        if message["type"] == "http.response.start":
            own: list[Any] = list(message.get("headers", ()))
            present = {name.lower() for name, _ in own}
            ours = [(name, value) for name, value in HEADERS if name not in present]
            message = {**message, "headers": [*own, *ours]}
        await send(message)

    return send_with_ours


def _values(scope: Scope, name: bytes) -> list[str]:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return [value.decode("latin-1") for found, value in headers if found == name]


def _too_large(limit: int) -> str:
    return f"The request is too large; {limit >> 20} MiB is the most here."


def _refusal(scope: Scope) -> tuple[int, str, str] | None:
    hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        return 403, "forbidden_host", "Kinora in local mode answers at localhost only."
    opens = scope["type"] == "websocket" or scope["path"].startswith(SOCKET_PREFIX)
    changes = opens or scope["method"] not in SAFE_METHODS
    ours = {f"{scheme}://{hosts[0].lower()}" for scheme in ("http", "https")}
    if changes and origins and (len(origins) > 1 or origins[0].lower() not in ours):
        return 403, "forbidden_origin", "This request comes from another page."
    return None


async def _refuse(
    scope: Scope, receive: Receive, send: Send, status: int, code: str, detail: str
) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": detail})
    else:
        await problem(status, code, detail)(scope, receive, send)
