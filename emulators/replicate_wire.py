"""Replicate's wire over the demo painters, under `/replicate/v1`.

A prediction of any model is drawn by the painter that fits its name. Uploaded files are kept until
the folder goes. `[[case: ...]]` in a prompt: `nsfw`, `policy`, `error` (it fails with Replicate's
words), `empty`, `partial`, `single`, `table` (other outputs), `removed` (the output was deleted).
Source: replicate.com/docs/reference/http and its OpenAPI document, 2026-08-22; replicate 1.0.7.
"""

import base64
import hashlib
import re
import time
import uuid
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from emulators.company import Asked, Company, answer, look_up, read_object, submit_of, take_in
from emulators.ledger import timestamp
from emulators.loose_input import cases_in, endpoint_for
from emulators.prediction_object import SECRET, describe_prediction
from emulators.runpod_wire import desk_of
from emulators.store import Job
from emulators.submit import origin_of, refused_address

EVENTS = ["start", "output", "logs", "completed"]
TITLES = {401: "Unauthenticated", 402: "Insufficient credit", 404: "Not found", 422: "Invalid"}
DOOMS = {
    "nsfw": "NSFW content detected. Try running it again, or try a different prompt.",
    "policy": "The input or output was flagged as sensitive. Please try again. (E005)",
    "error": "Prediction failed: CUDA out of memory (E6716)",
}
CANCEL_AFTER = re.compile(r"(\d+[smh])+")
PAGE = 100
FILE_KEPT_S = 86_400


def show(job: Job, origin: str, progress: float, _place: int) -> tuple[dict[str, Any], int]:
    """Return a prediction, and the status it is answered with."""
    return describe_prediction(job, origin, progress), 200


def refuse(status: int, message: str, retry_after_s: float | None) -> Response:
    """Return an error as Replicate writes them; its 429 says in words how long to wait."""
    if status == 429 and retry_after_s is None:
        message = "Request was throttled. Your rate limit resets in ~30s."
    headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}
    body = {"title": TITLES.get(status, "Error"), "detail": message, "status": status}
    return JSONResponse(body, status_code=status, headers=headers)


REPLICATE = Company(name="replicate", show=show, refuse=refuse)


def stranger(request: Request) -> Response | None:
    """Return the refusal of a request without a token, or None."""
    if request.headers.get("authorization", "").removeprefix("Bearer").strip():
        return None
    return refuse(401, "You did not pass a valid authentication token", None)


def model_of(request: Request, body: dict[str, Any]) -> tuple[str, str]:
    """Return model and version that a submit names."""
    named = request.path_params
    if "name" in named:
        return f"{named['owner']}/{named['name']}", "hidden"
    model, _, version = str(body.get("version") or "").partition(":")
    return model, version or model


async def create(request: Request) -> Response:
    """`POST /models/{owner}/{name}/predictions`, `/deployments/...`, `/predictions`"""
    if refused := stranger(request):
        return refused
    try:
        body, _ = await read_object(request)
        asked = read_asked(request, body)
        endpoint = endpoint_for(asked.model)
        if endpoint is None:
            return refuse(404, "The requested resource could not be found.", None)
        doom = next((DOOMS[case] for case in cases_in(asked.input) if case in DOOMS), None)
        folder = desk_of(request).data_dir / "uploads"
        submit = submit_of(
            REPLICATE, request, asked, endpoint, doom, lambda url: stored_picture(folder, url)
        )
    except ValueError as error:
        return refuse(422, str(error), None)
    return await take_in(REPLICATE, request, submit, endpoint, 201)


def read_asked(request: Request, body: dict[str, Any]) -> Asked:
    """Return what a submit asks. Raises ValueError."""
    if not isinstance(body.get("input"), dict):
        raise ValueError("input is required")
    webhook, events = body.get("webhook"), body.get("webhook_events_filter", EVENTS)
    if webhook is not None and (wrong := refused_address(webhook)):
        raise ValueError(wrong)
    if not isinstance(events, list) or not set(events) <= set(EVENTS):
        raise ValueError(f"webhook_events_filter must be of {', '.join(EVENTS)}")
    cancel_after = request.headers.get("cancel-after")
    if cancel_after is not None and not CANCEL_AFTER.fullmatch(cancel_after):
        raise ValueError("Cancel-After must be a duration like 5m")
    model, version = model_of(request, body)
    notes = {"version": version, "events": events}
    return Asked(model=model, input=body["input"], webhook=webhook, notes=notes)


def stored_picture(folder: Path, url: str) -> str:
    """Return an uploaded picture as a data URI; any other text as it is."""
    name = url.rpartition("/files/")[2]
    path = folder / name
    if not re.fullmatch(r"[0-9a-f]{32}", name) or not path.is_file():
        return url
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


async def get(request: Request) -> Response:
    """`GET /predictions/{id}`"""
    found = stranger(request) or look_up(REPLICATE, request, "poll", "polls", lambda _: True)
    return found if isinstance(found, Response) else answer(REPLICATE, request, *found)


async def cancel(request: Request) -> Response:
    """`POST /predictions/{id}/cancel`: a finished one is answered as it stands."""
    found = stranger(request) or look_up(REPLICATE, request, "cancel", "cancels", lambda _: True)
    if isinstance(found, Response):
        return found
    desk = desk_of(request)
    job = desk.jobs.cancel(found[0].id)
    desk.workshop.drop(job.id)
    return answer(REPLICATE, request, job, found[1])


async def listed(request: Request) -> Response:
    """`GET /predictions`: the newest page of them, newest first."""
    if refused := stranger(request):
        return refused
    jobs, origin = desk_of(request).jobs.newest("replicate", PAGE), origin_of(request)
    results = [describe_prediction(job, origin) for job in jobs]
    return JSONResponse({"previous": None, "next": None, "results": results})


async def secret(request: Request) -> Response:
    """`GET /webhooks/default/secret`"""
    return stranger(request) or JSONResponse({"key": SECRET})


async def account(request: Request) -> Response:
    """`GET /account`"""
    shown = {"type": "user", "username": "demo", "name": "Demo"}
    return stranger(request) or JSONResponse(shown)


async def store_file(request: Request) -> Response:
    """`POST /files`: multipart, the file in `content`."""
    if refused := stranger(request):
        return refused
    async with request.form() as form:
        content = form.get("content")
        if not isinstance(content, UploadFile):
            return refuse(422, "content is required", None)
        data, media_type, name = await content.read(), content.content_type, content.filename
    file_id = uuid.uuid4().hex
    folder = desk_of(request).data_dir / "uploads"
    folder.mkdir(exist_ok=True)
    (folder / file_id).write_bytes(data)
    here = f"{origin_of(request)}/replicate/v1/files/{file_id}"
    shown = {"id": file_id, "name": name, "content_type": media_type, "size": len(data)}
    digest, now = hashlib.sha256(data).hexdigest(), time.time()
    kept = {"created_at": timestamp(now), "expires_at": timestamp(now + FILE_KEPT_S)}
    marks = {"etag": digest, "checksums": {"sha256": digest}, "metadata": {}}
    return JSONResponse({**shown, **kept, **marks, "urls": {"get": here}}, status_code=201)


async def file_content(request: Request) -> Response:
    """`GET /files/{id}`"""
    if refused := stranger(request):
        return refused
    name = request.path_params["id"]
    path = desk_of(request).data_dir / "uploads" / name
    if not re.fullmatch(r"[0-9a-f]{32}", name) or not path.is_file():
        return refuse(404, "not found", None)
    return FileResponse(path, media_type="image/png")


V1 = "/replicate/v1"
ROUTES = [
    Route(f"{V1}/models/{{owner}}/{{name}}/predictions", create, methods=["POST"]),
    Route(f"{V1}/deployments/{{owner}}/{{name}}/predictions", create, methods=["POST"]),
    Route(f"{V1}/predictions", create, methods=["POST"]),
    Route(f"{V1}/predictions", listed, methods=["GET"]),
    Route(f"{V1}/predictions/{{id}}", get, methods=["GET"]),
    Route(f"{V1}/predictions/{{id}}/cancel", cancel, methods=["POST"]),
    Route(f"{V1}/webhooks/default/secret", secret, methods=["GET"]),
    Route(f"{V1}/account", account, methods=["GET"]),
    Route(f"{V1}/files", store_file, methods=["POST"]),
    Route(f"{V1}/files/{{id}}", file_content, methods=["GET"]),
]
