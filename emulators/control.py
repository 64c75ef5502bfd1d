"""The handles for tests and for the curious: health, ledger, hold, faults, and a long poll."""

import asyncio
import json
import os
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.fault_orders import read_rule, read_seconds
from emulators.ledger import COUNTED
from emulators.runpod_wire import desk_of
from emulators.store import UNFINISHED, Status

MAX_WAIT_S = 60.0


async def healthz(request: Request) -> Response:
    """`GET /healthz`"""
    data_dir = str(desk_of(request).data_dir)
    return JSONResponse({"status": "ok", "pid": os.getpid(), "data_dir": data_dir})


async def ledger(request: Request) -> Response:
    """`GET /_ledger`"""
    return JSONResponse(desk_of(request).ledger.read())


async def read_object(request: Request) -> dict[str, Any]:
    """Return a JSON object from the body. Raises ValueError."""
    body = json.loads(await request.body())
    if not isinstance(body, dict):
        raise ValueError("the body must be an object")
    return body


def wrong(message: str) -> Response:
    """Return a 400 with what is wrong."""
    return JSONResponse({"error": message}, status_code=400)


async def control(request: Request) -> Response:
    """`POST /_control {"hold": true|false, "webhook_gap_s": 10}`, either or both"""
    desk = desk_of(request)
    try:
        body = await read_object(request)
        if not body or not set(body) <= {"hold", "webhook_gap_s"}:
            raise ValueError('the body must have "hold" or "webhook_gap_s" and nothing else')
        hold = body.get("hold", desk.workshop.is_held)
        if not isinstance(hold, bool):
            raise ValueError('"hold" must be true or false')
        gap_s = read_seconds("webhook_gap_s", {"webhook_gap_s": desk.webhooks.gap_s, **body})
    except ValueError as error:
        return wrong(str(error))
    desk.workshop.is_held = hold
    desk.webhooks.gap_s = gap_s
    return JSONResponse({"hold": hold, "webhook_gap_s": gap_s})


async def faults(request: Request) -> Response:
    """`GET`, `POST` and `DELETE /_faults`"""
    rules = desk_of(request).faults
    if request.method == "DELETE":
        rules.clear()
    if request.method == "POST":
        try:
            rule = rules.add(read_rule(await read_object(request)))
        except ValueError as error:
            return wrong(str(error))
        return JSONResponse(rule.as_json(), status_code=201)
    return JSONResponse({"faults": rules.read()})


def parse_until(until: str) -> Callable[[dict[str, Any]], bool]:
    """Return the question `until` asks of a ledger page. Raises ValueError."""
    what, _, number = until.partition(":")
    if number:
        if what not in COUNTED:
            raise ValueError(f"`until` may count {', '.join(COUNTED)}")
        least = int(number)
        return lambda page: bool(page[what] >= least)
    if until == "finished":
        return lambda page: bool(page["jobs"]) and page["jobs"][-1]["status"] not in UNFINISHED
    wanted = Status(until.upper())
    return lambda page: bool(page["jobs"]) and page["jobs"][-1]["status"] == wanted


async def wait(request: Request) -> Response:
    """`GET /_wait?generation=&until=<status>|finished|<counter>:<n>&timeout_s=`: 200, or 408."""
    book = desk_of(request).ledger
    subject = request.query_params.get("generation", "").lower()
    try:
        is_true = parse_until(request.query_params.get("until", ""))
        timeout_s = float(request.query_params.get("timeout_s", "10"))
    except ValueError as error:
        return wrong(str(error))
    try:
        async with asyncio.timeout(min(timeout_s, MAX_WAIT_S)):
            await book.wait(is_true, subject)
    except TimeoutError:
        return JSONResponse(book.page(subject), status_code=408)
    return JSONResponse(book.page(subject))


ROUTES = [
    Route("/healthz", healthz, methods=["GET"]),
    Route("/_ledger", ledger, methods=["GET"]),
    Route("/_control", control, methods=["POST"]),
    Route("/_faults", faults, methods=["GET", "POST", "DELETE"]),
    Route("/_wait", wait, methods=["GET"]),
]
