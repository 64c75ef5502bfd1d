"""From a request's body to one JSON-RPC message of the protocol, or to what is wrong with it.

The SDK reads a body, too, but answers what is no UTF-8, too deep or unknown with faults of its own,
and turns numbers out of range into nothing at all; so it only gets what went through here.
"""

from __future__ import annotations

import json
import math
from typing import Any

from fastapi.responses import JSONResponse
from mcp.types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    ClientRequest,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    RequestId,
)
from pydantic import ValidationError

from tools.reading import no_constant, shown, unique_pairs

#: Arguments of tools are flat; what goes deeper only wants to see who falls over it.
DEPTH_MAX = 32
NO_MESSAGE = "The body must be one JSON-RPC 2.0 message; several at once are not taken."


class Malformed(Exception):
    """A fault of the protocol; `request_id` is None as long as it is not known whose it is."""

    def __init__(self, code: int, message: str, request_id: RequestId | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.request_id = code, message, request_id

    def answer(self) -> JSONResponse:
        """The JSON-RPC error: 400 where there was no request to answer."""
        error = {"code": self.code, "message": self.message}
        body = {"jsonrpc": "2.0", "id": self.request_id, "error": error}
        return JSONResponse(body, status_code=400 if self.request_id is None else 200)


def read_message(body: bytes, methods: frozenset[str]) -> ClientRequest | None:
    """The request in a body; None for a notification or an answer, which nobody waits for where
    there are no sessions. Raises: Malformed.
    """
    sent = _read_json(body)
    try:
        message = JSONRPCMessage.model_validate(sent).root
    except ValidationError:
        raise Malformed(INVALID_REQUEST, NO_MESSAGE) from None
    # The SDK takes a request whose id is none for a notification.
    if isinstance(message, JSONRPCNotification) and "id" in sent:
        raise Malformed(INVALID_REQUEST, NO_MESSAGE)
    if not isinstance(message, JSONRPCRequest):
        return None
    if message.method not in methods:
        what = f"There is no method {shown(message.method)}."
        raise Malformed(METHOD_NOT_FOUND, what, message.id)
    try:
        return ClientRequest.model_validate(message.model_dump(by_alias=True))
    except ValidationError:
        what = f"The parameters of {message.method} are not what the protocol wants."
        raise Malformed(INVALID_PARAMS, what, message.id) from None


def _read_json(body: bytes) -> Any:
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=unique_pairs,
            parse_constant=no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        raise Malformed(PARSE_ERROR, "The JSON is nested too deeply.") from None
    except ValueError as error:
        what = "no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise Malformed(PARSE_ERROR, f"The body is not valid JSON: {what}.") from None
    if _is_deeper_than(DEPTH_MAX, value):
        raise Malformed(PARSE_ERROR, "The JSON is nested too deeply.")
    if not _can_be_sent_back(value):
        raise Malformed(PARSE_ERROR, "The JSON holds half of a surrogate pair.")
    return value


def _can_be_sent_back(value: Any) -> bool:
    """Whether all is valid Unicode but a tool's arguments, whose own reader has words for that."""
    params = value.get("params") if isinstance(value, dict) else None
    if isinstance(params, dict):
        value = {**value, "params": {**params, "arguments": None}}
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{shown(text)} is out of range")
    return number


def _is_deeper_than(most: int, value: Any) -> bool:
    level = [value]
    for _ in range(most):
        containers = [one for one in level if isinstance(one, dict | list)]
        level = [
            inner
            for one in containers
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(level)
