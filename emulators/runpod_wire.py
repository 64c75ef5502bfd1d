"""RunPod's serverless wire over the demo painters.

Source: docs.runpod.io/serverless/endpoints/operation-reference, 2026-08-20. Unlike RunPod, a
submit with an `Idempotency-Key` seen before answers with the job it already has.
"""

from dataclasses import replace
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.broken_answers import Dropped, Late, refusal, unanswered
from emulators.desk import Desk
from emulators.endpoints import ENDPOINTS, Endpoint
from emulators.fault_orders import Fault, Step
from emulators.ledger import ALL
from emulators.status_object import describe, unfinished
from emulators.store import Job, Status
from emulators.submit import Submit, origin_of, read_submit

ALMOST = 0.99  # the progress of what is stuck
BROKEN_JSON = b'{"id": "'


def desk_of(request: Request) -> Desk:
    """Return the running provider that serves a request."""
    return cast("Desk", request.state.desk)


def shown(desk: Desk, job: Job, origin: str) -> dict[str, Any]:
    """Return a job as `/status` tells of it now."""
    place = desk.workshop.queue_position(job) if job.status is Status.IN_QUEUE else 1
    progress = desk.jobs.progress(job.id)
    return describe(job, origin, progress=progress, queue_position=place)


def stand_in(desk: Desk, request: Request, job: Job, fault: Fault | None) -> Response:
    """Return the answer about a job, or what a fault makes of it."""
    answer = JSONResponse(told(desk, origin_of(request), job, fault))
    match fault.fault if fault else None:
        case "drop_after":
            return Dropped()
        case "malformed":
            return Response(BROKEN_JSON, media_type="application/json")
        case "late" if fault:
            return Late(answer, fault.delay_s)
        case _:
            return (unanswered(fault) if fault else None) or answer


def told(desk: Desk, origin: str, job: Job, fault: Fault | None) -> dict[str, Any]:
    """Return what an answer says about a job: the truth, or a fault's version of it."""
    match fault.fault if fault else None:
        case "unknown_status":
            return {"id": job.id, "status": "BAKING"}
        case "stuck":
            return describe(unfinished(job), origin, progress=ALMOST)
        case "flap":
            return describe(flapping(desk, job), origin, progress=ALMOST)
        case "other_job" if fault and fault.on == "submit":
            return {**shown(desk, job, origin), "id": desk.jobs.another(job).id}
        case "other_job":
            return shown(desk, desk.jobs.another(job), origin)
        case _:
            return shown(desk, job, origin)


def flapping(desk: Desk, job: Job) -> Job:
    """Return a job as a flapping provider shows it: forth at one poll and back at the next."""
    if job.is_finished or desk.ledger.counted(job.subject, "polls") % 2 == 0:
        return unfinished(job)
    return replace(job, status=Status.IN_QUEUE, started_at=None)


def check(request: Request) -> Response | None:
    """Return the refusal of a request without a key or to an unknown endpoint, or None."""
    authorization = request.headers.get("authorization", "")
    if not authorization.removeprefix("Bearer").strip():
        return JSONResponse({}, status_code=401)
    if request.path_params["endpoint"] not in ENDPOINTS:
        return JSONResponse({"error": "endpoint not found"}, status_code=404)
    return None


async def run(request: Request) -> Response:
    """`POST /v2/{endpoint}/run`"""
    if refused := check(request):
        return refused
    desk = desk_of(request)
    endpoint = ENDPOINTS[request.path_params["endpoint"]]
    submit = await read_submit(request)
    if submit.problem is None:
        desk.faults.order_once(submit.whose, submit.own_faults)
    fault = desk.faults.take("submit", endpoint.name, submit.whose)
    if fault is None and submit.generation is None:
        desk.faults.forget_orders(submit.whose)
    job = take_in(desk, endpoint, submit, fault)
    if isinstance(job, Response):
        desk.ledger.count(submit.generation or ALL, "submit_requests")
        return job
    desk.ledger.count(job.subject, "submit_requests")
    if job.webhook is not None:
        await desk.webhooks.announce(job, submit.job_input)
    return stand_in(desk, request, job, fault)


def take_in(desk: Desk, endpoint: Endpoint, submit: Submit, fault: Fault | None) -> Job | Response:
    """Return the job that a submit is about, or the answer that refuses it."""
    if fault and fault.fault == "drop_before":
        return Dropped()
    if fault and fault.fault == "status":
        return refusal(fault)
    if submit.problem is not None:
        return JSONResponse({"error": submit.problem}, status_code=400)
    fails = fault is not None and fault.fault == "fail"
    doom = submit.doom or ("demo fault: the worker failed" if fails else None)
    return accept_once(desk, endpoint, submit, doom)


def accept_once(desk: Desk, endpoint: Endpoint, submit: Submit, doom: str | None) -> Job:
    """Return the job of a key, accepting it when there is none yet."""
    job = desk.jobs.find_by_key(submit.key) if submit.key else None
    if job is None:
        job = desk.jobs.accept(endpoint, submit, doom)
        desk.ledger.count(job.subject, "submits")
        desk.workshop.begin(job)
        desk.faults.order_once(job.subject, submit.job_faults)
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
