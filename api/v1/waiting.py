"""Waiting for pictures, and what is said when there are none.

Once something was started, every answer says that it is not worth repeating, but two: the server
stops, or the database is away. A repeat of those joins what was started.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from fastapi.responses import JSONResponse

from accounts.visitor import Visitor
from api.problems import Problem
from api.refusals import openai_error
from api.v1.joining import BOUGHT
from api.v1.starting import Reading
from api.waiting import is_settled, wait_for
from generations.contract import NotFound
from runtime import Runtime

#: Clients give up long before; a picture that is queued may take its time.
WAIT_MAX_S = 3600.0
#: OpenAI's own word, which clients look for; other codes are ours.
CODES = {"content_policy": "content_policy_violation"}
STATUSES = {
    "content_policy": 400,
    "invalid_request": 400,
    "cancelled": 409,
    "out_of_credit": 503,
    "rate_limited": 503,
    "unavailable": 503,
    "timeout": 504,
    "submit_unknown": 504,
}
#: Not ours to mend, and not the client's: the provider's answer was of no use.
FAILED = 502


class Left(Exception):
    """The client has gone; what was started goes on."""


async def wait_until_settled(
    request: Request, runtime: Runtime, visitor: Visitor, readings: Sequence[Reading]
) -> list[Reading] | JSONResponse:
    """Their readings once all are settled; or what to answer instead."""

    async def look(_: Sequence[Reading]) -> None:
        if await request.is_disconnected():
            raise Left

    try:
        current = await wait_for(runtime, visitor, readings, WAIT_MAX_S, look)
    except NotFound as gone:
        return openai_error(404, gone.code, gone.message, headers=BOUGHT)
    except Problem as ended:
        return openai_error(ended.status, ended.code, ended.detail, headers=BOUGHT)
    except Left:
        return _not_yet()
    return current if all(map(is_settled, current)) else _not_yet()


def failure(reading: Reading) -> tuple[str, str]:
    """Code and message of a generation that came to nothing."""
    error = reading["error"] or {}
    if reading["status"] == "cancelled":
        return "cancelled", "It was cancelled."
    return str(error.get("code", "internal")), str(error.get("message", "It failed."))


def refuse(reading: Reading) -> JSONResponse:
    """The refusal for a generation that came to nothing."""
    code, message = failure(reading)
    detail = f"{message} (generation {reading['id']})"
    return openai_error(STATUSES.get(code, FAILED), CODES.get(code, code), detail, headers=BOUGHT)


def _not_yet() -> JSONResponse:
    """The server stops: a repeat is welcome, at whoever comes next, and joins."""
    detail = "The server is being restarted. What was started goes on: the same request joins it."
    return openai_error(503, "unavailable", detail, headers={"Retry-After": "2"})
