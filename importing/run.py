"""The import from beginning to end: which table comes when, and what its rows become.

People come first, since everything is somebody's; then what was made, by the media backend and then
as the chatbot knew it; then what was said, which names what was made; and last the votes on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import old_databases
from db.old_databases import OldDatabase, OldTable
from importing.drafts import Clock, Draft, NotTaken, Said
from importing.mapping import chatbot, documents, messages, superduper
from importing.progress import Progress
from importing.reading.dump import Dump
from importing.reading.rows import Broken, read_row
from importing.reading.values import read_id, shown
from importing.report import Report
from importing.steps import Step, Steps, lines, numbered
from importing.writing.batches import Batches, open_batches
from importing.writing.generations import Entry, Generations
from importing.writing.owners import Owners
from importing.writing.people import People
from importing.writing.talk import Talk
from importing.writing.writings import Writings

Item = TypeVar("Item")
Values = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the old systems' data is; None: that one is not imported."""

    superduper: OldDatabase | Dump | None
    chatbot: OldDatabase | None


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
        self._steps = Steps(report, batches)
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
                await self._steps.take(
                    step, lines(source), lambda: bar.update(source.position - bar.n)
                )
            return
        table = await source.files_table()
        with self._progress.step("SuperDuperAI", await source.count(table)) as bar:
            await self._steps.take(step, numbered(source.rows(table)), lambda: bar.update(1))

    async def _chatbot(self, old: OldDatabase, table: OldTable, step: Step[Item]) -> None:
        if not await old.has(table):
            self._report.notes.append(f"{step.table} is not there; nothing was read from it.")
            return
        if table.lacking is not None and (carried := await old.count_left_out(table)):
            counts = self._report.table(step.table)
            counts.read += carried
            counts.not_taken["carried_over"] += carried
        with self._progress.step(f"chatbot {table.name}", await old.count(table)) as bar:
            await self._steps.take(step, numbered(old.rows(table)), lambda: bar.update(1))

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


def _entry(draft: Draft | NotTaken, row: str) -> Entry | NotTaken:
    return draft if isinstance(draft, NotTaken) else Entry(row=row, draft=draft)


def _row_id(entry: Entry) -> str:
    return entry.row.split(":", 2)[2]
