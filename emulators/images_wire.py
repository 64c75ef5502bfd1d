"""OpenAI's images wire over the demo painters, under `/images/v1`.

Source: openai 3.54.0 (resources/images.py, types/images_response.py, types/image_gen_*_event.py),
2026-11-22. Cases a prompt may order: `policy`, `quota`, `partial`, `empty`, `url`.
"""

import base64
import json
import re
import time
from collections.abc import Iterator
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from emulators.company import Asked, Company, read_object, submit_of
from emulators.desk import Desk
from emulators.loose_input import cases_in, endpoint_for
from emulators.made_at_once import as_base64, cases_of, files_of, make, named
from emulators.runpod_wire import desk_of
from emulators.store import Job

MODELS = ("gpt-image-2", "gpt-image-2.5-flare", "gpt-image-2.5-sunburst", "demo-image-quick")
SIZE = re.compile(r"(\d{2,4})x(\d{2,4})")
CODES = {401: "invalid_api_key", 402: "billing_hard_limit_reached", 429: "rate_limit_exceeded"}
TOKENS = 1056  # what a square of medium quality is said to take


def refuse(
    status: int, message: str, retry_after_s: float | None = None, code: str | None = None
) -> Response:
    """Return an error as OpenAI writes them."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    error = {
        "message": message,
        "type": "image_generation_user_error" if code == "moderation_blocked" else kind,
        "param": None,
        "code": code or CODES.get(status),
    }
    headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


def stranger(request: Request) -> Response | None:
    """Return the refusal of a request without a key, or with one that begins with `bad`."""
    key = request.headers.get("authorization", "").removeprefix("Bearer").strip()
    if key and not key.startswith("bad"):
        return None
    return refuse(401, f"Incorrect API key provided: {key[:8] or 'none'}.")


def show(desk: Desk, job: Job, origin: str) -> tuple[dict[str, Any], int]:
    """Return what was made; of a job that failed, the error."""
    if job.error is not None:
        status = 400 if job.error.startswith("Invalid parameter") else 500
        body = json.loads(bytes(refuse(status, job.error).body))
        return body, status
    files = [] if "empty" in cases_of(job) else files_of(desk, job)
    if "url" in cases_of(job):
        data = [{"url": f"{origin}/results/{job.id}/{file.name}"} for file in files]
    else:
        data = [{"b64_json": as_base64(file)} for file in files]
    made = TOKENS * len(files)
    usage = {"input_tokens": 13, "output_tokens": made, "total_tokens": made + 13}
    details = {"text_tokens": 13, "image_tokens": 0}
    return {
        "created": int(time.time()),
        "data": data,
        "output_format": "png",
        "quality": "medium",
        "background": "opaque",
        "usage": {**usage, "input_tokens_details": details},
    }, 200


async def generations(request: Request) -> Response:
    """`POST /images/generations`, JSON"""
    if refused := stranger(request):
        return refused
    try:
        body, _ = await read_object(request)
    except ValueError as error:
        return refuse(400, str(error))
    return await make_images(request, body, {}, "image_generation")


async def edits(request: Request) -> Response:
    """`POST /images/edits`, multipart: `image` or `image[]`, and `mask`"""
    if refused := stranger(request):
        return refused
    async with request.form() as form:
        body = {name: value for name, value in form.items() if isinstance(value, str)}
        pictures = [
            await data_uri(part)
            for name in ("image", "image[]")
            for part in form.getlist(name)
            if isinstance(part, UploadFile)
        ]
        mask = await mask_of(form)
    if not pictures:
        return refuse(400, "Missing required parameter: 'image'.")
    inputs = {"image": pictures[0], "images": pictures[1:], **({"mask": mask} if mask else {})}
    return await make_images(request, body, inputs, "image_edit")


async def mask_of(form: FormData) -> str | None:
    """Return the mask of a form as a data URI."""
    mask = form.get("mask")
    return await data_uri(mask) if isinstance(mask, UploadFile) else None


async def data_uri(part: UploadFile) -> str:
    """Return a part of a form as a data URI."""
    data = base64.b64encode(await part.read()).decode("ascii")
    return f"data:{part.content_type or 'image/png'};base64,{data}"


async def make_images(
    request: Request, body: dict[str, Any], inputs: dict[str, Any], event: str
) -> Response:
    """Paint what a request asks for, and answer when it is there."""
    try:
        asked = read_asked(body, inputs)
    except ValueError as error:
        return refuse(400, str(error))
    endpoint = endpoint_for(asked.model)
    if endpoint is None or endpoint.kind != "image":
        return refuse(404, f"The model '{asked.model}' does not exist.", code="model_not_found")
    if "policy" in cases_in(asked.input):
        message = "Your request was rejected by the safety system."
        return refuse(400, message, code="moderation_blocked")
    if "quota" in cases_in(asked.input):
        message = "You exceeded your current quota, please check your plan and billing details."
        return refuse(429, message, code="insufficient_quota")
    desk = desk_of(request)
    company = Company(
        name="images", show=lambda job, origin, *_: show(desk, job, origin), refuse=refuse
    )
    try:
        submit = named(request, submit_of(company, request, asked, endpoint, None))
    except ValueError as error:
        return refuse(400, str(error))
    answer = await make(company, request, submit, endpoint)
    if body.get("stream") in (True, "true") and answer.status_code == 200:
        return StreamingResponse(events(answer, event), media_type="text/event-stream")
    return answer


def events(answer: Response, event: str) -> Iterator[bytes]:
    """Yield a made answer as server-sent events: one partial picture, and then each whole one."""
    body = json.loads(bytes(answer.body))
    rest = {name: body[name] for name in ("output_format", "quality", "background")}
    common = {"created_at": body["created"], "size": "auto", **rest}
    for at, item in enumerate(body["data"]):
        partial = {**common, **item, "partial_image_index": at}
        for name, content in (
            (f"{event}.partial_image", partial),
            (f"{event}.completed", {**common, **item, "usage": body["usage"]}),
        ):
            content = {"type": name, **content}
            yield f"event: {name}\ndata: {json.dumps(content)}\n\n".encode()


def read_asked(body: dict[str, Any], inputs: dict[str, Any]) -> Asked:
    """Return what a request asks for. Raises ValueError."""
    if not isinstance(body.get("prompt"), str) or not body["prompt"]:
        raise ValueError("Missing required parameter: 'prompt'.")
    size, sides = str(body.get("size") or "auto"), {}
    if size != "auto":
        found = SIZE.fullmatch(size)
        if found is None:
            raise ValueError(f"Invalid size '{size}'.")
        sides = {"width": int(found[1]), "height": int(found[2])}
    count = str(body.get("n") or 1)
    if not count.isdecimal() or not 1 <= int(count) <= 10:
        raise ValueError("Invalid 'n': must be 1 to 10.")
    asked = {"prompt": body["prompt"], "n": int(count), **sides, **inputs}
    return Asked(model=str(body.get("model") or ""), input=asked)


async def models(request: Request) -> Response:
    """`GET /models`"""
    data = [{"id": model, "object": "model", "created": 0, "owned_by": "demo"} for model in MODELS]
    return stranger(request) or JSONResponse({"object": "list", "data": data})


V1 = "/images/v1"
ROUTES = [
    Route(f"{V1}/images/generations", generations, methods=["POST"]),
    Route(f"{V1}/images/edits", edits, methods=["POST"]),
    Route(f"{V1}/models", models, methods=["GET"]),
]
