"""Answers that are not what they should be, down to the connection they come on."""

import asyncio
import socket
import struct
from typing import cast

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulators.fault_orders import Fault

TRANSPORT = "emulators.transport"  # where the server leaves the connection, in scope["extensions"]
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close sends RST
# what a gateway in front of a provider answers, with 200
WEB_PAGE = "<!doctype html><title>Just a moment...</title><h1>Checking your browser</h1>\n"


def refusal(fault: Fault) -> Response:
    """Return the answer of a `status` fault."""
    headers = {}
    if fault.retry_after_s is not None:
        headers["Retry-After"] = f"{fault.retry_after_s:g}"
    body = {"error": f"demo fault: HTTP {fault.status}"}
    return JSONResponse(body, status_code=fault.status, headers=headers)


def unanswered(fault: Fault) -> Response | None:
    """Return what a fault sends in place of every answer alike, or None."""
    match fault.fault:
        case "drop_before":
            return Dropped()
        case "hang":
            return Hanging()
        case "html":
            return HTMLResponse(WEB_PAGE)
        case "status":
            return refusal(fault)
        case _:
            return None


def abort(scope: Scope) -> None:
    """Cut the connection of a request, so that its client sees a reset."""
    transport = cast("asyncio.Transport", scope["extensions"][TRANSPORT])
    peer = transport.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()


async def wait_for_close(receive: Receive) -> None:
    """Return when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Dropped(Response):
    """No answer at all: the connection is cut."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut it, and stay until the server has noticed."""
        abort(scope)
        await wait_for_close(receive)


class Hanging(Response):
    """No answer, and no end either, until the client gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the client to leave; when the provider stops first, it is cut off."""
        try:
            await wait_for_close(receive)
        except asyncio.CancelledError:
            abort(scope)
            raise


class CutShort(Response):
    """The beginning of another answer, then the connection is cut in the middle of its body."""

    def __init__(self, inner: ASGIApp, whole_pieces: int) -> None:
        super().__init__()
        self._inner = inner
        self._whole_pieces = whole_pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on `whole_pieces` pieces of the body and half of the next one."""
        passed = 0
        is_cut = False

        async def send_some(message: Message) -> None:
            nonlocal passed, is_cut
            if is_cut:
                return
            if message["type"] == "http.response.body":
                passed += 1
                if passed > self._whole_pieces:
                    half = message["body"][: len(message["body"]) // 2]
                    await send({"type": message["type"], "body": half, "more_body": True})
                    await asyncio.sleep(0.05)  # lets the half leave before the reset overtakes it
                    is_cut = True
                    abort(scope)
                    return
            await send(message)

        await self._inner(scope, receive, send_some)


class Late(Response):
    """Another answer, after a while."""

    def __init__(self, inner: ASGIApp, delay_s: float) -> None:
        super().__init__()
        self._inner = inner
        self._delay_s = delay_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then pass the answer on; when the provider stops first, it is cut off."""
        try:
            await asyncio.sleep(self._delay_s)
        except asyncio.CancelledError:
            abort(scope)
            raise
        await self._inner(scope, receive, send)
