"""Parts of files: those that are asked for, and the whole where nothing is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.demo_process import Demo
from tests.house import Served

FOX = {"prompt": "a fox in parts", "model": "demo-image-quick"}


@pytest.fixture
async def file(server: Served, calm_demo: Demo) -> tuple[httpx.AsyncClient, str, bytes]:
    """A client, a picture's address and its bytes."""
    http = server.client
    started = (await http.post("/api/tools/generate_image", json=FOX)).json()
    answer = await http.get(f"/api/generations/{started['id']}", params={"wait": 60})
    url: str = answer.json()["assets"][0]["url"]
    return http, url, (await http.get(url)).content


@pytest.mark.parametrize(
    "said",
    [
        *("x", "bytes", "bytes=", "bytes=a-b", "bytes=-", "bytes=9-1", "bytes=0-4,x", "bytes=1,2"),
        *("items=0-4", "bytes=0-4,9-6", f"bytes={'9' * 5000}-", "bytes=\xb2-\xb3", "bytes=+1-4"),
    ],
)
async def test_what_says_nothing_counts_as_not_sent(file: Any, said: str) -> None:
    http, url, whole = file
    answer = await http.get(url, headers={"Range": said.encode("latin-1")})
    assert (answer.status_code, answer.content) == (200, whole)


async def test_what_says_something_is_done(file: Any) -> None:
    http, url, whole = file
    for said, part in (
        ("bytes=0-9", whole[:10]),
        ("Bytes = 0-9", None),
        ("bytes= 5-", whole[5:]),
        ("bytes=-7", whole[-7:]),
        (f"bytes=3-{'9' * 18}", whole[3:]),
    ):
        answer = await http.get(url, headers={"Range": said})
        status = 200 if part is None else 206
        assert (answer.status_code, answer.content) == (status, part or whole), said
    several = await http.get(url, headers={"Range": "bytes=0-4,6-9"})
    assert several.status_code == 206
    assert several.headers["content-type"].startswith("multipart/byteranges")
    beyond = await http.get(url, headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"
    twice = [("Range", "bytes=0-4"), ("Range", "bytes=6-9")]
    assert (await http.get(url, headers=twice)).content == whole
