"""Nothing is bought twice: a client that repeats a request by itself gets what its first one began,
and a second request is a second purchase.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import openai
import psycopg
import pytest

from tests.db.samples import encoded, picture
from tests.demo_process import Demo
from tests.generations.money import attempts, models_file
from tests.house import Served, free_port, serve
from tests.proxy import Wire, wire_to_port

QUICK = "demo-image-quick"
PICTURES = "/v1/images/generations"
REPEAT = {"x-stainless-retry-count": "1"}


@pytest.fixture
def prompt() -> str:
    """Words that nobody else says."""
    return f"fox {uuid4().hex}"


@pytest.fixture
async def http(server: Served, calm_demo: Demo) -> httpx.AsyncClient:
    return server.client


@pytest.fixture
async def wire(server: Served) -> AsyncIterator[Wire]:
    """A wire to the server that can be cut."""
    port = httpx.URL(server.url).port
    assert port is not None
    async with wire_to_port(port) as wire:
        yield wire


def client_at(url: str, **more: Any) -> openai.AsyncOpenAI:
    http = openai.DefaultAsyncHttpxClient(trust_env=False, timeout=60)
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-any", http_client=http, **more)


async def made_of(http: httpx.AsyncClient, prompt: str) -> list[dict[str, Any]]:
    """Every generation with these words."""
    found = await http.get("/api/generations", params={"q": prompt, "limit": 100})
    data: list[dict[str, Any]] = found.json()["data"]
    return data


async def begun(http: httpx.AsyncClient, prompt: str, count: int = 1) -> list[dict[str, Any]]:
    """The same, once there are so many."""
    async with asyncio.timeout(20):
        while len(found := await made_of(http, prompt)) < count:
            pass
    return found


async def repeated(
    wire: Wire, http: httpx.AsyncClient, demo: Demo, prompt: str, call: Any, count: int = 1
) -> Any:
    """What a call returns whose first answer was lost, after so many generations were begun."""
    await demo.hold(True)
    calling = asyncio.create_task(call)
    for one in await begun(http, prompt, count):
        await demo.until(one["id"], "submits:1")
    wire.cut()
    wire.mend()
    await demo.hold(False)
    return await calling


async def test_the_clients_own_repeat_gets_what_the_first_request_began(
    wire: Wire, http: httpx.AsyncClient, demo: Demo, prompt: str
) -> None:
    async with client_at(wire.url) as client:
        call = client.images.with_raw_response.generate(prompt=prompt, model=QUICK, n=6)
        raw = await repeated(wire, http, demo, prompt, call, 2)
        assert raw.retries_taken == 1
        assert raw.headers["x-should-retry"] == "false"
        answer = raw.parse()
        assert len(answer.data) == 6
        found = await made_of(http, prompt)
        ids = [one["id"] for one in found]
        assert sorted(answer.model_extra["kinora"]["generations"]) == sorted(ids)
        assert [(await demo.ledger(one))["submits"] for one in ids] == [1, 1]
        # The same words once more, by nobody's retry: bought anew.
        await client.images.generate(prompt=prompt, model=QUICK, n=1)
        await client.images.generate(prompt=prompt, model=QUICK, n=1)
        assert len(await made_of(http, prompt)) == 4


async def test_the_repeat_of_an_edit_is_known_though_its_form_is_written_anew(
    wire: Wire, http: httpx.AsyncClient, demo: Demo, prompt: str
) -> None:
    given = encoded(picture(), "PNG")
    async with client_at(wire.url) as client:
        call = client.images.with_raw_response.edit(
            image=BytesIO(given), prompt=prompt, model=QUICK
        )
        raw = await repeated(wire, http, demo, prompt, call)
    assert raw.retries_taken == 1
    (one,) = await made_of(http, prompt)
    assert raw.parse().model_extra["kinora"]["generations"] == [one["id"]]
    assert (await demo.ledger(one["id"]))["submits"] == 1


@pytest.mark.filterwarnings("ignore:The Sora API is scheduled")
async def test_a_film_whose_answer_was_lost_is_begun_once(
    http: httpx.AsyncClient, demo: Demo, prompt: str
) -> None:
    await demo.hold(True)
    body = {"prompt": prompt, "model": "demo-video-quick", "seconds": "1"}
    first = await http.post("/v1/videos", data=body)
    again = await http.post("/v1/videos", data=body, headers=REPEAT)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["x-should-retry"] == "false"


async def test_repeats_at_the_same_moment_share_one_purchase(
    http: httpx.AsyncClient, demo: Demo, prompt: str
) -> None:
    body = {"prompt": prompt, "model": QUICK}
    calls = [http.post(PICTURES, json=body, headers=REPEAT) for _ in range(12)]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {200}
    (one,) = await made_of(http, prompt)
    told = {tuple(answer.json()["kinora"]["generations"]) for answer in answers}
    assert told == {(one["id"],)}
    assert (await demo.ledger(one["id"]))["submits"] == 1


async def test_a_repeat_joins_what_was_asked_last_and_only_the_same(
    http: httpx.AsyncClient, prompt: str
) -> None:
    async def generation(body: dict[str, Any], headers: dict[str, str] | None = None) -> str:
        answer = await http.post(PICTURES, json=body, headers=headers)
        (one,) = answer.json()["kinora"]["generations"]
        return str(one)

    body = {"prompt": prompt, "model": QUICK}
    first, second = await generation(body), await generation(body)
    assert first != second
    turned = dict(reversed({**body, "style": None}.items()))
    assert await generation(turned, REPEAT) == second
    assert await generation({**body, "seed": 1}, REPEAT) not in (first, second)
    zero = {"x-stainless-retry-count": "0"}
    assert await generation(body, zero) not in (first, second)


async def test_an_explicit_key_decides_alone(http: httpx.AsyncClient, prompt: str) -> None:
    body = {"prompt": prompt, "model": QUICK, "n": 6}
    key = {"Idempotency-Key": f"k {prompt}"}
    answers = [await http.post(PICTURES, json=body, headers=key) for _ in range(2)]
    one, two = [answer.json()["kinora"]["generations"] for answer in answers]
    assert one == two
    assert len(await made_of(http, prompt)) == 2
    other = await http.post(PICTURES, json={**body, "n": 1}, headers=key)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_mismatch")
    long = await http.post(PICTURES, json=body, headers={"Idempotency-Key": "x" * 256})
    assert (long.status_code, long.json()["error"]["param"]) == (422, "Idempotency-Key")


async def test_a_repeat_at_another_server_joins_what_is_not_yet_committed(
    database_url: str, calm_demo: Demo, tmp_path: Path, prompt: str
) -> None:
    urls = {"DATABASE_URL": database_url, "DEMO_BASE_URL": calm_demo.url}
    body = {"prompt": prompt, "model": QUICK, "n": 5}
    async with (
        serve(tmp_path / "one", **urls) as one,
        serve(tmp_path / "two", **urls, WORKER="off") as two,
        await psycopg.AsyncConnection.connect(database_url) as connection,
    ):
        # Nothing new can be written meanwhile.
        await connection.execute("lock table kinora.attempts in share mode")
        first = asyncio.create_task(one.client.post(PICTURES, json=body))
        await _held_back(database_url, 1)
        calls = [two.client.post(PICTURES, json=body, headers=REPEAT) for _ in range(3)]
        repeats = [asyncio.create_task(call) for call in calls]
        await _held_back(database_url, 4)
        await connection.commit()
        answers = await asyncio.gather(first, *repeats)
        told = {tuple(answer.json()["kinora"]["generations"]) for answer in answers}
    assert len(told) == 1
    assert attempts(database_url) == 2


async def _held_back(database_url: str, count: int) -> None:
    """Return once so many of our statements wait for others."""
    query = (
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        " and datname = current_database()"
    )
    async with (
        asyncio.timeout(20),
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection,
    ):
        while True:
            found = await (await connection.execute(query)).fetchone()
            if found is not None and found[0] >= count:
                return


async def test_a_server_that_stops_lets_the_client_come_back_and_join(
    database_url: str, calm_demo: Demo, tmp_path: Path, prompt: str
) -> None:
    settings = {
        "DATABASE_URL": database_url,
        "DEMO_BASE_URL": calm_demo.url,
        "PORT": str(free_port()),
    }
    await calm_demo.hold(True)
    async with serve(tmp_path / "one", **settings) as served:
        client = client_at(served.url, max_retries=20)
        making = asyncio.create_task(client.images.generate(prompt=prompt, model=QUICK))
        (one,) = await begun(served.client, prompt)
        raw = asyncio.create_task(
            served.client.post(PICTURES, json={"prompt": prompt, "model": QUICK}, headers=REPEAT)
        )
        await calm_demo.until(one["id"], "submits:1")
        served.signal(signal.SIGTERM)
        answer = await raw
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert "x-should-retry" not in answer.headers
        await served.ended()
    await calm_demo.hold(False)
    async with serve(tmp_path / "one", **settings), client:
        made = await making
        assert made.model_extra is not None
        assert made.model_extra["kinora"]["generations"] == [one["id"]]
    assert attempts(database_url) == 1


async def test_what_the_budget_ends_half_way_is_answered_as_far_as_it_came(
    database_url: str, calm_demo: Demo, tmp_path: Path, prompt: str
) -> None:
    settings = {"MODELS_FILE": models_file(tmp_path), "BUDGET_USD_PER_USER_PER_DAY": "0.65"}
    urls = {"DATABASE_URL": database_url, "DEMO_BASE_URL": calm_demo.url}
    body = {"prompt": prompt, "model": "dear", "n": 3}
    async with serve(tmp_path / "served", **urls, **settings) as served:
        answer = await served.client.post(PICTURES, json=body)
        told = answer.json()["kinora"]
        assert (answer.status_code, len(told["generations"])) == (200, 2)
        assert [(e["generation"], e["code"]) for e in told["errors"]] == [(None, "over_budget")]
        refused = await served.client.post(PICTURES, json=body)
        assert (refused.status_code, refused.json()["error"]["type"]) == (402, "insufficient_quota")
        assert "x-should-retry" not in refused.headers
        again = await served.client.post(PICTURES, json={**body, "prompt": "other"}, headers=REPEAT)
        assert again.status_code == 402
