"""What RunPod tells of its own accord: where it is asked to, what is believed, whose it is."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from providers.catalogue import load_catalogue
from providers.contract import Job, Malformed, News, Request, Route, Waiting
from providers.runpod import RunPod
from providers.transport import open_client
from settings import ROOT, child_environment
from tests.providers.servers import Exchange, serving

PROMPT = Request(kind="image", prompt="a red fox", width_px=64, height_px=64)
ADDRESS = "https://kinora.example.org/webhooks/demo/0199-a/1/token"
# Source: docs.runpod.io/serverless/endpoints/send-requests: the status object, and what was sent.
COMPLETED = {
    "delayTime": 4736,
    "executionTime": 157,
    "id": "e46d-e1",
    "input": {"prompt": "a red fox"},
    "output": {"image_url": "https://image.runpod.ai/a/1.png"},
    "status": "COMPLETED",
    "webhook": ADDRESS,
}


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


@pytest.fixture
def runpod(client: httpx.AsyncClient) -> RunPod:
    return RunPod("runpod", "https://provider.invalid/v2", "key", client)


@pytest.fixture(scope="module")
def route() -> Route:
    return load_catalogue().find("demo-image")[0].routes[0]


@pytest.mark.parametrize("address", [ADDRESS, None])
async def test_a_submit_says_where_news_go_if_there_is_such_a_place(
    client: httpx.AsyncClient, route: Route, address: str | None
) -> None:
    async def accept(exchange: Exchange) -> None:
        await exchange.reply(b'{"id": "j-1"}')

    async with serving(accept) as server:
        there = RunPod("demo", server.url, "key", client)
        await there.submit(route, PROMPT, key="g-1", webhook_url=address)
        sent = json.loads(server.seen[0].body)
    assert sent.keys() == {"input", "policy", *({"webhook"} if address else ())}
    assert sent.get("webhook") == address


def test_news_are_told_apart_by_job_and_status(runpod: RunPod) -> None:
    heard = [
        runpod.hear({}, json.dumps({**COMPLETED, **told}).encode())
        for told in ({}, {}, {"status": "FAILED"}, {"id": "e46d-e2"})
    ]
    assert heard[0] == News(event="e46d-e1:COMPLETED", job_id="e46d-e1")
    assert [news.job_id for news in heard] == ["e46d-e1", "e46d-e1", "e46d-e1", "e46d-e2"]
    assert len({news.event for news in heard}) == 3


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"[]", b"null", b'"COMPLETED"', b"\xff\xfe", b"[" * 100_000),
        *(b'{"status": "COMPLETED"}', b'{"id": "j-1"}', b'{"id": "j-1", "status": 7}'),
        *(b'{"id": 1, "status": "FAILED"}', b'{"id": "../../x", "status": "FAILED"}'),
        *(b'{"id": "..", "status": "FAILED"}', b'{"id": "j\\u0000", "status": "FAILED"}'),
        *(b'{"id": "j-1", "status": "DONE\\u0000"}', b'{"id": "j-1", "status": "done\\n"}'),
        json.dumps({"id": "j" * 201, "status": "FAILED"}).encode(),
        json.dumps({"id": "j-1", "status": "F" * 41}).encode(),
    ],
)
def test_what_is_no_news_is_malformed_and_not_repeated(runpod: RunPod, raw: bytes) -> None:
    with pytest.raises(Malformed) as raised:
        runpod.hear({}, raw)
    assert len(raised.value.message) < 60


async def test_a_job_built_from_its_id_is_the_one_that_a_submit_gives(
    client: httpx.AsyncClient, route: Route
) -> None:
    async def accept(exchange: Exchange) -> None:
        await exchange.reply(b'{"id": "j-1"}')

    async with serving(accept) as server:
        there = RunPod("demo", server.url, "key", client)
        assert there.job(route, "j-1") == await there.submit(route, PROMPT, key="g-1")


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "j?x=1", "j#", "j\n", "j" * 201])
def test_an_id_that_leads_elsewhere_is_no_job(runpod: RunPod, route: Route, job_id: str) -> None:
    with pytest.raises(Malformed):
        runpod.job(route, job_id)


async def test_an_answer_about_another_job_says_nothing_about_this_one(
    client: httpx.AsyncClient, route: Route
) -> None:
    told: dict[str, object] = {"status": "IN_QUEUE"}

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(json.dumps(told).encode())

    async with serving(answer) as server:
        there = RunPod("demo", server.url, "key", client)
        job = there.job(replace(route, endpoint="e"), "j-1")
        for named in ({}, {"id": None}, {"id": "j-1"}):
            told = {"status": "IN_QUEUE", **named}
            assert await there.poll(route, job) == Waiting()
        for other in ("j-2", "J-1", 1, ["j-1"]):
            told = {"status": "COMPLETED", "output": {}, "id": other}
            with pytest.raises(Malformed, match="another job"):
                await there.poll(route, job)


DYING = """
import asyncio, sys
from providers.catalogue import load_catalogue
from providers.contract import Request
from providers.runpod import RunPod
from providers.transport import open_client

async def main(url):
    route = load_catalogue().find("demo-image")[0].routes[0]
    async with open_client() as client:
        there = RunPod("demo", url, "key", client)
        await there.poll(route, there.job(route, "j-1"))
        await there.submit(route, Request(kind="image", prompt="x"), key="g-1")

asyncio.run(main(sys.argv[1]))
"""


async def test_a_process_can_be_told_to_die_between_an_answers_head_and_its_words() -> None:
    async def begin(exchange: Exchange) -> None:
        if exchange.method == "GET":
            await exchange.reply(b'{"id": "j-1", "status": "IN_QUEUE"}')
        else:
            await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n")

    async with serving(begin) as server, asyncio.timeout(30):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", DYING, server.url),
            cwd=ROOT,
            env=child_environment() | {"CRASHPOINT": "submit.answering"},
        )
        assert await process.wait() == -signal.SIGKILL
        assert [one.method for one in server.seen] == ["GET", "POST"]


def test_a_job_says_the_same_after_a_move_of_the_provider(runpod: RunPod, route: Route) -> None:
    assert runpod.job(route, "j-1") == Job(
        id="j-1", urls={"status": "demo-image/status/j-1", "cancel": "demo-image/cancel/j-1"}
    )
