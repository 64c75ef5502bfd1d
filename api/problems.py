"""Errors as the outside sees them: whatever is raised behind a door becomes a refusal in the shape
of that door, with a code to act on and a sentence to read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from api.refusals import refusal
from generations.contract import GenerationError
from tools.tool import ToolError

log = structlog.get_logger(__name__)

#: Of what the heart and the tools refuse; everything else that was asked wrongly is 422.
STATUS_OF = {
    "over_budget": 402,
    "forbidden": 403,
    "not_found": 404,
    "unknown_tool": 404,
    "conflict": 409,
}


class Problem(Exception):
    """A refusal of a door itself."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[dict[str, str]] = (),
        *,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.errors = status, code, detail, tuple(errors)
        self.retry_after_s = retry_after_s


def install(app: FastAPI) -> None:
    """Have every error of our routes answered as a problem document."""
    app.add_exception_handler(Problem, _ours)
    app.add_exception_handler(GenerationError, _refused)
    app.add_exception_handler(ToolError, _tool_refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _plain)
    for error in (DBAPIError, PoolTimeout, ConnectionError, TimeoutError):
        app.add_exception_handler(error, _database_away)
    app.add_exception_handler(Exception, _unforeseen)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Problem):
        raise error
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    return refusal(request.url.path, error.status, error.code, error.detail, error.errors, headers)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, GenerationError):
        raise error
    return refusal(
        request.url.path, STATUS_OF.get(error.code, 422), error.code, error.message, error.errors
    )


async def _tool_refused(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ToolError):
        raise error
    return refusal(
        request.url.path, STATUS_OF.get(error.code, 422), error.code, error.message, error.errors
    )


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        {"loc": ".".join(str(part) for part in found["loc"][1:]), "msg": str(found["msg"])}
        for found in error.errors()
    ]
    detail = "; ".join(f"{e['loc']}: {e['msg']}" for e in errors) or "The request is malformed."
    return refusal(request.url.path, 422, "invalid_request", detail, errors)


async def _plain(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return refusal(
        request.url.path,
        error.status_code,
        code,
        str(error.detail),
        headers=dict(error.headers or {}),
    )


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    """The doors' boundary: a mistake of ours is logged, and told without its insides."""
    return refusal(
        request.url.path, 500, "internal", "Kinora made a mistake here; its log tells more."
    )


async def _database_away(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, DataError) or _is_of_data(error):
        return refusal(
            request.url.path, 422, "invalid_request", "The database cannot hold such a value."
        )
    if isinstance(error, IntegrityError):
        return refusal(
            request.url.path,
            409,
            "conflict",
            "Somebody has just changed the same thing; try again.",
        )
    log.warning("request failed", path=request.url.path, error=type(error).__name__)
    return refusal(
        request.url.path,
        503,
        "unavailable",
        "The database cannot be reached just now; nothing was changed. Try again in a moment.",
        headers={"Retry-After": "2"},
    )


def _is_of_data(error: Exception) -> bool:
    """Postgres's class 22, all of it: the driver's layer knows only some of them as `DataError`."""
    said = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return str(said).startswith("22")
