"""`manage.py storage copy FROM TO`: every file from one storage to the other.

It may be stopped at any time and begun again: what is there already is compared, not sent. Every
file is read back from where it was put, and its hash compared with what was read; nothing is taken
away at the source.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from data_folder import place_of, prepare_data_dir
from db.storage import Storage
from db.storages import open_storage
from settings import Loaded
from storage_settings import check_storage_url

AT_ONCE = 8
SAY_EVERY_S = 2.0


class Refused(Exception):
    """It cannot be done like this; the message is for the operator."""


@dataclass(slots=True, kw_only=True)
class Copied:
    """What has been done so far."""

    sent: int = 0
    there: int = 0
    size_bytes: int = 0
    failed: list[str] = field(default_factory=list)
    said_at: float = 0.0

    def line(self) -> str:
        """The same in words."""
        mib = self.size_bytes / (1 << 20)
        return (
            f"{self.sent} sent ({mib:.1f} MiB), {self.there} were there, {len(self.failed)} failed"
        )

    def say(self) -> None:
        """Show how far it is, now and then."""
        if time.monotonic() - self.said_at >= SAY_EVERY_S:
            self.said_at = time.monotonic()
            sys.stderr.write(f"{self.line()}\n")


async def copy(loaded: Loaded, source_url: str, target_url: str) -> None:
    """Copy everything, and say what came of it.

    Raises: Refused: an address is none, or some files could not be copied.
    """
    for url in (source_url, target_url):
        try:
            check_storage_url(url)
        except ValueError as error:
            raise Refused(f"{url} {error}") from None
    if source_url.rstrip("/") == target_url.rstrip("/"):
        raise Refused("both are the same storage")
    place = place_of(loaded, await asyncio.to_thread(prepare_data_dir, loaded))
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(open_storage(place.at(source_url)))
        target = await stack.enter_async_context(open_storage(place.at(target_url)))
        done = await copy_all(source, target)
    print(done.line())
    if done.failed:
        named = "\n".join(f"  {line}" for line in sorted(done.failed)[:20])
        raise Refused(f"not copied, begin again:\n{named}")


async def copy_all(source: Storage, target: Storage) -> Copied:
    """Copy several at once, in the order of their names."""
    done = Copied()
    room = asyncio.Semaphore(AT_ONCE)

    async def one(key: str) -> None:
        try:
            await _copy_one(source, target, key, done)
        except OSError as error:
            done.failed.append(f"{key}: {error}")
        finally:
            room.release()
        done.say()

    async with asyncio.TaskGroup() as group:
        async for key in source.keys():  # noqa: SIM118 - no dictionary
            await room.acquire()
            group.create_task(one(key))
    return done


async def _copy_one(source: Storage, target: Storage, key: str, done: Copied) -> None:
    if await _is_there(source, target, key):
        done.there += 1
        return
    with target.scratch() as path:
        digest, size_bytes = hashlib.sha256(), 0
        with path.open("wb") as copied:
            async for chunk in source.read(key):
                digest.update(chunk)
                size_bytes += len(chunk)
                await asyncio.to_thread(copied.write, chunk)
        await target.put_file(key, path)
    if await _digest(target, key) != digest.digest():
        raise OSError("what is there now is not what was sent")
    done.sent += 1
    done.size_bytes += size_bytes


async def _is_there(source: Storage, target: Storage, key: str) -> bool:
    try:
        if await target.size_bytes(key) != await source.size_bytes(key):
            return False
    except FileNotFoundError:
        return False
    return await _digest(target, key) == await _digest(source, key)


async def _digest(storage: Storage, key: str) -> bytes:
    digest = hashlib.sha256()
    async for chunk in storage.read(key):
        digest.update(chunk)
    return digest.digest()
