"""The chat framework behind a fence: of its routes those pass that its page needs, and nothing else
exists. What it trips over is answered as a problem, without its insides.

A list of what passes, not of what is hidden: a route that a later version brings stays out.
"""

from __future__ import annotations

import re

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accounts.visitor import Visitor
from api import problems
from api.refusals import problem

log = structlog.get_logger(__name__)

SOCKET = "/ws/socket.io"
#: Open without a login: the page in which one logs in needs them.
OPEN = (
    ("GET", "/auth/config"),
    ("GET", "/user"),
    ("GET", "/project/translations"),
    ("GET", "/project/settings"),
    ("GET", "/favicon"),
    ("GET", "/logo"),
    ("GET", "/avatars/{id}"),
    ("GET", "/health"),
    ("GET", SOCKET),
    ("POST", SOCKET),
)
#: Its own way in, for the one user of local mode.
LOCAL = (("POST", "/auth/header"),)
#: For somebody who is logged in; the framework compares whose thread and session it is.
KNOWN = (
    ("POST", "/project/threads"),
    ("GET", "/project/thread/{id}"),
    ("GET", "/project/thread/{id}/element/{id}"),
    ("PUT", "/project/thread"),
    ("DELETE", "/project/thread"),
    ("POST", "/project/action"),
    ("POST", "/project/file"),
    ("GET", "/project/file/{id}"),
)
#: Kept away also where the framework's app is the outermost one and there is no fence.
HIDDEN = (
    *("/docs", "/docs/{rest:path}", "/redoc", "/openapi.json", "/copilot/{rest:path}", "/mcp"),
    *("/project/element", "/project/share/{rest:path}", "/project/thread/share"),
    *("/share/{rest:path}", "/auth/oauth/{rest:path}"),
)
#: What a request of a strange shape makes the framework raise.
STUMBLES = (
    *(ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError),
    FileNotFoundError,
)
_NOTHING = "There is nothing at this address."
_ID = r"[A-Za-z0-9_. -]{1,128}"


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\{id\}", _ID) + ("/?" if path == SOCKET else ""))


class Fence:
    """Stands around the framework's app; the visitor is known already."""

    def __init__(self, app: ASGIApp, *, is_local: bool) -> None:
        self._app = app
        self._open = [(m, _pattern(p)) for m, p in (*OPEN, *(LOCAL if is_local else ()))]
        self._known = [(m, _pattern(p)) for m, p in KNOWN]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request that is for the framework, or answer it."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        visitor = scope.get("state", {}).get("visitor")
        if _is_among(self._open, scope):
            await self._app(scope if visitor else _without_cookies(scope), receive, send)
        elif not _is_among(self._known, scope):
            await problem(404, "not_found", _NOTHING)(scope, receive, send)
        elif visitor is None:
            headers = {"WWW-Authenticate": "Bearer"}
            answer = problem(401, "unauthorized", "Log in first.", headers=headers)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, _without_strangers(visitor, scope, receive, send))

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].rstrip("/") == SOCKET:
            await self._app(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "not_found"})


def _is_among(routes: list[tuple[str, re.Pattern[str]]], scope: Scope) -> bool:
    return any(m == scope["method"] and p.fullmatch(scope["path"]) for m, p in routes)


def _without_cookies(scope: Scope) -> Scope:
    """Of nobody the framework hears nothing by which it might take them for somebody."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    return {**scope, "headers": headers}


def _without_strangers(visitor: Visitor, scope: Scope, receive: Receive, send: Send) -> Send:
    """The framework says 401 of a thread or session of somebody else's; for a visitor who is logged
    in that does not exist.
    """
    is_replaced = False

    async def send_without(message: Message) -> None:
        nonlocal is_replaced
        if message["type"] == "http.response.start" and message["status"] == 401:
            is_replaced = True
            log.info("nothing of theirs asked for", user=str(visitor.user_id), path=scope["path"])
            await problem(404, "not_found", _NOTHING)(scope, receive, send)
        if not is_replaced:
            await send(message)

    return send_without


def install(app: FastAPI) -> None:
    """Have the framework's errors answered as ours are; before its first request."""
    problems.install(app)
    for stumble in STUMBLES:
        app.add_exception_handler(stumble, _stumbled)


async def _stumbled(request: Request, error: Exception) -> JSONResponse:
    log.warning("chat request not understood", path=request.url.path, error=type(error).__name__)
    return problem(400, "invalid_request", "The chat cannot make sense of this request.")
