"""An installation's part that brings files, beside an old system that has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from db.connect import open_engine
from db.files import LocalFiles
from generations.remote import NotHere, RemoteFiles
from providers.addresses import origin_of
from providers.contract import Kind
from providers.download import open_result_clients
from providers.sink import FetchLimits
from providers.transport import Limits
from tests.old_files import Old, OldStorage, an_import, look, old_storage
from tests.providers.downloads import Book

SMALL = FetchLimits(size_bytes_max=3_000_000, deadline_s=1.0)
BOOK = Book(home=["127.0.0.1"], mixed=["93.184.216.34", "127.0.0.1"], meta=["169.254.169.254"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An installation's part that brings files, and the old system's storage."""

    database_url: str
    old: OldStorage
    files: LocalFiles
    remote: RemoteFiles

    def imported(self, *urls: str, **more: Any) -> Old:
        return an_import(self.database_url, *urls, **more)

    def row(self, old: Old) -> dict[str, Any]:
        return look(self.database_url, old.asset_id)

    def lies(self) -> list[str]:
        """Every file that is stored."""
        root = self.files.root
        return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


@asynccontextmanager
async def bringing(
    database_url: str, files: LocalFiles, old: OldStorage
) -> AsyncIterator[RemoteFiles]:
    """One process's part."""
    engine = open_engine(database_url)
    limits: dict[Kind, FetchLimits] = {"image": SMALL, "video": SMALL, "audio": SMALL}
    async with open_result_clients(Limits(connect_s=1, read_s=2), BOOK) as clients:
        remote = RemoteFiles(engine, files, clients, [origin_of(old.url)], limits)
        yield remote
        await remote.aclose()
    await engine.dispose()


@asynccontextmanager
async def a_place(database_url: str, folder: Path) -> AsyncIterator[Place]:
    """An installation, and an old system whose storage it may go to."""
    files = LocalFiles(folder)
    async with old_storage() as old, bringing(database_url, files, old) as remote:
        yield Place(database_url=database_url, old=old, files=files, remote=remote)


async def refused(place: Place, old: Old) -> NotHere:
    """Why a file does not come, when nothing has come yet."""
    with pytest.raises(NotHere) as raised:
        await place.remote.bring(old.asset_id)
    assert place.lies() == []
    return raised.value


async def refused_only(place: Place, old: Old) -> NotHere:
    """The same, whatever has come before."""
    with pytest.raises(NotHere) as raised:
        await place.remote.bring(old.asset_id)
    return raised.value
