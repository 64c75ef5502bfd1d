"""What Black Forest Labs tells of its own accord; nothing in it is believed but whose it is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from providers.bfl import BlackForestLabs
from providers.contract import Job, Malformed, News
from providers.transport import open_client
from tests.providers.bfl_routes import IMAGE

# Source: black-forest-labs/skills, bfl-api/references/webhook-integration.md, 2026-02-03.
READY: dict[str, Any] = {
    "id": "d5ba37dc-1",
    "status": "Ready",
    "result": {"sample": "https://example.org/a.jpeg", "seed": 1},
    "timestamp": "2026-11-22T10:30:00Z",
}


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


@pytest.fixture
def bfl(client: httpx.AsyncClient) -> BlackForestLabs:
    return BlackForestLabs("bfl", "https://api.bfl.ai/v1", "key", client)


def test_news_are_told_apart_by_task_and_status(bfl: BlackForestLabs) -> None:
    told: list[dict[str, Any]] = [
        READY,
        READY,
        {**READY, "status": "Request Moderated"},
        {"task_id": "d5ba37dc-2", "state": "Error"},
    ]
    heard = [bfl.hear({}, json.dumps(one).encode()) for one in told]
    assert heard[0] == News(event="d5ba37dc-1:Ready", job_id="d5ba37dc-1")
    assert heard[3] == News(event="d5ba37dc-2:Error", job_id="d5ba37dc-2")
    assert len({news.event for news in heard}) == 3


def test_a_signature_nobody_documents_is_neither_needed_nor_looked_at(bfl: BlackForestLabs) -> None:
    headers = {"x-bfl-signature": "sha256=" + "0" * 64}
    assert bfl.hear(headers, json.dumps(READY).encode()).job_id == "d5ba37dc-1"


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"[]", b"null", b'"Ready"', b"\xff\xfe", b"[" * 100_000),
        *(b'{"status": "Ready"}', b'{"id": "t-1"}', b'{"id": "t-1", "status": 7}'),
        *(b'{"id": 1, "status": "Ready"}', b'{"id": "../../x", "status": "Ready"}'),
        *(b'{"id": "t-1&id=2", "status": "Ready"}', b'{"id": "t-1", "status": "Ready\\n"}'),
        json.dumps({"id": "t" * 201, "status": "Ready"}).encode(),
        json.dumps({"id": "t-1", "status": "R" * 41}).encode(),
    ],
)
def test_what_is_no_news_is_malformed_and_not_repeated(bfl: BlackForestLabs, raw: bytes) -> None:
    with pytest.raises(Malformed) as raised:
        bfl.hear({}, raw)
    assert len(raised.value.message) < 60


def test_a_task_is_built_from_its_id_alone(bfl: BlackForestLabs) -> None:
    assert bfl.job(IMAGE, "t-1") == Job(id="t-1", urls={"status": "get_result?id=t-1"})


@pytest.mark.parametrize("task_id", ["", "..", "a/b", "t?x=1", "t&id=2", "t#", "t\n", "t" * 201])
def test_an_id_that_leads_elsewhere_is_no_task(bfl: BlackForestLabs, task_id: str) -> None:
    with pytest.raises(Malformed):
        bfl.job(IMAGE, task_id)
