"""The Gemini API's wire over the demo painters, under `/gemini`: pictures by generateContent, films
as interactions whose bytes are fetched with the key.

Source: google-genai 3.4.0, 2026-11-22. Cases a prompt may order: `blocked`, `filtered`, `empty`,
`draft`, `credit`, `inline`.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from emulators.company import Asked, Company, answer, look_up, read_object, submit_of, take_in
from emulators.desk import Desk
from emulators.endpoints import Endpoint
from emulators.interaction_object import describe_interaction
from emulators.loose_input import cases_in, endpoint_for
from emulators.made_at_once import as_base64, cases_of, files_of, make, named
from emulators.results import spoiled
from emulators.runpod_wire import desk_of
from emulators.store import Job
from emulators.submit import refused_address

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
RPC = "type.googleapis.com/google.rpc"
MODELS = ("gemini-3.1-flash-image", "gemini-3-pro-image", "gemini-omni-1.2-flash")
NO_CREDIT = "Your prepayment credits are depleted."


def refuse(
    status: int, message: str, retry_after_s: float | None = None, reason: str | None = None
) -> Response:
    """Return an error as Google writes them: how long to wait stands in its details."""
    details = []
    if retry_after_s is not None:
        details.append({"@type": f"{RPC}.RetryInfo", "retryDelay": f"{retry_after_s:g}s"})
    if reason is not None:
        details.append({"@type": f"{RPC}.ErrorInfo", "reason": reason})
    name = STATUSES.get(status, "INTERNAL")
    error = {"code": status, "message": message, "status": name, "details": details}
    return JSONResponse({"error": error}, status_code=status)


def stranger(request: Request) -> Response | None:
    """Return the refusal of a request without a key in its header, or with one that begins with
    `bad`.
    """
    key = request.headers.get("x-goog-api-key", "")
    if not key or "key" in request.query_params:
        return refuse(403, "Method doesn't allow unregistered callers.")
    if key.startswith("bad"):
        return refuse(
            400, "API key not valid. Please pass a valid API key.", None, "API_KEY_INVALID"
        )
    return None


def tables(value: object) -> list[dict[str, Any]]:
    """Return the tables in a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def table(value: object) -> dict[str, Any]:
    """Return a table, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


async def generate_content(request: Request) -> Response:
    """`POST /models/{model}:generateContent`"""
    if refused := stranger(request):
        return refused
    desk = desk_of(request)
    company = Company(name="gemini", show=lambda job, *_: show_picture(desk, job), refuse=refuse)
    try:
        body, _ = await read_object(request)
        asked = read_picture_asked(request.path_params["model"], body)
        endpoint = painter_of(asked.model, "image")
        if refused := refused_case(asked.input):
            return refused
        submit = named(request, submit_of(company, request, asked, endpoint, None))
    except ValueError as error:
        return refuse(400, str(error))
    except LookupError as error:
        return refuse(404, str(error))
    return await make(company, request, submit, endpoint)


def painter_of(model: str, kind: str) -> Endpoint:
    """Return the painter that stands in for a model. Raises LookupError."""
    endpoint = endpoint_for(model)
    if endpoint is None or endpoint.kind != kind:
        raise LookupError(f"models/{model} is not found for API version v1beta")
    return endpoint


def refused_case(asked: dict[str, Any]) -> Response | None:
    """Return what a prompt may order to be answered before anything is made."""
    cases = cases_in(asked)
    if "credit" in cases:
        return refuse(402, NO_CREDIT)
    if "blocked" in cases:
        return JSONResponse({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
    return None


def read_picture_asked(model: str, body: dict[str, Any]) -> Asked:
    """Return what a generateContent asks for. Raises ValueError."""
    parts = [
        part for content in tables(body.get("contents")) for part in tables(content.get("parts"))
    ]
    words = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    if not words:
        raise ValueError("contents is not specified")
    given = [table(part.get("inlineData") or part.get("inline_data")) for part in parts]
    pictures = [
        f"data:{one.get('mimeType') or one.get('mime_type')};base64,{standard(one['data'])}"
        for one in given
        if isinstance(one.get("data"), str)
    ]
    config = table(body.get("generationConfig"))
    if "IMAGE" not in (config.get("responseModalities") or ()):
        raise ValueError("generationConfig.responseModalities must hold IMAGE")
    image = table(config.get("imageConfig"))
    asked = {
        "prompt": " ".join(words),
        "aspect_ratio": image.get("aspectRatio"),
        "seed": config.get("seed"),
        **({"image": pictures[0], "images": pictures[1:]} if pictures else {}),
    }
    return Asked(model=model, input=asked)


def standard(base64_text: str) -> str:
    """Return base64 in its usual signs: Google's own client sends the kind meant for addresses.

    Source: google-genai 3.4.0 (types.Blob, as it is sent), 2026-11-22.
    """
    return base64_text.replace("-", "+").replace("_", "/")


def show_picture(desk: Desk, job: Job) -> tuple[dict[str, Any], int]:
    """Return a made picture, or why there is none."""
    if job.error is not None:
        status = 400 if job.error.startswith("Invalid parameter") else 500
        name = STATUSES.get(status, "INTERNAL")
        return {"error": {"code": status, "message": job.error, "status": name}}, status
    cases = cases_of(job)
    reason, parts = "STOP", []
    if "filtered" in cases:
        reason = "IMAGE_SAFETY"
    elif "empty" in cases:
        reason = "NO_IMAGE"
    else:
        pictures = [as_base64(file) for file in files_of(desk, job)]
        parts = [{"inlineData": {"mimeType": "image/png", "data": data}} for data in pictures]
    drafts = [{**part, "thought": True} for part in parts] if "draft" in cases else []
    content = {"role": "model", "parts": [*drafts, *parts]}
    return {
        "candidates": [{"content": content, "finishReason": reason, "index": 0}],
        "usageMetadata": {"totalTokenCount": 1300},
        "modelVersion": (job.wire or {}).get("model", ""),
        "responseId": job.id,
    }, 200


def films(request: Request) -> Company:
    """Return how interactions are shown."""
    desk = desk_of(request)

    def show(job: Job, origin: str, *_: object) -> tuple[dict[str, Any], int]:
        wants_data = (job.wire or {}).get("delivery") == "inline" or "inline" in cases_of(job)
        data = next((as_base64(file) for file in files_of(desk, job)), None) if wants_data else None
        return describe_interaction(job, origin, data), 200

    return Company(name="gemini", show=show, refuse=refuse)


async def create_interaction(request: Request) -> Response:
    """`POST /interactions`"""
    if refused := stranger(request):
        return refused
    company = films(request)
    try:
        body, _ = await read_object(request)
        asked = read_film_asked(body)
        endpoint = painter_of(asked.model, "video")
        if "credit" in cases_in(asked.input):
            return refuse(402, NO_CREDIT)
        submit = named(request, submit_of(company, request, asked, endpoint, None))
    except ValueError as error:
        return refuse(400, str(error))
    except LookupError as error:
        return refuse(404, str(error))
    if body.get("background"):
        return await take_in(company, request, submit, endpoint)
    return await make(company, request, submit, endpoint)


def read_film_asked(body: dict[str, Any]) -> Asked:
    """Return what a new interaction asks for. Raises ValueError."""
    given = body.get("input")
    blocks = tables(given)
    content = [block for one in blocks for block in tables(one.get("content"))] or blocks
    if isinstance(given, str):
        content = [{"type": "text", "text": given}]
    words = [block["text"] for block in content if isinstance(block.get("text"), str)]
    if not words:
        raise ValueError("input is required")
    pictures = [
        f"data:{block.get('mime_type')};base64,{block['data']}"
        for block in content
        if block.get("type") == "image" and isinstance(block.get("data"), str)
    ]
    wanted, config = table(body.get("response_format")), table(body.get("generation_config"))
    uris = table(body.get("webhook_config")).get("uris")
    webhook = uris[0] if isinstance(uris, list) and uris else None
    if webhook is not None and (wrong := refused_address(webhook)):
        raise ValueError(wrong)
    asked = {
        "prompt": " ".join(words),
        "aspect_ratio": wanted.get("aspect_ratio"),
        "duration": wanted.get("duration"),
        "seed": config.get("seed"),
        **frames(pictures, table(config.get("video_config")).get("task")),
    }
    notes = {"delivery": wanted.get("delivery")}
    return Asked(model=str(body.get("model") or ""), input=asked, webhook=webhook, notes=notes)


def frames(pictures: list[str], task: object) -> dict[str, Any]:
    """Return the pictures of a film: frames, or references when the task says so."""
    if not pictures or task == "reference_to_video":
        return {"images": pictures} if pictures else {}
    return {"image": pictures[0], **({"end_image": pictures[1]} if len(pictures) > 1 else {})}


async def get_interaction(request: Request) -> Response:
    """`GET /interactions/{id}`"""
    company = films(request)
    found = stranger(request) or look_up(company, request, "poll", "polls", lambda _: True)
    return found if isinstance(found, Response) else answer(company, request, *found)


async def cancel_interaction(request: Request) -> Response:
    """`POST /interactions/{id}/cancel`: a finished one is answered as it stands."""
    company = films(request)
    found = stranger(request) or look_up(company, request, "cancel", "cancels", lambda _: True)
    if isinstance(found, Response):
        return found
    desk = desk_of(request)
    job = desk.jobs.cancel(found[0].id)
    desk.workshop.drop(job.id)
    return answer(company, request, job, found[1])


async def download(request: Request) -> Response:
    """`GET /files/{id}:download?alt=media`: with the key, unlike a public bucket"""
    if refused := stranger(request):
        return refused
    desk = desk_of(request)
    job = desk.jobs.find(request.path_params["id"])
    files = files_of(desk, job) if job is not None else []
    if job is None or not files or not files[0].is_file():
        return refuse(404, "File not found.")
    desk.ledger.count(job.subject, "downloads")
    fault = desk.faults.take("result", job.endpoint, job.subject)
    if fault is not None:
        return spoiled(files[0], "video/mp4", fault)
    return FileResponse(files[0], media_type="video/mp4")


async def models(request: Request) -> Response:
    """`GET /models`"""
    listed = [{"name": f"models/{model}", "displayName": model} for model in MODELS]
    return stranger(request) or JSONResponse({"models": listed})


ROUTES = [
    route
    for base in ("/gemini/v1beta", "/gemini/v1")
    for route in (
        Route(f"{base}/models/{{model}}:generateContent", generate_content, methods=["POST"]),
        Route(f"{base}/models", models, methods=["GET"]),
        Route(f"{base}/interactions", create_interaction, methods=["POST"]),
        Route(f"{base}/interactions/{{id}}", get_interaction, methods=["GET"]),
        Route(f"{base}/interactions/{{id}}/cancel", cancel_interaction, methods=["POST"]),
        Route(f"{base}/files/{{id}}:download", download, methods=["GET"]),
    )
]
