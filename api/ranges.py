"""Ranges of bytes: what cannot be understood counts as not sent, and the whole file is answered.

Source: RFC 9110, sections 14.1.1 and 14.2, 2022-06.
"""

from __future__ import annotations

import re

from fastapi import Request
from starlette.datastructures import MutableHeaders

_ONE = r"(?:[0-9]{1,18}-(?:[0-9]{1,18})?|-[0-9]{1,18})"
_RANGES = re.compile(rf"bytes=[ \t]*{_ONE}(?:[ \t]*,[ \t]*{_ONE})*[ \t]*", re.IGNORECASE)
_PAIR = re.compile(r"([0-9]+)-([0-9]+)")


def forget_unreadable(request: Request) -> None:
    """Take a `Range` away that says nothing, before whoever sends the file calls it a fault."""
    headers = MutableHeaders(scope=request.scope)
    sent = headers.getlist("range")
    if sent and not (len(sent) == 1 and _is_readable(sent[0])):
        del headers["range"]


def _is_readable(sent: str) -> bool:
    turned = any(int(last) < int(first) for first, last in _PAIR.findall(sent))
    return bool(_RANGES.fullmatch(sent)) and not turned
