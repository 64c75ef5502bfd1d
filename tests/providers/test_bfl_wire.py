"""The adapter of Black Forest Labs over a real connection: what each bad day becomes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from providers.bfl import BlackForestLabs, configured
from providers.contract import (
    AnswerLost,
    Busy,
    Failed,
    Gone,
    Job,
    Malformed,
    NeverSent,
    OutOfCredit,
    ProviderError,
    Rejected,
    Request,
    Running,
    Unauthorized,
    Unreachable,
)
from providers.transport import Limits, open_client
from settings import Settings
from tests.providers.bfl_routes import FILM, IMAGE
from tests.providers.servers import Answer, Exchange, Server, closed_port, serving

SECRET = "bfl_CANARY0123456789"
PROMPT = Request(kind="image", prompt="a red fox", width_px=64, height_px=64)
JOB = Job(id="t-1", urls={"status": "get_result?id=t-1"})
TAKEN = {"id": "t-1", "polling_url": "", "cost": 3.0, "input_mp": 0.0, "output_mp": 1.05}
LATER = {"Retry-After": "7"}
ADDRESS = "https://kinora.example.org/webhooks/bfl/0199-a/1/token"


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(Limits(connect_s=0.3, read_s=0.3)) as client:
        yield client


def at(server: Server, client: httpx.AsyncClient) -> BlackForestLabs:
    return BlackForestLabs("bfl", f"{server.url}/v1/", SECRET, client)


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


SUBMIT: list[tuple[str, Answer, type[ProviderError]]] = [
    ("reset", cut, AnswerLost),
    ("hanging", hang, AnswerLost),
    ("a page", reply_page, AnswerLost),
    ("200 without an id", answering(200, {"status": "Pending"}), AnswerLost),
    ("200 with an error inside", answering(200, {"detail": "boom"}), AnswerLost),
    ("200 with an id that leads elsewhere", answering(200, {"id": "1&id=2"}), AnswerLost),
    ("500", answering(500, {"detail": "boom"}), AnswerLost),
    ("503", answering(503), AnswerLost),
    ("503 with Retry-After", answering(503, None, LATER), Busy),
    ("429: too many active tasks", answering(429, {"detail": "too many"}, LATER), Busy),
    ("403: the key", answering(403, {"detail": "Not authenticated"}), Unauthorized),
    ("401", answering(401, {}), Unauthorized),
    ("402: credits", answering(402, {"detail": "Insufficient credits"}), OutOfCredit),
    ("400", answering(400, {"message": "bad"}), Rejected),
    ("404: no such model", answering(404, {"detail": "Not Found"}), Rejected),
    ("302", answering(302, None, {"Location": "/elsewhere"}), Malformed),
]


@pytest.mark.parametrize(
    ("answer", "error"), [row[1:] for row in SUBMIT], ids=[row[0] for row in SUBMIT]
)
async def test_a_submit_that_fails_says_who_must_act(
    client: httpx.AsyncClient, answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(answer) as server:
        with pytest.raises(error) as raised:
            await at(server, client).submit(IMAGE, PROMPT, key="g-1")
        assert type(raised.value) is error
        assert SECRET not in f"{raised.value!r} {raised.value.__cause__!r}"
        assert len(server.seen) == 1, "and is never sent a second time"


async def test_a_refusal_says_which_field_it_is_about(client: httpx.AsyncClient) -> None:
    detail = [{"loc": ["body", "width"], "msg": "must be a multiple of 16", "type": "x"}]
    async with serving(answering(422, {"detail": detail})) as server:
        with pytest.raises(Rejected, match="multiple of 16") as raised:
            await at(server, client).submit(IMAGE, PROMPT, key="g-1")
        assert raised.value.code == "invalid_request"


async def test_a_submit_to_nobody_was_never_sent(client: httpx.AsyncClient) -> None:
    nobody = BlackForestLabs("bfl", f"http://127.0.0.1:{closed_port()}/v1", SECRET, client)
    with pytest.raises(NeverSent):
        await nobody.submit(IMAGE, PROMPT, key="g-1")
    with pytest.raises(Unreachable):
        await nobody.poll(IMAGE, JOB)


LOOK: list[tuple[str, Answer, type[ProviderError]]] = [
    ("reset", cut, Unreachable),
    ("hanging", hang, Unreachable),
    ("a page", reply_page, Unreachable),
    ("500", answering(500, {"detail": "boom"}), Unreachable),
    ("503", answering(503, None, LATER), Unreachable),
    ("429", answering(429, None, LATER), Busy),
    ("403", answering(403, {"detail": "Not authenticated"}), Unauthorized),
    ("404", answering(404, {"detail": "Not Found"}), Gone),
    ("forgotten", answering(404, {"id": "t-1", "status": "Task not found"}), Gone),
    ("forgotten, with 200", answering(200, {"id": "t-1", "status": "Task not found"}), Gone),
    ("unknown status", answering(200, {"id": "t-1", "status": "BAKING"}), Malformed),
    ("another task", answering(200, {"id": "t-2", "status": "Pending"}), Malformed),
    ("a list", answering(200, []), Malformed),
    ("moved to nowhere", answering(307), Malformed),
    ("moved in circles", answering(307, None, {"Location": "/v1/get_result?id=t-1"}), Malformed),
]


@pytest.mark.parametrize(
    ("answer", "error"), [row[1:] for row in LOOK], ids=[row[0] for row in LOOK]
)
async def test_a_look_that_fails_is_no_word_about_the_task(
    client: httpx.AsyncClient, answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(answer) as server:
        with pytest.raises(error) as raised:
            await at(server, client).poll(IMAGE, JOB)
        assert type(raised.value) is error
        assert SECRET not in f"{raised.value!r} {raised.value.__cause__!r}"


async def test_a_failed_task_is_told_with_an_error_status_too(client: httpx.AsyncClient) -> None:
    told = {"id": "t-1", "status": "Error", "details": {"error": "boom"}}
    async with serving(answering(503, told)) as server:
        state = await at(server, client).poll(IMAGE, JOB)
    assert isinstance(state, Failed)
    assert (state.code, state.message) == ("provider_error", "boom")


async def test_a_submit_goes_out_as_the_provider_documents_it(client: httpx.AsyncClient) -> None:
    async with serving(answering(200, TAKEN)) as server:
        there = at(server, client)
        job = await there.submit(IMAGE, PROMPT, key="0199-1", webhook_url=ADDRESS)
        await there.submit(FILM, replace(PROMPT, kind="video"), key="0199-2", webhook_url=ADDRESS)
        sent = server.seen[0]
        assert (sent.method, sent.path) == ("POST", "/v1/flux-2-pro-quick")
        assert sent.headers["x-key"] == SECRET
        assert "authorization" not in sent.headers
        assert json.loads(sent.body) == {
            "prompt": "a red fox",
            "width": 64,
            "height": 64,
            "webhook_url": ADDRESS,
        }
        assert "webhook_url" not in json.loads(server.seen[1].body), "its schema is strict"
        assert job == Job(id="t-1", urls={"status": "get_result?id=t-1", "cost_usd": "0.03"})


async def test_a_task_is_asked_for_where_its_submit_said_and_costs_what_it_said(
    client: httpx.AsyncClient,
) -> None:
    async def answer(exchange: Exchange) -> None:
        told: dict[str, object] = {"id": "t-1", "status": "Pending", "progress": 0.5}
        if exchange.method == "POST":
            told = {**TAKEN, "polling_url": f"{server.url}/eu2/get_result?id=t-1&x=1"}
        await exchange.reply(json.dumps(told).encode())

    async with serving(answer) as server:
        there = at(server, client)
        job = await there.submit(IMAGE, PROMPT, key="g-1")
        assert job.urls["status"] == f"{server.url}/eu2/get_result?id=t-1&x=1"
        assert await there.poll(IMAGE, job) == Running(progress=0.5)
        assert await at(server, client).poll(IMAGE, job) == Running(progress=0.5)
        assert [one.path for one in server.seen[1:]] == ["/eu2/get_result?id=t-1&x=1"] * 2
        assert server.seen[1].headers["x-key"] == SECRET


async def test_our_key_is_never_seen_by_a_stranger(client: httpx.AsyncClient) -> None:
    async with serving(answering(200, {"id": "t-1", "status": "Ready"})) as stranger:

        async def answer(exchange: Exchange) -> None:
            there = f"{stranger.url}/v1/get_result?id=t-1"
            if exchange.method == "POST":
                await exchange.reply(json.dumps({**TAKEN, "polling_url": there}).encode())
            elif exchange.path.endswith("id=moved"):
                await exchange.reply(b"", 307, headers={"Location": there})
            else:
                await exchange.reply(b'{"id": "t-1", "status": "Pending", "progress": 0.5}')

        async with serving(answer) as server:
            ours = at(server, client)
            job = await ours.submit(IMAGE, PROMPT, key="g-1")
            assert job.urls["status"] == "get_result?id=t-1"
            assert await ours.poll(IMAGE, job) == Running(progress=0.5)
            planted = replace(job, urls={"status": f"{stranger.url}/v1/get_result?id=t-1"})
            assert await ours.poll(IMAGE, planted) == Running(progress=0.5)
            with pytest.raises(Malformed, match="not its own"):
                await ours.poll(IMAGE, ours.job(IMAGE, "moved"))
        assert stranger.seen == []


async def test_an_answer_that_moved_on_the_same_host_is_followed(
    client: httpx.AsyncClient,
) -> None:
    async def answer(exchange: Exchange) -> None:
        if exchange.path.startswith("/v1/get_result"):
            await exchange.reply(b"", 307, headers={"Location": "/v2/there?id=t-1"})
        else:
            await exchange.reply(b'{"id": "t-1", "status": "Pending", "progress": 0.5}')

    async with serving(answer) as server:
        assert await at(server, client).poll(IMAGE, JOB) == Running(progress=0.5)
        assert [one.path for one in server.seen] == ["/v1/get_result?id=t-1", "/v2/there?id=t-1"]


PLACES: list[tuple[str, str, str]] = [
    ("https://api.bfl.ai/v1", "https://api.eu2.bfl.ai/v1/get_result?id=t-1", "api.eu2.bfl.ai"),
    ("https://api.bfl.ai/v1", "https://gateway.bfl.ai/x?id=t-1", "gateway.bfl.ai"),
    ("https://api.eu.bfl.ai/v1", "https://api.eu4.bfl.ai/x?id=t-1", "api.eu4.bfl.ai"),
    ("https://api.bfl.ai/v1", "/v1/get_result?id=t-1", "api.bfl.ai"),
    ("https://api.bfl.ai/v1", "https://api.bfl.ai.example.org/v1/x?id=t-1", "api.bfl.ai"),
    ("https://api.bfl.ai/v1", "https://evilbfl.ai/v1/x?id=t-1", "api.bfl.ai"),
    ("https://api.bfl.ai/v1", "http://api.eu2.bfl.ai/v1/x?id=t-1", "api.bfl.ai"),
    ("https://api.bfl.ai/v1", "http://api.eu2.bfl.ai:443/v1/x?id=t-1", "api.bfl.ai"),
    ("https://api.bfl.ai/v1", "https://api.eu2.bfl.ai:8443/v1/x?id=t-1", "api.bfl.ai"),
    ("https://api.bfl.ai/v1", "https://api.bfl.ai@example.org/x?id=t-1", "api.bfl.ai"),
    ("https://api.bfl.ai/v1", "https://u:p@api.eu2.bfl.ai/x?id=t-1", "api.bfl.ai"),
    ("https://api.bfl.ai/v1", "https://example.org\\.bfl.ai/x?id=t-1", "api.bfl.ai"),
    ("https://api.bfl.ai/v1", "https://example.org#.bfl.ai/x?id=t-1", "api.bfl.ai"),
    ("https://api.bfl.ai/v1", "//example.org/x?id=t-1", "api.bfl.ai"),
    ("https://api.bfl.ai/v1", "https://[", "api.bfl.ai"),
    ("https://proxy.example.org/v1", "https://api.eu2.bfl.ai/x?id=t-1", "proxy.example.org"),
]


@pytest.mark.parametrize(("base_url", "polling_url", "host"), PLACES)
async def test_the_key_goes_to_the_companys_own_hosts_only(
    base_url: str, polling_url: str, host: str
) -> None:
    asked: list[httpx.Request] = []

    def network(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        told = {"id": "t-1", "status": "Pending", "progress": 0.5, "polling_url": polling_url}
        return httpx.Response(200, json=told)

    async with httpx.AsyncClient(transport=httpx.MockTransport(network)) as client:
        there = BlackForestLabs("bfl", base_url, SECRET, client)
        await there.poll(IMAGE, await there.submit(IMAGE, PROMPT, key="g-1"))
        await there.poll(IMAGE, Job(id="t-1", urls={"status": polling_url}))
    assert [one.url.host for one in asked[1:]] == [host, host]
    assert all(one.headers["x-key"] == SECRET for one in asked)


async def test_there_is_no_way_to_stop_a_task_or_to_look_one_up(client: httpx.AsyncClient) -> None:
    async with serving(answering(500)) as server:
        await at(server, client).cancel(IMAGE, JOB)
        assert await at(server, client).find(IMAGE, "g-1") is None
        assert server.seen == []


async def test_it_is_there_where_its_key_is_set(client: httpx.AsyncClient) -> None:
    assert configured(Settings(_env_file=None), client) is None
    found = configured(Settings(_env_file=None, bfl_api_key=SECRET), client)
    assert found is not None
    assert (found.label, found.setting) == ("Black Forest Labs", "bfl_api_key")
    assert found.provider.origin == ("https", "api.bfl.ai", 443)
    assert found.question is not None
    assert found.question.url == "https://api.bfl.ai/v1/credits"
    assert SECRET not in repr(found) + repr(found.provider) + repr(vars(found.provider))
