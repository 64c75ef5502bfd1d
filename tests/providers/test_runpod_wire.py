"""The RunPod adapter over a real connection: what each bad day becomes, and what is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from providers.catalogue import load_catalogue
from providers.contract import (
    AnswerLost,
    Busy,
    Gone,
    InputFile,
    Job,
    Malformed,
    NeverSent,
    OutOfCredit,
    ProviderError,
    Rejected,
    Request,
    Route,
    Running,
    Unauthorized,
    Unreachable,
)
from providers.runpod import BODY_BYTES_MAX, RunPod
from providers.transport import Limits, open_client
from tests.providers.servers import Answer, Exchange, Server, closed_port, serving

SECRET = "rpa_CANARY0123456789"
PROMPT = Request(kind="image", prompt="a red fox", width_px=64, height_px=64)
JOB = Job(id="j-1", urls={"status": "demo-image/status/j-1", "cancel": "demo-image/cancel/j-1"})
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(Limits(connect_s=0.3, read_s=0.3)) as client:
        yield client


@pytest.fixture(scope="module")
def route() -> Route:
    return load_catalogue().find("demo-image")[0].routes[0]


def at(server: Server, client: httpx.AsyncClient) -> RunPod:
    return RunPod("demo", f"{server.url}/v2/", SECRET, client)


def answering(status: int, body: object = None, headers: dict[str, str] | None = None) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(json.dumps(body).encode(), status, headers=headers)

    return answer


async def drop(exchange: Exchange) -> None:
    exchange.writer.close()


async def cut(exchange: Exchange) -> None:
    exchange.reset()


async def hang(exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def reply_half(exchange: Exchange) -> None:
    await exchange.reply(b'{"id": "', headers={"Content-Length": "99"})
    exchange.writer.close()


async def reply_page(exchange: Exchange) -> None:
    await exchange.reply(b"<html>back soon</html>", headers={"Content-Type": "text/html"})


async def reply_bomb(exchange: Exchange) -> None:
    await exchange.reply(b"\x1f\x8b garbage", headers={"Content-Encoding": "gzip"})


LATER = {"Retry-After": "7"}
SUBMIT: list[tuple[str, Answer, type[ProviderError]]] = [
    ("dropped", drop, AnswerLost),
    ("reset", cut, AnswerLost),
    ("hanging", hang, AnswerLost),
    ("half an answer", reply_half, AnswerLost),
    ("a page", reply_page, AnswerLost),
    ("broken gzip", reply_bomb, AnswerLost),
    ("200 without an id", answering(200, {"status": "IN_QUEUE"}), AnswerLost),
    ("200 with a list", answering(200, []), AnswerLost),
    ("200 with an id that leads elsewhere", answering(200, {"id": "../../x"}), AnswerLost),
    ("200 with dots for an id", answering(200, {"id": ".."}), AnswerLost),
    ("500", answering(500, {"error": "boom"}), AnswerLost),
    ("502", answering(502), AnswerLost),
    ("503", answering(503), AnswerLost),
    ("504", answering(504), AnswerLost),
    ("408", answering(408), AnswerLost),
    ("503 with Retry-After", answering(503, None, LATER), Busy),
    ("429", answering(429, {"error": "slow down"}, LATER), Busy),
    ("401", answering(401, {}), Unauthorized),
    ("403", answering(403, {"error": "forbidden"}), Unauthorized),
    ("403 without money", answering(403, {"error": "Exhausted balance"}), OutOfCredit),
    ("402", answering(402, {"error": "Insufficient balance"}), OutOfCredit),
    ("400", answering(400, {"error": "bad body"}), Rejected),
    ("404", answering(404, {"error": "endpoint not found"}), Rejected),
    ("413", answering(413), Rejected),
    ("422", answering(422, {"detail": [{"msg": "no such field"}]}), Rejected),
    ("302", answering(302, None, {"Location": "/elsewhere"}), Malformed),
]


@pytest.mark.parametrize(
    ("answer", "error"), [row[1:] for row in SUBMIT], ids=[r[0] for r in SUBMIT]
)
async def test_a_submit_that_fails_says_who_must_act(
    client: httpx.AsyncClient, route: Route, answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(answer) as server:
        with pytest.raises(error) as raised:
            await at(server, client).submit(route, PROMPT, key="g-1")
        assert type(raised.value) is error
        assert SECRET not in f"{raised.value!r} {raised.value.__cause__!r}"
        assert len(server.seen) == 1, "and is never sent a second time"


async def test_a_submit_to_nobody_was_never_sent(client: httpx.AsyncClient, route: Route) -> None:
    for base_url in (f"http://127.0.0.1:{closed_port()}/v2", "http://nobody.invalid/v2"):
        with pytest.raises(NeverSent):
            await RunPod("runpod", base_url, SECRET, client).submit(route, PROMPT, key="g-1")


LOOK: list[tuple[str, Answer, type[ProviderError]]] = [
    ("dropped", drop, Unreachable),
    ("reset", cut, Unreachable),
    ("hanging", hang, Unreachable),
    ("half an answer", reply_half, Unreachable),
    ("a page", reply_page, Unreachable),
    ("broken gzip", reply_bomb, Unreachable),
    ("500", answering(500), Unreachable),
    ("503", answering(503, None, LATER), Unreachable),
    ("402", answering(402), Unreachable),
    ("429", answering(429, None, LATER), Busy),
    ("401", answering(401, {}), Unauthorized),
    ("403", answering(403, {}), Unauthorized),
    ("404", answering(404, {"error": "job not found"}), Gone),
    ("410", answering(410), Gone),
    ("302", answering(302, None, {"Location": "/elsewhere"}), Malformed),
    ("unknown status", answering(200, {"id": "j-1", "status": "BAKING"}), Malformed),
    ("no status", answering(200, {"id": "j-1"}), Malformed),
    ("a list", answering(200, []), Malformed),
]


@pytest.mark.parametrize(("answer", "error"), [row[1:] for row in LOOK], ids=[r[0] for r in LOOK])
async def test_a_look_that_fails_is_no_word_about_the_job(
    client: httpx.AsyncClient, route: Route, answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(answer) as server:
        with pytest.raises(error) as raised:
            await at(server, client).poll(route, JOB)
        assert type(raised.value) is error
        assert SECRET not in f"{raised.value!r} {raised.value.__cause__!r}"


async def test_a_look_at_nobody_is_unreachable(client: httpx.AsyncClient, route: Route) -> None:
    nobody = RunPod("runpod", f"http://127.0.0.1:{closed_port()}/v2", SECRET, client)
    with pytest.raises(Unreachable):
        await nobody.poll(route, JOB)
    with pytest.raises(Unreachable):
        await nobody.cancel(route, JOB)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("999999", 3600.0), ("soon", None), ("-1", None), ("", None)],
)
async def test_retry_after_is_read_in_seconds(
    client: httpx.AsyncClient, route: Route, header: str, seconds: float | None
) -> None:
    async with serving(answering(429, None, {"Retry-After": header})) as server:
        with pytest.raises(Busy) as raised:
            await at(server, client).submit(route, PROMPT, key="g-1")
        assert raised.value.retry_after_s == seconds


async def test_a_submit_goes_out_as_the_provider_documents_it(
    client: httpx.AsyncClient, route: Route
) -> None:
    async with serving(answering(200, {"id": "j-1", "status": "IN_QUEUE"})) as server:
        job = await at(server, client).submit(route, PROMPT, key="0199-1")
        sent = server.seen[0]
        assert (sent.method, sent.path) == ("POST", "/v2/demo-image/run")
        assert sent.headers["authorization"] == f"Bearer {SECRET}"
        assert sent.headers["content-type"] == "application/json"
        assert sent.headers["idempotency-key"] == "0199-1"
        assert json.loads(sent.body) == {
            "input": {"prompt": "a red fox", "width": 64, "height": 64, "num_images": 1},
            "policy": {"executionTimeout": 600_000, "ttl": 660_000},
        }
        assert job == JOB


async def test_a_key_is_sent_only_where_it_is_understood(
    client: httpx.AsyncClient, route: Route
) -> None:
    async with serving(answering(200, {"id": "j-1"})) as server:
        runpod = at(server, client)
        await runpod.submit(replace(route, on_lost_submit="webhook"), PROMPT, key="0199-1")
        assert "idempotency-key" not in server.seen[0].headers


async def test_a_job_is_looked_at_and_cancelled_where_it_was_submitted(
    client: httpx.AsyncClient, route: Route
) -> None:
    answer = answering(200, {"id": "j-1", "status": "IN_PROGRESS", "output": "1/4"})
    async with serving(answer) as server:
        runpod = at(server, client)
        assert await runpod.poll(route, JOB) == Running(progress=0.25)
        await runpod.cancel(route, JOB)
        assert [(one.method, one.path) for one in server.seen] == [
            ("GET", "/v2/demo-image/status/j-1"),
            ("POST", "/v2/demo-image/cancel/j-1"),
        ]
        assert await runpod.find(route, "0199-1") is None


@pytest.mark.parametrize("status", [400, 404, 409, 410, 422])
async def test_a_cancel_that_comes_too_late_is_for_the_next_poll_to_tell(
    client: httpx.AsyncClient, route: Route, status: int
) -> None:
    async with serving(answering(status, {"error": "already over"})) as server:
        await at(server, client).cancel(route, JOB)


@pytest.mark.parametrize(
    ("status", "error"), [(401, Unauthorized), (429, Busy), (500, Unreachable)]
)
async def test_a_cancel_that_was_not_heard_says_so(
    client: httpx.AsyncClient, route: Route, status: int, error: type[ProviderError]
) -> None:
    async with serving(answering(status, {})) as server:
        with pytest.raises(error):
            await at(server, client).cancel(route, JOB)


async def test_pictures_too_heavy_for_the_wire_are_refused_before_it(
    client: httpx.AsyncClient, route: Route
) -> None:
    async with serving(answering(200, {"id": "j-1"})) as server:
        runpod = at(server, client)
        fits = InputFile(role="image", media_type="image/png", data=b"x" * runpod.input_bytes_max)
        await runpod.submit(route, replace(PROMPT, inputs=(fits,)), key="g-1")
        assert len(server.seen[0].body) <= BODY_BYTES_MAX
        heavy = replace(fits, data=b"x" * 8_000_000)
        with pytest.raises(Rejected, match=r"10\.7 MB.*up to 10 MB \(image 8\.0 MB\)"):
            await runpod.submit(route, replace(PROMPT, inputs=(heavy,)), key="g-1")
        assert len(server.seen) == 1


@pytest.mark.parametrize("key", ["rpa_caf\u00e9", "rpa_1\r\nX-Evil: 1", "rpa_\u2022\u2022"])
async def test_a_key_that_cannot_be_one_is_refused_unspoken(
    client: httpx.AsyncClient, route: Route, key: str
) -> None:
    async with serving(answering(200, {"id": "j-1"})) as server:
        with pytest.raises(Unauthorized) as raised:
            await RunPod("runpod", server.url, key, client).submit(route, PROMPT, key="g-1")
        assert key not in repr(raised.value)
        assert not server.seen


async def test_a_key_that_the_provider_repeats_is_not_repeated(
    client: httpx.AsyncClient, route: Route
) -> None:
    async with serving(answering(401, {"error": f"bad key {SECRET}"})) as server:
        runpod = at(server, client)
        with pytest.raises(Unauthorized, match=r"bad key \[key\]"):
            await runpod.poll(route, JOB)
        assert SECRET not in repr(runpod) + repr(vars(runpod))


async def test_an_endless_answer_is_cut_off(client: httpx.AsyncClient, route: Route) -> None:
    async def pour(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await exchange.send(b" " * 1_000_000)

    async with serving(pour) as server:
        with pytest.raises(Unreachable):
            await at(server, client).poll(route, JOB)
