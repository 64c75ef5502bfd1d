"""What the Gemini API tells unasked, which ids it may name, and where our key may go."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from emulators.interaction_object import interaction_content
from emulators.store import Job as DemoJob
from emulators.store import Status
from providers.contract import Malformed, News
from providers.gemini import Gemini
from providers.transport import open_client
from tests.providers.company_routes import route_to

SECRET = "AIzaCANARY0123456789"
FILM = route_to("gemini", "gemini-omni-1.2-flash", kind="video")


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


def news(body: object) -> bytes:
    return json.dumps(body).encode()


def test_news_name_the_interaction_and_the_event(client: httpx.AsyncClient) -> None:
    gemini = Gemini("gemini", "https://x.example", SECRET, client)
    body = {"type": "interaction.completed", "version": "v1", "data": {"id": "v1_abc"}}
    assert gemini.hear({}, news(body)) == News(
        event="v1_abc:interaction.completed", job_id="v1_abc"
    )
    for bad in (
        b"no json",
        b"[" * 100_000,
        news([]),
        news({"type": "interaction.completed"}),
        news({**body, "data": {"id": "../x"}}),
        news({**body, "type": "<b>"}),
        news({**body, "type": None}),
    ):
        with pytest.raises(Malformed):
            gemini.hear({}, bad)


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "a?key=1", "a b", "x" * 501, "v1:cancel"])
def test_an_id_that_leads_elsewhere_is_none(client: httpx.AsyncClient, job_id: str) -> None:
    with pytest.raises(Malformed):
        Gemini("gemini", "https://x.example", SECRET, client).job(FILM, job_id)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/files/abc:download",
        "http://generativelanguage.googleapis.com/v1beta/files/abc:download",
        "https://generativelanguage.googleapis.com:8443/v1beta/files/abc:download",
        "https://generativelanguage.googleapis.com.evil.example/v1beta/files/abc",
        "https://generativelanguage.googleapis.com@evil.example/v1beta/files/abc",
        "https://storage.googleapis.com/abc",
    ],
)
def test_the_key_goes_along_with_a_result_only_at_our_own_origin(
    client: httpx.AsyncClient, url: str
) -> None:
    gemini = Gemini("gemini", "https://generativelanguage.googleapis.com", SECRET, client)
    assert gemini.result_headers(url) == {}
    here = "https://generativelanguage.googleapis.com/v1beta/files/abc:download?alt=media"
    assert gemini.result_headers(here) == {"x-goog-api-key": SECRET}


def test_the_demo_providers_news_are_understood(client: httpx.AsyncClient) -> None:
    gemini = Gemini("gemini", "https://x.example", SECRET, client)
    times: dict[str, Any] = {"accepted_at": 1.0, "started_at": 2.0, "finished_at": 3.0}
    job = DemoJob(
        id="j-1",
        endpoint="demo-video-quick",
        key=None,
        subject="s",
        status=Status.FAILED,
        output=None,
        error="out of memory",
        doom=None,
        webhook="http://127.0.0.1/",
        origin="http://127.0.0.1",
        **times,
    )
    heard = gemini.hear({}, interaction_content(job, {}))
    assert heard == News(event="j-1:interaction.failed", job_id="j-1")
