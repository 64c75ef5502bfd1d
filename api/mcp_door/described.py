"""What OpenAPI says of this door; the protocol says the rest.

Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
"""

from __future__ import annotations

from typing import Any

_MESSAGE: dict[str, Any] = {
    "type": "object",
    "required": ["jsonrpc", "method"],
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"type": ["string", "integer"], "description": "Left out of a notification."},
        "method": {"type": "string"},
        "params": {"type": "object"},
    },
}
_ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["jsonrpc", "id"],
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"type": ["string", "integer", "null"]},
        "result": {"type": "object"},
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
        },
    },
}
_EXAMPLE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "generate_image", "arguments": {"prompt": "a red fox in the snow"}},
}


def _refused(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ANSWER}}}


BODY: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": _MESSAGE, "example": _EXAMPLE}},
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; a stream, with progress before it, for a call with a progress "
        "token.",
        "content": {
            "application/json": {"schema": _ANSWER},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    },
    202: {"description": "A notification or an answer: taken, and nothing to say to it."},
    400: _refused("No JSON-RPC 2.0 message, or a revision of the protocol that is not spoken."),
    401: _refused("Nobody, or a key that is not known."),
    406: _refused("Neither JSON nor a stream is accepted."),
    415: _refused("The body is no JSON."),
}
