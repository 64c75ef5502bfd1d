"""One contract for everything that keeps our bytes, held against a folder and against an S3 server
on a real socket.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from db.files import LocalFiles
from db.s3_files import PART_BYTES, Bucket, S3Files
from db.storage import CHUNK_BYTES, Storage
from tests.s3_server import S3Server

KEY = "generations/0199-aa/1-0.png"
TOLD = {"media_type": "image/png", "disposition": 'inline; filename="a.png"'}


@pytest.fixture(params=["folder", "bucket"])
async def storage(
    request: pytest.FixtureRequest, s3_server: S3Server, tmp_path: Path
) -> AsyncIterator[Storage]:
    """Both, one after the other."""
    if request.param == "folder":
        yield LocalFiles(tmp_path / "files")
        return
    async with S3Files(
        tmp_path / "files", s3_server.bucket("kept", "some/where/")
    ).opened() as files:
        await files.make_bucket()
        yield files
        async for key in files.keys():  # noqa: SIM118 - no dictionary
            await files.delete(key)


async def whole(storage: Storage, key: str, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in storage.read(key, start, stop)])


async def put(storage: Storage, key: str, data: bytes) -> None:
    with storage.scratch() as path:
        await asyncio.to_thread(path.write_bytes, data)
        await storage.put_file(key, path)


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, 3 * CHUNK_BYTES + 7, 2 * PART_BYTES + 5])
async def test_what_is_put_there_is_read_back(storage: Storage, size: int) -> None:
    """Also in parts, and also what is empty."""
    data = os.urandom(size)
    await put(storage, KEY, data)
    assert hashlib.sha256(await whole(storage, KEY)).digest() == hashlib.sha256(data).digest()
    assert await storage.size_bytes(KEY) == size
    async with storage.local(KEY) as path:
        assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 1), (5, 5), (10, None), (CHUNK_BYTES - 1, CHUNK_BYTES + 1), (0, 2 * CHUNK_BYTES)],
)
async def test_any_range_can_be_read(storage: Storage, start: int, stop: int | None) -> None:
    data = os.urandom(2 * CHUNK_BYTES + 100)
    await storage.put_bytes(KEY, data)
    assert await whole(storage, KEY, start, stop) == data[start:stop]


async def test_a_later_file_takes_the_place_of_the_earlier(storage: Storage) -> None:
    await storage.put_bytes(KEY, b"old and longer")
    await put(storage, KEY, b"new")
    assert await whole(storage, KEY) == b"new"
    assert [key async for key in storage.keys()] == [KEY]  # noqa: SIM118


async def test_what_is_not_there_is_said_and_is_as_good_as_deleted(storage: Storage) -> None:
    with pytest.raises(FileNotFoundError):
        await whole(storage, KEY)
    with pytest.raises(FileNotFoundError):
        await storage.size_bytes(KEY)
    with pytest.raises(FileNotFoundError):
        async with storage.local(KEY):
            pass
    await storage.delete(KEY)
    await storage.delete_folder("generations/0199-aa")


async def test_a_folder_goes_with_all_in_it_and_no_other(storage: Storage) -> None:
    for key in (KEY, "generations/0199-aa/1-0-w512.webp", "generations/0199-aab/1-0.png"):
        await storage.put_bytes(key, b"x")
    await storage.delete_folder("generations/0199-aa")
    assert [key async for key in storage.keys()] == ["generations/0199-aab/1-0.png"]  # noqa: SIM118


@pytest.mark.parametrize(
    "key", ["", "a", "../etc/passwd", "a/../b", "/a/b", "a//b", "a/b\0", "a/.b"]
)
async def test_what_is_no_key_of_ours_is_refused(storage: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        await storage.put_bytes(key, b"x")
    with pytest.raises(ValueError, match="no key"):
        await whole(storage, key)


async def test_an_upload_that_breaks_off_leaves_nothing(
    s3_server: S3Server, tmp_path: Path
) -> None:
    """Neither a file nor parts, which a bucket would keep and charge for."""
    async with S3Files(tmp_path / "files", s3_server.bucket("broken")).opened() as files:
        await files.make_bucket()
        with files.scratch() as path:
            path.write_bytes(os.urandom(3 * PART_BYTES))
            sending = asyncio.create_task(files.put_file(KEY, path))
            async with asyncio.timeout(20):
                while not await s3_server.open_uploads("broken"):
                    assert not sending.done()
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
        assert await s3_server.open_uploads("broken") == []
        assert [key async for key in files.keys()] == []  # noqa: SIM118


async def test_a_bucket_that_is_away_is_trouble_with_storage(tmp_path: Path) -> None:
    nowhere = Bucket(name="kept", endpoint_url="http://127.0.0.1:9", key_id="a", secret="b")
    files = S3Files(tmp_path / "files", nowhere)
    files._s3.retries = 1
    async with files.opened():
        with pytest.raises(OSError, match="storage") as raised:
            await files.put_bytes(KEY, b"x")
        assert not isinstance(raised.value, FileNotFoundError)


async def test_a_signed_address_opens_the_file_under_its_type_and_name(
    s3_server: S3Server, tmp_path: Path
) -> None:
    async with S3Files(tmp_path / "files", s3_server.bucket("signed")).opened() as files:
        await files.make_bucket()
        await files.put_bytes(KEY, b"pixels")
        # By plain http nobody else is sent there.
        assert await files.url(KEY, lasts_s=60, **TOLD) is None
        address = await files.signed(KEY, 60, **TOLD)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(address, headers={"Range": "bytes=0-2"})
    assert (answer.status_code, answer.content) == (206, b"pix")
    assert answer.headers["content-type"] == TOLD["media_type"]
    assert answer.headers["content-disposition"] == TOLD["disposition"]


async def test_nobody_is_sent_to_a_folder(tmp_path: Path) -> None:
    assert await LocalFiles(tmp_path / "files").url(KEY, lasts_s=60, **TOLD) is None
