"""An S3 server on a real socket, in a process of its own: moto's, which keeps everything in memory
and checks no signature.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from db.s3_files import Bucket
from settings import child_environment
from tests.house import free_port

READY_S = 30.0


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where it is."""

    url: str

    def bucket(self, name: str, prefix: str = "") -> Bucket:
        """A bucket there; it has to be made first."""
        return Bucket(
            name=name,
            prefix=prefix,
            endpoint_url=self.url,
            region="us-east-1",
            key_id="testing",
            secret="testing-secret",  # noqa: S106
        )

    def settings(self) -> dict[str, str]:
        """The settings that lead here."""
        bucket = self.bucket("any")
        return {
            "AWS_ACCESS_KEY_ID": str(bucket.key_id),
            "AWS_SECRET_ACCESS_KEY": str(bucket.secret),
            "AWS_REGION": str(bucket.region),
            "AWS_ENDPOINT_URL": self.url,
        }

    async def open_uploads(self, bucket: str) -> list[str]:
        """Uploads in parts that were begun and not ended."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self.url}/{bucket}?uploads")
        return re.findall(r"<UploadId>([^<]+)", answer.text)


@contextlib.asynccontextmanager
async def start_s3() -> AsyncIterator[S3Server]:
    """The server, until the block ends."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)),
        env=child_environment() | {"PYTHONWARNINGS": "ignore"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(READY_S):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(url)).status_code < 500:
                        break
                await asyncio.sleep(0.05)
        yield S3Server(url)
    finally:
        process.terminate()
        await process.wait()
