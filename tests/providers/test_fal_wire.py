"""The fal adapter over a real connection: what each bad day becomes, and where its key goes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from providers.contract import (
    AnswerLost,
    Busy,
    Cancelled,
    Failed,
    Gone,
    Job,
    Malformed,
    NeverSent,
    OutOfCredit,
    ProviderError,
    Rejected,
    Running,
    Succeeded,
    Unauthorized,
    Unreachable,
    Waiting,
)
from providers.fal import Fal
from providers.transport import Limits, open_client
from tests.providers.company_routes import FOX, route_to
from tests.providers.servers import Answer, Exchange, Server, closed_port, serving

KEY = "fal-id:CANARY0123456789"
ROUTE = route_to("fal", "fal-ai/flux/dev")
PATH = "fal-ai/flux/requests/r1"
JOB = Job(id="r1", urls={"status": f"{PATH}/status", "result": PATH, "cancel": f"{PATH}/cancel"})
PICTURE = {"images": [{"url": "https://v3.fal.media/1.png"}]}
DONE = {"status": "COMPLETED", "request_id": "r1", "logs": []}
POLICY = {"detail": [{"msg": "flagged by a content checker", "type": "content_policy_violation"}]}
LOCKED = {"detail": "User is locked. Reason: Exhausted balance."}


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(Limits(connect_s=0.3, read_s=0.3)) as client:
        yield client


def at(server: Server, client: httpx.AsyncClient) -> Fal:
    return Fal("fal", f"{server.url}/q/", KEY, client)


def answering(status: int, body: object = None, headers: dict[str, str] | None = None) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(json.dumps(body).encode(), status, headers=headers)

    return answer


async def cut(exchange: Exchange) -> None:
    exchange.reset()


async def reply_page(exchange: Exchange) -> None:
    await exchange.reply(b"<html>back soon</html>")


SUBMIT: list[tuple[str, Answer, type[ProviderError], str]] = [
    ("reset", cut, AnswerLost, "submit_unknown"),
    ("a page", reply_page, AnswerLost, "submit_unknown"),
    ("200 without an id", answering(200, {"status": "IN_QUEUE"}), AnswerLost, "submit_unknown"),
    ("200 with a list", answering(200, []), AnswerLost, "submit_unknown"),
    ("200 with a path", answering(200, {"request_id": "../x"}), AnswerLost, "submit_unknown"),
    ("500", answering(500, {"detail": "boom"}), AnswerLost, "submit_unknown"),
    ("504", answering(504, {"detail": "Request timed out"}), AnswerLost, "submit_unknown"),
    ("401", answering(401, {"detail": "no"}), Unauthorized, "auth"),
    ("403", answering(403, {"detail": "no"}), Unauthorized, "auth"),
    ("403 without money", answering(403, LOCKED), OutOfCredit, "out_of_credit"),
    ("402", answering(402, {}), OutOfCredit, "out_of_credit"),
    ("404", answering(404, {"detail": "Application not found"}), Rejected, "invalid_request"),
    ("422", answering(422, {"detail": [{"msg": "x"}]}), Rejected, "invalid_request"),
    ("422 by policy", answering(422, POLICY), Rejected, "content_policy"),
    ("429", answering(429, {}, {"Retry-After": "7"}), Busy, "rate_limited"),
    ("302", answering(302, None, {"Location": "/elsewhere"}), Malformed, "provider_error"),
]


@pytest.mark.parametrize(
    ("answer", "error", "code"), [r[1:] for r in SUBMIT], ids=[r[0] for r in SUBMIT]
)
async def test_a_submit_that_fails_says_who_must_act(
    client: httpx.AsyncClient, answer: Answer, error: type[ProviderError], code: str
) -> None:
    async with serving(answer) as server:
        with pytest.raises(error) as raised:
            await at(server, client).submit(ROUTE, FOX, key="g-1")
        assert (type(raised.value), raised.value.code) == (error, code)
        assert KEY not in f"{raised.value!r} {raised.value.__cause__!r}"
        assert len(server.seen) == 1, "and is never sent a second time"


async def test_nobody_there(client: httpx.AsyncClient) -> None:
    nobody = Fal("fal", f"http://127.0.0.1:{closed_port()}", KEY, client)
    with pytest.raises(NeverSent):
        await nobody.submit(ROUTE, FOX, key="g-1")
    for call in (nobody.poll(ROUTE, JOB), nobody.cancel(ROUTE, JOB)):
        with pytest.raises(Unreachable):
            await call


LOOK: list[tuple[str, Answer, type[ProviderError]]] = [
    ("reset", cut, Unreachable),
    ("a page", reply_page, Unreachable),
    ("500", answering(500), Unreachable),
    ("429", answering(429), Busy),
    ("401", answering(401), Unauthorized),
    ("404", answering(404), Gone),
    ("302", answering(302, None, {"Location": "/elsewhere"}), Malformed),
    ("unknown status", answering(200, {"status": "FAILED"}), Malformed),
    ("another request", answering(200, {**DONE, "request_id": "r2"}), Malformed),
    ("a list", answering(200, []), Malformed),
]


@pytest.mark.parametrize(("answer", "error"), [row[1:] for row in LOOK], ids=[r[0] for r in LOOK])
async def test_a_look_that_fails_is_no_word_about_the_request(
    client: httpx.AsyncClient, answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(answer) as server:
        with pytest.raises(error) as raised:
            await at(server, client).poll(ROUTE, JOB)
        assert type(raised.value) is error


async def polled(
    client: httpx.AsyncClient, status: dict[str, Any], result: Answer
) -> tuple[object, list[Exchange]]:
    """What a poll makes of a status and the result behind it, with all that was asked."""

    async def answer(exchange: Exchange) -> None:
        if exchange.path.partition("?")[0].endswith("/status"):
            await exchange.reply(json.dumps(status).encode())
        else:
            await result(exchange)

    async with serving(answer) as server:
        state: object
        try:
            state = await at(server, client).poll(ROUTE, JOB)
        except ProviderError as error:
            state = type(error)
        return state, server.seen


FAILED = {**DONE, "error": "Invalid status code: 500"}
RESULT: list[tuple[str, dict[str, Any], Answer, object]] = [
    ("made", DONE, answering(200, PICTURE), Succeeded),
    ("still running", DONE, answering(400, {"detail": "Request is still in progress"}), Running),
    ("refused", DONE, answering(422, POLICY), "content_policy"),
    ("500 of the model", DONE, answering(500, {"detail": [{"type": "x"}]}), "provider_error"),
    ("500 of somebody", DONE, answering(500, {}), Unreachable),
    ("502 page", DONE, answering(502, "<html>"), Unreachable),
    ("504 of fal", DONE, answering(504, {"error_type": "request_timeout"}), "timeout"),
    ("503", DONE, answering(503, {"detail": "no"}), Unreachable),
    ("429", DONE, answering(429, {"detail": "no"}), Busy),
    ("404", DONE, answering(404, {"detail": "no"}), Gone),
    ("401", DONE, answering(401, {"detail": "no"}), Unauthorized),
    ("reset", DONE, cut, Unreachable),
    ("a page", DONE, reply_page, Unreachable),
    ("cancelled", {**DONE, "error_type": "client_cancelled"}, answering(200, PICTURE), Cancelled),
    ("error inside", {**DONE, "error_type": "request_timeout"}, answering(200, {}), "timeout"),
    ("error and result", FAILED, answering(200, PICTURE), "provider_error"),
    ("error and why", FAILED, answering(422, POLICY), "content_policy"),
    ("error and silence", FAILED, cut, "provider_error"),
    ("error and nothing left", FAILED, answering(404, {}), "provider_error"),
    ("error and 500", FAILED, answering(500, {}), "provider_error"),
]


@pytest.mark.parametrize(
    ("status", "result", "becomes"), [row[1:] for row in RESULT], ids=[r[0] for r in RESULT]
)
async def test_complete_is_not_yet_success(
    client: httpx.AsyncClient, status: dict[str, Any], result: Answer, becomes: object
) -> None:
    state, _ = await polled(client, status, result)
    if isinstance(becomes, str):
        assert isinstance(state, Failed)
        assert state.code == becomes
    else:
        assert becomes in (state, type(state))


async def test_the_header_says_whether_it_is_worth_trying_again(client: httpx.AsyncClient) -> None:
    body = {"detail": [{"type": "internal_server_error", "msg": "x"}]}
    for header in ("X-Fal-Retryable", "X-Fal-Needs-Retry", "X"):
        state, _ = await polled(client, DONE, answering(500, body, {header: "false"}))
        assert isinstance(state, Failed)
        assert state.retryable is (header == "X")


def accepted(base: str, app: str = "fal-ai/flux", **more: object) -> dict[str, object]:
    here = f"{base}/{app}/requests/r1"
    urls = {"response_url": here, "status_url": f"{here}/status", "cancel_url": f"{here}/cancel"}
    return {"status": "IN_QUEUE", "request_id": "r1", "queue_position": 0, **urls, **more}


async def test_a_request_goes_out_as_fal_documents_it(client: httpx.AsyncClient) -> None:
    waits = {"status": "IN_QUEUE", "request_id": "r1", "queue_position": 2}

    async def answer(exchange: Exchange) -> None:
        is_submit = exchange.method == "POST"
        body = accepted(f"{server.url}/q") if is_submit else waits
        await exchange.reply(json.dumps(body).encode(), 200 if is_submit else 202)

    async with serving(answer) as server:
        there = at(server, client)
        hook = "https://k.example/w?a=1&b=2"
        job = await there.submit(ROUTE, FOX, key="g-1", webhook_url=hook)
        assert job == JOB == there.job(ROUTE, "r1")
        assert await there.poll(ROUTE, job) == Waiting(position=2)
        await there.cancel(ROUTE, job)
        sent, looked, cancelled = server.seen
    assert (sent.method, httpx.URL(sent.path).path) == ("POST", "/q/fal-ai/flux/dev")
    assert dict(httpx.URL(sent.path).params) == {"fal_webhook": hook}
    assert sent.headers["authorization"] == f"Key {KEY}"
    assert sent.headers["x-fal-request-timeout"] == "600"
    assert json.loads(sent.body) == {"prompt": "a red fox", "aspect_ratio": "16:9", "seed": 7}
    assert (looked.method, looked.path) == ("GET", f"/q/{PATH}/status?logs=1")
    assert (cancelled.method, cancelled.path) == ("PUT", f"/q/{PATH}/cancel")


HOME, BACKUP = "https://queue.fal.run", "https://queue.falrun.com"


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (accepted(HOME), f"{PATH}/status"),
        (accepted(BACKUP, "x/y"), "x/y/requests/r1/status"),
        (accepted(f"{HOME}:443"), f"{PATH}/status"),
        (accepted(HOME, status_url=f"{HOME}/a/b/requests/r1/state"), "a/b/requests/r1/state"),
        (accepted("https://queue.fal.run.evil.example", "x/y"), None),
        (accepted("https://evil.example", "x/y"), None),
        (accepted("http://queue.fal.run", "x/y"), None),
        (accepted(f"{HOME}:8443", "x/y"), None),
        (accepted("https://queue.fal.run@evil.example", "x/y"), None),
        (accepted("//evil.example", "x/y"), None),
        (accepted(HOME, status_url=f"{HOME}/a/b/../../c/r1"), None),
        (accepted(HOME, status_url=f"{HOME}/a/b/requests/r2/status"), None),
        (accepted(HOME, status_url=f"{HOME}/a/b/%2e%2e/r1"), None),
        (accepted(HOME, status_url=f"{HOME}/"), None),
        (accepted(HOME, status_url="https://["), None),
        (accepted(HOME, status_url=7), None),
        ({"request_id": "r1"}, None),
    ],
)  # fmt: skip
async def test_returned_addresses_are_used_where_they_lead_to_fal_and_built_otherwise(
    told: dict[str, object], status: str | None
) -> None:
    asked: list[httpx.URL] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        body = told if request.method == "POST" else {"status": "IN_QUEUE"}
        return httpx.Response(200, json=body)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as mock:
        there = Fal("fal", HOME, KEY, mock)
        job = await there.submit(ROUTE, FOX, key="g-1")
        assert await there.poll(ROUTE, job) == Waiting()
    assert job.urls["status"] == (status or JOB.urls["status"])
    assert {url.host for url in asked} == {"queue.fal.run"}


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "r?x=1", "r#", "r\n", "r" * 201, "é"])
async def test_an_id_that_leads_elsewhere_is_no_job(client: httpx.AsyncClient, job_id: str) -> None:
    with pytest.raises(Malformed):
        Fal("fal", HOME, KEY, client).job(ROUTE, job_id)


@pytest.mark.parametrize("status", [200, 202, 400, 404])
async def test_whatever_a_cancel_finds_is_no_trouble(
    client: httpx.AsyncClient, status: int
) -> None:
    async with serving(answering(status, {"status": "ALREADY_COMPLETED"})) as server:
        await at(server, client).cancel(ROUTE, JOB)


async def test_a_key_that_can_be_none_is_not_sent(client: httpx.AsyncClient) -> None:
    async with serving(answering(200)) as server:
        with pytest.raises(Unauthorized):
            await Fal("x", server.url, "kéy\r\nX: y", client).poll(ROUTE, JOB)
        assert not server.seen
