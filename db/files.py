"""The bytes of pictures and films, in a folder: written whole or not at all, and then durable.

New bytes are born in `scratch` on the same file system, so putting them in their place is one
rename.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from db.storage import CHUNK_BYTES, check_key

_SCRATCH = ".scratch"
#: What lies in scratch for so long belongs to a process that was killed.
SCRATCH_KEPT_S = 24 * 3600


class Scratch:
    """The local folder for bytes on their way, whatever they are on their way to."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """The path of a new file for bytes on their way; what is still there in the end goes."""
        folder = self.root / _SCRATCH
        _make_folder(folder)
        path = folder / secrets.token_hex(16)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    async def clear_scratch(self) -> None:
        """Remove what killed processes have left behind; the files of living ones are younger."""
        await asyncio.to_thread(self._clear_scratch, time.time() - SCRATCH_KEPT_S)

    def _clear_scratch(self, before: float) -> None:
        folder = self.root / _SCRATCH
        for path in folder.iterdir() if folder.is_dir() else ():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()


class LocalFiles(Scratch):
    """Files under one folder, by key; fulfils `db.storage.Storage`."""

    def path(self, key: str) -> Path:
        """Where the file of this key lies, or would lie.

        Raises:
            ValueError: no key of ours looks like this.
        """
        return self.root / check_key(key)

    @asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        """The file itself."""
        path = self.path(key)
        if not await asyncio.to_thread(path.is_file):
            raise FileNotFoundError(key)
        yield path

    async def put_file(self, key: str, source: Path) -> None:
        """Move a file of `scratch` to its place, over what may be there, to survive a power cut."""
        await asyncio.to_thread(self._put, self.path(key), source)

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Write a small file, such as a thumbnail, to its place."""
        await asyncio.to_thread(self._put_bytes, self.path(key), data)

    def _put_bytes(self, target: Path, data: bytes) -> None:
        with self.scratch() as path:
            path.write_bytes(data)
            self._put(target, path)

    def _put(self, target: Path, source: Path) -> None:
        _make_folder(target.parent)
        _sync(source)
        source.replace(target)
        _sync(target.parent)

    async def size_bytes(self, key: str) -> int:
        return (await asyncio.to_thread(self.path(key).stat)).st_size

    async def read(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to and without `stop`, in chunks; to the end without one."""
        stream = await asyncio.to_thread(self.path(key).open, "rb")
        try:
            await asyncio.to_thread(stream.seek, start)
            left = stop - start if stop is not None else None
            while left is None or left > 0:
                wanted = CHUNK_BYTES if left is None else min(CHUNK_BYTES, left)
                chunk = await asyncio.to_thread(stream.read, wanted)
                if not chunk:
                    return
                yield chunk
                left = None if left is None else left - len(chunk)
        finally:
            stream.close()

    async def delete(self, key: str) -> None:
        """Remove a file; one that is not there is as good as removed."""
        await asyncio.to_thread(self._delete, self.path(key))

    def _delete(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        if path.parent.parent != self.root:
            # The folder of one generation goes with its last file; the great ones stay.
            with suppress(OSError):
                path.parent.rmdir()

    async def delete_folder(self, folder: str) -> None:
        """Remove a folder such as `generations/<uuid>` with all in it, thumbnails included."""
        await asyncio.to_thread(shutil.rmtree, self.path(folder), ignore_errors=True)

    async def url(self, key: str, *, lasts_s: int, media_type: str, disposition: str) -> str | None:
        """Nobody but us reads the folder."""
        return None

    async def keys(self) -> AsyncIterator[str]:
        """Every key there is, in the order of their letters."""
        for key in await asyncio.to_thread(self._keys):
            yield key

    def _keys(self) -> list[str]:
        found = (path for path in self.root.glob("[!.]*/**/*") if path.is_file())
        return sorted(path.relative_to(self.root).as_posix() for path in found)


def _make_folder(folder: Path) -> None:
    """Make a folder for us alone, with those above it, so that it survives a power cut."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
