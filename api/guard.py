"""The guard stands in front of everything: whose host, from which page, how large a body, and with
which headers the answer goes out.

Local mode has no login, so the browser is the danger: a page of somebody else's could send requests
here, or bend a name of its own to 127.0.0.1. Hence the Host must be one of ours, and whatever
changes something or opens a socket must come from our own page, from one that the settings trust,
or from a program, which sends no Origin. With a login the same keeps a person's cookie from being
used by pages of others.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.bodies import pass_counted
from api.front import Front, Name, header_values
from api.headers import is_preflight, preflight_headers, trusted_origin, with_ours
from api.refusals import refusal

LOCAL_FRONT = Front()
FORBIDDEN_HOST = (
    "forbidden_host",
    "Kinora does not answer at this address: in local mode at localhost only, else at HOST's and "
    "PUBLIC_URL's name too.",
)
FORBIDDEN_ORIGIN = ("forbidden_origin", "This request comes from another page.")


class Guard:
    """A thin ASGI layer; it parses nothing but headers."""

    def __init__(self, app: ASGIApp, front: Front = LOCAL_FRONT) -> None:
        self._app = app
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        hosts = header_values(scope, b"host")
        name = self._front.name_of(hosts)
        # Whoever comes by local mode's public address is not the person at this machine.
        scope.setdefault("state", {})["from_outside"] = name == "public"
        # A login through the widget holds at pages of one origin.
        scope["state"]["foreign_origin"] = trusted_origin(self._front, scope)
        refused = self._refusal(scope, name, hosts)
        if scope["type"] == "websocket":
            await self._socket(refused, scope, receive, send)
            return
        send = with_ours(self._front, scope, name, send)
        app = self._app
        if refused is not None:
            app = refusal(scope["path"], 403, *refused)
        elif is_preflight(scope):
            app = Response(status_code=204, headers=preflight_headers())
        await pass_counted(app, scope, receive, send)

    def _refusal(self, scope: Scope, name: Name | None, hosts: list[str]) -> tuple[str, str] | None:
        if not self._front.lets_in(scope, name):
            return FORBIDDEN_HOST
        if not self._front.may_change(scope, name, hosts[0] if hosts else ""):
            return FORBIDDEN_ORIGIN
        if scope["type"] == "http" and is_preflight(scope):
            return None if trusted_origin(self._front, scope) else FORBIDDEN_ORIGIN
        return None

    async def _socket(
        self, refused: tuple[str, str] | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if refused is None:
            await self._app(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": refused[0]})
