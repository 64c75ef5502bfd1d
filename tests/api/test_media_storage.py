"""Pictures and films over HTTP, the same whether their bytes lie in a folder or in a bucket: made,
read in pieces, changed, deleted.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from PIL import Image

from db.s3_files import S3Files
from tests.demo_process import Demo
from tests.house import Served, serve
from tests.s3_server import S3Server

KEY = "uploads/0199c0de/0.png"
ASSET_ID = "0199c0de-0000-7000-8000-000000000001"
ASSET = f"""
    insert into kinora.assets
        (id, user_id, media_type, width_px, height_px, size_bytes, sha256, storage_key)
    select '{ASSET_ID}', id, 'image/png', 8, 8, 100, 'abc', '{KEY}' from kinora.users limit 1
"""


@pytest.fixture(params=["folder", "bucket"], scope="module")
async def stored(
    request: pytest.FixtureRequest,
    fresh_database: Callable[[str], str],
    demo: Demo,
    s3_server: S3Server,
    shared_folder: Path,
) -> AsyncIterator[Served]:
    """A server of each kind."""
    name = f"media_{request.param}"
    settings = {"DATABASE_URL": fresh_database(name), "DEMO_BASE_URL": demo.url}
    if request.param == "bucket":
        bucket = S3Files(shared_folder / "unused", s3_server.bucket("media"))
        async with bucket.opened():
            await bucket.make_bucket()
        settings |= s3_server.settings() | {"STORAGE_URL": "s3://media/of/tests"}
    async with serve(shared_folder / name, **settings) as served:
        yield served


async def made(served: Served, tool: str, **arguments: Any) -> dict[str, Any]:
    """A finished generation."""
    answer = await served.client.post(f"/api/tools/{tool}", json=arguments)
    assert answer.status_code == 202, answer.text
    reading = await served.client.get(answer.headers["location"], params={"wait": 60})
    found: dict[str, Any] = reading.json()
    assert found["status"] == "completed", found
    return found


@pytest.fixture(scope="module")
async def film(stored: Served) -> tuple[str, bytes]:
    """A film's address and its bytes."""
    found = await made(stored, "generate_video", prompt="waves", model="demo-video-quick")
    url = found["assets"][0]["url"]
    answer = await stored.client.get(url)
    assert len(answer.content) == found["assets"][0]["size_bytes"]
    assert answer.headers["content-type"] == "video/mp4"
    return url, answer.content


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=500-", 500, None),
        ("bytes=-50", -50, None),
        ("bytes=7-99999999999", 7, None),
    ],
)
async def test_a_film_is_read_in_pieces(
    stored: Served, film: tuple[str, bytes], asked: str, start: int, stop: int | None
) -> None:
    url, whole = film
    answer = await stored.client.get(url, headers={"Range": asked})
    piece = whole[start:stop]
    assert (answer.status_code, answer.content == piece) == (206, True)
    first = len(whole) + start if start < 0 else start
    told = f"bytes {first}-{first + len(piece) - 1}/{len(whole)}"
    assert answer.headers["content-range"] == told
    assert answer.headers["content-length"] == str(len(piece))


async def test_what_is_no_piece_of_it(stored: Served, film: tuple[str, bytes]) -> None:
    url, whole = film

    async def status(**headers: str) -> int:
        return (await stored.client.get(url, headers=headers)).status_code

    assert await status(Range=f"bytes={len(whole)}-") == 416
    assert await status(Range="lines=1-2") in (200, 400)
    etag = (await stored.client.head(url)).headers["etag"]
    assert await status(Range="bytes=0-9", **{"If-Range": etag}) == 206
    assert await status(Range="bytes=0-9", **{"If-Range": '"another"'}) == 200
    assert await status(**{"If-None-Match": etag}) == 304
    head = await stored.client.head(url)
    assert (head.headers["content-length"], head.content) == (str(len(whole)), b"")
    assert head.headers["accept-ranges"] == "bytes"


async def test_a_picture_is_changed_shown_small_and_deleted(stored: Served) -> None:
    """Its bytes are read for the change wherever they lie, and nothing of it is left in the end."""
    first = await made(stored, "generate_image", prompt="a fox", model="demo-image-quick")
    second = await made(
        stored, "edit_image", prompt="make it blue", image=first["id"], model="demo-image-quick"
    )
    for width_px in (128, 512, 1024):
        small = await stored.client.get(second["assets"][0]["url"], params={"w": width_px})
        assert small.status_code == 200
        assert Image.open(io.BytesIO(small.content)).width <= width_px
    sent = await stored.client.post(
        "/api/uploads", files={"file": ("mine.png", small.content, "image/webp")}
    )
    assert (await stored.client.get(sent.json()["url"])).status_code == 200
    for one in (first, second):
        gone = await stored.client.delete(f"/api/generations/{one['id']}")
        assert gone.status_code == 204
        assert (await stored.client.get(one["assets"][0]["url"])).status_code == 404


async def test_many_at_once_are_stored_and_read(stored: Served) -> None:
    wanted = {"prompt": "a fox", "model": "demo-image-quick"}
    found = await asyncio.gather(*(made(stored, "generate_image", **wanted) for _ in range(12)))
    urls = [one["assets"][0]["url"] for one in found]

    async def read(url: str) -> httpx.Response:
        return await stored.client.get(url)

    for answer in await asyncio.gather(*map(read, urls)):
        Image.open(io.BytesIO(answer.content)).verify()


async def test_who_saves_a_file_is_sent_to_a_bucket_that_everybody_reaches(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> None:
    """For a minute, under the file's type and name; what the page shows still passes through."""
    url = fresh_database("public_bucket")
    settings = {
        "STORAGE_URL": "s3://media/of/tests",
        "AWS_ENDPOINT_URL": "https://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "a-secret",
    }
    folder = shared_folder / "public_bucket"
    async with serve(folder, DATABASE_URL=url, DEMO_BASE_URL=demo.url, **settings) as served:
        with psycopg.connect(url) as connection:
            connection.execute(ASSET)
        answer = await served.client.get(f"/media/{ASSET_ID}", params={"download": 1})
        assert answer.status_code == 302, answer.text
        address = httpx.URL(answer.headers["location"])
        assert (address.scheme, address.port, address.path) == (
            "https",
            9,
            f"/media/of/tests/{KEY}",
        )
        assert address.params["X-Amz-Expires"] == "60"
        assert address.params["response-content-type"] == "image/png"
        assert address.params["response-content-disposition"].startswith("attachment")
