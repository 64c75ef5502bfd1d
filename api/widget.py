"""The widget's doors: tokens for the backends of pages that it stands in, the exchange of a token
for a login, and the page for a frame.

A token comes in at two places: at `/auth/jwt` from a page of the same site, whose requests then
carry the login's cookie, and at `/widget/login` from our own page in a frame of a foreign one,
where browsers keep a cookie apart for each site around it.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid5

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from accounts import tokens
from accounts.entrance import Refused
from accounts.visitor import Visitor
from accounts.widget import LASTS_MAX_S, LASTS_S, HostUser
from accounts.widget_entrance import Entered, WidgetEntrance
from api.caller import InRuntime, Reader, SomeVisitor, check_scope
from api.problems import Problem
from db import users
from db.readings import stamp
from runtime import Runtime
from settings import ROOT

router = APIRouter()

PAGE = ROOT / "public" / "widget" / "frame.html"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors {around}"
)
CONTEXT_BYTES_MAX = 8 * 1024
#: No control characters, and nothing that looks like another text than it is.
_PLAIN = r"^[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*$"


class GivenUser(BaseModel):
    """A user as the host's backend knows them."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=200, pattern=_PLAIN)
    name: str = Field("", max_length=200, pattern=_PLAIN)


class WantedToken(BaseModel):
    """A token to be made: for whom, to be shown by which page, for how many seconds."""

    model_config = ConfigDict(extra="forbid")

    user: GivenUser
    origin: str = Field(max_length=300)
    ttl_s: int = Field(LASTS_S, ge=1, le=LASTS_MAX_S)


class GivenToken(BaseModel):
    """A token as our page in a frame hands it in, and the page around that frame."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=8000)
    origin: str = Field(max_length=300)


async def _host(runtime: InRuntime, visitor: SomeVisitor) -> Visitor:
    """The backend of a host: a key of scope `widget`, where there is a widget at all."""
    _entrance(runtime)
    return check_scope(visitor, "widget")


class PageContext(BaseModel):
    """What a page says of itself."""

    model_config = ConfigDict(extra="forbid")

    context: dict[str, Any]


Host = Annotated[Visitor, Depends(_host)]


@router.post("/api/widget/tokens", status_code=201)
async def make_token(wanted: WantedToken, runtime: InRuntime, host: Host) -> JSONResponse:
    """Make a token for one user of a page; its backend asks, with a key of scope `widget`."""
    entrance = _entrance(runtime)
    if host.grant is None or not host.by_key:
        raise Problem(403, "forbidden", "Widget tokens are made with an API key.")
    _check_origin(runtime, wanted.origin)
    user = HostUser(owner_id=host.user_id, id=wanted.user.id, name=wanted.user.name.strip())
    text, expires_at = entrance.mint(user, host.grant, wanted.origin, wanted.ttl_s)
    answer = {"token": text, "expires_at": stamp(datetime.fromtimestamp(expires_at, UTC))}
    return JSONResponse(answer, status_code=201, headers={"Cache-Control": "no-store"})


@router.post("/auth/jwt", include_in_schema=False)
async def enter_page(request: Request, runtime: InRuntime) -> JSONResponse:
    """Log in the user of the page that shows this token, at pages of its origin."""
    shown = re.fullmatch(r"(?i:bearer) +(\S+)", request.headers.get("authorization", ""))
    origins = request.headers.getlist("origin")
    if shown is None or len(origins) != 1:
        raise Problem(401, "unauthorized", "Show a widget token, from the page it was made for.")
    entered = await _enter(runtime, shown[1], origins[0], place=origins[0])
    answer = _answer(entered)
    answer.set_cookie(
        tokens.WIDGET_COOKIE,
        entered.login.token,
        max_age=int(entered.login.lasts_s),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("/widget/login", include_in_schema=False)
async def enter_frame(given: GivenToken, runtime: InRuntime) -> JSONResponse:
    """Log in the user of the page around our frame; the cookie is for that page's site alone."""
    entered = await _enter(runtime, given.token, given.origin, place=tokens.FRAME)
    answer = _answer(entered)
    # By hand: the standard library has known `Partitioned` only since Python 3.14.
    answer.headers.append(
        "set-cookie",
        f"{tokens.FRAME_COOKIE}={entered.login.token}; Max-Age={int(entered.login.lasts_s)}; "
        "Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
    )
    return answer


@router.put("/api/widget/context", status_code=204)
async def keep_context(given: PageContext, runtime: InRuntime, visitor: Reader) -> Response:
    """Keep what the page says that its user has the widget in: the agent is told with each of their
    messages. The last one counts; an empty one clears it.
    """
    if visitor.place is None:
        raise Problem(403, "forbidden", "Only a page with the widget in it has a context.")
    if len(json.dumps(given.context, ensure_ascii=False).encode()) > CONTEXT_BYTES_MAX:
        message = f"may have {CONTEXT_BYTES_MAX >> 10} KiB as JSON"
        wrong = [{"loc": "context", "msg": message}]
        raise Problem(422, "invalid_request", f"context {message}.", wrong)
    async with runtime.engine.begin() as connection:
        await users.keep_page_context(connection, visitor.user_id, given.context)
    return Response(status_code=204)


@router.get("/widget")
async def frame_page(
    runtime: InRuntime, origin: Annotated[str | None, Query(max_length=300)] = None
) -> Response:
    """The page that stands in a frame of somebody's: it waits for a token from the page around it.
    `origin` narrows down whose page that may be.
    """
    _entrance(runtime)
    if origin is not None:
        _check_origin(runtime, origin)
    allowed = runtime.loaded.settings.allowed_origins if origin is None else (origin,)
    headers = {
        "Content-Security-Policy": PAGE_POLICY.format(around=" ".join(allowed) or "'none'"),
        "Cache-Control": "no-cache",
    }
    return FileResponse(PAGE, media_type="text/html; charset=utf-8", headers=headers)


def _entrance(runtime: Runtime) -> WidgetEntrance:
    if runtime.widget is None:
        detail = "The widget needs accounts: it works with AUTH_MODE=password."
        raise Problem(409, "conflict", detail)
    return runtime.widget


def _check_origin(runtime: Runtime, origin: str) -> None:
    allowed = runtime.loaded.settings.allowed_origins
    if origin in allowed:
        return
    known = ", ".join(allowed) or "none"
    message = f"is not in ALLOWED_ORIGINS, which are: {known}"
    raise Problem(422, "invalid_request", f"origin {message}.", [{"loc": "origin", "msg": message}])


async def _enter(runtime: Runtime, text: str, origin: str, place: str) -> Entered:
    entrance = _entrance(runtime)
    if origin not in runtime.loaded.settings.allowed_origins:
        raise Problem(401, "unauthorized", "The widget is not at home at this page.")
    try:
        return await entrance.enter(text, origin, place)
    except Refused as refused:
        raise Problem(401, "unauthorized", str(refused)) from None


def _answer(entered: Entered) -> JSONResponse:
    ends = datetime.now(UTC).timestamp() + entered.login.lasts_s
    answer = {
        "success": True,
        # The same for this user for ever, and nothing to the page but a name for a drawer.
        "user": str(uuid5(entered.user.owner_id, entered.user.id)),
        "expires_at": stamp(datetime.fromtimestamp(ends, UTC)),
    }
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})
