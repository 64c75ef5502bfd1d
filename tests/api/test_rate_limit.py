"""Requests a minute: counted by caller, told in every answer, and refused beyond."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

import api
from api.access import Access
from api.problems import install
from tests.demo_process import Demo
from tests.house import open_house

MOST = 3


@pytest.fixture
async def door(database_url: str, demo: Demo, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Our doors in local mode, with very few requests a minute."""
    settings = {"REQUESTS_PER_MINUTE": str(MOST)}
    async with open_house(database_url, demo.url, tmp_path, **settings) as house:
        app = FastAPI()
        install(app)
        app.include_router(api.routes())
        app.state.runtime = house
        transport = httpx.ASGITransport(Access(app, lambda: house))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


async def test_each_answer_tells_what_is_left_and_the_one_too_many_is_refused(
    door: httpx.AsyncClient,
) -> None:
    answers = [await door.get("/api/models") for _ in range(MOST + 1)]
    assert [answer.status_code for answer in answers] == [200] * MOST + [429]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {
        f'"default";q={MOST};w=60'
    }
    left = [answer.headers["ratelimit"].split(";")[1] for answer in answers]
    assert left == ["r=2", "r=1", "r=0", "r=0"]
    refused = answers[-1]
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 60 / MOST + 1


async def test_media_streams_and_health_do_not_count(door: httpx.AsyncClient) -> None:
    nothing = "00000000-0000-7000-8000-000000000000"
    for path in (f"/media/{nothing}", f"/api/generations/{nothing}/events", "/healthz"):
        for _ in range(MOST + 2):
            answer = await door.get(path)
            assert answer.status_code in (200, 404)
            assert "ratelimit" not in answer.headers
    assert (await door.get("/api/models")).headers["ratelimit"].startswith('"default";r=2')


async def test_whoever_tries_keys_out_is_counted_too(door: httpx.AsyncClient) -> None:
    wrong = {"Authorization": "Bearer kn_12345678_" + "a" * 49}
    answers = [await door.get("/api/models", headers=wrong) for _ in range(MOST + 1)]
    assert [answer.status_code for answer in answers] == [401] * MOST + [429]
    # The person at this machine is somebody else.
    assert (await door.get("/api/models")).status_code == 200
