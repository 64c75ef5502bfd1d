"""The transactions of an import: a batch is written whole or not at all, and a kill between two of
them costs nothing.

A dry run does all the same within one transaction that is taken back, so its counts are true. A
batch that the database refuses is halved until the row is found that it will not have; the others
are written, and that one is reported.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from crash_points import crash_point
from importing.report import Report

Item = TypeVar("Item")
Write = Callable[[AsyncConnection, Sequence[Item]], Awaitable[None]]


class Batches:
    """Writes batches; `forget` is called when what was written does not stand."""

    def __init__(
        self,
        engine: AsyncEngine,
        outer: AsyncConnection | None,
        report: Report,
        forget: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._outer = outer
        self._report = report
        self._forget = forget

    async def write(
        self, table: str, items: Sequence[Item], name: Callable[[Item], str], write: Write[Item]
    ) -> None:
        """Write these, all that the database takes."""
        if not items:
            return
        take_back = self._report.mark()
        try:
            async with self._transaction() as connection:
                await write(connection, items)
                crash_point("import.written")
        except BaseException as error:
            take_back()
            self._forget()
            if not isinstance(error, DBAPIError) or error.connection_invalidated:
                raise
            refusal = str(error.orig).partition("\n")[0]
        else:
            crash_point("import.batch")
            return
        if len(items) == 1:
            self._report.refuse(table, name(items[0]), "refused_by_database", refusal)
            return
        middle = len(items) // 2
        await self.write(table, items[:middle], name, write)
        await self.write(table, items[middle:], name, write)

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        if self._outer is None:
            async with self._engine.begin() as connection:
                try:
                    yield connection
                except asyncio.CancelledError:
                    # Interrupted while the database is busy: a rollback would wait for that.
                    await connection.invalidate()
                    raise
        else:
            async with self._outer.begin_nested():
                yield self._outer


@contextlib.asynccontextmanager
async def open_batches(
    engine: AsyncEngine, report: Report, forget: Callable[[], None]
) -> AsyncIterator[Batches]:
    """Batches for as long as the block lasts; those of a dry run are taken back at its end."""
    if not report.dry_run:
        yield Batches(engine, None, report, forget)
        return
    async with engine.connect() as connection:
        transaction = await connection.begin()
        try:
            yield Batches(engine, connection, report, forget)
        finally:
            await transaction.rollback()


class OneBehind:
    """A write that goes on beside the reading, one at a time."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def begin(self, write: Coroutine[None, None, None]) -> None:
        """Begin it; the one before has ended."""
        self._task = asyncio.create_task(write)

    async def turn(self) -> None:
        """Let it go on for a moment."""
        if self._task is not None and not self._task.done():
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Have it end now; what it has written is taken back."""
        if self._task is not None:
            self._task.cancel()

    async def end(self) -> None:
        """Wait until it has ended. Raises: what it has raised."""
        task, self._task = self._task, None
        if task is not None:
            await task


@contextlib.asynccontextmanager
async def one_behind() -> AsyncIterator[OneBehind]:
    """Nothing goes on after the block: a write comes to its end when the reading has failed, and is
    stopped when everything is.
    """
    behind = OneBehind()
    try:
        yield behind
    except asyncio.CancelledError:
        behind.stop()
        raise
    finally:
        await behind.end()
