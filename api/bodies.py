"""How large a body may be: counted as it is read, before anybody parses it or asks who sends it."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.front import header_values
from api.refusals import refusal

BODY_BYTES_MAX = 1024 * 1024
#: Uploads carry pictures; a form around 20 MiB of picture is a little larger.
BODY_BYTES_MAX_AT = {
    "/api/uploads": 21 * 1024 * 1024,
    "/project/file": 21 * 1024 * 1024,
    # Several pictures; and one in base64, which makes it a third longer.
    "/v1/images/edits": 64 * 1024 * 1024,
    "/v1/videos": 28 * 1024 * 1024,
}
#: Here the sender is looked at first: what a provider sends of a job wakes its driver, however long
#: it says it is; of what is too long, no more is read than of a body that does not tell.
SENDER_FIRST = "/webhooks/"
#: The rest of a refused body is not waited for.
CLOSE = (b"connection", b"close")
LINGER_BYTES_MAX = 32 * 1024 * 1024
LINGER_S = 5.0


class TooLarge(Exception):
    """The body grew beyond the limit while it was read."""


async def pass_counted(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass a request on whose body is, or says it is, within the limit; answer 413 to others."""
    limit = BODY_BYTES_MAX_AT.get(scope["path"], BODY_BYTES_MAX)
    body = _Counted(receive, limit, scope)
    answer = _Answer(send, receive, body, scope)
    if body.exceeded:
        await answer.too_large()
        return
    try:
        await app(scope, body, answer)
    except TooLarge:
        await answer.too_large()


class _Counted:
    """Counts what is really read; a body may lie about its length, or not tell it."""

    def __init__(self, receive: Receive, limit: int, scope: Scope) -> None:
        self._receive = receive
        self._left = self.limit = limit
        told = header_values(scope, b"content-length")
        lengths = [int(text) if text.isdecimal() else 0 for text in told]
        is_too_long = any(length > limit for length in lengths)
        self.exceeded = is_too_long and not scope["path"].startswith(SENDER_FIRST)
        #: Whether there may be more than was read; a told length within the limit is no matter.
        self.is_open = is_too_long or bool(header_values(scope, b"transfer-encoding"))

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.is_open = self.is_open and bool(message.get("more_body"))
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.exceeded = True
                raise TooLarge
        return message


class _Answer:
    """Turns whatever a framework made of `TooLarge` into the 413 it is, and ends the connection
    where an answer leaves a body of unknown length behind.
    """

    def __init__(self, send: Send, receive: Receive, body: _Counted, scope: Scope) -> None:
        self._send, self._receive, self._body, self._scope = send, receive, body, scope
        self._started = False
        self._replaced = False
        self._leaves = False

    async def __call__(self, message: Message) -> None:
        if self._body.exceeded and not self._started:
            await self.too_large()
        if not self._replaced:
            await self._forward(message)

    async def too_large(self) -> None:
        """Answer 413, once, if nothing was answered yet."""
        if self._started:
            return
        self._replaced = True
        detail = f"The request is too large; {self._body.limit >> 20} MiB is the most here."
        answer = refusal(self._scope["path"], 413, "too_large", detail)
        await answer(self._scope, self._receive, self._forward)

    async def _forward(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            self._leaves = self._body.is_open or self._body.exceeded
            if self._leaves:
                message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
        elif self._leaves and not message.get("more_body"):
            await self._send({**message, "more_body": True})
            await _linger(self._receive)
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)


async def _linger(receive: Receive) -> None:
    """Take a little more of what nobody reads. Closed at once, the connection is reset, and a
    client that is still sending never sees the answer.
    """
    left = LINGER_BYTES_MAX
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
                left -= len(message.get("body", b""))
