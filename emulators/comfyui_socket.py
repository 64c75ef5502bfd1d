"""ComfyUI's websocket: how far the prompts of one client are, told while that client listens.

Source: ComfyUI's server.py and comfy_execution/progress.py (Comfy-Org/ComfyUI @002c3fb),
2026-11-22.
"""

import asyncio
import contextlib
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from emulators.desk import Desk
from emulators.store import Job, Status

STEPS = 20
LOOK_S = 0.05
SAMPLER = "3"


def job_of(desk: Desk, client_id: str) -> Job | None:
    """Return what this client has in work."""
    return next(
        (
            job
            for job in desk.jobs.unfinished()
            if job.status is Status.IN_PROGRESS and (job.wire or {}).get("client_id") == client_id
        ),
        None,
    )


def messages_of(job: Job, step: int) -> list[dict[str, Any]]:
    """Return what is said after a step of the sampler."""
    prompt_id = (job.wire or {})["prompt_id"]
    loaded = {"value": 1.0, "max": 1.0, "state": "finished", "node_id": "4"}
    sampled = {"value": float(step), "max": float(STEPS), "state": "running", "node_id": SAMPLER}
    nodes = {node["node_id"]: {**node, "prompt_id": prompt_id} for node in (loaded, sampled)}
    progress = {"value": step, "max": STEPS, "prompt_id": prompt_id, "node": SAMPLER}
    return [
        {"type": "progress_state", "data": {"prompt_id": prompt_id, "nodes": nodes}},
        {"type": "progress", "data": progress},
    ]


async def tell(websocket: WebSocket, client_id: str) -> None:
    """Tell each step as it is done, and each end; like the real one it repeats nothing that was
    said before, but for the node that is at work.
    """
    desk: Desk = websocket.state.desk
    queue = {"status": {"exec_info": {"queue_remaining": len(desk.jobs.unfinished())}}}
    await websocket.send_json({"type": "status", "data": {**queue, "sid": client_id}})
    job, told = job_of(desk, client_id), 0
    if job is not None:
        told = int(desk.jobs.progress(job.id) * STEPS)
        await websocket.send_json({"type": "executing", "data": {"node": SAMPLER}})
    while True:
        now = job_of(desk, client_id)
        if job is not None and (now is None or now.id != job.id):
            end = {"node": None, "prompt_id": (job.wire or {})["prompt_id"]}
            await websocket.send_json({"type": "executing", "data": end})
            told = 0
        job = now
        step = int(desk.jobs.progress(job.id) * STEPS) if job is not None else 0
        if job is not None and step > told:
            told = step
            for message in messages_of(job, step):
                await websocket.send_json(message)
        await asyncio.sleep(LOOK_S)


async def listen(websocket: WebSocket) -> None:
    """`GET /ws?clientId=`"""
    await websocket.accept()
    telling = asyncio.create_task(tell(websocket, websocket.query_params.get("clientId", "")))
    try:
        async for _ in websocket.iter_text():
            pass
    finally:
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await telling


ROUTES = [WebSocketRoute(f"{prefix}/ws", listen) for prefix in ("/comfyui", "/comfyui/api")]
