"""ComfyUI's wire over the demo painters, under `/comfyui` and `/comfyui/api`.

Like the real one it takes any id that the client chooses and runs it as often as it is sent; what
is deleted from the queue leaves no trace. Unlike it, it remembers its history over a restart. Cases
in a prompt: `error` (a node runs out of memory), `forgotten` (restarted after it was done),
`partial` (one picture fewer), `preview` (nothing is saved).
Source: ComfyUI's server.py and execution.py (Comfy-Org/ComfyUI @002c3fb), 2026-11-22.
"""

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.broken_answers import Late
from emulators.comfyui_graph import GraphError, read_graph, saving_node
from emulators.company import (
    FAILED,
    Asked,
    Company,
    answer,
    read_object,
    refused,
    submit_of,
    take_in,
)
from emulators.endpoints import ENDPOINTS
from emulators.fault_orders import Fault
from emulators.ledger import generation_of
from emulators.loose_input import cases_in
from emulators.results import result
from emulators.runpod_wire import desk_of
from emulators.store import Job, Status

PROMPT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FILE = re.compile(r"(?P<job>[0-9a-zA-Z-]+)_(?P<n>\d+)_\.(?P<suffix>png|mp4)")
UPLOADED = re.compile(r"[\w-]+\.\w{1,5}")
OUT_OF_MEMORY = "Allocation on device 0 would exceed allowed memory. (out of memory)"


def prompt_id_of(job: Job) -> str:
    """Return the id that a job has on this wire."""
    return str((job.wire or {}).get("prompt_id", job.id))


def number_of(job: Job) -> int:
    """Return a number that grows with every prompt."""
    return round(job.accepted_at * 1000)


def show_new(job: Job, _origin: str, _progress: float, _place: int) -> tuple[dict[str, Any], int]:
    """Return what a submit is answered."""
    shown = {"prompt_id": prompt_id_of(job), "number": number_of(job), "node_errors": {}}
    return shown, 200


def show(job: Job, _origin: str, _progress: float, _place: int) -> tuple[dict[str, Any], int]:
    """Return the history of one prompt: empty until it has ended."""
    wire = job.wire or {}
    was_deleted = job.status is Status.CANCELLED and job.started_at is None
    if not job.is_finished or was_deleted or "forgotten" in wire.get("cases", ()):
        return {}, 200
    prompt_id = prompt_id_of(job)
    messages: list[Any] = [["execution_start", {"prompt_id": prompt_id}]]
    if job.status is Status.CANCELLED:
        messages.append(["execution_interrupted", {"prompt_id": prompt_id, "node_id": "3"}])
    if job.status is Status.FAILED:
        what = {"node_id": "3", "node_type": "KSampler", "exception_message": job.error}
        messages.append(["execution_error", {"prompt_id": prompt_id, **what}])
    is_done = job.status is Status.COMPLETED
    status = {
        "status_str": "success" if is_done else "error",
        "completed": is_done,
        "messages": messages,
    }
    prompt = [number_of(job), prompt_id, {}, {"client_id": job.subject}, [wire.get("saver", "9")]]
    entry = {"prompt": prompt, "outputs": files_of(job), "status": status, "meta": {}}
    return {prompt_id: entry}, 200


def files_of(job: Job) -> dict[str, Any]:
    """Return the files that nodes have saved."""
    if job.output is None:
        return {}
    wire = job.wire or {}
    cases = wire.get("cases", ())
    made = [job.output["file"]] if "file" in job.output else None
    names = made or [image["file"] for image in job.output["images"]]
    if "partial" in cases:
        names = names[:-1]
    kind = "temp" if "preview" in cases else "output"
    files = [{"filename": file_name(job, name), "subfolder": "", "type": kind} for name in names]
    preview = {"filename": "preview.png", "subfolder": "", "type": "temp"}
    return {"8": {"images": [preview]}, wire.get("saver", "9"): {"images": files}}


def file_name(job: Job, name: str) -> str:
    """Return a file's name on this wire."""
    stem, _, suffix = name.rpartition(".")
    return f"{job.id}_{stem}_.{suffix}"


def refuse(status: int, message: str, retry_after_s: float | None) -> Response:
    """Return an error as ComfyUI writes them."""
    headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}
    error = {"type": "demo", "message": message, "details": "", "extra_info": {}}
    return JSONResponse({"error": error, "node_errors": {}}, status_code=status, headers=headers)


SUBMITTED = Company(name="comfyui", show=show_new, refuse=refuse)
POLLED = Company(name="comfyui", show=show, refuse=refuse)


async def create(request: Request) -> Response:
    """`POST /prompt`"""
    desk = desk_of(request)
    try:
        body, _ = await read_object(request)
        graph, prompt_id = body.get("prompt"), body.get("prompt_id")
        if not isinstance(graph, dict) or not graph:
            return refuse(400, "No prompt provided", None)
        if not isinstance(prompt_id, str) or not PROMPT_ID.fullmatch(prompt_id):
            return refuse(400, "prompt_id must be a UUID in lower case", None)
        asked, is_film, is_quick = read_graph(graph)
        endpoint = ENDPOINTS[
            f"demo-{'video' if is_film else 'image'}{'-quick' if is_quick else ''}"
        ]
        key = prompt_id if desk.jobs.find_by_key(prompt_id) is None else None
        doom = OUT_OF_MEMORY if "error" in cases_in(asked) else None
        client_id = str(body.get("client_id", ""))
        notes = {"prompt_id": prompt_id, "saver": saving_node(graph), "client_id": client_id}
        order = Asked(model="graph", input=asked, key=key, notes=notes)
        inputs = desk.data_dir / "comfyui_input"
        submit = submit_of(
            SUBMITTED, request, order, endpoint, doom, lambda name: stored_picture(inputs, name)
        )
    except GraphError as error:
        return refused_graph(error)
    except ValueError as error:
        return refuse(400, str(error), None)
    whose = generation_of(client_id or prompt_id)
    return await take_in(
        SUBMITTED, request, replace(submit, generation=whose, whose=whose), endpoint
    )


def refused_graph(error: GraphError) -> Response:
    """Return the refusal of a graph, with what is wrong in which node."""
    detail = {"type": "value_not_in_list", "message": "Value not in list", "details": str(error)}
    node = {"errors": [detail], "dependent_outputs": ["9"], "class_type": error.class_type}
    what = {
        "type": "prompt_outputs_failed_validation",
        "message": "Prompt outputs failed validation",
        "details": "",
        "extra_info": {},
    }
    return JSONResponse({"error": what, "node_errors": {error.node: node}}, status_code=400)


def stored_picture(folder: Path, name: str) -> str:
    """Return an uploaded picture as a data URI; any other text as it is."""
    path = folder / name.rpartition("/")[2]
    if not UPLOADED.fullmatch(path.name) or not path.is_file():
        return name
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


async def history(request: Request) -> Response:
    """`GET /history/{id}`"""
    desk = desk_of(request)
    job = desk.jobs.find_by_key(request.path_params["id"])
    if job is None or (job.wire or {}).get("name") != "comfyui":
        return JSONResponse({})
    desk.ledger.count(job.subject, "polls")
    fault = desk.faults.take("poll", job.endpoint, job.subject)
    if fault and fault.fault in ("drop_before", "status"):
        return refused(POLLED, fault)
    if fault and fault.fault == "fail":
        job = desk.jobs.fail(job.id, FAILED)
        desk.workshop.drop(job.id)
    if fault and fault.fault == "unknown_status":
        baking = {"status_str": "BAKING", "completed": False, "messages": []}
        return JSONResponse({prompt_id_of(job): {"outputs": {}, "status": baking}})
    return answer(POLLED, request, job, fault)


async def queue(request: Request) -> Response:
    """`GET /queue`: what runs, and what waits in no order at all."""
    jobs = [
        job
        for job in desk_of(request).jobs.unfinished()
        if (job.wire or {}).get("name") == "comfyui"
    ]
    by_status = {
        status: [
            [number_of(job), prompt_id_of(job), {}, {"client_id": job.subject}, ["9"]]
            for job in reversed(jobs)
            if job.status is status
        ]
        for status in (Status.IN_PROGRESS, Status.IN_QUEUE)
    }
    running, pending = by_status[Status.IN_PROGRESS], by_status[Status.IN_QUEUE]
    return JSONResponse({"queue_running": running, "queue_pending": pending})


async def change_queue(request: Request) -> Response:
    """`POST /queue {"delete": [id]}`: those that wait."""
    body, _ = await read_object(request)
    for prompt_id in body.get("delete", ()):
        if (stopped := stop(request, prompt_id, Status.IN_QUEUE)) is not None:
            return stopped
    return Response(status_code=200)


async def interrupt(request: Request) -> Response:
    """`POST /interrupt {"prompt_id": id}`: it, if it runs."""
    body, _ = await read_object(request)
    return stop(request, body.get("prompt_id"), Status.IN_PROGRESS) or Response(status_code=200)


def stop(request: Request, prompt_id: object, where: Status) -> Response | None:
    """Cancel a prompt that stands there; returns what a fault answers instead."""
    desk = desk_of(request)
    job = desk.jobs.find_by_key(str(prompt_id))
    if job is None:
        return None
    desk.ledger.count(job.subject, "cancels")
    fault = desk.faults.take("cancel", job.endpoint, job.subject)
    if fault and fault.fault in ("drop_before", "status"):
        return refused(POLLED, fault)
    if job.status is where:
        desk.jobs.cancel(job.id)
        desk.workshop.drop(job.id)
    return slow(fault)


def slow(fault: Fault | None) -> Response | None:
    """Return an answer that comes late, where that is ordered."""
    if fault and fault.fault == "late":
        return Late(Response(status_code=200), fault.delay_s)
    return None


async def view(request: Request) -> Response:
    """`GET /view?filename=&subfolder=&type=output`"""
    match = FILE.fullmatch(request.query_params.get("filename", ""))
    if match is None or request.query_params.get("type", "output") != "output":
        return Response(status_code=404)
    request.path_params.update(job=match["job"], n=match["n"], suffix=match["suffix"])
    return await result(request)


async def upload(request: Request) -> Response:
    """`POST /upload/image`: multipart, the file in `image`."""
    async with request.form() as form:
        image, folder = form.get("image"), form.get("subfolder", "")
        if not isinstance(image, UploadFile) or not UPLOADED.fullmatch(image.filename or ""):
            return Response(status_code=400)
        data, name = await image.read(), image.filename
    inputs = desk_of(request).data_dir / "comfyui_input"
    inputs.mkdir(exist_ok=True)
    (inputs / str(name)).write_bytes(data)
    return JSONResponse({"name": name, "subfolder": folder, "type": "input"})


async def system_stats(_request: Request) -> Response:
    """`GET /system_stats`"""
    return JSONResponse({"system": {"comfyui_version": "demo"}, "devices": []})


ROUTES = [
    route
    for prefix in ("/comfyui", "/comfyui/api")
    for route in (
        Route(f"{prefix}/prompt", create, methods=["POST"]),
        Route(f"{prefix}/history/{{id}}", history, methods=["GET"]),
        Route(f"{prefix}/queue", queue, methods=["GET"]),
        Route(f"{prefix}/queue", change_queue, methods=["POST"]),
        Route(f"{prefix}/interrupt", interrupt, methods=["POST"]),
        Route(f"{prefix}/view", view, methods=["GET"]),
        Route(f"{prefix}/upload/image", upload, methods=["POST"]),
        Route(f"{prefix}/system_stats", system_stats, methods=["GET"]),
    )
]
