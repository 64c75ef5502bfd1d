"""Tokens for the widget: a host's backend asks for one with its API key, the host's page exchanges
it for a login of the host's user, and that is all it is good for.

A token is signed with a key of its own and has a type of its own, so it is no login and no API key.
It names the page it may be shown by, lives for minutes, and stands for one login, whose id it
carries: shown twice it opens the same login again, and none once that was ended.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import jwt

from db.ids import new_id, parse_id

TYPE: Final = "kinora-widget+jwt"
AUDIENCE: Final = "kinora:widget"
ALGORITHM: Final = "HS256"
#: Namespace of the accounts: one host's user 42 is not another's.
SOURCE: Final = "widget"
LASTS_S, LASTS_MAX_S = 300, 600
_SHAPE = re.compile(r"[\w-]{1,2000}\.[\w-]{1,4000}\.[\w-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostUser:
    """A user of the page that the widget stands in, as its backend calls them."""

    owner_id: UUID  #: Whose API key speaks for the host.
    id: str
    name: str

    @property
    def identifier(self) -> str:
        """What the user is called here."""
        return f"{SOURCE}:{self.owner_id}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetToken:
    """What a genuine token says. `key_id`: the API key that asked for it."""

    user: HostUser
    key_id: UUID
    origin: str
    login_id: UUID
    expires_at: int


def mint(secret: bytes, user: HostUser, key_id: UUID, origin: str, lasts_s: int) -> tuple[str, int]:
    """A new token, and when it ends (seconds since 1970)."""
    now = int(time.time())
    said = {
        "iss": "kinora",
        "aud": AUDIENCE,
        "sub": user.id,
        "name": user.name,
        "owner": str(user.owner_id),
        "key": str(key_id),
        "origin": origin,
        "jti": str(new_id()),
        "iat": now,
        "nbf": now,
        "exp": now + lasts_s,
    }
    text = jwt.encode(said, secret, algorithm=ALGORITHM, headers={"typ": TYPE})
    return text, now + lasts_s


def read(secret: bytes, text: str) -> WidgetToken | None:
    """The token, if it is genuine and its time is not over."""
    if _SHAPE.fullmatch(text) is None:
        return None
    try:
        if jwt.get_unverified_header(text).get("typ") != TYPE:
            return None
        said: dict[str, Any] = jwt.decode(
            text,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer="kinora",
            options={"require": ["exp", "nbf", "sub", "jti"]},
        )
    except jwt.InvalidTokenError:
        return None
    owner_id, key_id, login_id = (parse_id(said.get(name)) for name in ("owner", "key", "jti"))
    if owner_id is None or key_id is None or login_id is None:
        return None
    user = HostUser(owner_id=owner_id, id=str(said["sub"]), name=str(said.get("name", "")))
    return WidgetToken(
        user=user,
        key_id=key_id,
        origin=str(said.get("origin", "")),
        login_id=login_id,
        expires_at=int(said["exp"]),
    )
