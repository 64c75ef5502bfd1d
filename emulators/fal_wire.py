"""fal's queue over the demo painters, under `/fal`; the body of a submit is the model's input.

With it the key set of its webhooks (`/fal/.well-known/jwks.json`) and the prices, which on the real
one have hosts of their own. `[[case: ...]]` in a prompt: `nsfw`, `nsfw-first` (pictures flagged as
blacked out), `policy` and `error` (complete, and failed), `refused` (a submit that is not taken),
`empty`, `partial`, `single` (other results), `removed` (the result was deleted).
Source: fal.ai/docs/inference-api, 2026-11-22; fal-client 1.0.3.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.company import Asked, Company, answer, look_up, read_object, submit_of, take_in
from emulators.fal_object import (
    app_of,
    describe_request,
    detail,
    failure_of,
    key_set,
    result_of,
)
from emulators.loose_input import cases_in, endpoint_for
from emulators.runpod_wire import desk_of
from emulators.store import Job, Status
from emulators.submit import origin_of, refused_address

BROKE = (
    "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
)
FLAGGED = "The content could not be processed because it was flagged by a content checker."
DOOMS = {"policy": FLAGGED, "error": "Request timed out"}


def show(job: Job, origin: str, progress: float, place: int) -> tuple[dict[str, Any], int]:
    """Return the status of a request."""
    return describe_request(job, origin, progress, place)


def refuse(status: int, message: str, retry_after_s: float | None) -> Response:
    """Return an error as fal writes them: no money is a 403."""
    headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}
    if status == 402:
        status, message = 403, BROKE
    return JSONResponse({"detail": message}, status_code=status, headers=headers)


FAL = Company(name="fal", show=show, refuse=refuse)


def stranger(request: Request) -> Response | None:
    """Return the refusal of a request without a key, or None."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme == "Key" and key.strip():
        return None
    return refuse(401, "Cannot access application. Authentication is required.", None)


async def submit(request: Request) -> Response:
    """`POST /fal/{model}?fal_webhook=`"""
    if refused := stranger(request):
        return refused
    model, webhook = request.path_params["model"], request.query_params.get("fal_webhook")
    endpoint = endpoint_for(model) if model.count("/") >= 1 else None
    if endpoint is None:
        return refuse(404, f"Application {model} not found", None)
    if webhook is not None and (wrong := refused_address(webhook)):
        return refuse(422, wrong, None)
    try:
        asked, _ = await read_object(request)
        cases = cases_in(asked)
        if "refused" in cases:
            body, status = failure_of(FLAGGED, ["policy"])
            return JSONResponse(body, status_code=status, headers={"X-Fal-Retryable": "false"})
        doom = next((DOOMS[case] for case in cases if case in DOOMS), None)
        taken = submit_of(
            FAL, request, Asked(model=model, input=asked, webhook=webhook), endpoint, doom
        )
    except ValueError as error:
        return JSONResponse({"detail": [detail("value_error", str(error), None)]}, status_code=422)
    return await take_in(FAL, request, taken, endpoint, 200)


def is_of(request: Request) -> Any:
    """Return the question whether a job lives at the app that a request names."""
    return lambda job: app_of((job.wire or {}).get("model", "")) == request.path_params["app"]


async def status(request: Request) -> Response:
    """`GET /fal/{app}/requests/{id}/status`"""
    found = stranger(request) or look_up(FAL, request, "poll", "polls", is_of(request))
    return found if isinstance(found, Response) else answer(FAL, request, *found)


async def result(request: Request) -> Response:
    """`GET /fal/{app}/requests/{id}`: with the status, headers and body of the model's answer."""
    if refused := stranger(request):
        return refused
    job = desk_of(request).jobs.find(request.path_params["id"])
    if job is None or not is_of(request)(job):
        return refuse(404, "Request not found", None)
    body, http_status = result_of(job, origin_of(request))
    headers = {}
    if http_status >= 400:
        headers["X-Fal-Retryable"] = str(http_status >= 500).lower()
    if error_type := body.get("error_type"):
        headers["X-Fal-Error-Type"] = error_type
    return JSONResponse(body, status_code=http_status, headers=headers)


async def cancel(request: Request) -> Response:
    """`PUT /fal/{app}/requests/{id}/cancel`: at once in the queue, by a signal at work."""
    found = stranger(request) or look_up(FAL, request, "cancel", "cancels", is_of(request))
    if isinstance(found, Response):
        return found
    desk, (job, fault) = desk_of(request), found
    if fault is not None:
        return answer(FAL, request, job, fault)
    if job.is_finished:
        return JSONResponse({"status": "ALREADY_COMPLETED"}, status_code=400)
    was_waiting = job.status is Status.IN_QUEUE
    desk.workshop.drop(desk.jobs.cancel(job.id).id)
    if was_waiting:
        return JSONResponse({"status": "OK"})
    return JSONResponse({"status": "CANCELLATION_REQUESTED"}, status_code=202)


async def keys(request: Request) -> Response:
    """`GET /fal/.well-known/jwks.json`; asked without a key, like the real one."""
    if "authorization" in request.headers:
        return refuse(400, "nobody sends a key here", None)
    return JSONResponse(key_set())


async def prices(request: Request) -> Response:
    """`GET /fal/v1/models/pricing?endpoint_id=`"""
    if refused := stranger(request):
        return refused
    price = {"unit_price": 0.003, "unit": "image", "currency": "USD"}
    names = request.query_params.get("endpoint_id", "").split(",")
    return JSONResponse({"prices": [{"endpoint_id": name, **price} for name in names if name]})


REQUEST = "/fal/{app:path}/requests/{id}"
ROUTES = [
    Route("/fal/.well-known/jwks.json", keys, methods=["GET"]),
    Route("/fal/v1/models/pricing", prices, methods=["GET"]),
    Route(f"{REQUEST}/status", status, methods=["GET"]),
    Route(f"{REQUEST}/cancel", cancel, methods=["PUT"]),
    Route(REQUEST, result, methods=["GET"]),
    Route("/fal/{model:path}", submit, methods=["POST"]),
]
