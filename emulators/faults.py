"""Faults on demand: what real providers and networks do on their bad days.

A rule is used up by the requests it fits, oldest rule first. Rules live in memory only: a
restarted provider is a healthy one.
"""

import asyncio
import itertools
import socket
import struct
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Step = Literal["submit", "poll", "cancel", "result", "chat"]
FaultName = Literal[
    "drop_before",
    "drop_after",
    "status",
    "hang",
    "malformed",
    "unknown_status",
    "fail",
    "drip",
    "wrong_type",
]
TRANSPORT = "emulators.transport"  # where the server leaves the connection, in scope["extensions"]
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close sends RST


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule; `left` requests will still meet it."""

    id: int
    on: Step
    fault: FaultName
    left: int
    endpoint: str | None = None
    generation: str | None = None
    status: int = 500
    retry_after_s: float | None = None

    def fits(self, step: Step, endpoint: str, generation: str | None) -> bool:
        """Whether this rule speaks of such a request."""
        return (
            self.on == step
            and self.endpoint in (None, endpoint)
            and self.generation in (None, generation)
        )

    def as_json(self) -> dict[str, Any]:
        """Return the rule as `GET /_faults` shows it."""
        return {
            "id": self.id,
            "on": self.on,
            "fault": self.fault,
            "left": self.left,
            "endpoint": self.endpoint,
            "generation": self.generation,
            "status": self.status,
            "retry_after_s": self.retry_after_s,
        }


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, body: dict[str, Any]) -> Fault:
        """Add a rule from a request body. Raises ValueError with what is allowed."""
        known = {"on", "fault", "times", "endpoint", "generation", "status", "retry_after_s"}
        if unknown := set(body) - known:
            raise ValueError(f"unknown fields {sorted(unknown)}; known are {sorted(known)}")
        if body.get("on") not in get_args(Step):
            raise ValueError(f"`on` must be one of {list(get_args(Step))}")
        if body.get("fault") not in get_args(FaultName):
            raise ValueError(f"`fault` must be one of {list(get_args(FaultName))}")
        times = body.get("times", 1)
        status = body.get("status", 500)
        if not (isinstance(times, int) and times > 0):
            raise ValueError("`times` must be a whole number above 0")
        if not (isinstance(status, int) and 400 <= status <= 599):
            raise ValueError("`status` must be between 400 and 599")
        rule = Fault(
            id=next(self._ids),
            on=body["on"],
            fault=body["fault"],
            left=times,
            endpoint=body.get("endpoint"),
            generation=body.get("generation"),
            status=status,
            retry_after_s=body.get("retry_after_s"),
        )
        self._rules.append(rule)
        return rule

    def take(self, step: Step, endpoint: str, generation: str | None = None) -> Fault | None:
        """Use up one request of the first rule that fits, or return None."""
        for at, rule in enumerate(self._rules):
            if rule.fits(step, endpoint, generation):
                self._rules[at] = replace(rule, left=rule.left - 1)
                if rule.left == 1:
                    del self._rules[at]
                return rule
        return None

    def read(self) -> list[dict[str, Any]]:
        """Return the rules that still wait for requests."""
        return [rule.as_json() for rule in self._rules]

    def clear(self) -> None:
        """Forget all rules."""
        self._rules.clear()


def refusal(fault: Fault) -> Response:
    """Return the answer of a `status` fault."""
    headers = {}
    if fault.retry_after_s is not None:
        headers["Retry-After"] = f"{fault.retry_after_s:g}"
    body = {"error": f"demo fault: HTTP {fault.status}"}
    return JSONResponse(body, status_code=fault.status, headers=headers)


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
