"""How far a prompt is, as heard on ComfyUI's websocket; and that nothing depends on hearing it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiohttp import WSCloseCode, web

from providers.comfyui import ComfyUI, prompt_id_of
from providers.comfyui_progress import is_end, share_in
from providers.contract import Job, Running, Succeeded
from providers.transport import open_client
from providers.workflow_templates import BUILT_IN, read_templates
from tests.demo_process import Demo
from tests.providers.comfyui_routes import IMAGE, SLOW
from tests.providers.company_routes import FOX

KEY = "0199a0b1-c2d3-7e4f-8a5b-6c7d8e9f0a1b-1"
ID = prompt_id_of(KEY)
OTHER = prompt_id_of("another")
LOOK_MAX_S = 1.0
JOB = Job(id=ID, urls={"status": f"history/{ID}", "listen": f"ws?clientId={KEY}"})
GARBAGE: list[Any] = [
    "",
    "}",
    "[" * 100_000,
    "null",
    "[1]",
    '{"type": 3}',
    json.dumps({"type": "progress", "data": [1]}),
    *(
        json.dumps({"type": "progress", "data": {"prompt_id": ID, **numbers}})
        for numbers in (
            {},
            {"value": "1", "max": "2"},
            {"value": 3, "max": 2},
            {"value": -1, "max": 2},
            {"value": float("nan"), "max": 2},
            {"value": 1, "max": float("inf")},
            {"value": 1, "max": 10**400},
            {"value": 0, "max": 0},
        )
    ),
    json.dumps({"type": "progress_state", "data": {"prompt_id": ID, "nodes": [1]}}),
    json.dumps({"type": "progress_state", "data": {"prompt_id": ID, "nodes": {"1": 1}}}),
    json.dumps({"type": "progress", "data": {"prompt_id": OTHER, "value": 9, "max": 10}}),
    json.dumps({"type": "progress_state", "data": {"nodes": {"1": {"value": 9, "max": 10}}}}),
    json.dumps({"type": "executing", "data": {"node": None, "prompt_id": OTHER}}),
    json.dumps({"type": "executing", "data": {"node": None}}),
]
Talk = Callable[[web.Request], Awaitable[web.StreamResponse]]


def step(value: float, of: float = 20, prompt_id: str = ID) -> str:
    data = {"node": "3", "value": value, "max": of, "prompt_id": prompt_id}
    return json.dumps({"type": "progress", "data": data})


def saying(*texts: str, then: str = "stay") -> Talk:
    """A websocket that says these, and stays silent or closes."""

    async def talk(request: web.Request) -> web.StreamResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        await websocket.send_bytes(b"\0\0\0\1\0\0\0\1 a preview")
        for text in texts:
            await websocket.send_str(text)
        if then == "stay":
            await websocket.receive()
        await websocket.close(code=WSCloseCode.GOING_AWAY)
        return websocket

    return talk


async def silent(_request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def none(_request: web.Request) -> web.StreamResponse:
    return web.json_response({}, status=404)


async def moved(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": f"/elsewhere?{request.query_string}"})


@dataclass(slots=True)
class Told:
    """A server on which our prompt runs; `talk` is its websocket."""

    talk: Talk
    url: str = ""
    heard: list[web.Request] = field(default_factory=list)
    strayed: int = 0


@asynccontextmanager
async def running(talk: Talk) -> AsyncIterator[Told]:
    told = Told(talk)

    async def listen(request: web.Request) -> web.StreamResponse:
        told.heard.append(request)
        return await told.talk(request)

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        told.strayed += 1
        return await saying(step(5))(request)

    async def history(_request: web.Request) -> web.StreamResponse:
        return web.json_response({})

    async def queue(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"queue_running": [[1, ID, {}, {}, []]], "queue_pending": []})

    app = web.Application()
    paths = {"/ws": listen, "/elsewhere": elsewhere, "/history/{id}": history, "/queue": queue}
    app.add_routes([web.get(path, answer) for path, answer in paths.items()])
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    told.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield told
    finally:
        await runner.cleanup()


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


def at(url: str, client: httpx.AsyncClient) -> ComfyUI:
    return ComfyUI("comfyui", url, client, read_templates(BUILT_IN))


async def test_what_is_heard_is_told_and_never_goes_back(client: httpx.AsyncClient) -> None:
    async with running(saying(*GARBAGE, step(5), step(20))) as told:
        comfyui = at(told.url, client)
        assert await comfyui.poll(IMAGE, JOB) == Running(progress=0.25)
        for talk, progress in ((saying(step(2)), 0.25), (none, 0.25), (saying(step(15)), 0.75)):
            told.talk = talk
            assert await comfyui.poll(IMAGE, JOB) == Running(progress=progress)
        assert len(told.heard) == 4, "one websocket for each look"
        assert all(one.query["clientId"] == KEY for one in told.heard)
        strange = {"Authorization", "Cookie", "Origin"}
        assert not any(strange & set(one.headers) for one in told.heard)


@pytest.mark.parametrize(
    "talk",
    [
        none,
        silent,
        moved,
        saying(),
        saying(then="close"),
        saying(*GARBAGE),
        saying(*GARBAGE, then="close"),
        saying("x" * 9_000_000),
    ],
    ids=["none", "hangs", "moved", "says nothing", "closes", "garbage", "garbage, closes", "long"],
)
async def test_a_look_at_which_nothing_is_heard_is_no_error_and_not_long(
    client: httpx.AsyncClient, talk: Talk
) -> None:
    async with running(talk) as told:
        began = time.monotonic()
        assert await at(told.url, client).poll(IMAGE, JOB) == Running(progress=None)
        assert time.monotonic() - began < LOOK_MAX_S
        assert (len(told.heard), told.strayed) == (1, 0)


async def test_two_looks_at_once_listen_only_once(client: httpx.AsyncClient) -> None:
    async with running(saying()) as told:
        comfyui = at(told.url, client)
        await asyncio.gather(comfyui.poll(IMAGE, JOB), comfyui.poll(IMAGE, JOB))
        assert len(told.heard) == 1


async def test_nobody_listens_for_a_prompt_whose_client_is_unknown(
    client: httpx.AsyncClient,
) -> None:
    async with running(saying(step(5))) as told:
        comfyui = at(told.url, client)
        assert await comfyui.poll(IMAGE, comfyui.job(IMAGE, ID)) == Running(progress=None)
        assert told.heard == []


def test_samplers_are_counted_together_and_nodes_of_one_step_not_at_all() -> None:
    def state(*nodes: tuple[float, float]) -> dict[str, object]:
        listed = {str(at): {"value": v, "max": m} for at, (v, m) in enumerate(nodes)}
        return {"prompt_id": ID, "nodes": listed}

    assert share_in("progress_state", state((1, 1), (20, 20), (0, 20)), ID) == 0.5
    assert share_in("progress_state", state((1, 1)), ID) is None
    assert share_in("executed", state((1, 2)), ID) is None


def test_an_end_is_one_of_this_prompt() -> None:
    assert is_end("executing", {"node": None, "prompt_id": ID}, ID)
    assert is_end("execution_success", {"prompt_id": ID}, ID)
    assert not is_end("executing", {"node": "3", "prompt_id": ID}, ID)
    assert not is_end("execution_success", {"prompt_id": OTHER}, ID)


async def test_the_emulator_tells_how_far_it_is(calm_demo: Demo, client: httpx.AsyncClient) -> None:
    generation = str(uuid4())
    comfyui = at(f"{calm_demo.url}/comfyui", client)
    job = await comfyui.submit(SLOW, FOX, key=f"{generation}-1")
    seen = []
    async with asyncio.timeout(30):
        while not isinstance(state := await comfyui.poll(SLOW, job), Succeeded):
            if isinstance(state, Running) and state.progress is not None:
                seen.append(state.progress)
    assert len(set(seen)) >= 2, seen
    assert seen == sorted(seen)
    assert all(0 < one <= 1 for one in seen)
