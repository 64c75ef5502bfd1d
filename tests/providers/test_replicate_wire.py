"""The Replicate adapter over a real connection: what each bad day becomes, and what is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from providers.contract import (
    AnswerLost,
    Busy,
    Forged,
    Gone,
    InputFile,
    Job,
    Malformed,
    NeverSent,
    News,
    OutOfCredit,
    ProviderError,
    Rejected,
    Unauthorized,
    Unreachable,
    Waiting,
)
from providers.replicate import INLINE_BYTES_MAX, Replicate, configured
from providers.transport import Limits, open_client
from settings import load
from tests.providers.company_routes import FOX, route_to
from tests.providers.servers import Answer, Exchange, Server, closed_port, serving

TOKEN = "r8_CANARY0123456789"
ROUTE = route_to("replicate", "acme/painter", {"image": "image"})
JOB = Job(id="p1", urls={"status": "predictions/p1", "cancel": "predictions/p1/cancel"})
MADE = {"id": "p1", "status": "starting", "urls": {"get": "https://evil.example/p1"}}
THROTTLED = {"detail": "Request was throttled. Your rate limit resets in ~30s."}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW_S = 1_800_000_000


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(Limits(connect_s=0.3, read_s=0.3)) as client:
        yield client


def at(server: Server, client: httpx.AsyncClient) -> Replicate:
    return Replicate("replicate", f"{server.url}/v1/", TOKEN, client, lambda: NOW_S)


def answering(status: int, body: object = None, headers: dict[str, str] | None = None) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(json.dumps(body).encode(), status, headers=headers)

    return answer


async def cut(exchange: Exchange) -> None:
    exchange.reset()


SUBMIT: list[tuple[str, Answer, type[ProviderError]]] = [
    ("reset", cut, AnswerLost),
    ("502", answering(502), AnswerLost),
    ("201 without an id", answering(201, {"status": "starting"}), AnswerLost),
    ("201 with an id that leads elsewhere", answering(201, {"id": "../x"}), AnswerLost),
    ("500", answering(500, {"detail": "boom"}), AnswerLost),
    ("401", answering(401, {"title": "Unauthenticated"}), Unauthorized),
    ("402", answering(402, {"title": "Insufficient credit"}), OutOfCredit),
    ("404", answering(404, {"detail": "no such model"}), Rejected),
    ("422", answering(422, {"title": "Input validation failed", "detail": "- seed"}), Rejected),
    ("422 by policy", answering(422, {"detail": "flagged as sensitive (E005)"}), Rejected),
    ("429", answering(429, THROTTLED), Busy),
    ("302", answering(302, None, {"Location": "/elsewhere"}), Malformed),
]


@pytest.mark.parametrize(("answer", "error"), [r[1:] for r in SUBMIT], ids=[r[0] for r in SUBMIT])
async def test_a_submit_that_fails_says_who_must_act(
    client: httpx.AsyncClient, answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(answer) as server:
        with pytest.raises(error) as raised:
            await at(server, client).submit(ROUTE, FOX, key="g-1")
        assert type(raised.value) is error
        assert TOKEN not in f"{raised.value!r} {raised.value.__cause__!r}"
        assert len(server.seen) == 1, "and is never sent a second time"


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (THROTTLED, {}, 30.0),
        (THROTTLED, {"Retry-After": "7"}, 7.0),
        ({"detail": "resets in 5s"}, {}, 5.0),
        ({"detail": "Request was throttled."}, {}, None),
    ],
)
async def test_the_words_of_a_429_say_how_long_to_wait(
    client: httpx.AsyncClient, body: object, headers: dict[str, str], seconds: float | None
) -> None:
    async with serving(answering(429, body, headers)) as server:
        there = at(server, client)
        for call in (
            there.submit(ROUTE, FOX, key="g-1"),
            there.poll(ROUTE, JOB),
            there.cancel(ROUTE, JOB),
        ):
            with pytest.raises(Busy) as raised:
                await call
            assert raised.value.retry_after_s == seconds


LOOK: list[tuple[str, Answer, type[ProviderError]]] = [
    ("reset", cut, Unreachable),
    ("502", answering(502), Unreachable),
    ("500", answering(500), Unreachable),
    ("401", answering(401), Unauthorized),
    ("404", answering(404), Gone),
    ("302", answering(302, None, {"Location": "/elsewhere"}), Malformed),
    ("unknown status", answering(200, {"id": "p1", "status": "paused"}), Malformed),
    ("another prediction", answering(200, {"id": "p2", "status": "succeeded"}), Malformed),
    ("a list", answering(200, []), Malformed),
]


@pytest.mark.parametrize(("answer", "error"), [row[1:] for row in LOOK], ids=[r[0] for r in LOOK])
async def test_a_look_that_fails_is_no_word_about_the_prediction(
    client: httpx.AsyncClient, answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(answer) as server:
        with pytest.raises(error) as raised:
            await at(server, client).poll(ROUTE, JOB)
        assert type(raised.value) is error


async def test_nobody_there(client: httpx.AsyncClient) -> None:
    nobody = Replicate("replicate", f"http://127.0.0.1:{closed_port()}", TOKEN, client)
    with pytest.raises(NeverSent):
        await nobody.submit(ROUTE, FOX, key="g-1")
    with pytest.raises(Unreachable):
        await nobody.poll(ROUTE, JOB)
    picture = InputFile(role="image", media_type="image/png", data=bytes(INLINE_BYTES_MAX + 1))
    with pytest.raises(NeverSent, match="uploaded"):
        await nobody.submit(ROUTE, replace(FOX, inputs=(picture,)), key="g-1")


async def test_a_submit_goes_out_as_replicate_documents_it(client: httpx.AsyncClient) -> None:
    async with serving(answering(201, MADE)) as server:
        there = at(server, client)
        job = await there.submit(ROUTE, FOX, key="g-1", webhook_url="https://k.example/w")
        assert job == JOB == there.job(ROUTE, "p1"), "and its own addresses are not gone to"
        assert await there.poll(ROUTE, job) == Waiting()
        await there.cancel(ROUTE, job)
        sent, polled, cancelled = server.seen
    assert (sent.method, sent.path) == ("POST", "/v1/models/acme/painter/predictions")
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["cancel-after"] == "660s"
    assert "prefer" not in sent.headers
    assert json.loads(sent.body)["webhook"] == "https://k.example/w"
    assert (polled.method, polled.path) == ("GET", "/v1/predictions/p1")
    assert (cancelled.method, cancelled.path) == ("POST", "/v1/predictions/p1/cancel")


async def test_an_address_for_news_without_tls_is_not_sent_to_the_real_one(
    client: httpx.AsyncClient,
) -> None:
    sent: list[dict[str, object]] = []

    async def take(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(await request.aread()))
        return httpx.Response(201, json=MADE)

    async with httpx.AsyncClient(transport=httpx.MockTransport(take)) as mock:
        there = Replicate("replicate", "https://api.replicate.com/v1", TOKEN, mock)
        for address in ("http://k.example/w", "https://k.example/w"):
            await there.submit(ROUTE, FOX, key="g-1", webhook_url=address)
    assert [body.get("webhook") for body in sent] == [None, "https://k.example/w"]


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "p?x=1", "p#", "p\n", "p" * 201, "é"])
async def test_an_id_that_leads_elsewhere_is_no_prediction(
    client: httpx.AsyncClient, job_id: str
) -> None:
    with pytest.raises(Malformed):
        Replicate("replicate", "https://x.invalid", TOKEN, client).job(ROUTE, job_id)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
async def test_a_cancel_that_comes_too_late_is_no_trouble(
    client: httpx.AsyncClient, status: int
) -> None:
    async with serving(answering(status, {})) as server:
        await at(server, client).cancel(ROUTE, JOB)


async def test_a_large_picture_is_uploaded_before_and_named_in_the_request(
    client: httpx.AsyncClient,
) -> None:
    stored = "https://api.replicate.com/v1/files/f1"

    async def answer(exchange: Exchange) -> None:
        is_file = exchange.path == "/v1/files"
        body = {"id": "f1", "urls": {"get": stored}} if is_file else MADE
        await exchange.reply(json.dumps(body).encode(), 201)

    data = bytes(range(256)) * 1001
    picture = InputFile(role="image", media_type="image/png", data=data)
    async with serving(answer) as server:
        await at(server, client).submit(ROUTE, replace(FOX, inputs=(picture,)), key="g-1")
        upload, sent = server.seen
    assert upload.headers["content-type"].startswith("multipart/form-data")
    assert upload.headers["authorization"] == f"Bearer {TOKEN}"
    assert data in upload.body
    assert b"Content-Type: image/png" in upload.body
    assert json.loads(sent.body)["input"]["image"] == stored


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, {}, NeverSent),
        (404, {}, NeverSent),
        (401, {}, Unauthorized),
        (429, THROTTLED, Busy),
        (201, {"id": "f1"}, Malformed),
        (201, [], Malformed),
    ],
)
async def test_without_its_picture_nothing_is_submitted(
    client: httpx.AsyncClient, status: int, body: object, error: type[ProviderError]
) -> None:
    picture = InputFile(role="image", media_type="image/png", data=bytes(INLINE_BYTES_MAX + 1))
    async with serving(answering(status, body)) as server:
        with pytest.raises(error):
            await at(server, client).submit(ROUTE, replace(FOX, inputs=(picture,)), key="g-1")
        assert [one.path for one in server.seen] == ["/v1/files"]


def signed(raw: bytes, sent_at: int = NOW_S) -> dict[str, str]:
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, f"m1.{sent_at}.".encode() + raw, hashlib.sha256).digest()
    return {
        "webhook-id": "m1",
        "webhook-timestamp": str(sent_at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


async def test_news_are_believed_when_they_are_signed(client: httpx.AsyncClient) -> None:
    raw = json.dumps({"id": "p1", "status": "succeeded", "output": "https://evil.example"}).encode()
    async with serving(answering(200, {"key": SECRET})) as server:
        there = at(server, client)
        with pytest.raises(Malformed, match="not known yet"):
            there.hear(signed(raw), raw)
        await there.learn()
        await there.learn()
        assert [(one.method, one.path) for one in server.seen] == [
            ("GET", "/v1/webhooks/default/secret")
        ]
    assert there.hear(signed(raw), raw) == News(event="p1:succeeded", job_id="p1")
    for headers, body in (
        ({}, raw),
        (signed(raw), raw.replace(b"p1", b"p2")),
        (signed(raw, NOW_S - 301), raw),
        (signed(raw) | {"webhook-id": "m2"}, raw),
    ):
        with pytest.raises(Forged):
            there.hear(headers, body)
    for strange in (b"", b"[]", b"{", b'{"id": "p1"}', b'{"id": "../x", "status": "failed"}'):
        with pytest.raises(Malformed):
            there.hear(signed(strange), strange)


def test_a_token_switches_it_on_and_is_not_shown(tmp_path: Path) -> None:
    off, on = (
        load(env, tmp_path / "no.env").settings for env in ({}, {"REPLICATE_API_TOKEN": TOKEN})
    )
    client = httpx.AsyncClient()
    assert configured(off, client) is None
    found = configured(on, client)
    assert found is not None
    assert (found.provider.name, found.setting) == ("replicate", "replicate_api_token")
    assert found.question is not None
    assert found.question.url == "https://api.replicate.com/v1/account"
    assert TOKEN not in repr(found)


async def test_a_key_that_can_be_none_is_not_sent(client: httpx.AsyncClient) -> None:
    async with serving(answering(200)) as server:
        with pytest.raises(Unauthorized):
            await Replicate("x", server.url, "kéy\r\nX: y", client).poll(ROUTE, JOB)
        assert not server.seen
