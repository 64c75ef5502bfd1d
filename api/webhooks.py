"""News of providers. Open to everybody: the address itself proves who sends, and is looked at
before anything else, without the database.

The address holds a token, so it stands in no line of the log and in no answer.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Request, Response
from starlette.requests import ClientDisconnect

from api import bodies
from api.caller import runtime_of
from api.refusals import problem
from db.connect import DATABASE_ERRORS
from generations.hearing import Hearing
from providers.contract import Forged

log = structlog.get_logger(__name__)

router = APIRouter(include_in_schema=False)

ADDRESS = "/webhooks/{provider}/{generation_id}/{attempt}"
OTHER_METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]


async def hearing_of(request: Request) -> Hearing:
    """The runtime's ear on providers."""
    return runtime_of(request).hearing


@router.post(ADDRESS + "/{token}")
async def hear(
    request: Request,
    hearing: Annotated[Hearing, Depends(hearing_of)],
    provider: str,
    generation_id: str,
    attempt: str,
    token: str,
) -> Response:
    """200 for news of a generation that is here, 202 of another one, 401 from somebody else."""
    if not hearing.hooks.is_genuine(provider, generation_id, attempt, token):
        return _forged()
    try:
        async with hearing.place():
            raw = await _read(request)
            headers = dict(request.headers)
            known = await hearing.hear(provider, UUID(generation_id), int(attempt), headers, raw)
    except Forged:
        return _forged()
    except ClientDisconnect:
        return problem(400, "invalid_request", "The request ended early.")
    except DATABASE_ERRORS as error:
        log.warning("webhook not noted", generation=generation_id, error=type(error).__name__)
        detail = "This cannot be noted just now; send it again in a moment."
        return problem(503, "unavailable", detail, headers={"Retry-After": "10"})
    if raw is None:
        return problem(413, "too_large", "The request is too large; 1 MiB is the most here.")
    return Response(status_code=200 if known else 202)


@router.api_route(ADDRESS + "/{rest}", methods=OTHER_METHODS)
async def refuse_method() -> Response:
    """405: news are posted."""
    detail = "Only POST is answered here."
    return problem(405, "method_not_allowed", detail, headers={"Allow": "POST"})


def _forged() -> Response:
    return problem(401, "unauthorized", "This is no address that Kinora has given out.")


async def _read(request: Request) -> bytes | None:
    """The body, None when it is too large; of one that is, no more than the limit is kept."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > bodies.BODY_BYTES_MAX:
                return None
    except bodies.TooLarge:
        return None
    return bytes(body)
