"""The images adapter over a real connection: above all, what is said never to have been sent."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from providers.contract import (
    AnswerLost,
    Busy,
    Gone,
    InputFile,
    Job,
    Made,
    Malformed,
    NeverSent,
    OutOfCredit,
    ProviderError,
    Rejected,
    Request,
    Succeeded,
    Unauthorized,
)
from providers.openai_client import Transport, open_openai
from providers.openai_images import OpenAIImages
from tests.providers.company_routes import route_to
from tests.providers.servers import Answer, Exchange, closed_port, serving
from tests.providers.test_images_parse import PNG

SECRET = "sk-CANARY0123456789"
ROUTE = route_to("images", "gpt-image-2", {"n": "n"}, on_lost_submit="ask")
FOX = Request(kind="image", prompt="a red fox", n=2)
MADE = json.dumps({"created": 1, "data": [{"b64_json": PNG}]}).encode()
PATIENCE_S = 0.5


@asynccontextmanager
async def images(base_url: str, key: str | None = SECRET) -> AsyncIterator[OpenAIImages]:
    there = OpenAIImages("images", base_url, key, answer_within_s=PATIENCE_S)
    try:
        yield there
    finally:
        await there.aclose()


def answering(
    status: int, code: str | None = None, headers: dict[str, str] | None = None
) -> Answer:
    async def answer(exchange: Exchange) -> None:
        error = {"message": f"no {SECRET}", "type": "t", "param": None, "code": code}
        await exchange.reply(json.dumps({"error": error}).encode(), status, headers=headers)

    return answer


async def make(exchange: Exchange) -> None:
    await exchange.reply(MADE, headers={"x-request-id": "req_1"})


async def drop(exchange: Exchange) -> None:
    exchange.writer.close()


async def cut(exchange: Exchange) -> None:
    exchange.reset()


async def hang(exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def reply_half(exchange: Exchange) -> None:
    await exchange.reply(b'{"data": [', headers={"Content-Length": "99"})
    exchange.writer.close()


async def reply_page(exchange: Exchange) -> None:
    await exchange.reply(b"<html>back soon</html>", headers={"Content-Type": "text/html"})


async def reply_packed(exchange: Exchange) -> None:
    await exchange.reply(b"\x1f\x8b bomb", headers={"Content-Encoding": "gzip"})


async def reply_garbage(exchange: Exchange) -> None:
    await exchange.send(b"no http at all\r\n\r\n")
    exchange.writer.close()


async def drip(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
    while True:
        await exchange.send(b" ")
        await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=0.05)


SUBMIT: list[tuple[str, Answer, type[ProviderError]]] = [
    ("dropped", drop, AnswerLost),
    ("reset", cut, AnswerLost),
    ("hanging", hang, AnswerLost),
    ("dripping", drip, AnswerLost),
    ("half an answer", reply_half, AnswerLost),
    ("a page", reply_page, AnswerLost),
    ("packed", reply_packed, AnswerLost),
    ("no HTTP", reply_garbage, AnswerLost),
    ("500", answering(500), AnswerLost),
    ("503", answering(503), AnswerLost),
    ("503 with Retry-After", answering(503, None, {"Retry-After": "7"}), Busy),
    ("429", answering(429, "rate_limit_exceeded"), Busy),
    ("429 asking to be retried", answering(429, None, {"x-should-retry": "true"}), Busy),
    ("429 without money", answering(429, "insufficient_quota"), OutOfCredit),
    ("401", answering(401, "invalid_api_key"), Unauthorized),
    ("400 moderation", answering(400, "moderation_blocked"), Rejected),
    ("302", answering(302, None, {"Location": "/elsewhere"}), Malformed),
    ("307", answering(307, None, {"Location": "/elsewhere"}), Malformed),
]


@pytest.mark.parametrize(
    ("answer", "error"), [row[1:] for row in SUBMIT], ids=[row[0] for row in SUBMIT]
)
async def test_a_submit_that_fails_says_who_must_act(
    answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(answer) as server, images(f"{server.url}/v1") as there:
        with pytest.raises(error) as raised:
            await there.submit(ROUTE, FOX, key="g-1")
        assert type(raised.value) is error
        told = f"{raised.value!r} {raised.value.__cause__!r} {raised.value.message}"
        assert SECRET not in told
        assert len(server.seen) == 1, "and is never sent a second time"


async def test_a_submit_to_nobody_was_never_sent() -> None:
    for url in (f"http://127.0.0.1:{closed_port()}/v1", "http://nobody.invalid/v1"):
        async with images(url) as there:
            with pytest.raises(NeverSent):
                await there.submit(ROUTE, FOX, key="g-1")


async def test_a_submit_that_finds_no_tls_was_never_sent() -> None:
    async def speak_plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
    async with listener, images(f"https://127.0.0.1:{port_of(listener)}/v1") as there:
        with pytest.raises(NeverSent):
            await there.submit(ROUTE, FOX, key="g-1")


async def test_a_submit_cut_while_its_pictures_travel_may_have_arrived() -> None:
    heavy = InputFile(role="image", media_type="image/png", data=os.urandom(8_000_000))
    request = Request(kind="image", prompt="p", inputs=(heavy,))

    async def cut_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        Exchange("", "", {}, b"", writer).reset()

    listener = await asyncio.start_server(cut_early, "127.0.0.1", 0)
    async with listener, images(f"http://127.0.0.1:{port_of(listener)}/v1") as there:
        with pytest.raises(AnswerLost):
            await there.submit(ROUTE, request, key="g-1")


def port_of(listener: asyncio.Server) -> int:
    name: tuple[str, int] = listener.sockets[0].getsockname()
    return name[1]


async def test_a_server_that_accepts_nobody_was_never_reached() -> None:
    with socket.socket() as full:  # a backlog of one, and nobody takes from it
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        client = open_openai(f"http://127.0.0.1:{full.getsockname()[1]}/v1", "k", 0.3)
        there = OpenAIImages("images", client.base_url.__str__(), "k", answer_within_s=5)
        there._client = client.with_options(timeout=0.3)
        with pytest.raises(NeverSent):
            await there.submit(ROUTE, FOX, key="g-1")
        await there.aclose()
        for one in waiting:
            one.close()


async def test_a_generation_goes_out_as_openai_documents_it() -> None:
    async with serving(make) as server, images(f"{server.url}/v1/") as there:
        made = await there.submit(ROUTE, FOX, key="0199-1")
        sent = server.seen[0]
        assert (sent.method, sent.path) == ("POST", "/v1/images/generations")
        assert sent.headers["authorization"] == f"Bearer {SECRET}"
        assert sent.headers["x-client-request-id"] == "0199-1"
        assert sent.headers["accept-encoding"] == "identity"
        assert json.loads(sent.body) == {"model": "gpt-image-2", "prompt": "a red fox", "n": 2}
        assert isinstance(made, Made)
        assert made.job == Job(id="0199-1")
        assert isinstance(made.state, Succeeded)


async def test_an_edit_is_a_form_with_its_pictures_as_files() -> None:
    red = InputFile(role="image", media_type="image/png", data=b"picture-1")
    other = InputFile(role="reference", media_type="image/jpeg", data=b"picture-2")
    request = Request(kind="image", prompt="a fox", n=1, inputs=(red, other))
    async with serving(make) as server, images(f"{server.url}/v1") as there:
        await there.submit(ROUTE, request, key="g-1")
        sent = server.seen[0]
        assert sent.path == "/v1/images/edits"
        assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")
        for part in (
            b'name="model"\r\n\r\ngpt-image-2\r\n',
            b'name="n"\r\n\r\n1\r\n',
            b'name="image[]"; filename="0.png"\r\nContent-Type: image/png\r\n\r\npicture-1\r\n',
            b'name="image[]"; filename="1.jpg"\r\nContent-Type: image/jpeg\r\n\r\npicture-2\r\n',
        ):
            assert part in sent.body


async def test_nothing_of_the_environment_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-the-environment")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: of-the-environment")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://nobody.invalid")
    async with serving(make) as server, images(f"{server.url}/v1") as there:
        await there.submit(ROUTE, FOX, key="g-1")
        assert "of-the-environment" not in str(server.seen[0].headers)


async def test_each_submit_has_a_connection_of_its_own_and_one_client_serves_them_all() -> None:
    async with serving(make) as server, images(f"{server.url}/v1") as there:
        await asyncio.gather(*(there.submit(ROUTE, FOX, key=f"g-{at}") for at in range(3)))
        await there.submit(ROUTE, FOX, key="g-4")
        assert server.connections == 4


@pytest.mark.parametrize("status", [200, 400])
async def test_an_endless_answer_is_cut_off(status: int) -> None:
    poured = 0

    async def pour(exchange: Exchange) -> None:
        nonlocal poured
        await exchange.send(f"HTTP/1.1 {status} X\r\nContent-Length: 99999999\r\n\r\n".encode())
        while True:
            await exchange.send(b" " * 65_536)
            poured += 65_536

    async with (
        serving(pour) as server,
        httpx2.AsyncClient(transport=Transport(size_bytes_max=1_000_000)) as client,
    ):
        with pytest.raises(httpx2.RemoteProtocolError, match="too large"):
            await client.post(server.url)
    assert poured < 20_000_000


@pytest.mark.parametrize("key", ["sk-caf\u00e9", "sk-1\r\nX-Evil: 1", "sk-\u2022"])
async def test_a_key_that_cannot_be_one_is_refused_unspoken(key: str) -> None:
    async with serving(make) as server, images(f"{server.url}/v1", key) as there:
        with pytest.raises(Unauthorized) as raised:
            await there.submit(ROUTE, FOX, key="g-1")
        assert key not in repr(raised.value)
        assert not server.seen


async def test_there_are_no_jobs_to_follow() -> None:
    async with serving(make) as server, images(f"{server.url}/v1", None) as there:
        with pytest.raises(Gone):
            await there.poll(ROUTE, Job(id="g-1"))
        await there.cancel(ROUTE, Job(id="g-1"))
        assert await there.find(ROUTE, "g-1") is None
        with pytest.raises(Malformed):
            there.job(ROUTE, "x")
        with pytest.raises(Malformed):
            there.hear({}, b"{}")
        assert not server.seen
        await there.submit(ROUTE, FOX, key="g-1")
        assert server.seen[0].headers["authorization"] == "Bearer none"
