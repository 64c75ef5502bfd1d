"""A request that is sent twice under one key is done once, however closely the two follow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from db import idempotency, users
from generations.contract import Caller
from runtime import Runtime
from tests.demo_process import Demo
from tests.generations.money import attempts, models_file
from tests.house import Served, local, open_house, serve
from tools import registry

FOX = {"prompt": "a red fox", "model": "demo-image-quick", "seed": 7}
TOOL = "/api/tools/generate_image"
CALLS = 50


@pytest.fixture
async def http(server: Served, calm_demo: Demo) -> httpx.AsyncClient:
    return server.client


@pytest.fixture
def key() -> dict[str, str]:
    """A header with a key that nobody else has."""
    return {"Idempotency-Key": f"k {uuid4()}"}


async def settled_at(http: httpx.AsyncClient, generation_id: str) -> Any:
    answer = await http.get(f"/api/generations/{generation_id}", params={"wait": 60})
    return answer.json()


async def test_fifty_calls_at_once_start_one_generation(
    http: httpx.AsyncClient, demo: Demo, key: dict[str, str]
) -> None:
    calls = [http.post(TOOL, json=FOX, headers=key) for _ in range(CALLS)]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {202}
    (one,) = {answer.json()["id"] for answer in answers}
    assert {answer.headers["location"] for answer in answers} == {f"/api/generations/{one}"}
    assert (await settled_at(http, one))["status"] == "completed"
    ledger = await demo.ledger(one)
    assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)
    late = await http.post(TOOL, json=FOX, headers=key)
    assert (late.status_code, late.json()["id"]) == (202, one)
    assert late.json()["status"] == "completed"


async def test_neither_order_nor_spaces_nor_written_defaults_make_another_request(
    http: httpx.AsyncClient, key: dict[str, str]
) -> None:
    first = await http.post(TOOL, content=json.dumps(FOX), headers=key)
    turned = json.dumps({"n": 1, "style": None, **dict(reversed(FOX.items()))}, indent=3)
    second = await http.post(TOOL, content=turned, headers=key)
    assert first.json()["id"] == second.json()["id"]


async def test_another_request_under_the_same_key_is_refused(
    http: httpx.AsyncClient, key: dict[str, str]
) -> None:
    first = (await http.post(TOOL, json=FOX, headers=key)).json()
    tools = {TOOL: {**FOX, "prompt": "a blue fox"}, "/api/tools/generate_video": {"prompt": "sea"}}
    for path, body in tools.items():
        answer = await http.post(path, json=body, headers=key)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    again = await http.post("/api/tools/retry_generation", json={"generation": first["id"]})
    assert again.status_code in (202, 409)
    assert (await http.post(TOOL, json=FOX, headers=key)).json()["id"] == first["id"]


async def test_a_refused_request_does_not_use_its_key_up(
    http: httpx.AsyncClient, key: dict[str, str]
) -> None:
    for body, status in (({**FOX, "n": 99}, 422), ({**FOX, "references": [str(uuid4())]}, 404)):
        assert (await http.post(TOOL, json=body, headers=key)).status_code == status
    assert (await http.post(TOOL, json=FOX, headers=key)).status_code == 202


@pytest.mark.parametrize("wrong", [b"", b"x" * 256, b"k\xc3\xa4se", b"a\tb"])
async def test_a_malformed_key_is_refused(http: httpx.AsyncClient, wrong: bytes) -> None:
    answer = await http.post(TOOL, json=FOX, headers=[(b"Idempotency-Key", wrong)])
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["loc"] == "Idempotency-Key"


async def test_two_keys_in_one_request_are_refused_and_the_longest_is_taken(
    http: httpx.AsyncClient,
) -> None:
    two = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert (await http.post(TOOL, json=FOX, headers=two)).status_code == 422
    longest = {"Idempotency-Key": uuid4().hex + "~" * 223}
    assert (await http.post(TOOL, json=FOX, headers=longest)).status_code == 202


async def test_a_tool_that_starts_nothing_takes_no_notice(
    http: httpx.AsyncClient, key: dict[str, str]
) -> None:
    for body in ({}, {"kind": "image"}):
        answer = await http.post("/api/tools/list_models", json=body, headers=key)
        assert answer.status_code == 200
    assert (await http.post(TOOL, json=FOX, headers=key)).status_code == 202


async def test_a_retry_is_made_once_by_the_tool_and_by_the_route(
    http: httpx.AsyncClient, demo: Demo, key: dict[str, str]
) -> None:
    await demo.hold(True)
    one = (await http.post(TOOL, json=FOX)).json()["id"]
    await http.post(f"/api/generations/{one}/cancel")
    assert (await settled_at(http, one))["status"] == "cancelled"
    body = {"generation": one}
    tool = "/api/tools/retry_generation"
    calls = [http.post(tool, json=body, headers=key) for _ in range(10)]
    calls += [http.post(f"/api/generations/{one}/retry", headers=key) for _ in range(10)]
    answers = await asyncio.gather(*calls)
    assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(202, one)}
    await http.post(f"/api/generations/{one}/cancel")
    cancelled = await settled_at(http, one)
    assert (cancelled["status"], cancelled["attempt"]) == ("cancelled", 2)
    again = await http.post(tool, json=body, headers=key)
    assert (again.status_code, again.json()["attempt"]) == (202, 2)
    assert again.json()["status"] == "cancelled"


async def test_one_that_was_deleted_meanwhile_is_gone(
    http: httpx.AsyncClient, key: dict[str, str]
) -> None:
    one = (await http.post(TOOL, json=FOX, headers=key)).json()["id"]
    await http.delete(f"/api/generations/{one}")
    assert (await http.post(TOOL, json=FOX, headers=key)).status_code == 404


@pytest.fixture
async def house(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_house(database_url, calm_demo.url, tmp_path) as runtime:
        yield runtime


async def test_a_key_is_its_users_own(house: Runtime) -> None:
    async with house.engine.begin() as connection:
        other = Caller(user_id=await users.ensure(connection, "other"))
    mine, theirs = [
        await registry.call("generate_image", FOX, caller, house.admission, key="k")
        for caller in (local(house), other)
    ]
    assert mine.json["id"] != theirs.json["id"]


async def test_keys_are_kept_for_a_day_and_forgotten_after_two(
    house: Runtime, database_url: str
) -> None:
    for key, hours in (("old", 49), ("kept", 47)):
        await registry.call("generate_image", FOX, local(house), house.admission, key=key)
        with psycopg.connect(database_url) as connection:
            connection.execute(
                "update kinora.idempotency_keys set created_at = now() - %s * interval '1 h'"
                " where key = %s",
                [hours, key],
            )
    async with house.engine.begin() as connection:
        await idempotency.forget_old(connection)
        assert await idempotency.find(connection, house.local_user_id, "old") is None
        assert await idempotency.find(connection, house.local_user_id, "kept") is not None


async def test_over_a_budget_neither_is_a_key_used_up_nor_a_repeat_refused(
    database_url: str, calm_demo: Demo, tmp_path: Path, key: dict[str, str]
) -> None:
    await calm_demo.hold(True)
    settings = {"MODELS_FILE": models_file(tmp_path), "BUDGET_USD_PER_USER_PER_DAY": "0.40"}
    urls = {"DATABASE_URL": database_url, "DEMO_BASE_URL": calm_demo.url}
    body = {"prompt": "a fox", "model": "dear"}
    async with serve(tmp_path / "served", **urls, **settings) as served:
        calls = [served.client.post(TOOL, json=body, headers=key) for _ in range(10)]
        answers = await asyncio.gather(*calls)
        assert {answer.status_code for answer in answers} == {202}
        other = {"Idempotency-Key": "other"}
        for _ in range(2):
            refused = await served.client.post(TOOL, json=body, headers=other)
            assert refused.status_code == 402
        free = {**body, "model": "free"}
        assert (await served.client.post(TOOL, json=free, headers=other)).status_code == 202
        assert (await served.client.post(TOOL, json=body, headers=key)).status_code == 202
    assert attempts(database_url) == 2
