"""Paths that belong to programs answer 404 as programs expect it, never with the chat's page.

Behind our routes stands a single-page app that answers everything. The addresses of doors that are
not built yet, and what of the framework's own is not for anybody, are kept from it here, however
the server was started.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.framework import HIDDEN
from api.refusals import openai_error, problem

router = APIRouter(include_in_schema=False)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@router.api_route("/api", methods=METHODS)
@router.api_route("/api/{rest:path}", methods=METHODS)
@router.api_route("/webhooks/{rest:path}", methods=METHODS)
@router.api_route("/media/{rest:path}", methods=METHODS)
@router.api_route("/metrics", methods=METHODS)
@router.api_route("/widget", methods=METHODS)
@router.api_route("/widget/{rest:path}", methods=METHODS)
async def unknown() -> JSONResponse:
    """404, as a problem document."""
    return problem(404, "not_found", "There is nothing at this address.")


for path in HIDDEN:
    router.add_api_route(path, unknown, methods=METHODS)


@router.api_route("/v1", methods=METHODS)
@router.api_route("/v1/{rest:path}", methods=METHODS)
async def unknown_in_openai_shape() -> JSONResponse:
    """404, in the shape OpenAI's clients read."""
    return openai_error(404, "not_found", "There is nothing at this address.")
