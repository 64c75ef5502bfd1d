"""Who comes in: a thin ASGI layer behind the guard. It knows the visitor of every request before
anything behind it runs, and closes sockets whose login ended.

Our own doors read the visitor from the request's state. The chat framework trusts its cookie's
signature alone, so here the cookie of a login that holds no more is taken away before it gets
there.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accounts import keys, tokens
from accounts.entrance import Refused
from accounts.rate import Rate, Standing
from accounts.throttle import network
from accounts.visitor import Visitor
from api.front import header_values
from api.refusals import refusal
from db.connect import DATABASE_ERRORS
from runtime import Runtime

log = structlog.get_logger(__name__)

#: Bytes that are the same for everybody, and questions about the process itself.
OPEN_TO_ALL = frozenset({"/healthz", "/readyz", "/metrics", "/favicon", "/logo"})
#: Providers have no login: the address that they were given proves who they are.
OPEN_FOLDERS = ("/assets/", "/public/", "/copilot/", "/webhooks/")
#: Ours; an API key opens these, never the chat.
DOORS = ("/api", "/media/", "/v1", "/feedback")
#: The chat's socket, its polling form included.
SOCKET = "/ws/"
#: The widget's token is shown here.
EXCHANGE = "/auth/jwt"
#: Not counted against a caller's requests a minute: bytes, and streams that stay open.
UNCOUNTED = ("/media/", SOCKET)
#: The page asks here whether the database is back. It hears no more than that as long as nobody can
#: say who asks, and never an error, which a browser would write down each time.
PROBE = "/api/status"
RATE_WINDOW_S = 60.0
CLOSE_WAIT_S = 10.0
LOGIN_ENDED = 4401


class Access:
    """Puts `visitor` (a `Visitor`, or None for nobody) into the state of each request."""

    def __init__(self, app: ASGIApp, runtime: Callable[[], Runtime]) -> None:
        self._app = app
        self._runtime = runtime
        self._rate: Rate | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find out who it is, count the request, pass it on."""
        if scope["type"] not in ("http", "websocket") or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            visitor = await self._visitor(scope)
        except Refused as refused:
            # Whoever tries keys out is counted like everybody.
            answer = _refusal(scope, 401, "unauthorized", str(refused))
            await self._count(None, answer, scope, receive, send)
            return
        except DATABASE_ERRORS as error:
            log.warning("nobody can be let in", error=type(error).__name__)
            if scope["path"] == PROBE:
                await JSONResponse({"ready": False})(scope, receive, send)
            else:
                await _refuse(scope, receive, send, 503, "unavailable", _AWAY)
            return
        scope.setdefault("state", {})["visitor"] = visitor
        if visitor is None and scope["path"].startswith(SOCKET):
            await _refuse(scope, receive, send, 401, "unauthorized", "Log in first.")
        elif scope["type"] == "websocket":
            await self._hold(visitor, scope, receive, send)
        else:
            await self._count(visitor, self._app, scope, receive, send)

    async def _visitor(self, scope: Scope) -> Visitor | None:
        """Raises: Refused: a key or token was shown and is wrong; the database's errors."""
        entrance = self._runtime().entrance
        is_door = scope["path"].startswith(DOORS)
        if is_door and (shown := _bearer(scope)) is not None:
            if shown.startswith(keys.MARK):
                return await entrance.by_key(shown)
            if entrance.local is None:
                raise Refused("This API key is not known here.")
        if not is_door and scope["path"] != EXCHANGE:
            _drop_header(scope, b"authorization")
        visitor = None
        for token in _logins(scope):
            found = await entrance.by_token(token)
            if found is not None and _is_in_place(found, scope):
                visitor = found
                break
        _leave_cookie(scope, token if visitor else None)
        if entrance.local is not None and scope.get("state", {}).get("from_outside"):
            return None
        return visitor or entrance.local

    async def _count(
        self, visitor: Visitor | None, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        most = self._runtime().loaded.settings.requests_per_minute
        if not most or scope["path"].startswith(UNCOUNTED) or _opens_stream(scope):
            await app(scope, receive, send)
            return
        if self._rate is None:
            self._rate = Rate(most, RATE_WINDOW_S)
        who = visitor.user_id if visitor else network((scope.get("client") or ("",))[0])
        standing = self._rate.count(who)
        send = _with_headers(send, _rate_headers(most, standing))
        if standing.wait_s is not None:
            detail = f"At most {most} requests a minute; try again in a moment."
            retry = {"Retry-After": str(math.ceil(standing.wait_s))}
            answer = refusal(scope["path"], 429, "rate_limited", detail, headers=retry)
            app = answer
        await app(scope, receive, send)

    async def _hold(
        self, visitor: Visitor | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """A socket, for as long as its visitor's login holds."""
        ended = asyncio.Event()
        closed = False

        async def send_while_open(message: Message) -> None:
            if not closed:
                await send(message)

        async def receive_while_open() -> Message:
            message = await receive()
            return {"type": "websocket.disconnect", "code": LOGIN_ENDED} if closed else message

        with self._runtime().presence.here(visitor, ended.set):
            serving = asyncio.ensure_future(self._app(scope, receive_while_open, send_while_open))
            watching = asyncio.create_task(ended.wait())
            try:
                await asyncio.wait({serving, watching}, return_when=asyncio.FIRST_COMPLETED)
                if not serving.done():
                    closed = True
                    with contextlib.suppress(RuntimeError):
                        await send({"type": "websocket.close", "code": LOGIN_ENDED})
                    await asyncio.wait({serving}, timeout=CLOSE_WAIT_S)
            finally:
                watching.cancel()
                serving.cancel()
            if serving.done() and not serving.cancelled():
                serving.result()


_AWAY = "The database cannot be reached just now; nothing was changed. Try again in a moment."


def _is_open(path: str) -> bool:
    return path in OPEN_TO_ALL or path.startswith(OPEN_FOLDERS)


def _bearer(scope: Scope) -> str | None:
    """What is shown as a bearer token; other schemes are somebody else's."""
    for value in header_values(scope, b"authorization"):
        scheme, _, shown = value.strip().partition(" ")
        if scheme.lower() == "bearer":
            return shown.strip()
    return None


def _cookies(scope: Scope) -> dict[str, str]:
    return cookie_parser("; ".join(header_values(scope, b"cookie")))


def _logins(scope: Scope) -> Iterator[str]:
    """The tokens of logins that this request shows, the one that is meant first: a page of somebody
    else's comes with its own user's before the person's own.
    """
    order = [tokens.COOKIE, tokens.FRAME_COOKIE]
    if _is_foreign(scope):
        # The person's own chats are not for other pages to read, however much they are trusted.
        own = [tokens.COOKIE] if scope["path"].startswith((*DOORS, SOCKET)) else []
        order = [tokens.WIDGET_COOKIE, *own]
    cookies = _cookies(scope)
    return (cookies[name] for name in order if cookies.get(name))


def _is_foreign(scope: Scope) -> bool:
    """Whether a page of a trusted origin asks. Pictures are asked for without `Origin`; a link that
    is followed is the person's own visit.
    """
    if scope.get("state", {}).get("foreign_origin"):
        return True
    if "navigate" in header_values(scope, b"sec-fetch-mode"):
        return False
    return bool({"same-site", "cross-site"} & {*header_values(scope, b"sec-fetch-site")})


def _is_in_place(visitor: Visitor, scope: Scope) -> bool:
    """Whether a login through the widget is used where it holds; others hold everywhere."""
    if visitor.place is None:
        return True
    if visitor.place == tokens.FRAME:
        return not _is_foreign(scope)
    origin = scope.get("state", {}).get("foreign_origin")
    return _is_foreign(scope) and origin in (None, visitor.place)


def _drop_header(scope: Scope, name: bytes) -> None:
    scope["headers"] = [(found, value) for found, value in scope["headers"] if found != name]


def _leave_cookie(scope: Scope, token: str | None) -> None:
    """Leave the framework this login and no other cookie: it reads none but its logins, and a value
    that is unquoted, or taken from a doubled cookie or the pieces of a long one, may say to it what
    we have not looked at.
    """
    _drop_header(scope, b"cookie")
    if token is not None:
        scope["headers"].append((b"cookie", f"{tokens.COOKIE}={token}".encode("latin-1")))


def _opens_stream(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == "/api/events" or (path.startswith("/api/") and path.endswith("/events"))


def _rate_headers(most: int, standing: Standing) -> list[tuple[bytes, bytes]]:
    """The fields of the IETF's draft on rate limits (draft-ietf-httpapi-ratelimit-headers-10)."""
    policy = f'"default";q={most};w={RATE_WINDOW_S:.0f}'
    now = f'"default";r={standing.left};t={math.ceil(standing.full_in_s)}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", now.encode())]


def _with_headers(send: Send, more: list[tuple[bytes, bytes]]) -> Send:
    async def send_with_them(message: Message) -> None:
        if message["type"] == "http.response.start":
            own: list[Any] = list(message.get("headers", ()))
            message = {**message, "headers": [*own, *more]}
        await send(message)

    return send_with_them


def _refusal(scope: Scope, status: int, code: str, detail: str) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {"Retry-After": "2"}
    return refusal(scope["path"], status, code, detail, headers=headers)


async def _refuse(
    scope: Scope, receive: Receive, send: Send, status: int, code: str, detail: str
) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": detail})
        return
    await _refusal(scope, status, code, detail)(scope, receive, send)
