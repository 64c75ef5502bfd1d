"""Finished pictures and films by address, and what can go wrong with a download."""

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from emulators.broken_answers import CutShort, Late, unanswered, wait_for_close
from emulators.fault_orders import Fault
from emulators.runpod_wire import desk_of

MEDIA_TYPES = {"png": "image/png", "mp4": "video/mp4"}
DRIP_BYTES = 16
DRIP_PAUSE_S = 0.2


async def result(request: Request) -> Response:
    """`GET /results/{job}/{n}.png|mp4`, with Range; needs no key, like a public bucket."""
    desk = desk_of(request)
    job = desk.jobs.find(request.path_params["job"])
    suffix = request.path_params["suffix"]
    if job is None or job.output is None or suffix not in MEDIA_TYPES:
        return JSONResponse({"error": "not found"}, status_code=404)
    path = desk.results_dir / job.id / f"{request.path_params['n']}.{suffix}"
    if not path.is_file():
        return JSONResponse({"error": "not found"}, status_code=404)
    if request.method == "GET":
        desk.ledger.count(job.subject, "downloads")
    fault = desk.faults.take("result", job.endpoint, job.subject)
    if fault is None:
        return FileResponse(path, media_type=MEDIA_TYPES[suffix])
    return spoiled(path, MEDIA_TYPES[suffix], fault)


def spoiled(path: Path, media_type: str, fault: Fault) -> Response:
    """Return what a fault makes of a download."""
    match fault.fault:
        case "drop_after":
            return CutShort(FileResponse(path, media_type=media_type), whole_pieces=0)
        case "malformed":
            return Response(b"these bytes are no picture", media_type=media_type)
        case "wrong_type":
            return FileResponse(path, media_type="text/html")
        case "drip":
            return Dripping(path, media_type)
        case "late":
            return Late(FileResponse(path, media_type=media_type), fault.delay_s)
        case "empty":
            return Response(b"", media_type=media_type)
        case "short":
            content = path.read_bytes()
            return Response(content[: len(content) // 2], media_type=media_type)
        case _:
            return unanswered(fault) or FileResponse(path, media_type=media_type)


class Dripping(Response):
    """A body that comes by drops: never silent for long, and never done in time."""

    def __init__(self, path: Path, media_type: str) -> None:
        super().__init__()
        self._path = path
        self.raw_headers = [
            (b"content-type", media_type.encode()),
            (b"content-length", str(path.stat().st_size).encode()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a few bytes at a time until all is sent or the client leaves."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        content = await asyncio.to_thread(self._path.read_bytes)
        gone = asyncio.create_task(wait_for_close(receive))
        try:
            for at in range(0, len(content), DRIP_BYTES):
                drop = content[at : at + DRIP_BYTES]
                more = at + DRIP_BYTES < len(content)
                await send({"type": "http.response.body", "body": drop, "more_body": more})
                await asyncio.wait({gone}, timeout=DRIP_PAUSE_S)
                if gone.done():
                    return
        finally:
            gone.cancel()


ROUTES = [Route("/results/{job}/{n:int}.{suffix}", result, methods=["GET"])]
