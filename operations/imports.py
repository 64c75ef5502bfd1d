"""`manage.py import`: the old systems' data, once and whole.

It may be stopped at any time and run again: what is there already stays as it is. A dry run does
everything and takes it back. The report goes to stdout as JSON, unless that is a terminal, and
into the data folder; people read theirs, and the progress, on stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from data_folder import place_of, prepare_data_dir
from db import imported
from db.connect import at_once
from db.old_databases import OldDatabase, OldDatabaseError, open_old_database
from db.storages import open_storage
from generations.remote import open_remote_files
from importing import run
from importing.copying import Copied, copy_all
from importing.drafts import Clock
from importing.progress import Progress
from importing.reading.dump import Dump, DumpError
from importing.report import Report
from importing.summary import summary
from logs import configure_logging
from operations.place import open_database
from settings import Loaded

_ADDRESSES = ("postgres://", "postgresql://")


class Refused(Exception):
    """It cannot be done like this; the message is for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the operator asked for."""

    superduper: str | None
    chatbot: str | None
    dry_run: bool = False
    copy_files: bool = False
    keep_in_progress: bool = False
    stale_after_hours: float = 24.0


def wanted_of(said: argparse.Namespace) -> Wanted:
    """The same, of the command line."""
    return Wanted(
        superduper=said.superduper,
        chatbot=said.chatbot,
        dry_run=said.dry_run,
        copy_files=said.copy_files,
        keep_in_progress=said.keep_in_progress,
        stale_after_hours=said.stale_after,
    )


async def bring_over(loaded: Loaded, wanted: Wanted) -> None:
    """Import, copy the files when asked to, and report.

    Raises: Refused: nothing to import is named, a source cannot be read, or not everything in it
    could be.
    """
    if wanted.superduper is None and wanted.chatbot is None and not wanted.copy_files:
        raise Refused("nothing to import: name --superduper, --chatbot, or both")
    report = Report(dry_run=wanted.dry_run)
    with contextlib.closing(report):
        try:
            async with open_database(loaded) as engine:
                await _bring_over(engine, loaded, wanted, report)
        except (OldDatabaseError, DumpError) as error:
            raise Refused(str(error)) from error
        finally:
            if report.tables or report.files:
                _tell(loaded, report)
    if not report.adds_up():
        raise Refused("the counts of this report do not add up; please tell us")


async def _bring_over(engine: AsyncEngine, loaded: Loaded, wanted: Wanted, report: Report) -> None:
    progress = Progress()
    async with _alone(engine), _open_sources(wanted) as sources:
        await run.run(engine, sources, _clock(wanted, sources, report), report, progress)
    if wanted.copy_files and wanted.dry_run:
        report.notes.append("A dry run copies no files.")
    elif wanted.copy_files:
        await _copy(engine, loaded, report, progress)
    report.is_whole = True


@contextlib.asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[None]:
    """Be the one import of this database. Raises: Refused."""
    async with at_once(engine).connect() as connection:
        if not await imported.lock(connection):
            raise Refused("another import is running on this database; wait until it has ended")
        yield
        # The lock belongs to the session, which would go back into the pool with it.
        await connection.invalidate()


@contextlib.asynccontextmanager
async def _open_sources(wanted: Wanted) -> AsyncIterator[run.Sources]:
    async with contextlib.AsyncExitStack() as stack:
        superduper: OldDatabase | Dump | None = None
        if wanted.superduper is not None and wanted.superduper.startswith(_ADDRESSES):
            superduper = await stack.enter_async_context(open_old_database(wanted.superduper))
        elif wanted.superduper is not None:
            superduper = Dump(Path(wanted.superduper))
        chatbot = None
        if wanted.chatbot is not None:
            chatbot = await stack.enter_async_context(open_old_database(wanted.chatbot))
        yield run.Sources(superduper=superduper, chatbot=chatbot)


def _clock(wanted: Wanted, sources: run.Sources, report: Report) -> Clock:
    source = sources.superduper
    return Clock(
        now=report.started_at,
        stale_before=report.started_at - timedelta(hours=wanted.stale_after_hours),
        keeps_in_progress=wanted.keep_in_progress,
        written_at=source.written_at if isinstance(source, Dump) else None,
    )


async def _copy(engine: AsyncEngine, loaded: Loaded, report: Report, progress: Progress) -> None:
    """Bring the files themselves, those of earlier imports too."""
    # What is said of each file there stands in the report.
    configure_logging(loaded.settings.log_format)
    logging.getLogger("generations.remote").setLevel(logging.ERROR)
    place = place_of(loaded, await asyncio.to_thread(prepare_data_dir, loaded))
    async with contextlib.AsyncExitStack() as stack:
        files = await stack.enter_async_context(open_storage(place))
        origins = loaded.settings.import_origins
        remote = await stack.enter_async_context(open_remote_files(engine, files, origins))
        bar = stack.enter_context(progress.step("files", None, "file"))

        def told(copied: Copied) -> None:
            bar.total = copied.total
            bar.set_postfix_str(f"{copied.size_bytes >> 20} MiB, {copied.dead} gone", refresh=False)
            bar.update(copied.done - bar.n)

        def dead(asset_id: UUID, legacy_id: str | None, url: str, reason: str) -> None:
            report.file_gone(legacy_id or str(asset_id), reason, url)

        copied = await copy_all(engine, remote.bring, told=told, dead=dead)
    report.files.update(
        copied=copied.copied,
        bytes=copied.size_bytes,
        gone=copied.dead,
        not_now=copied.late,
        gone_before=copied.dead_before,
    )


def _tell(loaded: Loaded, report: Report) -> None:
    folder = prepare_data_dir(loaded) / "imports"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}{'-dry-run' if report.dry_run else ''}.json"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(report.json_lines())
    if not sys.stdout.isatty():
        sys.stdout.writelines(report.json_lines())
        sys.stdout.flush()
    sys.stderr.write(f"{summary(report)}\nThe whole report, row by row: {path}\n")
