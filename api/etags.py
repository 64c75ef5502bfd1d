"""Tags of answers: who has one already is told so in a few bytes.

A tag is made of the bytes of the answer. A generation's `v` would not do: what is said of it in
line, and which of its pictures are left, changes without it.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response

#: Kept by the asker alone, and asked about each time.
CACHE = "no-cache, private"
TAG_BYTES = 12
_TAG = re.compile(r'(?:W/)?("[^"]*")')


def answer(request: Request, reading: dict[str, Any]) -> Response:
    """The reading with its tag, or 304."""
    return tagged(request, JSONResponse(reading))


def tagged(request: Request, whole: Response) -> Response:
    """The same answer with its tag; 304 and no body for whoever has just this."""
    tag = f'"{hashlib.blake2b(whole.body, digest_size=TAG_BYTES).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": CACHE}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    whole.headers.update(headers)
    return whole


def is_known(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` names this tag: alone, in a list, as a weak one, or all by `*`."""
    known = ", ".join(request.headers.getlist("if-none-match"))
    return known.strip() == "*" or tag in _TAG.findall(known)
