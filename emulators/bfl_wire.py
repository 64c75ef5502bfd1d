"""Black Forest Labs' wire over the demo painters, under `/bfl/v1`.

A task of any model is drawn by the painter that fits its name, once; there is no way to stop it.
`[[case: ...]]` in a prompt: `request-moderated`, `content-moderated`, `failed`, `empty` (Ready with
nothing), `gone` (forgotten once it is done), `unwell` (a failed one is told with HTTP 503),
`elsewhere` and `moved` (a polling_url at a stranger's host, and one that redirects there).
Source: docs.bfl.ai/quick_start/generating_images and /api_integration/errors, 2026-11-22;
black-forest-labs/skills (flux3-video), 2026-11-22, for films.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from emulators.bfl_object import DOOMS, ELSEWHERE, describe_submit, describe_task
from emulators.company import Asked, Company, answer, look_up, read_object, submit_of, take_in
from emulators.loose_input import cases_in, endpoint_for
from emulators.runpod_wire import desk_of
from emulators.store import Job
from emulators.submit import refused_address

FILM_FIELDS = frozenset(
    (
        *("mode", "prompt", "aspect_ratio", "duration", "resolution", "generate_audio"),
        *("safety_tolerance", "draft", "keyframes", "start_video", "version"),
    )
)
FILM_S = (5, 20)
QUICK_FILM_S = (1, 20)  # so that tests need not wait for five seconds of film
FAILS = ("unwell",)


def show(job: Job, origin: str, progress: float, _place: int) -> tuple[dict[str, Any], int]:
    """Return a task as a poll tells of it."""
    return describe_task(job, origin, progress)


def show_new(job: Job, origin: str, _progress: float, _place: int) -> tuple[dict[str, Any], int]:
    """Return a task as its submit is answered."""
    return describe_submit(job, origin), 200


def refuse(status: int, message: str, retry_after_s: float | None) -> Response:
    """Return an error as BFL writes them."""
    headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}
    detail: Any = message
    if status == 422:
        detail = [{"loc": ["body"], "msg": message, "type": "value_error"}]
    return JSONResponse({"detail": detail}, status_code=status, headers=headers)


POLLED = Company(name="bfl", show=show, refuse=refuse)
SUBMITTED = Company(name="bfl", show=show_new, refuse=refuse)


def stranger(request: Request) -> Response | None:
    """Return the refusal of a request without a key, or None."""
    if request.headers.get("x-key", "").strip():
        return None
    return refuse(403, "Not authenticated", None)


async def create(request: Request) -> Response:
    """`POST /v1/{model}`"""
    if refused := stranger(request):
        return refused
    model = request.path_params["model"]
    endpoint = endpoint_for(model)
    if endpoint is None or not model.startswith("flux"):
        return refuse(404, "Not Found", None)
    try:
        body, _ = await read_object(request)
        asked = read_asked(model, body, is_film=endpoint.kind == "video")
        cases = cases_in(asked.input)
        doom = next((DOOMS[case] for case in cases if case in DOOMS), None)
        if doom is None and any(case in FAILS for case in cases):
            doom = "the worker failed"
        submit = submit_of(SUBMITTED, request, asked, endpoint, doom, as_data_uri)
    except ValueError as error:
        return refuse(422, str(error), None)
    return await take_in(SUBMITTED, request, submit, endpoint)


def read_asked(model: str, body: dict[str, Any], *, is_film: bool) -> Asked:
    """Return what a submit asks, in words the painters' reader knows. Raises ValueError."""
    if not isinstance(body.get("prompt"), str):
        raise ValueError("prompt: Field required")
    webhook = body.get("webhook_url")
    if webhook is not None and (wrong := refused_address(webhook)):
        raise ValueError(wrong)
    if is_film:
        return Asked(model=model, input=film_input(model, body), notes={"units": film_s(body)})
    for side in ("width", "height"):
        if body.get(side) is not None and (not isinstance(body[side], int) or body[side] % 16):
            raise ValueError(f"{side} must be a multiple of 16")
    more = [body[name] for at in range(2, 11) if (name := f"input_image_{at}") in body]
    return Asked(model=model, input={**body, **({"images": more} if more else {})}, webhook=webhook)


def film_s(body: dict[str, Any]) -> int:
    """Return how long a film is to be."""
    duration = body.get("duration", 5)
    return duration if isinstance(duration, int) else 5


def film_input(model: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the input of a film; its schema is strict. Raises ValueError."""
    if unknown := set(body) - FILM_FIELDS:
        raise ValueError(f"{sorted(unknown)[0]}: Extra inputs are not permitted")
    least, most = QUICK_FILM_S if "quick" in model else FILM_S
    if not least <= film_s(body) <= most:
        raise ValueError(f"duration: must be {least} to {most}")
    frames, mode = body.get("keyframes"), body.get("mode")
    if mode not in ("t2v", "i2v") or (mode == "i2v") != (frames is not None):
        raise ValueError("mode: keyframes are for i2v, and i2v needs them")
    frames = [frames] if isinstance(frames, str) else frames or []
    if not isinstance(frames, list) or len(frames) > 2:
        raise ValueError("keyframes: the demo takes one or two")
    pictures = dict(zip(("image", "end_image"), frames, strict=False))
    return {**body, "duration": film_s(body), **pictures}


def as_data_uri(text: str) -> str:
    """Return bare base64 as a data URI."""
    return text if text.startswith(("data:", "http")) else f"data:image/png;base64,{text}"


async def get_result(request: Request) -> Response:
    """`GET /v1/get_result?id=`"""
    if refused := stranger(request):
        return refused
    task_id = request.query_params.get("id", "")
    job = desk_of(request).jobs.find(task_id)
    if job is None or (job.wire or {}).get("name") != "bfl":
        body = {"id": task_id, "status": "Task not found", "result": None}
        return JSONResponse(body, status_code=404)
    request.path_params["id"] = task_id
    found = look_up(POLLED, request, "poll", "polls", lambda _: True)
    return found if isinstance(found, Response) else answer(POLLED, request, *found)


async def moved(request: Request) -> Response:
    """`GET /v1/moved?id=`: somewhere else, at somebody else's."""
    return RedirectResponse(f"{ELSEWHERE}?id={request.query_params.get('id', '')}", 307)


async def credits_left(request: Request) -> Response:
    """`GET /v1/credits`"""
    return stranger(request) or JSONResponse({"credits": 1000.0})


V1 = "/bfl/v1"
ROUTES = [
    Route(f"{V1}/get_result", get_result, methods=["GET"]),
    Route(f"{V1}/moved", moved, methods=["GET"]),
    Route(f"{V1}/credits", credits_left, methods=["GET"]),
    Route(f"{V1}/{{model}}", create, methods=["POST"]),
]
