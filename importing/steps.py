"""How the rows of one table go: read one by one, counted, and written in batches, of which one is
written while the next is read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from db.old_databases import TooLong
from importing.drafts import NotTaken
from importing.reading.dump import Dump
from importing.reading.rows import Broken, read_row
from importing.report import Report
from importing.writing.batches import Batches, OneBehind, one_behind

BATCH_ROWS, BATCH_BYTES = 500, 4 << 20
#: After so many rows the batch before may go on; each of its statements waits for that.
TURN_ROWS = 8
Item = TypeVar("Item")
Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Step(Generic[Item]):
    """How the rows of one table are read and written."""

    #: In the report, such as `chatbot.Chat`.
    table: str
    #: What a row means; None: it is another step's.
    read: Callable[[Mapping[str, object]], Item | NotTaken | None]
    #: The id by which a row is reported.
    name: Callable[[Item], str]
    write: Callable[[AsyncConnection, str, Sequence[Item]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Found(Generic[Item]):
    """What was found in a row, before it is counted."""

    name: str
    item: Item | NotTaken
    remarks: tuple[str, ...] = ()


class Steps:
    """Takes the rows of one table after the other."""

    def __init__(self, report: Report, batches: Batches) -> None:
        self._report = report
        self._batches = batches

    async def take(
        self,
        step: Step[Item],
        rows: AsyncIterator[tuple[str, bytes | TooLong]],
        moved: Callable[[], object],
    ) -> None:
        """Read every row, and write what they mean in batches bounded by number and size. While one
        is written, the next one is read.
        """
        # An empty one stands in the report, too.
        self._report.table(step.table)
        batch: list[_Found[Item]] = []
        size_bytes = 0
        async with one_behind() as behind:
            async for place, data in rows:
                found = _read(step, place, data)
                moved()
                if found is not None:
                    batch.append(found)
                    size_bytes += len(data) if isinstance(data, bytes) else 0
                if len(batch) >= BATCH_ROWS or size_bytes >= BATCH_BYTES:
                    await self._put(step, batch, behind)
                    batch, size_bytes = [], 0
                elif len(batch) % TURN_ROWS == 0:
                    await behind.turn()
            await self._put(step, batch, behind)

    async def _put(
        self, step: Step[Item], batch: Sequence[_Found[Item]], behind: OneBehind
    ) -> None:
        # First: were that batch taken back, this one's counts would go with it.
        await behind.end()
        items = [item for one in batch if (item := self._count(step, one)) is not None]
        behind.begin(self._write(step, items))

    def _count(self, step: Step[Item], found: _Found[Item]) -> Item | None:
        item = found.item
        self._report.table(step.table).read += 1
        for remark in found.remarks:
            self._report.remark(step.table, found.name, remark)
        if not isinstance(item, NotTaken):
            return item
        if item.reason == "younger":
            self._report.leave_out(step.table, found.name, item.reason, item.detail)
        else:
            self._report.refuse(step.table, found.name, item.reason, item.detail)
        return None

    async def _write(self, step: Step[Item], batch: Sequence[Item]) -> None:
        async def write(connection: AsyncConnection, items: Sequence[Item]) -> None:
            await step.write(connection, step.table, items)

        await self._batches.write(step.table, batch, step.name, write)


def _read(step: Step[Item], place: str, data: bytes | TooLong) -> _Found[Item] | None:
    row = read_row(data)
    if isinstance(row, Broken):
        return _Found(place, NotTaken(reason=row.reason, detail=f"{row.detail}: {row.excerpt}"))
    item = step.read(row.values)
    if item is None:
        return None
    return _Found(_id_of(row.values) or place, item, row.remarks)


def _id_of(row: Values) -> str | None:
    for column in ("file_id", "id", "messageId", "projectId"):
        if isinstance(found := row.get(column), str | int):
            return str(found)
    return None


async def numbered(
    rows: AsyncIterator[bytes | TooLong],
) -> AsyncIterator[tuple[str, bytes | TooLong]]:
    """Rows of a database, with what they are called when they have no id."""
    number = 0
    async for row in rows:
        number += 1
        yield f"row {number}", row


async def lines(dump: Dump) -> AsyncIterator[tuple[str, bytes | TooLong]]:
    """The same of a dump."""
    every: Iterator[tuple[int, bytes | TooLong]] = iter(dump)
    for number, line in every:
        yield f"line {number}", line
