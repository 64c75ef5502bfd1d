"""Drafts become generations, a batch at a time: new ones, or more about ones that are there.

A generation has many names: its file's id in the media backend, the row of the chatbot that kept
it, its address. The ledger has them all, so whichever row comes next finds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from db import imported
from db.imported import Imported, Known, is_read
from db.imported_talk import Place
from importing.drafts import Clock, Draft
from importing.report import Report, Taken
from importing.writing import merge
from importing.writing.owners import Owner, Owners

FILE = "superduper:file:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one row of an old system tells of a generation. `row` is the ledger's name of the very
    row, so that it is not read twice.
    """

    row: str
    draft: Draft
    #: In which conversation it stands, and whose that is.
    place: Place | None = None
    owner: Owner | None = None


@dataclass(slots=True)
class _Batch:
    """What is known of the generations of a batch, and what is to be written."""

    ledger: dict[str, Known]
    held: dict[UUID, Imported]
    owners: dict[str | None, Owner]
    owners_by_id: dict[UUID, Owner]
    new: dict[UUID, Imported] = field(default_factory=dict)
    changed: dict[UUID, Imported] = field(default_factory=dict)
    #: The rows whose files are to be added, by the generation they belong to.
    files: dict[UUID, Draft] = field(default_factory=dict)
    noted: dict[str, Known] = field(default_factory=dict)

    def note(self, name: str, known: Known) -> None:
        self.ledger[name] = self.noted[name] = known


class Generations:
    """Writes what rows tell of generations."""

    def __init__(self, owners: Owners, clock: Clock, report: Report) -> None:
        self._owners = owners
        self._clock = clock
        self._report = report

    async def take(
        self, connection: AsyncConnection, entries: Sequence[Entry]
    ) -> list[tuple[Taken, Imported | None]]:
        """Write a batch; what became of each, in order; None: nothing that could be shown."""
        batch = await self._begin(connection, entries)
        fates = [self._take_one(batch, one) for one in entries]
        await imported.add_generations(connection, list(batch.new.values()))
        await imported.change_generations(connection, list(batch.changed.values()))
        files = [
            file
            for generation_id, draft in batch.files.items()
            for file in merge.files_of(batch.held[generation_id], draft)
        ]
        await imported.add_files(connection, files)
        await imported.note(connection, batch.noted)
        self._report.made["generations"] += len(batch.new)
        self._report.made["files"] += len(files)
        return fates

    async def _begin(self, connection: AsyncConnection, entries: Sequence[Entry]) -> _Batch:
        owners = await self._owners.find(connection, {one.draft.owner for one in entries})
        names = {
            name for one in entries for name in _all(one, one.owner or owners[one.draft.owner])
        }
        ledger = await imported.known(connection, names)
        unread = [one for one in entries if not is_read(ledger, one.row)]
        wanted = {
            ledger[name].target_id
            for one in unread
            for name in _all(one, one.owner or owners[one.draft.owner])
            if name in ledger
        }
        # A row that was read in progress may have ended over there since.
        read = {ledger[one.row].target_id for one in entries if is_read(ledger, one.row)}
        wanted |= await imported.in_progress(connection, read)
        held = await imported.generations(connection, wanted)
        by_id = await self._owners.by_id(connection, {row.user_id for row in held.values()})
        by_id |= {owner.id: owner for owner in owners.values()}
        by_id |= {one.owner.id: one.owner for one in entries if one.owner}
        return _Batch(ledger, held, owners, by_id)

    def _take_one(self, batch: _Batch, entry: Entry) -> tuple[Taken, Imported | None]:
        owner = entry.owner or batch.owners[entry.draft.owner]
        sure = self._sure_names(batch, entry, owner)
        name = next((name for name in sure if name in batch.ledger), None)
        if name is None:
            if entry.place is not None and not entry.draft.media:
                # Named in passing, and nobody knows what it was.
                return "unchanged", None
            return "taken", self._begin_one(batch, entry, owner, entry.draft.names)
        held = batch.held.get(batch.ledger[name].target_id)
        if held is None or held.is_deleted:
            batch.note(entry.row, Known(batch.ledger[name].target_id, True))
            return "unchanged", None
        theirs = batch.owners_by_id[held.user_id]
        if theirs.id == owner.id or (owner.rank > theirs.rank and held.thread_id is None):
            return self._join(batch, entry, held, owner)
        if entry.owner is None and (owner.rank == 0 or entry.row.startswith(FILE)):
            # It says what it was, and lays no claim: the backend had one account for everybody.
            return self._join(batch, entry, held, theirs)
        # Two people have it; each gets their own, and the names they share mean the first one's.
        if entry.place is not None and not entry.draft.media:
            return "unchanged", None
        return "taken", self._begin_one(batch, entry, owner, (entry.row, _own_name(entry, owner)))

    def _begin_one(
        self, batch: _Batch, entry: Entry, owner: Owner, names: tuple[str, ...]
    ) -> Imported:
        made = merge.begun(entry.draft, legacy_id_of(_main_name(entry, names)), owner, self._clock)
        made = _put(made, entry.place)
        batch.new[made.id] = batch.held[made.id] = made
        batch.owners_by_id[owner.id] = owner
        batch.files[made.id] = entry.draft
        self._name(batch, entry.row, names, made.id)
        return made

    def _join(
        self, batch: _Batch, entry: Entry, held: Imported, owner: Owner
    ) -> tuple[Taken, Imported]:
        if entry.place is not None and not entry.draft.media:
            now = replace(held, user_id=owner.id)
        else:
            main = _main_name(entry)
            is_other = main in batch.ledger and batch.ledger[main].target_id != held.id
            legacy_id = held.legacy_id if is_other else legacy_id_of(main)
            now = merge.joined(held, entry.draft, legacy_id, owner, self._clock)
        now = _put(now, entry.place)
        was_read = is_read(batch.ledger, entry.row)
        self._name(batch, entry.row, entry.draft.names, held.id)
        if now == held:
            return "unchanged" if was_read else "merged", held
        if now.files != held.files:
            batch.files[held.id] = entry.draft
        (batch.new if held.id in batch.new else batch.changed)[held.id] = now
        batch.held[held.id] = now
        return "merged", now

    @staticmethod
    def _name(batch: _Batch, row: str, names: tuple[str, ...], target: UUID) -> None:
        """Have all the row's names lead to it, but those that mean another already."""
        for name in names:
            # Versions of one document follow each other; its id means the last.
            is_document = name.startswith("chatbot:document:") and row.startswith(name)
            if name not in batch.ledger or is_document:
                batch.note(name, Known(target, False))
        batch.note(row, Known(target, True))

    @staticmethod
    def _sure_names(batch: _Batch, entry: Entry, owner: Owner) -> Iterator[str]:
        """The names by which this is the same generation, the surest first."""
        yield entry.row
        yield _own_name(entry, owner)
        first, *others = entry.draft.names
        yield first
        for name in others:
            held = batch.held.get(known.target_id) if (known := batch.ledger.get(name)) else None
            if entry.row.startswith(FILE):
                # Of the backend itself: two of its ids are two files, whatever else they share.
                if held is not None and held.provider != merge.BACKEND:
                    yield name
            elif name.startswith(FILE):
                # A request may have made several files; it stands for one of them only where the
                # backend itself calls a file so.
                if held is not None and held.legacy_id == legacy_id_of(name):
                    yield name
            elif not name.startswith("chatbot:document:"):
                yield name


def legacy_id_of(name: str) -> str:
    """The generation's `legacy_id`, of its main name in the ledger."""
    return f"superduper:{name.removeprefix(FILE)}" if name.startswith(FILE) else name


def _main_name(entry: Entry, names: tuple[str, ...] | None = None) -> str:
    first = (names or entry.draft.names)[0]
    return entry.row if first.startswith("url:") else first


def _put(held: Imported, place: Place | None) -> Imported:
    """The same with a handle in the conversation that shows it first."""
    if place is None or held.thread_id is not None:
        return held
    place.generation_count += 1
    return replace(held, thread_id=place.id, number=place.generation_count)


def _own_name(entry: Entry, owner: Owner) -> str:
    """What somebody's own copy is called, of a thing that is somebody else's."""
    return f"{entry.draft.names[0]}@{owner.id}"


def _all(entry: Entry, owner: Owner) -> tuple[str, ...]:
    return (entry.row, _own_name(entry, owner), *entry.draft.names)
