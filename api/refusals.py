"""A refusal, in the shape that the clients of its door read: RFC 9457's problem document, under
`/v1` OpenAI's error object, at the MCP door JSON-RPC's.

All three carry the same status, a code to act on and a sentence to read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
#: OpenAI's clients live here, and the MCP door.
OPENAI_DOOR, MCP_DOOR = "/v1", "/api/mcp"
#: OpenAI's `type` of an error by its status; everything else that was asked wrongly is
#: `invalid_request_error`. Source: https://platform.openai.com/docs/guides/error-codes, 2026-11.
OPENAI_TYPES = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    429: "rate_limit_error",
}
#: JSON-RPC 2.0, section 5.1: the request is no good; a mistake inside. Others are the server's own.
RPC_INVALID_REQUEST, RPC_INTERNAL, RPC_REFUSED = -32600, -32603, -32000

Errors = Sequence[Mapping[str, str]]


def refusal(
    path: str,
    status: int,
    code: str,
    detail: str,
    errors: Errors = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """The refusal of a request for this path."""
    if is_under(OPENAI_DOOR, path):
        return openai_error(status, code, detail, errors, headers)
    if is_under(MCP_DOOR, path):
        return rpc_error(status, code, detail, headers)
    return problem(status, code, detail, errors, headers)


def problem(
    status: int,
    code: str,
    detail: str,
    errors: Errors = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """One problem document."""
    body: dict[str, Any] = {
        "type": f"urn:kinora:problem:{code.replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def openai_error(
    status: int,
    code: str,
    detail: str,
    errors: Errors = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """OpenAI's error object; `param` names the first argument at fault."""
    kind = OPENAI_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    param = errors[0]["loc"] if errors else None
    error = {"message": detail, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


def rpc_error(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """JSON-RPC's error for a request that was not looked into."""
    number = {400: RPC_INVALID_REQUEST, 500: RPC_INTERNAL}.get(status, RPC_REFUSED)
    error = {"code": number, "message": detail, "data": {"code": code}}
    body = {"jsonrpc": "2.0", "id": None, "error": error}
    return JSONResponse(body, status_code=status, headers=headers)


def is_under(door: str, path: str) -> bool:
    """Whether a path belongs to this door."""
    return path == door or path.startswith(f"{door}/")
