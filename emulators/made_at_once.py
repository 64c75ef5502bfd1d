"""Wires whose one answer comes when all is made: a submit that waits for its job."""

import asyncio
import base64
from dataclasses import replace
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from emulators.broken_answers import abort
from emulators.company import FAILED, Company, answer, refused
from emulators.desk import Desk
from emulators.endpoints import Endpoint
from emulators.ledger import ALL, generation_of
from emulators.runpod_wire import accept_once, desk_of
from emulators.store import Job, Status
from emulators.submit import Submit

#: What a caller may call a request: OpenAI's header for that, and the usual one.
NAMES = ("x-client-request-id", "idempotency-key")


def named(request: Request, submit: Submit) -> Submit:
    """Return a submit under the name that its caller gave it; made anew each time all the same."""
    name = next((name for header in NAMES if (name := request.headers.get(header))), None)
    if name is None:
        return submit
    generation = generation_of(name)
    return replace(submit, generation=generation, whose=generation)


async def make(company: Company, request: Request, submit: Submit, endpoint: Endpoint) -> Response:
    """Accept a submit, wait for its job, and answer with what was made, or do what a fault says."""
    desk = desk_of(request)
    desk.faults.order_once(submit.whose, submit.own_faults)
    fault = desk.faults.take("submit", endpoint.name, submit.whose)
    if fault is None and submit.generation is None:
        desk.faults.forget_orders(submit.whose)
    if fault and fault.fault in ("drop_before", "status"):
        desk.ledger.count(submit.generation or ALL, "submit_requests")
        return refused(company, fault)
    doom = submit.doom or (FAILED if fault and fault.fault == "fail" else None)
    job = accept_once(desk, endpoint, submit, doom)
    desk.ledger.count(job.subject, "submit_requests")
    try:
        job = await finished(desk, job)
    except asyncio.CancelledError:
        abort(request.scope)
        raise
    return answer(company, request, job, fault)


async def finished(desk: Desk, job: Job) -> Job:
    """Return a job when it is over."""
    await desk.ledger.wait(lambda _: (desk.jobs.find(job.id) or job).is_finished, job.subject)
    return desk.jobs.find(job.id) or job


def files_of(desk: Desk, job: Job) -> list[Path]:
    """Return what a job has made, in order; what a case of `partial` leaves of it."""
    if job.output is None or job.status is not Status.COMPLETED:
        return []
    made = job.output.get("images") or [job.output]
    files = [desk.results_dir / job.id / str(one["file"]) for one in made]
    return files[:-1] if "partial" in cases_of(job) else files


def cases_of(job: Job) -> list[str]:
    """Return what the marks in a job's prompt order."""
    return list((job.wire or {}).get("cases", ()))


def as_base64(path: Path) -> str:
    """Return a file as text."""
    return base64.b64encode(path.read_bytes()).decode("ascii")
