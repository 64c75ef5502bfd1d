"""One submit, taken apart: what to draw, for whom, where its end is told, what goes wrong with it.

Whose it is, is read from its idempotency key or else from its webhook's address. A submit with
neither is known by its body's digest until it is a job, so that repeated it meets its own faults.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.requests import Request

from emulators.fault_orders import HEADER, Fault, marked_orders, read_orders
from emulators.ledger import generation_of, generation_of_webhook

MAX_BODY_BYTES = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """What a submit says; with a `problem` nothing is accepted, with `doom` the job will fail."""

    key: str | None
    generation: str | None
    whose: str  # whose faults it meets: the generation's, or those of a body's digest
    origin: str  # scheme and host as the caller reached us
    job_input: dict[str, Any]
    webhook: str | None
    own_faults: tuple[Fault, ...]  # of this submit, by header and mark
    job_faults: tuple[Fault, ...]  # of the job it becomes, likewise
    problem: str | None
    doom: str | None
    wire: dict[str, Any] | None = None  # as in `Job`


def refused_address(url: object) -> str | None:
    """Return what is wrong with a webhook's address, or None."""
    if not isinstance(url, str):
        return "`webhook` must be a text"
    try:
        address, parts = httpx.URL(url), urlsplit(url)
    except (httpx.InvalidURL, ValueError):
        return "`webhook` is no address"
    if parts.scheme not in ("http", "https") or not address.host:
        return "`webhook` must be an http or https address"
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


def parse_body(content: bytes | None) -> dict[str, Any]:
    """Return a submit's body. Raises ValueError with what is wrong with it."""
    if content is None:
        raise ValueError(f"request body is over {MAX_BODY_BYTES} bytes")
    try:
        body = json.loads(content)
    except ValueError as error:
        raise ValueError("request body is not valid JSON") from error
    if not isinstance(body, dict) or not isinstance(body.get("input"), dict):
        raise ValueError("request body must be an object with an object `input`")
    if body.get("webhook") is not None and (wrong := refused_address(body["webhook"])):
        raise ValueError(wrong)
    return body


def read_faults(job_input: dict[str, Any]) -> tuple[tuple[Fault, ...], str | None]:
    """Return what the marks in a prompt order, and the error of a job whose mark is wrong."""
    prompt = job_input.get("prompt")
    if not isinstance(prompt, str):
        return (), None
    try:
        return marked_orders(prompt), None
    except ValueError as error:
        return (), f"Invalid parameter: the fault mark in prompt cannot be read: {error}"


def origin_of(request: Request) -> str:
    """Return scheme and host as the caller reached us."""
    return f"{request.url.scheme}://{request.url.netloc}"


async def read_submit(request: Request) -> Submit:
    """Read a submit to its end; whatever is wrong with it is told by its `problem` or `doom`."""
    content = await read_body(request, MAX_BODY_BYTES)
    key = request.headers.get("idempotency-key") or None
    header = request.headers.get(HEADER, "")
    body: dict[str, Any] = {"input": {}}
    by_header: tuple[Fault, ...] = ()
    problem = None
    try:
        body = parse_body(content)
        by_header = read_orders(header) if header else ()
    except ValueError as error:
        problem = str(error)
    job_input, webhook = body["input"], body.get("webhook")
    by_mark, doom = read_faults(job_input)
    ordered = (*by_header, *by_mark)
    generation = generation_of(key) if key else None
    if generation is None and webhook:
        generation = generation_of_webhook(webhook)
    return Submit(
        key=key,
        generation=generation,
        whose=generation or hashlib.sha256(content or b"").hexdigest(),
        origin=origin_of(request),
        job_input=job_input,
        webhook=webhook,
        own_faults=tuple(fault for fault in ordered if fault.on == "submit"),
        job_faults=tuple(fault for fault in ordered if fault.on != "submit"),
        problem=problem,
        doom=doom,
    )
