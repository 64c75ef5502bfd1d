"""Copying: every file that old systems still keep is brought here, before anybody asks for it.

What was brought is not listed any more, so a run that was killed goes on where it stood. What
cannot be had is told of once; what only did not come now is left to the next run, or to whoever
asks for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from db import remote_files
from db.assets import Asset
from db.connect import at_once
from db.remote_files import Listed, NotHere

AT_ONCE = 8
PAGE = 200
#: Brings one file here. Raises: NotHere.
Bring = Callable[[UUID], Awaitable[Asset]]
#: Hears of a file that will never come: its asset, the generation's name in the old system, the
#: address without what may be a secret in it, and why.
TellDead = Callable[[UUID, str | None, str, str], None]


@dataclass(slots=True, kw_only=True)
class Copied:
    """How far it is."""

    #: Files that could still be had when it began.
    total: int
    copied: int = 0
    size_bytes: int = 0
    #: Found to be gone for ever.
    dead: int = 0
    #: Did not come this time, but may yet.
    late: int = 0
    #: Known to be gone for ever before it began.
    dead_before: int = 0

    @property
    def done(self) -> int:
        """How many have been seen to."""
        return self.copied + self.dead + self.late


async def copy_all(
    engine: AsyncEngine,
    bring: Bring,
    *,
    told: Callable[[Copied], None],
    dead: TellDead,
    places: int = AT_ONCE,
    page: int = PAGE,
) -> Copied:
    """Bring all that is elsewhere, so many at once; `told` is called after each file."""
    remaining = Remaining(engine, page)
    copied = await remaining.count()

    async def work() -> None:
        while (one := await remaining.following()) is not None:
            try:
                asset = await bring(one.asset_id)
                copied.copied += 1
                copied.size_bytes += asset.size_bytes or 0
            except NotHere as error:
                if error.is_gone:
                    copied.dead += 1
                    dead(one.asset_id, one.legacy_id, bare(one.url), error.message)
                else:
                    copied.late += 1
            told(copied)

    async with asyncio.TaskGroup() as group:
        for _ in range(places):
            group.create_task(work())
    return copied


class Remaining:
    """What is still elsewhere, each once, page by page."""

    def __init__(self, engine: AsyncEngine, page: int) -> None:
        self._engine = engine
        self._size = page
        self._page: deque[Listed] = deque()
        self._after: UUID | None = None
        self._turn = asyncio.Lock()

    async def count(self) -> Copied:
        """The figures before anything is done."""
        async with at_once(self._engine).connect() as connection:
            left, gone = await remote_files.count(connection)
        return Copied(total=left, dead_before=gone)

    async def following(self) -> Listed | None:
        """The next one; None when there is none left."""
        async with self._turn:
            if not self._page:
                async with at_once(self._engine).connect() as connection:
                    self._page.extend(await remote_files.left(connection, self._after, self._size))
            if not self._page:
                return None
            one = self._page.popleft()
            self._after = one.asset_id
            return one


def bare(url: str) -> str:
    """An address without its query, where signatures stand, and without a data URI's bytes."""
    if url[:5].lower() == "data:":
        return "data:"
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("?")[0].partition("#")[0]
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
