"""Chats become threads: messages in their order, what was made or shown in them in its place, and
the votes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.identity import shown_name
from db import imported, imported_talk
from db.ids import parse_id
from db.imported import Known, NewFile
from db.imported_talk import Message, Place, Shown, Thread, Vote
from db.thread_rows import ASSISTANT, storable
from importing.drafts import Clock, Draft, Mention, Said
from importing.mapping import chatbot
from importing.report import Report, Taken
from importing.writing.generations import Entry, Generations
from importing.writing.owners import Owner, Owners
from importing.writing.writings import Documents, document_name, id_for


@dataclass(slots=True)
class _Written:
    """What a batch of messages adds."""

    messages: list[Message] = field(default_factory=list)
    #: Each with the message it stands in, in order.
    entries: list[tuple[Entry, Message]] = field(default_factory=list)
    uploads: list[NewFile] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    #: Written documents, by their names in the ledger, and the messages they stand in.
    documents: dict[str, Known] = field(default_factory=dict)


class Talk:
    """Writes what was said."""

    def __init__(
        self,
        owners: Owners,
        generations: Generations,
        documents: Documents,
        clock: Clock,
        report: Report,
    ) -> None:
        self._owners = owners
        self._generations = generations
        self._documents = documents
        self._clock = clock
        self._report = report

    async def take_chats(
        self, connection: AsyncConnection, table: str, chats: Sequence[chatbot.Chat]
    ) -> None:
        """Threads, under the ids that their addresses had."""
        ledger = await imported.known(connection, [_chat_name(chat.id) for chat in chats])
        owners = await self._owners.find(
            connection, {f"chatbot:user:{chat.user_id}" for chat in chats}
        )
        new = {chat.id: chat for chat in chats if _chat_name(chat.id) not in ledger}
        ids = {chat_id: parse_id(chat_id) or id_for("chat", chat_id) for chat_id in new}
        made = await self._add_threads(connection, new, ids, owners)
        # An id that somebody's conversation here has already.
        ids |= {one: id_for("chat", one) for one, thread_id in ids.items() if thread_id not in made}
        others = {one: chat for one, chat in new.items() if ids[one] not in made}
        await self._add_threads(connection, others, ids, owners)
        await imported.note(
            connection, {_chat_name(one): Known(thread_id, True) for one, thread_id in ids.items()}
        )
        self._report.made["threads"] += len(new)
        for chat in chats:
            outcome: Taken = "taken" if new.pop(chat.id, None) else "unchanged"
            self._report.take(table, chat.id, outcome, remarks=chat.remarks)

    async def _add_threads(
        self,
        connection: AsyncConnection,
        chats: Mapping[str, chatbot.Chat],
        ids: Mapping[str, UUID],
        owners: Mapping[str | None, Owner],
    ) -> set[UUID]:
        rows = [
            Thread(
                id=ids[one],
                user_id=owners[f"chatbot:user:{chat.user_id}"].id,
                name=chat.title,
                created_at=chat.created_at or self._clock.now,
            )
            for one, chat in chats.items()
        ]
        return await imported_talk.add_threads(connection, rows)

    async def take_messages(
        self, connection: AsyncConnection, table: str, said: Sequence[Said]
    ) -> None:
        """Messages, with what stands in them."""
        places = await self._places(connection, {one.chat_id for one in said})
        ids = await self._step_ids(connection, said, places)
        texts = await self._documents({name for one in said for name in one.documents})
        written = _Written()
        for one in said:
            place = places.get(one.chat_id)
            if place is None:
                self._report.refuse(table, one.id, "no_chat", f"its chat {one.chat_id} is not here")
            elif place.is_deleted:
                self._report.refuse(table, one.id, "deleted_here", "its chat was deleted here")
            elif (step_id := ids.pop(one.id, None)) is None:
                self._report.take(table, one.id, "unchanged", remarks=())
            else:
                self._write(written, one, step_id, place, texts)
                self._report.take(table, one.id, "taken", remarks=one.remarks)
        await self._add(connection, written)
        await imported_talk.keep_counts(connection, places.values())

    async def _places(self, connection: AsyncConnection, chat_ids: set[str]) -> dict[str, Place]:
        ledger = await imported.known(connection, [_chat_name(one) for one in chat_ids])
        found = await imported_talk.places(connection, {one.target_id for one in ledger.values()})
        targets = {
            one: ledger[_chat_name(one)].target_id for one in chat_ids if _chat_name(one) in ledger
        }
        return {one: found[target] for one, target in targets.items() if target in found}

    async def _step_ids(
        self, connection: AsyncConnection, said: Sequence[Said], places: Mapping[str, Place]
    ) -> dict[str, UUID]:
        """Those messages that are not here yet, with the id each gets: its own, if that is free."""
        own = {one.id: parse_id(one.id) or id_for("message", one.id) for one in said}
        other = {one.id: id_for("message", one.id) for one in said}
        there = await imported_talk.threads_of_messages(
            connection, {*own.values(), *other.values()}
        )
        new = {}
        for one in said:
            place = places.get(one.chat_id)
            if place is None or place.id in (there.get(own[one.id]), there.get(other[one.id])):
                continue
            new[one.id] = other[one.id] if own[one.id] in there else own[one.id]
        return new

    def _write(
        self, written: _Written, said: Said, step_id: UUID, place: Place, texts: Mapping[str, str]
    ) -> None:
        is_user = said.role == "user"
        parts = [said.text, *(texts[name] for name in said.documents if name in texts)]
        message = Message(
            id=step_id,
            thread_id=place.id,
            name=shown_name(place.identifier) if is_user else ASSISTANT,
            type="user_message" if is_user else "assistant_message",
            output=storable("\n\n".join(part for part in parts if part)),
            created_at=said.created_at or self._clock.now,
        )
        written.messages.append(message)
        for name in said.documents:
            if name in texts:
                written.documents[document_name(name)] = Known(step_id, True)
        owner = Owner(place.user_id, place.identifier)
        for number, mention in enumerate(said.mentions):
            if mention.is_upload and mention.medium:
                self._upload(written, mention, message, place)
            else:
                row = f"chatbot:message:{said.id}:{number}"
                entry = Entry(
                    row=row, draft=_draft(mention, row, message), place=place, owner=owner
                )
                written.entries.append((entry, message))

    @staticmethod
    def _upload(written: _Written, mention: Mention, message: Message, place: Place) -> None:
        medium = mention.medium
        if medium is None:
            return
        file = NewFile(
            user_id=place.user_id,
            generation_id=None,
            position=0,
            url=medium.url,
            media_type=medium.media_type,
            name=medium.name,
            created_at=message.created_at,
        )
        written.uploads.append(file)
        written.shown.append(
            Shown(
                thread_id=place.id,
                step_id=message.id,
                asset_id=file.id,
                name=medium.name or "picture",
                mime=medium.media_type,
                created_at=message.created_at,
            )
        )

    async def _add(self, connection: AsyncConnection, written: _Written) -> None:
        made = await imported_talk.add_messages(connection, written.messages)
        self._report.made["messages"] += len(made)
        await imported.add_files(connection, written.uploads)
        fates = await self._generations.take(connection, [entry for entry, _ in written.entries])
        for (_, message), (_, generation) in zip(written.entries, fates, strict=True):
            if generation is not None:
                written.shown.append(
                    Shown(
                        thread_id=message.thread_id,
                        step_id=message.id,
                        generation_id=generation.id,
                        created_at=message.created_at,
                    )
                )
        await imported_talk.add_shown(connection, written.shown)
        await imported.note(connection, written.documents)
        self._report.made["cards"] += sum(one.generation_id is not None for one in written.shown)
        self._report.made["pictures given"] += len(written.uploads)

    async def take_votes(
        self, connection: AsyncConnection, table: str, votes: Sequence[chatbot.Vote]
    ) -> None:
        """Thumbs on messages that are here."""
        ids = {vote: candidates for vote in votes if (candidates := _candidates(vote.message_id))}
        there = await imported_talk.threads_of_messages(
            connection, {step_id for pair in ids.values() for step_id in pair}
        )
        places = await self._places(connection, {vote.chat_id for vote in votes})
        rows: dict[UUID, Vote] = {}
        for vote in votes:
            place = places.get(vote.chat_id)
            step_id = next((one for one in ids[vote] if place and there.get(one) == place.id), None)
            row_id = f"{vote.chat_id}/{vote.message_id}"
            if step_id is None:
                self._report.refuse(table, row_id, "no_message", "its message is not here")
            elif step_id in rows:
                self._report.take(table, row_id, "unchanged", remarks=("voted_twice",))
            else:
                rows[step_id] = Vote(
                    id=uuid5(step_id, "vote"), step_id=step_id, value=int(vote.is_upvoted)
                )
        new = await imported_talk.add_votes(connection, list(rows.values()))
        self._report.made["votes"] += len(new)
        for row in rows.values():
            outcome: Taken = "taken" if row.id in new else "unchanged"
            self._report.take(table, str(row.step_id), outcome, remarks=())


def _candidates(message_id: str) -> tuple[UUID, ...]:
    other = id_for("message", message_id)
    return (parse_id(message_id) or other, other)


def _draft(mention: Mention, row: str, message: Message) -> Draft:
    """The generation that a message speaks of, as far as the message knows it."""
    return Draft(
        names=mention.names or (row,),
        owner=None,
        kind=mention.kind,
        status="completed",
        prompt=mention.prompt,
        media=(mention.medium,) if mention.medium else (),
        created_at=message.created_at,
    )


def _chat_name(chat_id: str) -> str:
    return f"chatbot:chat:{chat_id}"
