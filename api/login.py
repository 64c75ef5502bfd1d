"""Log in and out. Ours stand before the framework's, whose logins nobody could end and which count
no tries.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse

from accounts import tokens
from accounts.entrance import Refused, Throttled
from accounts.passwords import LENGTH_MAX
from api.caller import InRuntime, SomeVisitor
from api.refusals import problem

router = APIRouter(include_in_schema=False)


@router.post("/login")
async def log_in(
    request: Request,
    runtime: InRuntime,
    visitor: SomeVisitor,
    username: Annotated[str, Form(max_length=1000)],
    password: Annotated[str, Form(max_length=LENGTH_MAX)],
) -> JSONResponse:
    """Check e-mail address and password, and give the browser its cookie; the login that it had
    until now is over.
    """
    address = request.client.host if request.client else ""
    try:
        entered = await runtime.entrance.log_in(username, password, address)
    except Throttled as refused:
        retry = {"Retry-After": str(refused.retry_after_s)}
        return problem(429, "rate_limited", str(refused), headers=retry)
    except Refused as refused:
        return problem(401, "wrong_login", str(refused))
    if visitor is not None:
        await runtime.entrance.log_out(visitor)
    response = JSONResponse({"success": True}, headers={"Cache-Control": "no-store"})
    # The guard adds `Secure` wherever the page does not come from this very machine.
    lasts_s = int(entered.lasts_s)
    response.set_cookie(
        tokens.COOKIE, entered.token, max_age=lasts_s, httponly=True, samesite="lax"
    )
    return response


@router.post("/logout")
async def log_out(runtime: InRuntime, visitor: SomeVisitor) -> JSONResponse:
    """End the login in every tab, and take the cookie back."""
    if visitor is not None:
        await runtime.entrance.log_out(visitor)
    response = JSONResponse({"success": True})
    if visitor is None or visitor.place is None:
        response.delete_cookie(tokens.COOKIE, httponly=True, samesite="lax")
    return response
