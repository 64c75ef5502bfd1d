"""What keeps the bytes of pictures and films: one small contract, and two that fulfil it: a folder
(`db.files`) and an S3 bucket (`db.s3_files`).

A key is a path of our own making (`generations/<uuid>/0.png`), never a name somebody gave. What is
put there is written whole or not at all. A missing key raises FileNotFoundError, any other trouble
another OSError.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Protocol

KEY_CHARS_MAX = 200
CHUNK_BYTES = 256 * 1024
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)+")


class Storage(Protocol):
    """The bytes of everything that was made or brought."""

    def scratch(self) -> AbstractContextManager[Path]:
        """The path of a new local file for bytes on their way; what is still there goes."""

    def path(self, key: str) -> Path | None:
        """Where the file lies on this machine; None where it does not."""

    def local(self, key: str) -> AbstractAsyncContextManager[Path]:
        """The file as a path to look into, for as long as the block runs; never to be changed."""

    async def put_file(self, key: str, source: Path) -> None:
        """Take over a file of `scratch`, in place of what may be there; durable at the return."""

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Put a small file, such as a thumbnail, there."""

    async def size_bytes(self, key: str) -> int:
        """How large the file is."""

    def read(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to and without `stop`, in chunks; to the end without one."""

    async def url(self, key: str, *, lasts_s: int, media_type: str, disposition: str) -> str | None:
        """An address at which anybody gets the file for so long, under that type and name; None
        where there is no such address.
        """

    async def delete(self, key: str) -> None:
        """Remove a file; one that is not there is as good as removed."""

    async def delete_folder(self, folder: str) -> None:
        """Remove a folder such as `generations/<uuid>` with all in it, thumbnails included."""

    def keys(self) -> AsyncIterator[str]:
        """Every key there is, in the order of their letters."""

    async def clear_scratch(self) -> None:
        """Remove what killed processes have left behind in scratch."""


def check_key(key: str) -> str:
    """The key.

    Raises:
        ValueError: no key of ours looks like this.
    """
    if len(key) > KEY_CHARS_MAX or not _KEY.fullmatch(key) or ".." in key:
        raise ValueError("this is no key of a file of ours")
    return key


async def read_whole(storage: Storage, key: str) -> bytes:
    """All bytes of a file that is known to be small. Raises: FileNotFoundError."""
    return b"".join([chunk async for chunk in storage.read(key)])
