"""The import from beginning to end: which table comes when, and what its rows become.

People come first, since everything is somebody's; then what was made, by the media backend and then
as the chatbot knew it; then what was said, which names what was made; and last the votes on it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import old_databases
from db.old_databases import OldDatabase, OldTable, TooLong
from importing.drafts import Clock, Draft, NotTaken, Said
from importing.mapping import chatbot, documents, messages, superduper
from importing.progress import Progress
from importing.reading.dump import Dump
from importing.reading.rows import Broken, read_row
from importing.reading.values import read_id, shown
from importing.report import Report
from importing.writing.batches import Batches, OneBehind, one_behind, open_batches
from importing.writing.generations import Entry, Generations
from importing.writing.owners import Owners
from importing.writing.people import People
from importing.writing.talk import Talk
from importing.writing.writings import Writings

BATCH_ROWS, BATCH_BYTES = 500, 4 << 20
#: After so many rows the batch before may go on; each of its statements waits for that.
TURN_ROWS = 8
Item = TypeVar("Item")
Values = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the old systems' data is; None: that one is not imported."""

    superduper: OldDatabase | Dump | None
    chatbot: OldDatabase | None


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


async def run(
    engine: AsyncEngine, sources: Sources, clock: Clock, report: Report, progress: Progress
) -> None:
    """Import everything there is in the sources, and report it."""
    owners = Owners(report)
    async with open_batches(engine, report, owners.forget) as batches:
        await _Import(sources, clock, report, progress, batches, owners).run()


class _Import:
    def __init__(
        self,
        sources: Sources,
        clock: Clock,
        report: Report,
        progress: Progress,
        batches: Batches,
        owners: Owners,
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._report = report
        self._progress = progress
        self._batches = batches
        self._people = People(owners, report)
        self._generations = Generations(owners, clock, report)
        self._talk = Talk(owners, self._generations, self._documents, clock, report)
        self._writings = Writings(owners, self._documents, clock, report)

    async def run(self) -> None:
        old = self._sources.chatbot
        if old is not None:
            await self._chatbot(old, old_databases.USERS, self._users())
            await self._chatbot(old, old_databases.PROJECTS, self._projects())
        if self._sources.superduper is not None:
            await self._files(self._sources.superduper)
        if old is not None:
            await self._chatbot(old, old_databases.MEDIA, self._media())
            await self._chatbot(old, old_databases.DOCUMENTS, self._pictures())
            await self._chatbot(old, old_databases.CHATS, self._chats())
            for table in (old_databases.MESSAGES, old_databases.DEPRECATED_MESSAGES):
                await self._chatbot(old, table, self._messages(f"chatbot.{table.name}"))
            await self._chatbot(old, old_databases.DOCUMENTS, self._writing())
            for table in (old_databases.VOTES, old_databases.DEPRECATED_VOTES):
                await self._chatbot(old, table, self._votes(f"chatbot.{table.name}"))

    def _users(self) -> Step[chatbot.Person]:
        return Step("chatbot.User", chatbot.person, lambda one: one.id, self._people.take)

    def _projects(self) -> Step[tuple[str, str]]:
        take = self._people.take_projects
        return Step("chatbot.UserProject", chatbot.project, lambda one: one[0], take)

    def _media(self) -> Step[Entry]:
        def read(row: Values) -> Entry | NotTaken:
            draft = chatbot.generated_media(row, self._clock)
            return _entry(draft, f"chatbot:media:{read_id(row.get('id'))}")

        return Step("chatbot.GeneratedMedia", read, _row_id, self._take)

    def _pictures(self) -> Step[Entry]:
        def read(row: Values) -> Entry | NotTaken | None:
            if documents.document_kind(row) in documents.WRITTEN_KINDS:
                return None
            draft = documents.image_document(row, self._clock)
            return _entry(
                draft, f"chatbot:document:{read_id(row.get('id'))}:{shown(row.get('createdAt'))}"
            )

        return Step("chatbot.Document", read, _row_id, self._take)

    def _writing(self) -> Step[Mapping[str, object]]:
        def read(row: Values) -> Values | NotTaken | None:
            return row if documents.document_kind(row) in documents.WRITTEN_KINDS else None

        take = self._writings.take
        return Step("chatbot.Document", read, lambda row: str(row.get("id")), take)

    def _chats(self) -> Step[chatbot.Chat]:
        return Step("chatbot.Chat", chatbot.chat, lambda one: one.id, self._talk.take_chats)

    def _messages(self, table: str) -> Step[Said]:
        return Step(table, messages.message, lambda one: one.id, self._talk.take_messages)

    def _votes(self, table: str) -> Step[chatbot.Vote]:
        take = self._talk.take_votes
        return Step(table, chatbot.vote, lambda one: one.message_id, take)

    async def _files(self, source: OldDatabase | Dump) -> None:
        def read(row: Values) -> Entry | NotTaken:
            draft = superduper.superduper_file(row, self._clock)
            return _entry(draft, draft.names[0] if isinstance(draft, Draft) else "")

        step = Step("superduper.files", read, _row_id, self._take)
        if isinstance(source, Dump):
            with self._progress.step("SuperDuperAI", source.size_bytes, "B") as bar:
                await self._all(step, _lines(source), lambda: bar.update(source.position - bar.n))
            return
        table = await source.files_table()
        with self._progress.step("SuperDuperAI", await source.count(table)) as bar:
            await self._all(step, _numbered(source.rows(table)), lambda: bar.update(1))

    async def _chatbot(self, old: OldDatabase, table: OldTable, step: Step[Item]) -> None:
        if not await old.has(table):
            self._report.notes.append(f"{step.table} is not there; nothing was read from it.")
            return
        if table.lacking is not None and (carried := await old.count_left_out(table)):
            counts = self._report.table(step.table)
            counts.read += carried
            counts.not_taken["carried_over"] += carried
        with self._progress.step(f"chatbot {table.name}", await old.count(table)) as bar:
            await self._all(step, _numbered(old.rows(table)), lambda: bar.update(1))

    async def _all(
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

    async def _take(
        self, connection: AsyncConnection, table: str, entries: Sequence[Entry]
    ) -> None:
        fates = await self._generations.take(connection, entries)
        counts = self._report.table(table)
        for entry, (outcome, _) in zip(entries, fates, strict=True):
            self._report.take(table, _row_id(entry), outcome, remarks=entry.draft.remarks)
            counts.statuses[f"{entry.draft.kind} {entry.draft.status}"] += 1

    async def _documents(self, ids: set[str]) -> dict[str, str]:
        """The newest version of written documents, as Markdown below a heading."""
        old = self._sources.chatbot
        if old is None or not ids:
            return {}
        texts = {}
        for document_id, data in (await old.documents(sorted(ids))).items():
            row = read_row(data)
            if not isinstance(row, Broken) and (found := documents.written_document(row.values)):
                texts[document_id] = f"**{found[0]}**\n\n{found[1]}"
        return texts


def _read(step: Step[Item], place: str, data: bytes | TooLong) -> _Found[Item] | None:
    row = read_row(data)
    if isinstance(row, Broken):
        return _Found(place, NotTaken(reason=row.reason, detail=f"{row.detail}: {row.excerpt}"))
    item = step.read(row.values)
    if item is None:
        return None
    return _Found(_id_of(row.values) or place, item, row.remarks)


def _entry(draft: Draft | NotTaken, row: str) -> Entry | NotTaken:
    return draft if isinstance(draft, NotTaken) else Entry(row=row, draft=draft)


def _row_id(entry: Entry) -> str:
    return entry.row.split(":", 2)[2]


def _id_of(row: Values) -> str | None:
    for column in ("file_id", "id", "messageId", "projectId"):
        if isinstance(found := row.get(column), str | int):
            return str(found)
    return None


async def _numbered(
    rows: AsyncIterator[bytes | TooLong],
) -> AsyncIterator[tuple[str, bytes | TooLong]]:
    number = 0
    async for row in rows:
        number += 1
        yield f"row {number}", row


async def _lines(dump: Dump) -> AsyncIterator[tuple[str, bytes | TooLong]]:
    lines: Iterator[tuple[int, bytes | TooLong]] = iter(dump)
    for number, line in lines:
        yield f"line {number}", line
