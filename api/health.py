"""Health: is the process alive, and can it do its work?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.caller import InRuntime, Reader
from settings import VERSION

router = APIRouter()


@router.get("/healthz")
async def live() -> dict[str, str]:
    """200 while the process lives."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(runtime: InRuntime) -> JSONResponse:
    """200 when database, migrations and, with WORKER=on, the engine are up, 503 otherwise and while
    draining.
    """
    checks = await runtime.check()
    fine = all(checks.values())
    return JSONResponse(
        {"status": "ok" if fine else "unavailable", "checks": checks},
        status_code=200 if fine else 503,
        headers={"Cache-Control": "no-store"},
    )


@router.get("/api/models")
async def models(runtime: InRuntime, visitor: Reader) -> dict[str, Any]:
    """The catalogue: what can be made here, by which model, at what price."""
    return {"data": runtime.admission.models()}


@router.get("/api/status")
async def status(request: Request, runtime: InRuntime, visitor: Reader) -> dict[str, Any]:
    """Which chat model and which painters are in use, and where each was configured; the page shows
    it. `ready` is what `/readyz` says, in an answer that is 200 either way: a browser writes every
    other one into its console.
    """
    chat = request.app.state.chat
    return {
        "ready": all((await runtime.check()).values()),
        "chat_model": {"label": chat.label, "demo": chat.demo, "source": chat.source},
        "painters": runtime.in_use(),
        "version": VERSION,
    }
