"""RunPod's serverless wire over the demo painters.

Source: docs.runpod.io/serverless/endpoints/operation-reference, 2026-08-20. Unlike RunPod, a
submit with an `Idempotency-Key` seen before answers with the job it already has.
"""

import json
import time
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.desk import Desk
from emulators.endpoints import ENDPOINTS, Endpoint
from emulators.faults import Dropped, Fault, Hanging, Step, refusal
from emulators.ledger import ALL, generation_of
from emulators.store import Job, Status

MAX_BODY_BYTES = 10_000_000
BROKEN_JSON = b'{"id": "'


def desk_of(request: Request) -> Desk:
    """Return the running provider that serves a request."""
    return cast("Desk", request.state.desk)


def milliseconds(since: float, until: float | None) -> int:
    """Return a span between two Unix times, up to now while it has no end."""
    return max(0, round(((until or time.time()) - since) * 1000))


def describe(desk: Desk, job: Job, origin: str) -> dict[str, Any]:
    """Return a job as `/status` shows it; result addresses begin with `origin`."""
    body: dict[str, Any] = {"id": job.id, "status": str(job.status)}
    if job.started_at is not None:
        body["delayTime"] = milliseconds(job.accepted_at, job.started_at)
        body["workerId"] = "demo-worker"
    if job.status is Status.IN_QUEUE:
        body["queue_position"] = desk.workshop.queue_position(job)
    if job.status is Status.IN_PROGRESS:
        body["output"] = {"progress": desk.jobs.progress(job.id)}
    if job.started_at is not None and job.is_finished:
        body["executionTime"] = milliseconds(job.started_at, job.finished_at)
    if job.error is not None:
        body["error"] = job.error
    if job.output is not None:
        body["output"] = with_addresses(job.output, f"{origin}/results/{job.id}")
    return body


def with_addresses(output: dict[str, Any], base: str) -> dict[str, Any]:
    """Return a finished job's output with addresses in place of file names."""
    if "file" in output:
        rest = {name: value for name, value in output.items() if name != "file"}
        return {"video_url": f"{base}/{output['file']}", **rest}
    images = [
        {
            "url": f"{base}/{i['file']}",
            "width": i["width"],
            "height": i["height"],
            "seed": i["seed"],
        }
        for i in output["images"]
    ]
    only = {"image_url": images[0]["url"]} if len(images) == 1 else {}
    return {"images": images, **only, "cost": output["cost"]}


def origin_of(request: Request) -> str:
    """Return scheme and host as the caller reached us."""
    return f"{request.url.scheme}://{request.url.netloc}"


def stand_in(desk: Desk, request: Request, job: Job, fault: Fault | None) -> Response:
    """Return the answer about a job, or what a fault makes of it."""
    match fault.fault if fault else None:
        case "drop_after":
            return Dropped()
        case "hang":
            return Hanging()
        case "malformed":
            return Response(BROKEN_JSON, media_type="application/json")
        case "unknown_status":
            return JSONResponse({"id": job.id, "status": "BAKING"})
        case _:
            return JSONResponse(describe(desk, job, origin_of(request)))


def check(request: Request) -> Response | None:
    """Return the refusal of a request without a key or to an unknown endpoint, or None."""
    authorization = request.headers.get("authorization", "")
    if not authorization.removeprefix("Bearer").strip():
        return JSONResponse({}, status_code=401)
    if request.path_params["endpoint"] not in ENDPOINTS:
        return JSONResponse({"error": "endpoint not found"}, status_code=404)
    return None


async def read_body(request: Request, most_bytes: int) -> bytes | None:
    """Return the body, or None when it is too long; it is read to its end all the same."""
    content = bytearray()
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size <= most_bytes:
            content += piece
    return bytes(content) if size <= most_bytes else None


def parse_input(content: bytes | None) -> dict[str, Any] | str:
    """Return a submit's `input`, or what is wrong with its body."""
    if content is None:
        return f"request body is over {MAX_BODY_BYTES} bytes"
    try:
        body = json.loads(content)
    except ValueError:
        return "request body is not valid JSON"
    if not isinstance(body, dict) or not isinstance(body.get("input"), dict):
        return "request body must be an object with an object `input`"
    job_input: dict[str, Any] = body["input"]
    return job_input


async def run(request: Request) -> Response:
    """`POST /v2/{endpoint}/run`"""
    if refused := check(request):
        return refused
    desk = desk_of(request)
    endpoint = ENDPOINTS[request.path_params["endpoint"]]
    key = request.headers.get("idempotency-key") or None
    generation = generation_of(key) if key else None
    fault = desk.faults.take("submit", endpoint.name, generation)
    job = await take_in(request, endpoint, key, fault)
    if isinstance(job, Response):
        desk.ledger.count(generation or ALL, "submit_requests")
        return job
    desk.ledger.count(job.subject, "submit_requests")
    return stand_in(desk, request, job, fault)


async def take_in(
    request: Request, endpoint: Endpoint, key: str | None, fault: Fault | None
) -> Job | Response:
    """Return the job that a submit is about, or the answer that refuses it."""
    if fault and fault.fault == "drop_before":
        return Dropped()
    if fault and fault.fault == "status":
        return refusal(fault)
    job_input = parse_input(await read_body(request, MAX_BODY_BYTES))
    if isinstance(job_input, str):
        return JSONResponse({"error": job_input}, status_code=400)
    doom = "demo fault: the worker failed" if fault and fault.fault == "fail" else None
    return accept_once(desk_of(request), endpoint, key, job_input, doom)


def accept_once(
    desk: Desk, endpoint: Endpoint, key: str | None, job_input: dict[str, Any], doom: str | None
) -> Job:
    """Return the job of a key, accepting it when there is none yet."""
    job = desk.jobs.find_by_key(key) if key else None
    if job is None:
        job = desk.jobs.accept(endpoint, key, job_input, doom)
        desk.ledger.count(job.subject, "submits")
        desk.workshop.begin(job)
    return job


def look_up(request: Request, step: Step, counted: str) -> tuple[Job, Fault | None] | Response:
    """Return the job a request names and the fault it meets, or the answer that ends it."""
    if refused := check(request):
        return refused
    desk = desk_of(request)
    job = desk.jobs.find(request.path_params["id"])
    if job is None or job.endpoint != request.path_params["endpoint"]:
        return JSONResponse({"error": "job not found"}, status_code=404)
    desk.ledger.count(job.subject, counted)
    fault = desk.faults.take(step, job.endpoint, job.subject)
    if fault and fault.fault == "drop_before":
        return Dropped()
    if fault and fault.fault == "status":
        return refusal(fault)
    if fault and fault.fault == "fail":
        job = desk.jobs.fail(job.id, "demo fault: the worker failed")
        desk.workshop.drop(job.id)
    return job, fault


async def status(request: Request) -> Response:
    """`GET /v2/{endpoint}/status/{id}`"""
    found = look_up(request, "poll", "polls")
    if isinstance(found, Response):
        return found
    return stand_in(desk_of(request), request, *found)


async def cancel(request: Request) -> Response:
    """`POST /v2/{endpoint}/cancel/{id}`: a finished job is answered as it stands."""
    found = look_up(request, "cancel", "cancels")
    if isinstance(found, Response):
        return found
    desk = desk_of(request)
    job = desk.jobs.cancel(found[0].id)
    desk.workshop.drop(job.id)
    return stand_in(desk, request, job, found[1])


async def health(request: Request) -> Response:
    """`GET /v2/{endpoint}/health`"""
    if refused := check(request):
        return refused
    endpoint = ENDPOINTS[request.path_params["endpoint"]]
    counts = desk_of(request).jobs.count_by_status(endpoint.name)
    running = counts[Status.IN_PROGRESS]
    return JSONResponse(
        {
            "jobs": {
                "completed": counts[Status.COMPLETED],
                "failed": counts[Status.FAILED],
                "inProgress": running,
                "inQueue": counts[Status.IN_QUEUE],
                "retried": 0,
            },
            "workers": {"idle": max(0, endpoint.lane_width - running), "running": running},
        }
    )


ROUTES = [
    Route("/v2/{endpoint}/run", run, methods=["POST"]),
    Route("/v2/{endpoint}/status/{id}", status, methods=["GET"]),
    Route("/v2/{endpoint}/cancel/{id}", cancel, methods=["POST"]),
    Route("/v2/{endpoint}/health", health, methods=["GET"]),
]
