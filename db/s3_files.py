"""The bytes of pictures and films in an S3 bucket, Amazon's or any other that speaks its API.

Through s3fs, whose asynchronous form is not quite whole: it cannot write a stream, so large files
go up in parts here, and its signed addresses are reached by a private method. Source: s3fs
2026.9.0, read and tried, 2026-11.
"""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from botocore.exceptions import BotoCoreError
from s3fs import S3FileSystem

from db.files import Scratch
from db.storage import CHUNK_BYTES, check_key

#: From this size on a file goes up in parts of it, so that no more than one part is held.
PART_BYTES = 8 * 1024 * 1024
CONNECT_S, READ_S = 5, 60
CONNECTIONS = 64
#: A stored file never changes under its key.
CACHE = "private, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Where a bucket is, and who we are there; without a key the machine's own role is taken."""

    name: str
    prefix: str = ""
    endpoint_url: str | None = None
    region: str | None = None
    key_id: str | None = None
    secret: str | None = None

    @property
    def is_public(self) -> bool:
        """Whether others reach it where we do: Amazon itself, or an endpoint by https."""
        return self.endpoint_url is None or self.endpoint_url.startswith("https://")


class S3Files(Scratch):
    """Files in a bucket, by key; fulfils `db.storage.Storage`. `root`: the local folder that
    scratch lies in. Opened and closed in the loop that uses it.
    """

    def __init__(self, root: Path, bucket: Bucket) -> None:
        super().__init__(root)
        self.bucket = bucket
        self._s3 = S3FileSystem(
            key=bucket.key_id,
            secret=bucket.secret,
            endpoint_url=bucket.endpoint_url,
            asynchronous=True,
            skip_instance_cache=True,
            client_kwargs={"region_name": bucket.region} if bucket.region else {},
            config_kwargs={
                "signature_version": "s3v4",
                # Not every server has a name for each bucket, nor checksums in trailers.
                "s3": {"addressing_style": "path" if bucket.endpoint_url else "auto"},
                "request_checksum_calculation": "when_required",
                "response_checksum_validation": "when_required",
                "connect_timeout": CONNECT_S,
                "read_timeout": READ_S,
                "max_pool_connections": CONNECTIONS,
            },
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[S3Files]:
        """The connection to the bucket, for as long as the block runs."""
        client = await self._s3.set_session()
        try:
            yield self
        finally:
            await client.close()

    async def make_bucket(self) -> None:
        """Make the bucket, for tests and trials; s3fs's own way fails in the oldest region."""
        await self._call("create_bucket")

    def path(self, key: str) -> Path | None:
        """Nowhere on this machine."""
        return None

    def _place(self, key: str) -> str:
        return f"{self.bucket.prefix}{check_key(key)}"

    async def _call(self, method: str, **arguments: Any) -> Any:
        with as_os_errors():
            return await self._s3._call_s3(method, Bucket=self.bucket.name, **arguments)

    @asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        """A copy of the file."""
        with self.scratch() as path:
            with path.open("wb") as copy:
                async for chunk in self.read(key):
                    await asyncio.to_thread(copy.write, chunk)
            yield path

    async def put_file(self, key: str, source: Path) -> None:
        """Send a file up, in parts when it is large; nothing is there until all of it is."""
        size = (await asyncio.to_thread(source.stat)).st_size
        if size <= PART_BYTES:
            await self.put_bytes(key, await asyncio.to_thread(source.read_bytes))
        else:
            await self._put_in_parts(key, source)

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Put a small file there."""
        await self._call("put_object", Key=self._place(key), Body=data, **_described(key))

    async def _put_in_parts(self, key: str, source: Path) -> None:
        place = self._place(key)
        begun = await self._call("create_multipart_upload", Key=place, **_described(key))
        upload = {"Key": place, "UploadId": begun["UploadId"]}
        try:
            parts = [part async for part in self._send_parts(upload, source)]
            await self._call(
                "complete_multipart_upload", **upload, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            # Parts of an upload that never ends are kept, and paid for, for ever.
            await asyncio.shield(self._call("abort_multipart_upload", **upload))
            raise

    async def _send_parts(
        self, upload: dict[str, Any], source: Path
    ) -> AsyncIterator[dict[str, Any]]:
        with source.open("rb") as stream:
            number = 0
            while part := await asyncio.to_thread(stream.read, PART_BYTES):
                number += 1
                sent = await self._call("upload_part", **upload, PartNumber=number, Body=part)
                yield {"PartNumber": number, "ETag": sent["ETag"]}

    async def size_bytes(self, key: str) -> int:
        """How large the file is."""
        found = await self._call("head_object", Key=self._place(key))
        return int(found["ContentLength"])

    async def read(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to and without `stop`, as they come in."""
        if stop is not None and stop <= start:
            return
        wanted = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
        arguments = wanted if start or stop is not None else {}
        found = await self._call("get_object", Key=self._place(key), **arguments)
        with as_os_errors():
            async with found["Body"] as body:
                while chunk := await body.read(CHUNK_BYTES):
                    yield chunk

    async def url(self, key: str, *, lasts_s: int, media_type: str, disposition: str) -> str | None:
        """A signed address, where the bucket is one that others reach."""
        if not self.bucket.is_public:
            return None
        return await self.signed(key, lasts_s, media_type, disposition)

    async def signed(self, key: str, lasts_s: int, media_type: str, disposition: str) -> str:
        """A signed address as we reach the bucket."""
        address: str = await self._s3._url(
            f"{self.bucket.name}/{self._place(key)}",
            expires=lasts_s,
            ResponseContentType=media_type,
            ResponseContentDisposition=disposition,
            ResponseCacheControl=CACHE,
        )
        return address

    async def delete(self, key: str) -> None:
        """Remove a file; S3 does not tell whether it was there."""
        await self._call("delete_object", Key=self._place(key))

    async def delete_folder(self, folder: str) -> None:
        """Remove what lies there, one by one: some servers know no other way."""
        async for place in self._places(f"{self._place(folder)}/"):
            await self._call("delete_object", Key=place)

    async def keys(self) -> AsyncIterator[str]:
        """Every key there is, in the order of their letters."""
        async for place in self._places(self.bucket.prefix):
            yield place.removeprefix(self.bucket.prefix)

    async def _places(self, prefix: str) -> AsyncIterator[str]:
        more: dict[str, Any] = {}
        while True:
            page = await self._call("list_objects_v2", Prefix=prefix, **more)
            for found in page.get("Contents", ()):
                yield str(found["Key"])
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}


def _described(key: str) -> dict[str, str]:
    media_type = mimetypes.guess_type(key)[0] or "application/octet-stream"
    return {"ContentType": media_type, "CacheControl": CACHE}


@contextmanager
def as_os_errors() -> Iterator[None]:
    """Trouble with the bucket is trouble with storage, whatever layer it is found in."""
    try:
        yield
    except (BotoCoreError, aiohttp.ClientError) as error:
        raise OSError(f"storage: {type(error).__name__}") from error
