"""What the companies' wires have in common: a submit taken in, a job looked up, faults on both.

Each wire brings its own words as a `Company`; the desk behind all of them is the same, and so are
its faults, its ledger and its webhooks.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulators.broken_answers import Dropped, Late, unanswered
from emulators.desk import Desk
from emulators.endpoints import Endpoint
from emulators.fault_orders import HEADER, Fault, Step, read_orders
from emulators.ledger import ALL, generation_of_webhook
from emulators.loose_input import cases_in, painters_input
from emulators.runpod_wire import ALMOST, BROKEN_JSON, accept_once, desk_of, flapping
from emulators.status_object import unfinished
from emulators.store import Job, Status
from emulators.submit import Submit, origin_of, read_body, read_faults

MAX_BODY_BYTES = 100_000_000
FAILED = "demo fault: the worker failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One wire: how it shows a job (with progress and place), and how it refuses."""

    name: str
    show: Callable[[Job, str, float, int], tuple[dict[str, Any], int]]
    refuse: Callable[[int, str, float | None], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a submit asks of a model, as the wire has read it."""

    model: str
    input: dict[str, Any]
    webhook: str | None = None
    key: str | None = None
    job_id: str | None = None
    notes: dict[str, Any] | None = None  # more to remember with the job


async def read_object(request: Request) -> tuple[dict[str, Any], bytes]:
    """Return a request's JSON object and its bytes. Raises ValueError."""
    content = await read_body(request, MAX_BODY_BYTES)
    if content is None:
        raise ValueError("the body is too large")
    body = json.loads(content)
    if not isinstance(body, dict):
        raise ValueError("the body must be an object")
    return body, content


def submit_of(
    company: Company,
    request: Request,
    asked: Asked,
    endpoint: Endpoint,
    doom: str | None,
    fetch: Callable[[str], str] = str,
) -> Submit:
    """Return a submit as the desk knows it. Raises ValueError: a fault's order is wrong."""
    header = request.headers.get(HEADER, "")
    by_header = read_orders(header) if header else ()
    by_mark, wrong_mark = read_faults(asked.input)
    ordered = (*by_header, *by_mark)
    generation = generation_of_webhook(asked.webhook) if asked.webhook else None
    digest = hashlib.sha256(json.dumps(asked.input, sort_keys=True).encode()).hexdigest()
    notes = {"name": company.name, "model": asked.model, "cases": cases_in(asked.input)}
    return Submit(
        key=asked.key,
        generation=generation,
        whose=generation or digest,
        origin=origin_of(request),
        job_input={**painters_input(asked.input, endpoint, fetch), "asked": asked.input},
        webhook=asked.webhook,
        own_faults=tuple(fault for fault in ordered if fault.on == "submit"),
        job_faults=tuple(fault for fault in ordered if fault.on != "submit"),
        problem=None,
        doom=doom or wrong_mark,
        wire={**notes, **(asked.notes or {})},
    )


async def take_in(
    company: Company,
    request: Request,
    submit: Submit,
    endpoint: Endpoint,
    status: int = 200,
) -> Response:
    """Accept a submit and answer it, or do what a fault makes of it."""
    desk = desk_of(request)
    desk.faults.order_once(submit.whose, submit.own_faults)
    fault = desk.faults.take("submit", endpoint.name, submit.whose)
    if fault is None and submit.generation is None:
        desk.faults.forget_orders(submit.whose)
    if fault and fault.fault in ("drop_before", "status"):
        desk.ledger.count(submit.generation or ALL, "submit_requests")
        return refused(company, fault)
    if fault and fault.fault == "fail":
        submit = replace(submit, doom=submit.doom or FAILED)
    job = accept_once(desk, endpoint, submit, submit.doom)
    desk.ledger.count(job.subject, "submit_requests")
    if job.webhook is not None:
        await desk.webhooks.announce(job, submit.job_input)
        desk.webhooks.begin(job, submit.job_input)
    return answer(company, request, job, fault, status)


def refused(company: Company, fault: Fault) -> Response:
    """Return what a fault answers in place of doing anything."""
    if fault.fault == "drop_before":
        return Dropped()
    return company.refuse(fault.status, f"demo fault: HTTP {fault.status}", fault.retry_after_s)


def look_up(
    company: Company, request: Request, step: Step, counted: str, is_there: Callable[[Job], bool]
) -> tuple[Job, Fault | None] | Response:
    """Return the job a request names and the fault it meets, or the answer that ends it."""
    desk = desk_of(request)
    job = desk.jobs.find(request.path_params["id"])
    if job is None or (job.wire or {}).get("name") != company.name or not is_there(job):
        return company.refuse(404, "not found", None)
    desk.ledger.count(job.subject, counted)
    fault = desk.faults.take(step, job.endpoint, job.subject)
    if fault and fault.fault in ("drop_before", "status"):
        return refused(company, fault)
    if fault and fault.fault == "fail":
        job = desk.jobs.fail(job.id, FAILED)
        desk.workshop.drop(job.id)
    return job, fault


def answer(
    company: Company, request: Request, job: Job, fault: Fault | None, status: int | None = None
) -> Response:
    """Return the answer about a job, or what a fault makes of it."""
    body, shown_status = told(company, desk_of(request), job, origin_of(request), fault)
    answered = JSONResponse(body, status_code=status or shown_status)
    match fault.fault if fault else None:
        case "drop_after":
            return Dropped()
        case "malformed":
            return Response(BROKEN_JSON, media_type="application/json")
        case "late" if fault:
            return Late(answered, fault.delay_s)
        case _:
            return (unanswered(fault) if fault else None) or answered


def told(
    company: Company, desk: Desk, job: Job, origin: str, fault: Fault | None
) -> tuple[dict[str, Any], int]:
    """Return what an answer says about a job: the truth, or a fault's version of it."""
    progress = desk.jobs.progress(job.id)
    match fault.fault if fault else None:
        case "stuck":
            job, progress = unfinished(job), ALMOST
        case "flap":
            job, progress = flapping(desk, job), ALMOST
        case "other_job":
            job = desk.jobs.another(job)
    place = desk.workshop.queue_position(job) if job.status is Status.IN_QUEUE else 1
    body, status = company.show(job, origin, progress, place)
    if fault and fault.fault == "unknown_status":
        body["status"] = "BAKING"
    return body, status
