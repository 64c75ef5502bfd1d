"""A ComfyUI of one's own: graphs from templates, under ids that we choose, in its queue.

The id is made of our key, so a submit whose answer was lost is repeated without harm: it looks
first whether the prompt is there. Everything is held in the server's memory: after its restart a
prompt is gone. There is no key, no webhook and no price.
Source: ComfyUI's server.py (Comfy-Org/ComfyUI @002c3fb) and
docs.comfy.org/development/comfyui-server/comms_routes, 2026-11-22.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping
from urllib.parse import quote
from uuid import UUID, uuid5

import httpx

from providers import wire
from providers.addresses import origin_of
from providers.comfyui_history import parse, place_in
from providers.comfyui_progress import Listener
from providers.contract import (
    AnswerLost,
    Cancelled,
    Gone,
    Job,
    JobState,
    Malformed,
    NeverSent,
    News,
    Rejected,
    Request,
    Route,
    Running,
    Unreachable,
    Waiting,
)
from providers.dialect import Json
from providers.failures import message_of, plain_text
from providers.place import Configured, Question
from providers.spelling import data_uri, spell
from providers.workflow_templates import BUILT_IN, Template, TemplateError, read_templates
from settings import Settings, SettingsError

INPUT_BYTES_MAX = 90_000_000  # its --max-upload-size is 100 MB
PROMPTS = UUID("6f0c3d1e-6d0b-5c58-9a3e-2f6f3f1f4b52")  # ours alone: where ids are made of keys
PROMPT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
SEED_BITS = 48
FOLDER = "kinora"  # of the pictures we upload
WITHOUT_WORDS = frozenset({200, 201, 204})  # what is done without an answer in JSON
DELETED_KEPT = 1000


class ComfyUI:
    """One ComfyUI server.

    What was deleted from its queue leaves no trace there, so that is remembered here: after a
    restart of ours such a prompt is gone instead of cancelled.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        client: httpx.AsyncClient,
        templates: Mapping[str, Template],
    ) -> None:
        self.name = name
        self.origin = origin_of(base_url)
        self.input_bytes_max = INPUT_BYTES_MAX
        self._base_url = base_url.rstrip("/")
        self._client = client
        self._templates = templates
        self._deleted: dict[str, None] = {}
        self._listener = Listener(self._base_url)

    async def submit(
        self, route: Route, request: Request, *, key: str, webhook_url: str | None = None
    ) -> Job:
        """Queue a graph, unless it is known already; its pictures are uploaded before.

        Raises: any ProviderError but Unreachable and Gone.
        """
        template = self._templates.get(route.endpoint)
        if template is None:
            there = ", ".join(sorted(self._templates)) or "none"
            raise Rejected(f"there is no workflow template {route.endpoint}; there are: {there}")
        try:
            if known := await self.find(route, key):
                return known
            uploaded = await self._upload(request)
        except (Unreachable, Gone) as error:
            raise NeverSent(f"nothing was queued: {error.message}") from error
        body = payload(template, route, request, key, uploaded)
        answer = await self._queue(body)
        told: Mapping[str, object] = answer.json if isinstance(answer.json, Mapping) else {}
        prompt_id = told.get("prompt_id")  # an old server has made its own
        if not isinstance(prompt_id, str) or not PROMPT_ID.fullmatch(prompt_id):
            raise AnswerLost(f"{self.name} took the workflow, but named no prompt")
        return self._job_of(route, prompt_id, key)

    async def poll(self, route: Route, job: Job) -> JobState:
        """Ask how a prompt stands. Raises: Unreachable, Busy, Gone, Unauthorized, Malformed.

        How far a running one is, is told on a websocket, to which we listen for a moment. From the
        queue into the history a prompt moves in one step, so after a queue without it the history
        is asked once more.
        """
        for is_last in (False, True):
            entry = await self._history(job.id)
            if entry is not None:
                self._listener.forget(job.id)
                template = self._templates.get(route.endpoint)
                return parse(route, entry, template.outputs if template else (), self._base_url)
            if not is_last and (place := await self._place(job.id)):
                if isinstance(place, Running):
                    heard = await self._listener.progress(job.id, job.urls.get("listen"))
                    return Running(progress=heard)
                return place
        if job.id in self._deleted:
            return Cancelled()
        raise Gone(f"{self.name} knows this prompt no more: it was restarted, or its history ended")

    async def cancel(self, route: Route, job: Job) -> None:
        """Take a waiting prompt out of the queue, interrupt a running one. Raises: like `poll`.

        Old servers interrupt whatever runs, so only what runs just now is interrupted.
        """
        place = await self._place(job.id)
        if isinstance(place, Waiting):
            await self._tell("queue", {"delete": [job.id]})
            place = await self._place(job.id)
            if place is None:
                self._deleted[job.id] = None
                for oldest in list(self._deleted)[:-DELETED_KEPT]:
                    del self._deleted[oldest]
        if isinstance(place, Running):
            await self._tell("interrupt", {"prompt_id": job.id})

    async def find(self, route: Route, key: str) -> Job | None:
        """Return the prompt of a key, if the server has it. Raises: like `poll`, but never Gone."""
        prompt_id = prompt_id_of(key)
        known = await self._history(prompt_id) is not None or await self._place(prompt_id)
        return self._job_of(route, prompt_id, key) if known else None

    def hear(self, headers: Mapping[str, str], raw: bytes) -> News:
        """Raises: Malformed: a ComfyUI tells nothing of its own accord."""
        raise Malformed("no news are expected from a ComfyUI")

    def job(self, route: Route, job_id: str) -> Job:
        """Return the prompt of this id. Raises: Malformed."""
        if not PROMPT_ID.fullmatch(job_id):
            raise Malformed(f"no prompt of {self.name} can have such an id")
        return Job(id=job_id, urls={"status": f"history/{job_id}"})

    def _job_of(self, route: Route, prompt_id: str, key: str) -> Job:
        """Return the prompt of a key: the server tells its progress only to who queued it."""
        job = self.job(route, prompt_id)
        listen = f"ws?clientId={quote(key, safe='')}"
        return Job(id=job.id, urls={**job.urls, "listen": listen})

    async def _history(self, prompt_id: str) -> object:
        """Return the prompt's entry, None while it has none."""
        call = self._client.build_request("GET", f"{self._base_url}/history/{prompt_id}")
        told = (await wire.look(self._client, call, "")).json
        if not isinstance(told, Mapping):
            raise Malformed("the history is no JSON object")
        return told.get(prompt_id)

    async def _place(self, prompt_id: str) -> Waiting | Running | None:
        call = self._client.build_request("GET", f"{self._base_url}/queue")
        return place_in((await wire.look(self._client, call, "")).json, prompt_id)

    async def _tell(self, path: str, body: Mapping[str, Json]) -> None:
        call = self._client.build_request("POST", f"{self._base_url}/{path}", json=body)
        await wire.look(self._client, call, "", too_late=WITHOUT_WORDS)

    async def _queue(self, body: Mapping[str, Json]) -> wire.Answer:
        """Send the graph once; a refusal says which input of which node is wrong.

        Raises: like `wire.submit`.
        """
        content = json.dumps(body, allow_nan=False).encode()
        call = self._client.build_request(
            "POST",
            f"{self._base_url}/prompt",
            headers={"Content-Type": "application/json", "Content-Length": str(len(content))},
            content=wire.portions(content),
        )
        where = call.url.host
        try:
            async with asyncio.timeout(wire.SUBMIT_S):
                answer = await wire.ask(self._client, call, "", is_paid=True)
        except httpx.ConnectError as error:
            raise NeverSent(f"no connection to {where}") from error
        except (httpx.TransportError, TimeoutError) as error:
            raise AnswerLost(f"no answer from {where} ({type(error).__name__})") from error
        if answer.status == 400 and (wrong := wrong_inputs(answer.json)):
            raise Rejected(f"{answer.message}: {wrong}")
        if not 200 <= answer.status < 300:
            raise wire.refusal_of_submit(answer)
        return answer

    async def _upload(self, request: Request) -> dict[str, str]:
        """Store the pictures in the server's input folder, named by what is in them; return the
        names by data URI. Raises: like `poll`.
        """
        stored = {}
        for file in request.inputs:
            name = f"{hashlib.sha256(file.data).hexdigest()[:32]}.{file.media_type.split('/')[-1]}"
            call = self._client.build_request(
                "POST",
                f"{self._base_url}/upload/image",
                data={"subfolder": FOLDER, "type": "input", "overwrite": "true"},
                files={"image": (name, file.data, file.media_type)},
            )
            told = (await wire.look(self._client, call, "")).json
            there = told.get("name") if isinstance(told, Mapping) else None
            folder = told.get("subfolder") if isinstance(told, Mapping) else None
            if not isinstance(there, str):
                raise Malformed(f"{self.name} took a picture, but gave no name for it")
            stored[data_uri(file)] = f"{folder}/{there}" if folder else there
        return stored


def prompt_id_of(key: str) -> str:
    """Return the id that a submit of this key has, always the same."""
    return str(uuid5(PROMPTS, key))


def payload(
    template: Template,
    route: Route,
    request: Request,
    key: str,
    uploaded: Mapping[str, str] | None = None,
) -> dict[str, Json]:
    """Return the body of a submit; `uploaded` are the names of the pictures by data URI.

    Without a seed one is made of the key: the same graph again would not be run, but answered from
    the server's cache. Raises: Rejected: the route has a field that the template has no slot for.
    """
    names = uploaded or {}
    values: dict[str, Json] = {}
    for name, value in spell(route.dialect, request).items():
        if isinstance(value, list):
            values[name] = [names.get(str(one), one) for one in value]
        else:
            values[name] = names.get(value, value) if isinstance(value, str) else value
    if "seed" in template.slots and "seed" not in values:
        values["seed"] = int.from_bytes(hashlib.sha256(key.encode()).digest()[: SEED_BITS // 8])
    if strange := sorted(set(values) - set(template.slots)):
        raise Rejected(f"the workflow template {route.endpoint} has no slot {strange[0]}")
    return {"prompt": template.filled(values), "prompt_id": prompt_id_of(key), "client_id": key}


def wrong_inputs(body: object) -> str:
    """Return what a refusal says of single nodes, which is the part that helps."""
    nodes = body.get("node_errors") if isinstance(body, Mapping) else None
    for node in nodes.values() if isinstance(nodes, Mapping) else ():
        errors = node.get("errors") if isinstance(node, Mapping) else None
        for error in errors if isinstance(errors, list) else ():
            details = error.get("details") if isinstance(error, Mapping) else None
            said = plain_text(str(details or message_of(error)))
            if said:
                return f"{plain_text(str(node.get('class_type', 'a node')))}: {said}"
    return ""


def configured(settings: Settings, client: httpx.AsyncClient) -> Configured | None:
    """A ComfyUI, where its address is set. The question is what it runs on.

    Raises: SettingsError: the folder of templates, or one of them, cannot be used.
    """
    base_url = settings.comfyui_base_url
    if base_url is None:
        return None
    own = settings.comfyui_workflows
    try:
        templates = read_templates(*(folder for folder in (BUILT_IN, own) if folder is not None))
    except TemplateError as error:
        raise SettingsError(f"COMFYUI_WORKFLOWS: {error}") from None
    return Configured(
        provider=ComfyUI("comfyui", base_url, client, templates),
        label="ComfyUI",
        setting="comfyui_base_url",
        question=Question(url=f"{base_url}/system_stats", headers={}),
    )
