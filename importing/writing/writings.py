"""Written documents of the old chat: most stand in the message that names them; one that none names
becomes a conversation of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from db import imported, imported_talk
from db.imported import Known
from db.imported_talk import Message, Thread
from db.thread_rows import ASSISTANT, storable
from db.thread_rows import title as thread_title
from importing.drafts import Clock
from importing.reading.moments import moment
from importing.reading.values import read_id, shown
from importing.report import Report, Taken
from importing.writing.owners import Owner, Owners

#: For what is called by something else than a UUID, or by one that is taken here.
_NAMES = uuid5(NAMESPACE_URL, "kinora:import")
#: The written documents of these ids, as Markdown.
Documents = Callable[[set[str]], Awaitable[Mapping[str, str]]]
Row = Mapping[str, object]


class Writings:
    """Writes those that no message has shown; comes after the messages."""

    def __init__(self, owners: Owners, documents: Documents, clock: Clock, report: Report) -> None:
        self._owners = owners
        self._documents = documents
        self._clock = clock
        self._report = report

    async def take(self, connection: AsyncConnection, table: str, rows: Sequence[Row]) -> None:
        """All versions; the newest is what is shown."""
        ids = [read_id(row.get("id")) or "" for row in rows]
        versions = [
            f"{document_name(one)}:{shown(row.get('createdAt'))}"
            for one, row in zip(ids, rows, strict=True)
        ]
        ledger = await imported.known(connection, {*map(document_name, ids), *versions})
        new = [row for one, row in zip(ids, rows, strict=True) if document_name(one) not in ledger]
        owners = await self._owners.find(connection, {_owner_of(row) for row in new})
        texts = await self._documents({one for one in ids if document_name(one) not in ledger})
        noted: dict[str, Known] = {}
        for one, version, row in zip(ids, versions, rows, strict=True):
            name = document_name(one)
            outcome: Taken = "unchanged" if version in ledger else "merged"
            if name not in ledger:
                if one not in texts:
                    self._report.refuse(table, one, "empty_document", "it holds no text")
                    continue
                outcome = "taken"
                await self._write(connection, one, row, owners[_owner_of(row)], texts[one])
                noted[name] = ledger[name] = Known(id_for("document", one), True)
            noted[version] = Known(ledger[name].target_id, True)
            self._report.take(table, one, outcome, remarks=())
        await imported.note(connection, noted)

    async def _write(
        self, connection: AsyncConnection, document_id: str, row: Row, owner: Owner, text: str
    ) -> None:
        thread_id = id_for("document", document_id)
        created_at = moment(row.get("createdAt"), self._clock.now) or self._clock.now
        title = row.get("title")
        thread = Thread(
            id=thread_id,
            user_id=owner.id,
            name=thread_title(title) if isinstance(title, str) else None,
            created_at=created_at,
        )
        message = Message(
            id=uuid5(thread_id, "text"),
            thread_id=thread_id,
            name=ASSISTANT,
            type="assistant_message",
            output=storable(text),
            created_at=created_at,
        )
        await imported_talk.add_threads(connection, [thread])
        await imported_talk.add_messages(connection, [message])
        self._report.made["threads"] += 1
        self._report.made["messages"] += 1


def document_name(document_id: str) -> str:
    """The document's name in the ledger."""
    return f"chatbot:document:{document_id}"


def id_for(what: str, name: str) -> UUID:
    """An id of ours, the same in every run."""
    return uuid5(_NAMES, f"{what}:{name}")


def _owner_of(row: Row) -> str:
    return f"chatbot:user:{read_id(row.get('userId')) or 'unknown'}"
