"""What descriptions are put together from: an operation, its answers, the refusals and headers that
many of them share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.described import examples
from api.refusals import MEDIA_TYPE

Json = dict[str, Any]
SCHEMAS, REFUSALS = "#/components/schemas/", "#/components/responses/"
JSON = "application/json"
PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is to be said of one operation; parameters and body are taken from its route."""

    id: str
    tag: str
    summary: str
    about: str
    answers: Mapping[str, Json]
    #: The scope that a key needs; `PERSON`: no key will do; None: nobody is asked who they are.
    scope: str | None = "read"
    parameters: Sequence[Json] = ()
    body: Json | None = None
    #: An example for each parameter that a ready call should carry.
    tried_with: Mapping[str, Any] = field(default_factory=dict)


def answer(
    about: str,
    schema: str | Json | None = None,
    *,
    example: object = None,
    media_type: str = JSON,
    headers: Sequence[str] = (),
) -> Json:
    """One answer; `schema`: the name of a shape, or a schema."""
    found: Json = {"description": about}
    if headers:
        found["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    if schema is not None:
        shape = {"$ref": SCHEMAS + schema} if isinstance(schema, str) else schema
        shown = {} if example is None else {"example": example}
        found["content"] = {media_type: {"schema": shape, **shown}}
    return found


def refused(*statuses: int, **because: str) -> dict[str, Json]:
    """The shared refusals of these statuses; `_409="..."`: said of this operation alone."""
    found: dict[str, Json] = {
        str(status): {"$ref": REFUSALS + REFUSED[status][0]} for status in statuses
    }
    for name, about in because.items():
        status = name.removeprefix("_")
        found[status] = {"$ref": REFUSALS + REFUSED[int(status)][0], "description": about}
    return found


def header(name: str, about: str, example: str) -> Json:
    """A header that may be sent."""
    said = {"name": name, "in": "header", "required": False, "description": about}
    return {**said, "schema": {"type": "string"}, "example": example}


#: Status, name, what it means, its true example.
REFUSED: dict[int, tuple[str, str, str]] = {
    400: ("Unreadable", "The body is no text at all.", "bad_request"),
    401: ("Unauthorized", "Nobody is known by this key or login.", "unauthorized"),
    402: ("OverBudget", "It would cost more than may be spent today.", "over_budget"),
    403: (
        "Forbidden",
        "The key lacks the scope; or the request came to a foreign Host, or from a foreign page.",
        "forbidden",
    ),
    404: ("NotFound", "There is none, or it is somebody else's.", "not_found"),
    409: ("Conflict", "Its status does not allow that.", "conflict"),
    413: ("TooLarge", "The body is larger than may be sent here.", "too_large"),
    422: ("Invalid", "An argument is wrong, or asks for what cannot be done.", "invalid_request"),
    429: ("RateLimited", "Too many requests in this minute.", "rate_limited"),
    503: ("Unavailable", "The database is away; nothing was changed.", "unavailable"),
}
#: What every counted door that looks at its caller may answer.
ASKED = (401, 403, 429, 503)
#: The same where a body is sent.
SENT = (401, 403, 413, 422, 429, 503)
COUNTED = ("RateLimit", "RateLimit-Policy")
HEADERS: dict[str, Json] = {
    "ETag": {
        "description": "Names this very answer; send it as `If-None-Match`.",
        "schema": {"type": "string"},
        "example": '"3eed4bcc0ee8dc2aee4080f3"',
    },
    "Location": {
        "description": "The generation that was started.",
        "schema": {"type": "string", "format": "uri-reference"},
        "example": examples.LOCATION,
    },
    "RateLimit": {
        "description": "How many requests are left, and in how many seconds all are.",
        "schema": {"type": "string"},
        "example": '"default";r=1199;t=1',
    },
    "RateLimit-Policy": {
        "description": "How many requests in how many seconds.",
        "schema": {"type": "string"},
        "example": '"default";q=1200;w=60',
    },
    "Retry-After": {
        "description": "Try again after so many seconds.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 2,
    },
    "WWW-Authenticate": {
        "description": "How to say who you are.",
        "schema": {"type": "string"},
        "example": "Bearer",
    },
    "Content-Range": {
        "description": "Which bytes of how many.",
        "schema": {"type": "string"},
        "example": "bytes 0-9/410190",
    },
}
_OF_REFUSALS = {401: ("WWW-Authenticate",), 429: ("Retry-After", *COUNTED), 503: ("Retry-After",)}
SECURITY: dict[str, Json] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "kn_<prefix>_<secret>",
        "description": "An API key. It is made under `Settings` in the chat, by "
        "`POST /api/keys`, or by `manage.py keys create`; its scopes say what it opens.",
    },
    "login": {
        "type": "apiKey",
        "in": "cookie",
        "name": "access_token",
        "description": "The chat's own login, as a browser has it. It has the scopes `read` and "
        "`generate`.",
    },
}


def shared_refusals() -> dict[str, Json]:
    """The refusals as components."""
    return {
        name: answer(
            about,
            "Problem",
            example=examples.PROBLEMS[code],
            media_type=MEDIA_TYPE,
            headers=_OF_REFUSALS.get(status, ()),
        )
        for status, (name, about, code) in REFUSED.items()
    }
