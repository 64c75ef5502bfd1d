"""The signed token in the login's cookie. The chat framework reads it too, so it has its shape;
what it adds is the login's id, without which a token holds nothing here.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt

from db.ids import parse_id

ALGORITHM = "HS256"
COOKIE = "access_token"
#: Logins through the widget have cookies of their own, so that none takes the place of a person's
#: own login: one for pages of trusted origins, one for our page in a frame.
WIDGET_COOKIE, FRAME_COOKIE = "kinora_widget", "kinora_frame"
#: Places in the token: the framework keeps a user's metadata as it is. The login's id, and for a
#: login through the widget where it holds: at pages of an origin, or in `FRAME`.
LOGIN, PLACE = "login", "place"
FRAME = "frame"
#: Three parts and nothing around them. The decoder of base64 skips what it does not know, so that a
#: text which merely holds a token, and means more to another reader, would pass for one.
_SHAPE = re.compile(r"[\w-]{1,2000}\.[\w-]{1,2000}\.[\w-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """What a genuine token says; whether its login still holds, only the database knows."""

    identifier: str
    login_id: UUID | None
    #: Where a login through the widget holds; None for others.
    place: str | None = None


def sign(
    secret: bytes,
    identifier: str,
    name: str,
    login_id: UUID,
    lasts_s: float,
    place: str | None = None,
) -> str:
    """A token for the cookie; everything in it can be read by whoever holds it."""
    now = int(time.time())
    placed = {} if place is None else {PLACE: place}
    said = {
        "identifier": identifier,
        "display_name": name,
        "metadata": {LOGIN: str(login_id), **placed},
        "iat": now,
        "exp": now + int(lasts_s),
    }
    return jwt.encode(said, secret, algorithm=ALGORITHM)


def read(secret: bytes, text: str) -> Token | None:
    """The token, if it is genuine and its time is not over."""
    if _SHAPE.fullmatch(text) is None:
        return None
    try:
        said: dict[str, Any] = jwt.decode(
            text, secret, algorithms=[ALGORITHM], options={"require": ["exp"]}
        )
    except jwt.InvalidTokenError:
        return None
    identifier, metadata = said.get("identifier"), said.get("metadata")
    if not isinstance(identifier, str):
        return None
    told = metadata if isinstance(metadata, dict) else {}
    place = told.get(PLACE)
    return Token(identifier, parse_id(told.get(LOGIN)), None if place is None else str(place))
