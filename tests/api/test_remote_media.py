"""Files that an old system still keeps, over HTTP: fetched when they are first asked for, by
whoever may see them, and then like any other.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.shared.exceptions import McpError
from mcp.types import BlobResourceContents
from pydantic import AnyUrl

from tests.api.mcp_clients import mcp_session, pictures, structured
from tests.db.samples import encoded, film, opened, picture
from tests.db.test_sounds import WAV, sound
from tests.demo_process import Demo
from tests.old_files import Old, OldStorage, an_import, look, old_storage, run
from tests.people import Person, a_person, serve_people
from tests.providers.servers import Server, serving

PNG = encoded(picture(1200, 800), "PNG")
FILM = film("mp4", "libx264")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A server with accounts, an old system that it may fetch from, and a place it may not."""

    database_url: str
    old: OldStorage
    canary: Server
    ada: Person
    bob: Person

    def imported(self, *urls: str, **more: Any) -> Old:
        """A generation of Ada's."""
        return an_import(self.database_url, *urls, user_id=self.ada.user_id, **more)

    async def get(self, old: Old, **how: Any) -> httpx.Response:
        """What Ada gets of its first file."""
        return await self.ada.client.get(f"/media/{old.asset_id}", **how)


@pytest.fixture(scope="module")
async def moved(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> AsyncIterator[Moved]:
    url = fresh_database("remote_media")
    settings = {"DATABASE_URL": url, "DEMO_BASE_URL": demo.url, "REQUESTS_PER_MINUTE": "0"}
    async with (
        old_storage() as old,
        serving(lambda exchange: exchange.reply(PNG)) as canary,
        serve_people(shared_folder / "remote", IMPORT_ORIGINS=old.url, **settings) as served,
        a_person(served, url, "ada@example.org") as ada,
        a_person(served, url, "bob@example.org") as bob,
    ):
        yield Moved(database_url=url, old=old, canary=canary, ada=ada, bob=bob)


async def test_ten_who_ask_at_once_cost_one_fetch_and_the_next_none(moved: Moved) -> None:
    old = moved.imported(moved.old.keep("/fox", PNG))
    answers = await asyncio.gather(*(moved.get(old) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.content == PNG for answer in answers)
    again = await moved.get(old)
    assert (again.status_code, again.headers["content-type"]) == (200, "image/png")
    assert moved.old.count("/fox") == 1
    reading = (await moved.ada.client.get(f"/api/generations/{old.generation_id}")).json()
    asset = reading["assets"][0]
    assert (asset["width_px"], asset["height_px"]) == (1200, 800)
    assert asset["size_bytes"] == len(PNG)


async def test_a_first_request_may_be_for_anything_that_a_later_one_may(moved: Moved) -> None:
    def fresh(data: bytes = PNG, **more: Any) -> Old:
        return moved.imported(moved.old.keep("/any", data), **more)

    head = await moved.ada.client.head(f"/media/{fresh().asset_id}")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(PNG)))
    piece = await moved.get(fresh(), headers={"Range": "bytes=10-19"})
    assert (piece.status_code, piece.content) == (206, PNG[10:20])
    small = await moved.get(fresh(), params={"w": 100})
    assert small.headers["content-type"] == "image/webp"
    assert opened(small.content).size == (128, 85)
    poster = await moved.get(fresh(FILM, kind="video", media_type="video/mp4"), params={"w": 512})
    assert opened(poster.content).size == (320, 200)
    saved = await moved.get(fresh(), params={"download": 1})
    assert saved.headers["content-disposition"].startswith("attachment")
    whole = fresh()
    # A tag of a file that is not here yet would be the same for all such files.
    for tag in ('"None"', '"None-128"'):
        assert (await moved.get(whole, headers={"If-None-Match": tag})).status_code == 200
    tag = (await moved.get(whole)).headers["etag"]
    assert "None" not in tag
    assert (await moved.get(whole, headers={"If-None-Match": tag})).status_code == 304


async def test_to_another_user_there_is_nothing_and_nothing_is_fetched(moved: Moved) -> None:
    old = moved.imported(moved.old.keep("/secret", PNG))
    for client in (moved.bob.client, moved.bob.by_key):
        for query in ("", "?w=128", "?exp=99999999999&sig=abc"):
            answer = await client.get(f"/media/{old.asset_id}{query}")
            assert answer.status_code == 404
    nobody = httpx.AsyncClient(base_url=moved.ada.client.base_url, trust_env=False)
    async with nobody:
        assert (await nobody.get(f"/media/{old.asset_id}")).status_code == 401
    assert moved.old.count("/secret") == 0
    assert (await moved.get(old)).status_code == 200


async def test_a_signed_address_brings_a_file_too(moved: Moved) -> None:
    old = moved.imported(moved.old.keep("/signed", FILM), kind="video", media_type="video/mp4")
    answer = await moved.ada.by_key.get(f"/v1/videos/{old.generation_id}/content")
    assert (answer.status_code, answer.content) == (200, FILM)
    lost = moved.imported(f"{moved.old.url}/lost", kind="video", media_type="video/mp4")
    answer = await moved.ada.by_key.get(f"/v1/videos/{lost.generation_id}/content")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_dead_link_is_a_clear_404_and_is_asked_for_once(moved: Moved) -> None:
    old = moved.imported(f"{moved.old.url}/dead?sig=secret")
    for _ in range(3):
        answer = await moved.get(old)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "cannot be had any more" in answer.json()["detail"]
        assert "secret" not in answer.text
    assert moved.old.count("/dead") == 1


async def test_what_does_not_come_now_is_a_503_that_says_when_to_ask_again(moved: Moved) -> None:
    moved.old.odd["/busy"] = (500, {})
    old = moved.imported(f"{moved.old.url}/busy")
    for _ in range(2):
        answer = await moved.get(old)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert 50 < int(answer.headers["retry-after"]) <= 60
    assert moved.old.count("/busy") == 1


async def test_nothing_is_fetched_from_where_nobody_may_go(moved: Moved) -> None:
    port = moved.canary.port
    addresses = [
        f"http://127.0.0.1:{port}/x",
        f"https://127.0.0.1:{port}/x",
        f"https://localhost:{port}/x",
        f"http://[::1]:{port}/x",
        "http://169.254.169.254/latest/meta-data/",
    ]
    for number, address in enumerate(addresses):
        there = moved.old.redirect(f"/to/{number}", address)
        for url in (address, there):
            answer = await moved.get(moved.imported(url))
            assert (answer.status_code, url) == (404, url)
    assert moved.canary.connections == 0


@pytest.mark.parametrize(
    "data", [b"<!doctype html><title>Log in</title>", bytes((50 << 20) + 1), PNG[:2000]]
)
async def test_what_is_no_picture_or_too_large_is_not_kept(moved: Moved, data: bytes) -> None:
    old = moved.imported(moved.old.keep("/wrong", data))
    before = moved.old.count("/wrong")
    assert (await moved.get(old)).status_code == 404
    assert (await moved.get(old)).status_code == 404
    assert moved.old.count("/wrong") == before + 1
    assert look(moved.database_url, old.asset_id)["storage_key"] is None


async def test_who_leaves_does_not_stop_a_slow_one(moved: Moved) -> None:
    old = moved.imported(moved.old.keep("/slow", PNG))
    let_go = moved.old.held["/slow"] = asyncio.Event()
    before = len(moved.old.server.seen)
    leaving = asyncio.create_task(moved.get(old))
    await moved.old.asked(before + 1)
    leaving.cancel()
    await asyncio.wait({leaving})
    staying = asyncio.create_task(moved.get(old))
    let_go.set()
    answer = await staying
    assert (answer.status_code, answer.content) == (200, PNG)
    assert moved.old.count("/slow") == 1


async def test_a_sound_plays_and_has_no_picture(moved: Moved) -> None:
    data = sound(*WAV)
    old = moved.imported(moved.old.keep("/sound", data), kind="audio", media_type="audio/mpeg")
    address = f"/api/generations/{old.generation_id}"
    asset = (await moved.ada.client.get(address)).json()["assets"][0]
    assert (asset["thumbnail_url"], asset["url"]) == (None, f"/media/{old.asset_id}")
    answer = await moved.get(old, headers={"Range": "bytes=0-99"})
    assert (answer.status_code, answer.content) == (206, data[:100])
    assert answer.headers["content-type"] == "audio/wav"
    refused = await moved.get(old, params={"w": 512})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert "sound" in refused.json()["detail"]
    reading = (await moved.ada.client.get(address)).json()
    assert (reading["kind"], reading["assets"][0]["duration_s"]) == ("audio", 1.0)


async def test_what_was_never_fetched_can_be_deleted(moved: Moved) -> None:
    old = moved.imported(moved.old.keep("/never", PNG))
    gone = await moved.ada.client.delete(f"/api/generations/{old.generation_id}")
    assert gone.status_code == 204
    assert (await moved.get(old)).status_code == 404
    assert moved.old.count("/never") == 0


async def test_a_file_of_which_no_address_is_known_is_a_404(moved: Moved) -> None:
    old = moved.imported(moved.old.url)
    run(moved.database_url, "delete from kinora.remote_files where asset_id = %s", old.asset_id)
    answer = await moved.get(old)
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "Nobody knows where this file was kept.",
    )


async def test_a_model_that_asks_by_mcp_sees_them_too(moved: Moved) -> None:
    seen = moved.imported(moved.old.keep("/seen", PNG))
    read = moved.imported(moved.old.keep("/read", PNG))
    heard = moved.imported(moved.old.keep("/heard", sound(*WAV)), media_type="audio/mpeg")
    dead = moved.imported(f"{moved.old.url}/dead-there")
    busy = moved.imported(moved.old.redirect("/busy-there", f"{moved.old.url}/nobody"))
    moved.old.odd["/nobody"] = (502, {})
    url = str(moved.ada.client.base_url).rstrip("/")
    async with mcp_session(url, moved.ada.key) as session:
        asked = {"generation": str(seen.generation_id)}
        shown = pictures(await session.call_tool("get_generation", asked))
        assert [image.size for image in shown] == [(1024, 683)]
        # The client holds the answer against the tool's schema: a sound has no small picture.
        answer = await session.call_tool("get_generation", {"generation": str(heard.generation_id)})
        assert pictures(answer) == []
        assert structured(answer)["assets"][0]["thumbnail_url"] is None
        [blob] = (await session.read_resource(AnyUrl(f"kinora://assets/{read.asset_id}"))).contents
        assert isinstance(blob, BlobResourceContents)
        assert base64.b64decode(blob.blob) == PNG
        for lost, code in ((dead, -32002), (busy, -32000)):
            with pytest.raises(McpError) as refused:
                await session.read_resource(AnyUrl(f"kinora://assets/{lost.asset_id}"))
            assert refused.value.error.code == code
