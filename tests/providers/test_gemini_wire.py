"""The Gemini adapter over a real connection: what each bad day becomes, and where the key goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from providers.contract import (
    AnswerLost,
    Busy,
    Failed,
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
    Running,
    Succeeded,
    Unauthorized,
    Unreachable,
)
from providers.gemini import BODY_BYTES_MAX, Gemini
from providers.transport import Limits, open_client
from tests.providers.company_routes import FOX, route_to
from tests.providers.servers import Answer, Exchange, Server, closed_port, serving
from tests.providers.test_gemini_parse import PNG

SECRET = "AIzaCANARY0123456789"
IMAGE = route_to("gemini", "gemini-3.1-flash-image", on_lost_submit="ask")
FILM = route_to("gemini", "gemini-omni-1.2-flash", kind="video")
CAT = Request(kind="video", prompt="a cat")
JOB = Job(
    id="v1_abc",
    urls={"status": "v1beta/interactions/v1_abc", "cancel": "v1beta/interactions/v1_abc/cancel"},
)
MADE = {
    "candidates": [{"content": {"parts": [{"inlineData": {"data": PNG}}]}, "finishReason": "STOP"}],
    "responseId": "r-1",
}


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(Limits(connect_s=0.3, read_s=0.3)) as client:
        yield client


def at(server: Server, client: httpx.AsyncClient) -> Gemini:
    return Gemini("gemini", f"{server.url}/", SECRET, client)


def answering(status: int, body: object = None, headers: dict[str, str] | None = None) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(json.dumps(body).encode(), status, headers=headers)

    return answer


def error(status: int, name: str, message: str = "no", *details: object) -> Answer:
    said = {"code": status, "message": message, "status": name, "details": list(details)}
    return answering(status, {"error": said})


async def drop(exchange: Exchange) -> None:
    exchange.writer.close()


async def cut(exchange: Exchange) -> None:
    exchange.reset()


async def reply_half(exchange: Exchange) -> None:
    await exchange.reply(b'{"id": "', headers={"Content-Length": "99"})
    exchange.writer.close()


async def reply_page(exchange: Exchange) -> None:
    await exchange.reply(b"<html>back soon</html>", headers={"Content-Type": "text/html"})


BAD_KEY = error(400, "INVALID_ARGUMENT", f"API key not valid: {SECRET}")
WAIT = error(429, "RESOURCE_EXHAUSTED", "slow down", {"retryDelay": "7s"})
BOTH: list[tuple[str, Answer, type[ProviderError]]] = [
    ("dropped", drop, AnswerLost),
    ("reset", cut, AnswerLost),
    ("half an answer", reply_half, AnswerLost),
    ("a page", reply_page, AnswerLost),
    ("a gateway's 502", answering(502, None), AnswerLost),
    ("429", WAIT, Busy),
    ("402", error(402, "RESOURCE_EXHAUSTED", "depleted"), OutOfCredit),
    ("a bad key", BAD_KEY, Unauthorized),
    ("403", error(403, "PERMISSION_DENIED"), Unauthorized),
    ("404", error(404, "NOT_FOUND"), Rejected),
    ("302", answering(302, None, {"Location": "/elsewhere"}), Malformed),
]
FILMS: list[tuple[str, Answer, type[ProviderError]]] = [
    *BOTH,
    ("200 without an id", answering(200, {"status": "in_progress"}), AnswerLost),
    ("200 with an id that leads elsewhere", answering(200, {"id": "../../x"}), AnswerLost),
    ("200 with dots for an id", answering(200, {"id": ".."}), AnswerLost),
    ("Google's 500", error(500, "INTERNAL"), AnswerLost),
    ("Google's 503", error(503, "UNAVAILABLE"), AnswerLost),
]
PICTURES: list[tuple[str, Answer, type[ProviderError]]] = [
    *BOTH,
    ("Google's 503", error(503, "UNAVAILABLE", "overloaded"), Busy),
]
SUBMIT: list[tuple[str, Request, Answer, type[ProviderError]]] = [
    *((f"picture: {name}", FOX, answer, kind) for name, answer, kind in PICTURES),
    *((f"film: {name}", CAT, answer, kind) for name, answer, kind in FILMS),
]


@pytest.mark.parametrize(
    ("request_", "answer", "kind"), [row[1:] for row in SUBMIT], ids=[row[0] for row in SUBMIT]
)
async def test_a_submit_that_fails_says_who_must_act(
    client: httpx.AsyncClient, request_: Request, answer: Answer, kind: type[ProviderError]
) -> None:
    route = IMAGE if request_.kind == "image" else FILM
    async with serving(answer) as server:
        with pytest.raises(kind) as raised:
            await at(server, client).submit(route, request_, key="g-1")
        assert type(raised.value) is kind
        assert SECRET not in f"{raised.value!r} {raised.value.__cause__!r}"
        assert len(server.seen) == 1, "and is never sent a second time"
        if isinstance(raised.value, Busy) and raised.value.message == "slow down":
            assert raised.value.retry_after_s == 7


@pytest.mark.parametrize("request_", [FOX, CAT])
async def test_a_submit_to_nobody_was_never_sent(
    client: httpx.AsyncClient, request_: Request
) -> None:
    route = IMAGE if request_.kind == "image" else FILM
    for base_url in (f"http://127.0.0.1:{closed_port()}", "http://nobody.invalid"):
        with pytest.raises(NeverSent):
            await Gemini("gemini", base_url, SECRET, client).submit(route, request_, key="g-1")


async def test_what_google_broke_is_not_charged(client: httpx.AsyncClient) -> None:
    async with serving(error(500, "INTERNAL", "an internal error")) as server:
        made = await at(server, client).submit(IMAGE, FOX, key="g-1")
    assert isinstance(made, Made)
    assert isinstance(made.state, Failed)
    assert (made.job.id, made.state.code) == ("g-1", "provider_error")
    assert (made.state.retryable, made.state.charged) == (True, False)


async def test_a_picture_may_take_longer_than_other_answers(client: httpx.AsyncClient) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=0.6)
        await exchange.reply(json.dumps(MADE).encode())

    async with serving(slow) as server:
        made = await at(server, client).submit(IMAGE, FOX, key="g-1")
        sent = server.seen[0]
    assert isinstance(made, Made)
    assert made.job == Job(id="r-1")
    assert isinstance(made.state, Succeeded)
    assert (sent.method, sent.path) == (
        "POST",
        "/v1beta/models/gemini-3.1-flash-image:generateContent",
    )
    assert sent.headers["x-goog-api-key"] == SECRET
    assert "authorization" not in sent.headers
    assert int(sent.headers["content-length"]) == len(sent.body)


async def test_a_film_is_followed_where_we_know_it_to_be(client: httpx.AsyncClient) -> None:
    body = {"id": "v1_abc", "status": "in_progress", "url": "http://evil.example/"}
    async with serving(answering(200, body)) as server:
        gemini = at(server, client)
        assert await gemini.submit(FILM, CAT, key="g-1") == JOB
        assert await gemini.poll(FILM, JOB) == Running()
        await gemini.cancel(FILM, JOB)
        assert [(one.method, one.path) for one in server.seen] == [
            ("POST", "/v1beta/interactions"),
            ("GET", "/v1beta/interactions/v1_abc"),
            ("POST", "/v1beta/interactions/v1_abc/cancel"),
        ]
        assert all(SECRET not in one.path for one in server.seen)
        assert await gemini.find(FILM, "g-1") is None


LOOK: list[tuple[str, Answer, type[ProviderError]]] = [
    ("dropped", drop, Unreachable),
    ("half an answer", reply_half, Unreachable),
    ("a page", reply_page, Unreachable),
    ("500", error(500, "INTERNAL"), Unreachable),
    ("503", error(503, "UNAVAILABLE"), Unreachable),
    ("402", error(402, "RESOURCE_EXHAUSTED"), Unreachable),
    ("429", WAIT, Busy),
    ("a bad key", BAD_KEY, Unauthorized),
    ("403", error(403, "PERMISSION_DENIED"), Unauthorized),
    ("404", error(404, "NOT_FOUND"), Gone),
    ("400", error(400, "INVALID_ARGUMENT"), Malformed),
    ("302", answering(302, None, {"Location": "/elsewhere"}), Malformed),
    ("unknown status", answering(200, {"id": "v1_abc", "status": "BAKING"}), Malformed),
    ("another one", answering(200, {"id": "v1_x", "status": "completed"}), Malformed),
    ("a list", answering(200, []), Malformed),
]


@pytest.mark.parametrize(("answer", "kind"), [row[1:] for row in LOOK], ids=[r[0] for r in LOOK])
async def test_a_look_that_fails_is_no_word_about_the_film(
    client: httpx.AsyncClient, answer: Answer, kind: type[ProviderError]
) -> None:
    async with serving(answer) as server:
        with pytest.raises(kind) as raised:
            await at(server, client).poll(FILM, JOB)
        assert type(raised.value) is kind
        assert SECRET not in f"{raised.value!r} {raised.value.__cause__!r}"


@pytest.mark.parametrize("status", [400, 404, 409, 410])
async def test_a_cancel_that_comes_too_late_is_for_the_next_poll_to_tell(
    client: httpx.AsyncClient, status: int
) -> None:
    async with serving(error(status, "X")) as server:
        await at(server, client).cancel(FILM, JOB)


async def test_a_picture_leaves_nothing_to_look_at_or_to_stop(client: httpx.AsyncClient) -> None:
    async with serving(answering(500)) as server:
        gemini = at(server, client)
        with pytest.raises(Gone):
            await gemini.poll(IMAGE, Job(id="r-1"))
        await gemini.cancel(IMAGE, Job(id="r-1"))
        assert not server.seen


async def test_pictures_too_heavy_for_the_wire_are_refused_before_it(
    client: httpx.AsyncClient,
) -> None:
    async with serving(answering(200, MADE)) as server:
        gemini = at(server, client)
        data = b"x" * gemini.input_bytes_max
        fits = InputFile(role="image", media_type="image/png", data=data)
        await gemini.submit(IMAGE, replace(FOX, inputs=(fits,)), key="g-1")
        assert len(server.seen[0].body) <= BODY_BYTES_MAX
        heavy = replace(FOX, inputs=(replace(fits, data=data + b"x" * 500_000),))
        with pytest.raises(Rejected, match="up to 20 MB"):
            await gemini.submit(IMAGE, heavy, key="g-1")
        assert len(server.seen) == 1


@pytest.mark.parametrize("key", ["AIza\u00e9", "AIza\r\nX-Evil: 1"])
async def test_a_key_that_cannot_be_one_is_refused_unspoken(
    client: httpx.AsyncClient, key: str
) -> None:
    async with serving(answering(200, MADE)) as server:
        gemini = Gemini("gemini", server.url, key, client)
        for call in (gemini.submit(IMAGE, FOX, key="g-1"), gemini.poll(FILM, JOB)):
            with pytest.raises(Unauthorized) as raised:
                await call
            assert key not in repr(raised.value)
        assert not server.seen
        assert key not in repr(gemini) + repr(vars(gemini))
