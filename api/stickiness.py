"""The page tells the session of its socket in a cookie, for balancers that send a browser to the
same process each time. Ours stands before the framework's, which sets whatever it is told.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from api.caller import Reader

router = APIRouter(include_in_schema=False)

COOKIE = "X-Chainlit-Session-id"


@router.post("/set-session-cookie")
async def remember(visitor: Reader, session_id: Annotated[UUID, Body(embed=True)]) -> JSONResponse:
    """Set the cookie; the guard makes it Secure where it has to be."""
    answer = JSONResponse({"message": "Session cookie set"})
    answer.set_cookie(COOKIE, str(session_id), httponly=True, samesite="lax")
    return answer
