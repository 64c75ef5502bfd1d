"""Every company on one table: how it is switched on, what it is asked, and a small server that says
what that company would say, with whatever addresses a test wants it to hand out.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from providers.configured import switched_on
from providers.contract import Job, Keyed, Made, Provider, Request, Route, Succeeded
from providers.download import ResultClients, fetch_result
from providers.sink import Fetched, FetchLimits
from settings import load
from tests.providers import bfl_routes, comfyui_routes
from tests.providers.company_routes import route_to
from tests.providers.servers import Exchange, Server, serving

SECRET = "planted-key-4f1c9b7e2d"
SUBMIT_KEY = "0199a0b1-c2d3-7e4f-8a5b-6c7d8e9f0a1b-1"
PICTURE = Request(kind="image", prompt="a red fox")
FILM = Request(kind="video", prompt="a red fox walks", duration_s=1)
BODY = b"\x89PNG\r\n\x1a\n of no use"


async def reply_picture(exchange: Exchange) -> None:
    await exchange.reply(BODY, headers={"Content-Type": "image/png"})


@dataclass(slots=True)
class Told:
    """What the small server hands out; a test may change it at any time."""

    result: str = ""
    elsewhere: str = ""  # as status, polling, cancel and result address
    moved: int | None = None  # a status: every question is sent to `elsewhere` with it
    body: Callable[[Exchange], Awaitable[None]] = reply_picture
    prompt_id: str | None = None

    def addresses(self, *names: str) -> dict[str, str]:
        """The other place, under each of these names."""
        return dict.fromkeys(names, self.elsewhere)


Speak = Callable[[Told, Exchange], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One company; `result` is where its results stand at the configured place itself."""

    name: str
    key: str | None
    route: Route
    request: Request
    speak: Speak
    hosts: tuple[str, ...]
    base_url: str
    result: str = "/made/r.png"

    def __str__(self) -> str:
        return self.name

    @property
    def names_files(self) -> bool:
        """Whether it tells names of files, to which we build the address ourselves."""
        return self.name == "comfyui"


def speak_runpod(told: Told, exchange: Exchange) -> Mapping[str, Any]:
    done = {"status": "COMPLETED", "output": {"image_url": told.result}}
    is_submit = exchange.path.endswith("/run")
    state = {"status": "IN_QUEUE"} if is_submit else done
    return {"id": "j-1", **state, **told.addresses("status_url", "stream_url", "cancel_url", "url")}


def speak_fal(told: Told, exchange: Exchange) -> Mapping[str, Any]:
    links = told.addresses("status_url", "response_url", "cancel_url")
    path = exchange.path.partition("?")[0]
    if exchange.method == "GET" and not path.endswith("/status"):
        return {"images": [{"url": told.result}]}
    state = "COMPLETED" if exchange.method == "GET" else "IN_QUEUE"
    return {"request_id": "j-1", "status": state, **links}


def speak_replicate(told: Told, exchange: Exchange) -> Mapping[str, Any]:
    links = told.addresses("get", "cancel", "stream", "web")
    if exchange.method == "POST":
        return {"id": "j-1", "status": "starting", "output": None, "urls": links}
    return {"id": "j-1", "status": "succeeded", "output": [told.result], "urls": links}


def speak_bfl(told: Told, exchange: Exchange) -> Mapping[str, Any]:
    if exchange.method == "POST":
        return {"id": "j-1", **told.addresses("polling_url")}
    return {"id": "j-1", "status": "Ready", "result": {"sample": told.result}}


def speak_gemini(told: Told, exchange: Exchange) -> Mapping[str, Any]:
    links = told.addresses("name", "uri", "next", "statusUri")
    if exchange.method == "POST":
        return {"id": "j-1", "status": "in_progress", "steps": [], **links}
    film = {"type": "video", "mime_type": "video/mp4", "uri": told.result}
    steps = [{"type": "model_output", "content": [film]}]
    return {"id": "j-1", "status": "completed", "steps": steps, **links}


def speak_images(told: Told, exchange: Exchange) -> Mapping[str, Any]:
    return {"created": 1, "data": [{"url": told.result}], **told.addresses("next", "url")}


def speak_comfyui(told: Told, exchange: Exchange) -> Mapping[str, Any]:
    if exchange.path.endswith("/queue"):
        return {"queue_running": [], "queue_pending": []}
    if exchange.method == "POST":
        told.prompt_id = json.loads(exchange.body)["prompt_id"]
        return {"prompt_id": told.prompt_id, "number": 1, **told.addresses("url")}
    if told.prompt_id is None:
        return {}
    file = {"filename": told.result, "subfolder": told.result, "type": "output"}
    made = {"9": {"images": [{**file, **told.addresses("url", "fullpath")}]}}
    return {told.prompt_id: {"status": {"status_str": "success"}, "outputs": made}}


COMPANIES = (
    Company(
        name="runpod",
        key="RUNPOD_API_KEY",
        base_url="RUNPOD_BASE_URL",
        route=route_to("runpod", "flux"),
        request=PICTURE,
        speak=speak_runpod,
        hosts=("*.runpod.ai",),
    ),
    Company(
        name="fal",
        key="FAL_KEY",
        base_url="FAL_BASE_URL",
        route=route_to("fal", "demo/painter/dev"),
        request=PICTURE,
        speak=speak_fal,
        hosts=("*.fal.media",),
    ),
    Company(
        name="replicate",
        key="REPLICATE_API_TOKEN",
        base_url="REPLICATE_BASE_URL",
        route=route_to("replicate", "demo/painter"),
        request=PICTURE,
        speak=speak_replicate,
        hosts=("*.replicate.delivery",),
    ),
    Company(
        name="bfl",
        key="BFL_API_KEY",
        base_url="BFL_BASE_URL",
        route=bfl_routes.IMAGE,
        request=PICTURE,
        speak=speak_bfl,
        hosts=("*.bfl.ai",),
    ),
    Company(
        name="gemini",
        key="GEMINI_API_KEY",
        base_url="GEMINI_BASE_URL",
        route=route_to("gemini", "gemini-omni-flash", kind="video"),
        request=FILM,
        speak=speak_gemini,
        hosts=("*.googleusercontent.com",),
    ),
    Company(
        name="images",
        key="IMAGES_API_KEY",
        base_url="IMAGES_BASE_URL",
        route=route_to("images", "gpt-image-2"),
        request=PICTURE,
        speak=speak_images,
        hosts=("*.blob.example.com",),
    ),
    Company(
        name="comfyui",
        key=None,
        base_url="COMFYUI_BASE_URL",
        route=comfyui_routes.IMAGE,
        request=PICTURE,
        speak=speak_comfyui,
        hosts=(),
        result="/view?",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A company's adapter, opened as an installation opens it, and the server that plays it."""

    company: Company
    provider: Provider
    server: Server
    told: Told

    async def results(self) -> tuple[str, ...]:
        """The addresses that come of a submit and a look."""
        made = await self.submit()
        state = made.state if isinstance(made, Made) else await self.poll(made)
        assert isinstance(state, Succeeded), state
        return tuple(output.url for output in state.outputs)

    async def submit(self) -> Job | Made:
        route, request = self.company.route, self.company.request
        return await self.provider.submit(route, request, key=SUBMIT_KEY)

    async def poll(self, job: Job) -> object:
        return await self.provider.poll(self.company.route, job)

    async def fetch(
        self,
        clients: ResultClients,
        url: str,
        path: Path,
        limits: FetchLimits,
        hosts: tuple[str, ...] = (),
    ) -> Fetched:
        """Fetch a result as a generation does that collects it."""
        return await fetch_result(
            clients,
            url,
            path,
            allowed_hosts=(*self.company.hosts, *hosts),
            origin=self.provider.origin,
            limits=limits,
            headers_for=self.provider.result_headers if isinstance(self.provider, Keyed) else None,
        )

    def is_result(self, exchange: Exchange) -> bool:
        """Whether a request is one for the result itself."""
        return exchange.path.startswith(self.company.result)


@asynccontextmanager
async def stage(company: Company, client: httpx.AsyncClient) -> AsyncIterator[Stage]:
    """Run the server and open the adapter at it; a result at the server itself is handed out."""
    told = Told()

    async def answer(exchange: Exchange) -> None:
        if exchange.path.startswith(company.result):
            await told.body(exchange)
        elif told.moved is not None:
            await exchange.reply(b"{}", told.moved, headers={"Location": told.elsewhere})
        else:
            await exchange.reply(json.dumps(company.speak(told, exchange)).encode())

    async with serving(answer) as server:
        told.result = f"{server.url}{company.result}"
        keys = {company.key: SECRET} if company.key else {}
        settings = load({**keys, company.base_url: server.url}, Path("/nowhere/.env")).settings
        (opened,) = switched_on(settings, client)
        try:
            yield Stage(company=company, provider=opened.provider, server=server, told=told)
        finally:
            if opened.aclose is not None:
                await opened.aclose()
