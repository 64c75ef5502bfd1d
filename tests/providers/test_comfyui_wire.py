"""The adapter of ComfyUI over a real connection: what is asked, and what each bad day becomes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from providers.comfyui import ComfyUI, configured, prompt_id_of
from providers.contract import (
    AnswerLost,
    Busy,
    Cancelled,
    Gone,
    InputFile,
    Job,
    Malformed,
    NeverSent,
    ProviderError,
    Rejected,
    Request,
    Running,
    Unauthorized,
    Unreachable,
    Waiting,
)
from providers.transport import Limits, open_client
from providers.workflow_templates import BUILT_IN, read_templates
from settings import Settings
from tests.providers.comfyui_routes import EDIT, IMAGE
from tests.providers.servers import Answer, Exchange, Server, closed_port, serving

PROMPT = Request(kind="image", prompt="a red fox", width_px=64, height_px=64)
KEY = "0199a0b1-c2d3-7e4f-8a5b-6c7d8e9f0a1b-1"
ID = prompt_id_of(KEY)
OTHER = prompt_id_of("another")
JOB = Job(id=ID, urls={"status": f"history/{ID}", "listen": f"ws?clientId={KEY}"})
IDLE: dict[str, Any] = {"queue_running": [], "queue_pending": []}
WAITS = {**IDLE, "queue_pending": [[1, ID, {}, {}, []]]}
RUNS = {**IDLE, "queue_running": [[1, ID, {}, {}, []]]}
LATER = {"Retry-After": "7"}


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(Limits(connect_s=0.3, read_s=0.3)) as client:
        yield client


def at(server: Server, client: httpx.AsyncClient) -> ComfyUI:
    return ComfyUI("comfyui", f"{server.url}/", client, read_templates(BUILT_IN))


def answering(status: int, body: object = None, headers: dict[str, str] | None = None) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(json.dumps(body).encode(), status, headers=headers)

    return answer


async def cut(exchange: Exchange) -> None:
    exchange.reset()


async def hang(exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def reply_page(exchange: Exchange) -> None:
    await exchange.reply(b"<html>back soon</html>", headers={"Content-Type": "text/html"})


def comfyui(prompt: Answer | None = None, queue: Mapping[str, Any] = IDLE) -> Answer:
    """A server that knows no prompt yet; `prompt` answers the submit."""

    async def answer(exchange: Exchange) -> None:
        if exchange.path == "/prompt":
            told = {"prompt_id": ID, "number": 1, "node_errors": {}}
            await (prompt or answering(200, told))(exchange)
        elif exchange.path == "/queue" and exchange.method == "GET":
            await exchange.reply(json.dumps(queue).encode())
        elif exchange.path == "/upload/image":
            await exchange.reply(b'{"name": "x.png", "subfolder": "kinora", "type": "input"}')
        elif exchange.method == "POST":
            await exchange.reply(b"", headers={"Content-Type": "text/plain"})
        else:
            await exchange.reply()

    return answer


SUBMIT: list[tuple[str, Answer, type[ProviderError]]] = [
    ("reset", cut, AnswerLost),
    ("hanging", hang, AnswerLost),
    ("a page", reply_page, AnswerLost),
    ("200 without an id", answering(200, {"number": 1}), AnswerLost),
    ("200 with an odd id", answering(200, {"prompt_id": "../x"}), AnswerLost),
    ("500", answering(500, {"error": "boom"}), AnswerLost),
    ("503 with Retry-After", answering(503, None, LATER), Busy),
    ("401 of a proxy", answering(401, {}), Unauthorized),
    ("413", answering(413), Rejected),
    ("302", answering(302, None, {"Location": "/elsewhere"}), Malformed),
]


@pytest.mark.parametrize(
    ("answer", "error"), [row[1:] for row in SUBMIT], ids=[row[0] for row in SUBMIT]
)
async def test_a_submit_that_fails_says_who_must_act(
    client: httpx.AsyncClient, answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(comfyui(answer)) as server:
        with pytest.raises(error) as raised:
            await at(server, client).submit(IMAGE, PROMPT, key=KEY)
        assert type(raised.value) is error
        assert len([one for one in server.seen if one.path == "/prompt"]) == 1


async def test_a_refusal_says_which_input_is_wrong(client: httpx.AsyncClient) -> None:
    wrong = {"type": "value_not_in_list", "message": "x", "details": "ckpt_name: 'a' not in ['b']"}
    refusal = {
        "error": {"type": "x", "message": "Prompt outputs failed validation"},
        "node_errors": {"4": {"errors": [wrong], "class_type": "CheckpointLoaderSimple"}},
    }
    async with serving(comfyui(answering(400, refusal))) as server:
        with pytest.raises(Rejected, match=r"CheckpointLoaderSimple: ckpt_name: 'a' not in"):
            await at(server, client).submit(IMAGE, PROMPT, key=KEY)
    odds: list[Any] = [{"node_errors": []}, {"node_errors": {"4": {"errors": [3]}}}, []]
    for odd in odds:
        async with serving(comfyui(answering(400, odd))) as server:
            with pytest.raises(Rejected):
                await at(server, client).submit(IMAGE, PROMPT, key=KEY)


async def test_a_submit_to_nobody_was_never_sent(client: httpx.AsyncClient) -> None:
    address = f"http://127.0.0.1:{closed_port()}"
    nobody = ComfyUI("comfyui", address, client, read_templates(BUILT_IN))
    with pytest.raises(NeverSent):
        await nobody.submit(IMAGE, PROMPT, key=KEY)
    for look in (nobody.poll, nobody.cancel):
        with pytest.raises(Unreachable):
            await look(IMAGE, JOB)


async def test_a_template_nobody_has_is_refused_before_anything_is_asked(
    client: httpx.AsyncClient,
) -> None:
    async with serving(comfyui()) as server:
        with pytest.raises(Rejected, match="no workflow template mine; there are: image-to-image"):
            await at(server, client).submit(replace(IMAGE, endpoint="mine"), PROMPT, key=KEY)
        assert server.seen == []


async def test_a_prompt_goes_out_under_an_id_of_ours(client: httpx.AsyncClient) -> None:
    async with serving(comfyui()) as server:
        assert await at(server, client).submit(IMAGE, PROMPT, key=KEY) == JOB
        sent = json.loads(server.seen[-1].body)
        assert (sent["prompt_id"], sent["client_id"]) == (ID, KEY)
        assert sent["prompt"]["6"]["inputs"]["text"] == "a red fox"
        looked = [(one.method, one.path) for one in server.seen]
        assert looked == [("GET", f"/history/{ID}"), ("GET", "/queue"), ("POST", "/prompt")]


@pytest.mark.parametrize("queue", [WAITS, RUNS])
async def test_a_prompt_that_is_there_is_not_sent_again(
    client: httpx.AsyncClient, queue: dict[str, Any]
) -> None:
    async with serving(comfyui(queue=queue)) as server:
        assert await at(server, client).submit(IMAGE, PROMPT, key=KEY) == JOB
        assert await at(server, client).find(IMAGE, KEY) == JOB
        assert all(one.method == "GET" for one in server.seen)


async def test_an_old_server_that_makes_its_own_ids_is_followed_by_them(
    client: httpx.AsyncClient,
) -> None:
    async with serving(comfyui(answering(200, {"prompt_id": OTHER}))) as server:
        job = await at(server, client).submit(IMAGE, PROMPT, key=KEY)
        assert job.id == OTHER


async def test_pictures_are_uploaded_first_under_names_of_their_own(
    client: httpx.AsyncClient,
) -> None:
    picture = InputFile(role="image", media_type="image/png", data=b"\x89PNG one")
    async with serving(comfyui()) as server:
        request = replace(PROMPT, inputs=(picture,))
        for _ in range(2):
            await at(server, client).submit(EDIT, request, key=KEY)
        uploads = [one for one in server.seen if one.path == "/upload/image"]
        assert len({one.body.split(b'filename="')[1][:36] for one in uploads}) == 1
        assert b"\x89PNG one" in uploads[0].body
        sent = json.loads(server.seen[-1].body)
        assert sent["prompt"]["10"]["inputs"]["image"] == "kinora/x.png"


LOOK: list[tuple[str, Answer, type[ProviderError]]] = [
    ("reset", cut, Unreachable),
    ("hanging", hang, Unreachable),
    ("a page", reply_page, Unreachable),
    ("500", answering(500), Unreachable),
    ("429 of a proxy", answering(429, None, LATER), Busy),
    ("401 of a proxy", answering(401, {}), Unauthorized),
    ("a list", answering(200, []), Malformed),
    ("unknown status", answering(200, {ID: {"status": {"status_str": "BAKING"}}}), Malformed),
]


@pytest.mark.parametrize(
    ("answer", "error"), [row[1:] for row in LOOK], ids=[row[0] for row in LOOK]
)
async def test_a_look_that_fails_is_no_word_about_the_prompt(
    client: httpx.AsyncClient, answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(answer) as server:
        with pytest.raises(error) as raised:
            await at(server, client).poll(IMAGE, JOB)
        assert type(raised.value) is error


async def test_a_prompt_that_ends_between_two_looks_is_not_gone(client: httpx.AsyncClient) -> None:
    ended = {"status": {"status_str": "error", "messages": [["execution_interrupted", {}]]}}
    answers: list[Any] = [{}, IDLE, {ID: ended}]

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(json.dumps(answers.pop(0)).encode())

    async with serving(answer) as server:
        assert await at(server, client).poll(IMAGE, JOB) == Cancelled()


async def test_a_prompt_that_is_nowhere_is_gone(client: httpx.AsyncClient) -> None:
    async with serving(comfyui()) as server:
        with pytest.raises(Gone, match="restarted"):
            await at(server, client).poll(IMAGE, JOB)


async def test_only_the_prompt_that_runs_is_interrupted(client: httpx.AsyncClient) -> None:
    async with serving(comfyui(queue=RUNS)) as server:
        assert await at(server, client).poll(IMAGE, JOB) == Running()
        await at(server, client).cancel(IMAGE, JOB)
        assert json.loads(server.seen[-1].body) == {"prompt_id": ID}
        assert server.seen[-1].path == "/interrupt"
    async with serving(comfyui(queue=WAITS)) as server:
        assert await at(server, client).poll(IMAGE, JOB) == Waiting(position=1)
        await at(server, client).cancel(IMAGE, JOB)
        posted = [(one.path, json.loads(one.body)) for one in server.seen if one.method == "POST"]
        assert posted == [("/queue", {"delete": [ID]})]
    async with serving(comfyui()) as server:
        await at(server, client).cancel(IMAGE, JOB)
        assert all(one.method == "GET" for one in server.seen)


async def test_nothing_is_told_unasked_and_odd_ids_are_none(client: httpx.AsyncClient) -> None:
    async with serving(comfyui()) as server:
        there = at(server, client)
        with pytest.raises(Malformed):
            there.hear({}, b'{"prompt_id": "x"}')
        assert there.job(IMAGE, ID) == Job(id=ID, urls={"status": f"history/{ID}"})
        for odd in ("", "..", "a/b", ID.upper(), f"{ID}?", f"{ID}\n"):
            with pytest.raises(Malformed):
                there.job(IMAGE, odd)


async def test_it_is_there_where_its_address_is_set(client: httpx.AsyncClient) -> None:
    assert configured(Settings(_env_file=None), client) is None
    settings = Settings(_env_file=None, comfyui_base_url="http://127.0.0.1:8188/")
    found = configured(settings, client)
    assert found is not None
    assert found.provider.origin == ("http", "127.0.0.1", 8188)
    assert found.question is not None
    assert found.question.url == "http://127.0.0.1:8188/system_stats"
