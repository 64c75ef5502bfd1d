"""Paths that belong to programs answer 404 as programs expect it, never with the chat's page.

Behind our routes stands a single-page app that answers everything. The addresses of doors that are
not built yet, and the framework's own documentation pages, are kept from it here.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.problems import problem

router = APIRouter(include_in_schema=False)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@router.api_route("/api", methods=METHODS)
@router.api_route("/api/{rest:path}", methods=METHODS)
@router.api_route("/webhooks/{rest:path}", methods=METHODS)
@router.api_route("/media/{rest:path}", methods=METHODS)
@router.api_route("/project/share/{rest:path}", methods=METHODS)
@router.api_route("/project/thread/share", methods=METHODS)
@router.api_route("/metrics", methods=METHODS)
@router.api_route("/widget", methods=METHODS)
@router.api_route("/docs", methods=METHODS)
@router.api_route("/redoc", methods=METHODS)
@router.api_route("/openapi.json", methods=METHODS)
async def unknown() -> JSONResponse:
    """404, as a problem document."""
    return problem(404, "not_found", "There is nothing at this address.")


@router.api_route("/v1", methods=METHODS)
@router.api_route("/v1/{rest:path}", methods=METHODS)
async def unknown_in_openai_shape() -> JSONResponse:
    """404, in the shape OpenAI's clients read."""
    error = {
        "message": "There is nothing at this address.",
        "type": "invalid_request_error",
        "param": None,
        "code": "not_found",
    }
    return JSONResponse({"error": error}, status_code=404)
