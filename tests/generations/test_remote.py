"""Files that an old system kept come here once, from where they may come, or a sentence says why
not.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db import assets
from db.connect import open_connection
from db.generation_row import CHANNEL
from db.remote_files import LOST
from generations.contract import Wanted, WantedInput
from generations.remote import NotHere
from tests.db.samples import encoded, film, picture
from tests.db.test_sounds import WAV, sound
from tests.demo_process import Demo
from tests.generations.bringing import Place, a_place, refused, refused_only
from tests.house import folder_of, local, open_house, settled
from tests.old_files import an_import, an_upload, is_left, look, old_storage, run

PNG = encoded(picture(), "PNG")


@pytest.fixture
async def place(database_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    async with a_place(database_url, tmp_path / "files") as place:
        yield place


async def test_a_file_is_brought_once_and_everything_about_it_is_known(place: Place) -> None:
    old = place.imported(place.old.keep("/fox", PNG))
    came = await asyncio.gather(*(place.remote.bring(old.asset_id) for _ in range(10)))
    assert len(set(came)) == 1
    asset = await place.remote.here(came[0])
    assert (asset.media_type, asset.width_px, asset.height_px) == ("image/png", 320, 200)
    assert asset.size_bytes == len(PNG)
    assert place.files.path(asset.key).read_bytes() == PNG
    assert place.lies() == sorted([asset.key, str(asset.thumbnail_key)])
    assert await place.remote.bring(old.asset_id) == asset
    assert place.old.count("/fox") == 1
    row = place.row(old)
    assert (row["url"], row["kind"], row["version"]) == (None, "image", 1)


@pytest.mark.parametrize(
    ("data", "media_type", "has_thumbnail"),
    [
        (film("mp4", "libx264"), "video/mp4", True),
        (sound(*WAV), "audio/wav", False),
        (encoded(picture(), "JPEG"), "image/jpeg", True),
    ],
)
async def test_what_it_really_is_shows_when_it_is_decoded(
    place: Place, data: bytes, media_type: str, has_thumbnail: bool
) -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    listener: asyncpg.Connection = await open_connection(place.database_url)
    await listener.add_listener(CHANNEL, lambda *given: heard.put_nowait(json.loads(given[-1])))
    old = place.imported(place.old.keep("/thing.png", data))
    asset = await place.remote.bring(old.asset_id)
    assert asset.media_type == media_type
    assert (asset.thumbnail_key is not None, len(place.lies())) == (
        has_thumbnail,
        1 + has_thumbnail,
    )
    kind = media_type.partition("/")[0]
    row = place.row(old)
    assert (row["kind"], row["version"]) == (kind, 1 if kind == "image" else 2)
    if kind != "image":
        async with asyncio.timeout(5):
            told = await heard.get()
        assert (told["id"], told["v"], told["s"]) == (str(old.generation_id), 2, "completed")
    assert heard.empty()
    await listener.close()


async def test_one_of_several_files_does_not_say_what_the_whole_is(place: Place) -> None:
    urls = place.old.keep("/a", PNG), place.old.keep("/b", sound(*WAV))
    old = place.imported(*urls)
    for asset_id in old.asset_ids:
        await place.remote.bring(asset_id)
    row = look(place.database_url, old.asset_ids[1])
    # The reading has changed, but the generation's kind has not.
    assert (row["media_type"], row["kind"], row["version"]) == ("audio/wav", "image", 2)


async def test_a_data_uri_is_brought_like_any_other(place: Place) -> None:
    head, body = "data:image/png;base64,", base64.b64encode(PNG).decode()
    asset = await place.remote.bring(place.imported(head + body).asset_id)
    assert (asset.width_px, asset.size_bytes) == (320, len(PNG))
    broken = await refused_only(place, place.imported(head + "%%%"))
    assert broken.is_gone


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_dead_link_is_asked_for_once_and_never_again(place: Place, status: int) -> None:
    place.old.odd["/gone"] = (status, {})
    old = place.imported(f"{place.old.url}/gone?secret=x")
    first = await refused(place, old)
    again = await refused(place, old)
    assert first.is_gone
    assert str(status) in first.message
    assert "secret" not in first.message
    assert (again.message, again.is_gone) == (first.message, True)
    assert place.old.count("/gone") == 1
    row = place.row(old)
    assert (row["is_gone"], row["tries"], row["failure"]) == (True, 1, first.message)
    # Whoever looks at the generation hears of it, once.
    assert (row["notes"], row["version"]) == ([LOST], 2)


@pytest.mark.parametrize(
    "data",
    [b"<!doctype html><title>Log in</title>", b"\0" * 3_000_001, PNG[:400], b"#EXTM3U\nhttp://x"],
)
async def test_what_is_no_file_of_ours_is_not_kept_and_not_asked_for_again(
    place: Place, data: bytes
) -> None:
    old = place.imported(place.old.keep("/thing", data))
    assert (await refused(place, old)).is_gone
    assert (await refused(place, old)).is_gone
    assert place.old.count("/thing") == 1


async def test_what_does_not_answer_is_asked_again_later_and_ever_later(place: Place) -> None:
    place.old.odd["/busy"] = (503, {})
    old = place.imported(f"{place.old.url}/busy")
    for tries, rest_s in ((1, 60), (2, 120), (3, 240)):
        first = await refused(place, old)
        assert (first.is_gone, first.retry_after_s) == (False, rest_s)
        early = await refused(place, old)
        assert early.retry_after_s == pytest.approx(rest_s, abs=5)
        assert place.old.count("/busy") == tries
        # By the database's clock, which nobody here can wait for.
        back = f"update kinora.remote_files set tried_at = now() - interval '{rest_s} s'"
        run(place.database_url, back)
    del place.old.odd["/busy"]
    place.old.keep("/busy", PNG)
    assert (await place.remote.bring(old.asset_id)).size_bytes == len(PNG)


async def test_waiting_longer_each_time_ends_at_an_hour(place: Place) -> None:
    place.old.odd["/busy"] = (503, {})
    old = place.imported(f"{place.old.url}/busy")
    run(place.database_url, "update kinora.remote_files set tries = 40")
    assert (await refused(place, old)).retry_after_s == 3600


async def test_one_that_never_ends_is_given_up(place: Place) -> None:
    old = place.imported(place.old.keep("/slow", PNG))
    place.old.held["/slow"] = asyncio.Event()
    late = await refused(place, old)
    assert (late.is_gone, late.retry_after_s) == (False, 60)


async def test_what_was_brought_is_what_a_new_generation_is_made_from(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    async with (
        old_storage() as old,
        open_house(database_url, calm_demo.url, tmp_path, IMPORT_ORIGINS=old.url) as house,
    ):
        mine = house.local_user_id
        good = an_import(database_url, old.keep("/fox", PNG), user_id=mine)
        dead = an_import(database_url, f"{old.url}/dead", user_id=mine)
        ends = []
        for source in (good, dead):
            wanted = Wanted(
                kind="image",
                prompt="in the snow",
                model="demo-image",
                inputs=(WantedInput(role="image", picture=str(source.asset_id)),),
            )
            made = await house.admission.submit(local(house), wanted)
            ends.append(await settled(house, made["id"]))
        assert [end["status"] for end in ends] == ["completed", "failed"]
        assert "no longer there" in ends[1]["error"]["message"]
        assert (old.count("/fox"), old.count("/dead")) == (1, 1)


async def test_a_picture_that_a_person_gave_comes_and_goes_like_any_other(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    async with (
        old_storage() as old,
        open_house(database_url, calm_demo.url, tmp_path, IMPORT_ORIGINS=old.url) as house,
    ):
        mine = house.local_user_id
        here = an_upload(database_url, old.keep("/here", PNG), mine)
        there = an_upload(database_url, old.keep("/there", PNG), mine)
        asset = await house.remote_files.bring(here)
        assert asset.key.startswith(f"uploads/{here}/")
        async with house.engine.begin() as connection:
            await assets.let_go(connection, [here, there])
        async with asyncio.timeout(20):
            while any(is_left(database_url, asset_id) for asset_id in (here, there)):
                await house.watch.sleep(here, 0, 0.1)
        assert not list(folder_of(house).rglob("*.png"))
        with pytest.raises(NotHere, match="deleted"):
            await house.remote_files.bring(there)
        assert old.count("/there") == 0
