"""Files that an old system kept: brought here once, when they are first asked for.

An address of somebody else's is fetched under the rules of `providers.download`; what comes is
decoded, and only then are the bytes ours. Asked for by many at once, a file is fetched once in each
process; between processes, and against a delete, the row decides whose bytes stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db import assets, media, remote_files
from db.assets import Asset
from db.connect import at_once
from db.remote_files import NotHere, RemoteFile
from db.storage import Storage
from generations.storing import Stored, store
from providers.addresses import origin_of
from providers.contract import BlockedUrl, Gone, Kind, Malformed, Origin, ProviderError, TooLarge
from providers.download import ResultClients, fetch_from_anywhere, open_result_clients
from providers.sink import FETCH_LIMITS, Fetched, FetchLimits

__all__ = ["NotHere", "RemoteFiles", "open_remote_files"]

log = structlog.get_logger(__name__)

#: So many are fetched at once in a process; the others wait.
AT_ONCE = 8
#: How long somebody waits for a file; the fetch goes on without them.
WAIT_S = 60.0
#: Who waited in vain asks again so much later.
LATER_S = 10.0
_LOST = "This file cannot be had any more from where it was kept: {}."
_LATE = "This file did not come from where it is kept: {}. It is asked for again later."
_ON_ITS_WAY = "This file is still on its way from where it was kept; ask again in a moment."
_NOWHERE = "Nobody knows where this file was kept."
_DELETED = "This file was deleted."


class RemoteFiles:
    """Brings files from where old systems kept them."""

    def __init__(
        self,
        engine: AsyncEngine,
        files: Storage,
        clients: ResultClients,
        origins: Collection[Origin] = (),
        limits: Mapping[Kind, FetchLimits] = FETCH_LIMITS,
    ) -> None:
        self._engine = engine
        self._files = files
        self._clients = clients
        self._origins = frozenset(origins)
        self._limits = limits
        self._coming: dict[UUID, asyncio.Task[Asset]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    async def here(self, asset: Asset, within_s: float = WAIT_S) -> Asset:
        """The same file with its bytes here; what is on its way after so long comes all the same.

        Raises: NotHere.
        """
        if asset.storage_key is not None:
            return asset
        try:
            async with asyncio.timeout(within_s) as wait:
                return await self.bring(asset.id)
        except TimeoutError:
            if not wait.expired():
                raise
            raise NotHere(_ON_ITS_WAY, is_gone=False, retry_after_s=LATER_S) from None

    async def bring(self, asset_id: UUID) -> Asset:
        """The file, once its bytes are here; a caller that leaves does not end it for others.

        Raises: NotHere.
        """
        task = self._coming.get(asset_id)
        if task is None:
            task = asyncio.create_task(self._bring(asset_id), name=f"bring {asset_id}")
            self._coming[asset_id] = task
            task.add_done_callback(lambda done: self._came(asset_id, done))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            asker = asyncio.current_task()
            if task.cancelled() and asker is not None and not asker.cancelling():
                # We are closing.
                raise NotHere(_ON_ITS_WAY, is_gone=False, retry_after_s=LATER_S) from None
            raise

    def _came(self, asset_id: UUID, task: asyncio.Task[Asset]) -> None:
        self._coming.pop(asset_id, None)
        if not task.cancelled():
            # Looked at, since those who asked may all have left.
            task.exception()

    async def aclose(self) -> None:
        """End what is on its way; nothing is noted of it."""
        coming = list(self._coming.values())
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)

    async def _bring(self, asset_id: UUID) -> Asset:
        if (known := await self._known(asset_id)) is not None:
            return known
        async with self._places:
            # While this one waited, another process may have brought it.
            remote = await self._read(asset_id)
            if remote.storage_key is not None:
                return await self._ours(asset_id)
            return await self._fetch(_worth_asking(remote), remote)

    async def _known(self, asset_id: UUID) -> Asset | None:
        """The file that is here already. Raises: NotHere: it is no use asking."""
        remote = await self._read(asset_id)
        if remote.storage_key is not None:
            return await self._ours(asset_id)
        _worth_asking(remote)
        return None

    async def _read(self, asset_id: UUID) -> RemoteFile:
        async with at_once(self._engine).connect() as connection:
            remote = await remote_files.find(connection, asset_id)
        if remote is None:
            raise NotHere(_DELETED, is_gone=True)
        return remote

    async def _ours(self, asset_id: UUID) -> Asset:
        async with at_once(self._engine).connect() as connection:
            asset = await assets.find_signed(connection, asset_id)
        if asset is None:
            raise NotHere(_DELETED, is_gone=True)
        return asset

    async def _fetch(self, url: str, remote: RemoteFile) -> Asset:
        try:
            with self._files.scratch() as scratch:
                fetched = await fetch_from_anywhere(
                    self._clients,
                    url,
                    scratch,
                    origins=self._origins,
                    limits=self._limits_of(remote),
                )
                stored = await store(self._files, scratch, _name(remote, fetched), media.recognise)
        except (ProviderError, media.WrongType) as error:
            is_gone = isinstance(error, Gone | BlockedUrl | TooLarge | media.WrongType) or (
                # What is at hand will not be another thing tomorrow.
                isinstance(error, Malformed) and url[:5].lower() == "data:"
            )
            raise await self._failed(remote, str(error), is_gone=is_gone) from error
        except OSError as error:
            log.error("storing failed", asset=str(remote.asset_id), error=str(error))
            reason = "Kinora's own storage refused it"
            raise await self._failed(remote, reason, is_gone=False) from error
        return await self._keep(remote, fetched, stored)

    async def _keep(self, remote: RemoteFile, fetched: Fetched, stored: Stored) -> Asset:
        """Have the row say where the bytes are; what came too late goes again."""
        async with self._engine.begin() as connection:
            asset = await remote_files.arrived(
                connection,
                remote.asset_id,
                stored.found,
                size_bytes=fetched.size_bytes,
                sha256=fetched.sha256,
                storage_key=stored.key,
                thumbnail_key=stored.thumbnail_key,
            )
        if asset is not None:
            log.info("file brought", asset=str(asset.id), size_bytes=asset.size_bytes)
            return asset
        async with at_once(self._engine).connect() as connection:
            kept = await assets.find_signed(connection, remote.asset_id)
        if kept is None or kept.storage_key != stored.key:
            for key in filter(None, (stored.key, stored.thumbnail_key)):
                await self._files.delete(key)
        if kept is None:
            raise NotHere(_DELETED, is_gone=True)
        return kept

    async def _failed(self, remote: RemoteFile, reason: str, *, is_gone: bool) -> NotHere:
        message = (_LOST if is_gone else _LATE).format(reason.rstrip("."))
        log.warning("file not brought", asset=str(remote.asset_id), reason=reason, is_gone=is_gone)
        async with self._engine.begin() as connection:
            rest_s = await remote_files.failed(
                connection, remote.asset_id, message, is_gone=is_gone
            )
        if rest_s is None:
            return NotHere(_ON_ITS_WAY, is_gone=False, retry_after_s=1.0)
        return NotHere(message, is_gone=is_gone, retry_after_s=None if is_gone else rest_s)

    def _limits_of(self, remote: RemoteFile) -> FetchLimits:
        """Those of the largest thing that it may be: what an old system says of it is a guess."""
        guesses = {remote.kind, remote.media_type.partition("/")[0]} & self._limits.keys()
        kinds = [cast(Kind, guess) for guess in guesses] or list(self._limits)
        return max((self._limits[kind] for kind in kinds), key=lambda one: one.size_bytes_max)


def _worth_asking(remote: RemoteFile) -> str:
    """Its address, if it may be asked for now. Raises: NotHere."""
    if remote.url is None:
        raise NotHere(_NOWHERE, is_gone=True)
    if remote.is_gone:
        raise NotHere(remote.failure or _NOWHERE, is_gone=True)
    if remote.rest_s > 0:
        message = remote.failure or _ON_ITS_WAY
        raise NotHere(message, is_gone=False, retry_after_s=remote.rest_s)
    return remote.url


def _name(remote: RemoteFile, fetched: Fetched) -> str:
    """Where it comes to lie: in the folder that goes with what it belongs to, under a name made of
    its bytes, so that two who bring it at once write the same file, or two that do not meet.
    """
    digest = fetched.sha256[:16]
    if remote.generation_id is None:
        return f"uploads/{remote.asset_id}/{digest}"
    return f"generations/{remote.generation_id}/{remote.position}-{digest}"


@asynccontextmanager
async def open_remote_files(
    engine: AsyncEngine, files: Storage, origins: Collection[str]
) -> AsyncIterator[RemoteFiles]:
    """Open what brings files; `origins`: places (`http://old.example:9000`) at which they may lie
    besides the public internet.
    """
    async with open_result_clients() as clients:
        remote = RemoteFiles(engine, files, clients, [origin_of(origin) for origin in origins])
        try:
            yield remote
        finally:
            await remote.aclose()
