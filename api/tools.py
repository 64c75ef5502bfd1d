"""The tools over HTTP: the same list, the same arguments, the same answers as in the chat."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.caller import InRuntime, Reader, SomeVisitor, check_scope
from api.repeats import read_key
from generations.contract import Caller
from tools import registry

router = APIRouter()


@router.get("/api/tools")
async def list_tools(visitor: Reader) -> dict[str, Any]:
    """The tools in the shape that any OpenAI-style call takes."""
    return {"tools": registry.schemas()}


@router.post("/api/tools/{name}")
async def call_tool(
    name: str, request: Request, runtime: InRuntime, visitor: SomeVisitor
) -> JSONResponse:
    """Call a tool with the body as its arguments; 202 when it started a generation. The same body
    under the same `Idempotency-Key` starts it once.
    """
    known = check_scope(visitor, registry.scope_of(name))
    caller = Caller(user_id=known.user_id)
    key = read_key(request) if registry.find(name).starts else None
    body = await request.body()
    result = await registry.call(name, body, caller, runtime.admission, key=key)
    if result.started:
        location = f"/api/generations/{result.json['id']}"
        return JSONResponse(result.json, status_code=202, headers={"Location": location})
    return JSONResponse(result.json)
