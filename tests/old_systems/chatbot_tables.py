"""The tables of the old chat's database as its migrations left them, and what is to be in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from tests.old_systems.chance import Chance
from tests.old_systems.superduper import File, Files

#: Facts of https://github.com/fortunto2/super-chatbot, lib/db/schema.ts, and of the tables that
#: came later. The kind of a document is the column "text".
_TABLES = {
    "User": 'id uuid primary key default gen_random_uuid(), "email" varchar(64) not null,'
    ' "password" varchar(64), "balance" integer not null default 0',
    "Chat": 'id uuid primary key, "createdAt" timestamp not null, "title" text not null,'
    ' "userId" uuid not null references "User", "visibility" varchar not null default \'private\'',
    "Message_v2": 'id uuid primary key, "chatId" uuid not null references "Chat",'
    ' "role" varchar not null, "parts" json not null, "attachments" json not null,'
    ' "createdAt" timestamp not null',
    "Message": 'id uuid primary key, "chatId" uuid not null references "Chat",'
    ' "role" varchar not null, "content" json not null, "createdAt" timestamp not null',
    "Vote_v2": '"chatId" uuid references "Chat", "messageId" uuid references "Message_v2",'
    ' "isUpvoted" boolean not null, primary key ("chatId", "messageId")',
    "Vote": '"chatId" uuid references "Chat", "messageId" uuid references "Message",'
    ' "isUpvoted" boolean not null, primary key ("chatId", "messageId")',
    "Document": 'id uuid, "createdAt" timestamp, "title" text not null, "content" text,'
    ' "text" varchar not null default \'text\', "userId" uuid not null references "User",'
    ' primary key (id, "createdAt")',
    "GeneratedMedia": 'id uuid primary key, "userId" uuid references "User", "sessionId" varchar,'
    ' "type" varchar not null, "url" text not null, "prompt" text, "model" varchar,'
    ' "settings" json, "requestId" varchar, "fileId" varchar, "thumbnailUrl" text,'
    ' "createdAt" timestamp not null',
    "UserProject": '"userId" uuid not null references "User", "projectId" varchar not null',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chatbot:
    """What is to be in it."""

    seed: int = 9
    #: The media backend behind it; some of its rows name files there.
    files: Files = field(default_factory=Files)
    people: int = 10
    guests: int = 4
    media: int = 40
    documents: int = 16
    chats: int = 20
    #: In each chat.
    messages: int = 20

    @property
    def chance(self) -> Chance:
        return Chance(self.seed + 1)

    @property
    def base_url(self) -> str:
        return self.files.base_url

    def user(self, n: int) -> tuple[str, str | None]:
        """Id and e-mail of the n-th user, round and round; guests come last, without one."""
        at = n % (self.people + self.guests)
        return self.chance.id("user", at), f"person{at}@example.com" if at < self.people else None

    def file(self, n: int) -> File | None:
        """A completed file of the other source that the n-th thing names; None: too few."""
        return self.files.completed(n)

    def stamp(self, n: int) -> datetime:
        """The moment of the n-th thing, as the database keeps it: without a zone."""
        return self.chance.moment(n).astimezone(UTC).replace(tzinfo=None)


def create_tables(url: str, *but: str) -> None:
    """Make its tables, without these: old installations lack some."""
    with psycopg.connect(url) as connection:
        for name, columns in _TABLES.items():
            if name not in but:
                connection.execute(f'create table "{name}" ({columns})'.encode())


def copy_rows(url: str, table: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> int:
    """Put rows into a table; returns how many."""
    count = 0
    names = ", ".join(f'"{name}"' for name in columns)
    with (
        psycopg.connect(url) as connection,
        connection.cursor().copy(f'copy "{table}" ({names}) from stdin'.encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
