"""The header of a request that may be sent twice."""

from __future__ import annotations

import re

from fastapi import Request

from api.problems import Problem

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[ -~]{1,255}")


def read_key(request: Request) -> str | None:
    """The request's key; None without one. Raises: Problem."""
    sent = request.headers.getlist(HEADER)
    if not sent:
        return None
    if len(sent) > 1 or not _KEY.fullmatch(sent[0]):
        message = "must stand there once, with 1 to 255 printable ASCII characters"
        wrong = [{"loc": HEADER, "msg": message}]
        raise Problem(422, "invalid_request", f"{HEADER} {message}.", wrong)
    return sent[0]
