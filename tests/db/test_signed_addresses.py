"""Signed addresses of a bucket end when they said: against s3rver, which looks at the time, as moto
does not. It is a package of npm (`npm install --global s3rver`); without it this is skipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from db.s3_files import Bucket, S3Files
from settings import child_environment
from tests.house import free_port

S3RVER = shutil.which("s3rver")
KEY = "generations/0199-aa/1-0.png"
LASTS_S, WAIT_S, READY_S = 2, 10.0, 20.0

pytestmark = pytest.mark.skipif(S3RVER is None, reason="no s3rver: npm install --global s3rver")


@pytest.fixture
async def bucket(tmp_path: Path) -> AsyncIterator[S3Files]:
    """A bucket of a server of its own, which knows one name and one secret: its own."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(str(S3RVER), "--directory", str(tmp_path / "s3")),
        *("--address", "127.0.0.1", "--port", str(port)),
        env=child_environment(),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    name = "S3RVER"
    place = Bucket(name="tried", endpoint_url=url, region="us-east-1", key_id=name, secret=name)
    try:
        await until_it_answers(url)
        async with S3Files(tmp_path, place).opened() as files:
            await files.make_bucket()
            yield files
    finally:
        process.terminate()
        await process.wait()


async def until_it_answers(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(READY_S):
        while True:
            with contextlib.suppress(httpx.TransportError):
                await client.get(url)
                return
            await asyncio.sleep(0.05)


async def test_a_signed_address_opens_the_file_until_its_time_is_over(bucket: S3Files) -> None:
    await bucket.put_bytes(KEY, b"pixels")
    address = await bucket.signed(KEY, LASTS_S, "image/png", 'inline; filename="a.png"')
    async with httpx.AsyncClient(trust_env=False) as client:
        fresh = await client.get(address)
        assert (fresh.status_code, fresh.content) == (200, b"pixels")
        assert fresh.headers["content-disposition"] == 'inline; filename="a.png"'
        async with asyncio.timeout(WAIT_S):
            while (await client.get(address)).status_code == 200:  # noqa: ASYNC110 - time tells nobody
                await asyncio.sleep(0.2)
        over = await client.get(address)
    assert (over.status_code, "expired" in over.text) == (403, True)


async def test_a_file_in_parts_is_whole_there_too(bucket: S3Files) -> None:
    data = bytes(range(256)) * (80 * 1024)
    with bucket.scratch() as path:
        await asyncio.to_thread(path.write_bytes, data)
        await bucket.put_file(KEY, path)
    assert b"".join([chunk async for chunk in bucket.read(KEY)]) == data
