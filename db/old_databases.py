"""Reading the Postgres of an old system, as one moment of it, and never writing there.

Each row comes as the bytes of its JSON: so no encoding, no date and no number of an old database
can break the driver on the way, and whoever reads the row says what is odd about it. The bytes come
in pieces, so that rows of many megabytes need no more memory here than the row itself.
"""

from __future__ import annotations

import codecs
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

import asyncpg

from db.connect import CONNECT_S, close_connection
from db.ids import parse_id
from db.in_turns import InTurns
from db.old_addresses import spoken, understood, without_secret

#: A row (or a line of a dump) beyond this is not read, but told of.
ROW_BYTES_MAX = 64 << 20
#: So many pieces, 32 MiB, are under way at a time.
PREFETCH, _PIECE_BYTES = 500, 64 << 10
#: A whole row as a value; a column of that name would be taken for it.
_ALIAS = "whole_row_of_an_old_system"
#: What some hosts end a long reading with.
_PATIENCE = "statement_timeout idle_in_transaction_session_timeout transaction_timeout".split()
#: Values that have no order.
_ORDERLESS = ("json", "xml", "point", "box", "path", "polygon", "circle", "lseg", "line")


class OldDatabaseError(Exception):
    """It cannot be read; the message is a sentence for a person, without the password."""


@dataclass(frozen=True, slots=True)
class TooLong:
    """In place of a row or line that is beyond `ROW_BYTES_MAX`."""

    #: Its first few kilobytes.
    head: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True)
class OldTable:
    """A table of an old system, by its exact name."""

    name: str
    #: Columns; those that an installation lacks are left out.
    order: tuple[str, ...] = ()
    schema: str = "public"
    #: Only rows for which the other table has none of the same value in this column.
    lacking: tuple[str, str] | None = None

    @property
    def quoted(self) -> str:
        return f"{_quoted(self.schema)}.{_quoted(self.name)}"


#: Where the files of SuperDuperAI may lie, the likeliest first.
FILE_TABLES = tuple(
    OldTable(name, ("created_at", "file_id", "id"), schema)
    for name, schema in (
        *(("files", "superduperai"), ("files", "public")),
        *(("file", "superduperai"), ("file", "public")),
    )
)
USERS = OldTable("User", ("id",))
PROJECTS = OldTable("UserProject", ("projectId", "userId", "createdAt"))
MEDIA = OldTable("GeneratedMedia", ("createdAt", "id"))
DOCUMENTS = OldTable("Document", ("createdAt", "id"))
CHATS = OldTable("Chat", ("createdAt", "id"))
MESSAGES = OldTable("Message_v2", ("chatId", "createdAt", "id"))
#: The form before; a chat that was carried over to the newer one stands in both.
DEPRECATED_MESSAGES = OldTable(
    "Message", ("chatId", "createdAt", "id"), lacking=("Message_v2", "chatId")
)
VOTES = OldTable("Vote_v2", ("chatId", "messageId"))
DEPRECATED_VOTES = OldTable("Vote", ("chatId", "messageId"))


class OldDatabase:
    """One snapshot of an old database. Several readings may be under way in turns."""

    def __init__(self, connection: asyncpg.Connection, encoding: str, where: str) -> None:
        self._connection = InTurns(connection, PREFETCH)
        self._where = where
        self._columns: dict[OldTable, dict[str, str]] = {}
        codec = _codec(encoding)
        # UTF-8 goes through as it is, with its faults. From another encoding the server would
        # refuse to convert a faulty text, so it is converted here, if we can.
        self._as_bytes = "textsend({})" if codec == "utf-8" else "convert_to({}, 'SQL_ASCII')"
        self._to_utf8: Callable[[bytes], bytes] = bytes
        if codec not in ("utf-8", "raw"):
            self._to_utf8 = lambda text: text.decode(codec, "replace").encode()

    async def has(self, table: OldTable) -> bool:
        """Whether there is such a table, or view."""
        return bool(await self._columns_of(table))

    async def files_table(self) -> OldTable:
        """The table that holds the files of SuperDuperAI.

        Raises:
            OldDatabaseError: none does.
        """
        for table in FILE_TABLES:
            if await self.has(table):
                return table
        names = ", ".join(f"{table.schema}.{table.name}" for table in FILE_TABLES)
        raise OldDatabaseError(
            f"the database at {self._where} has no table of files: none of {names} is there"
        )

    async def count(self, table: OldTable) -> int:
        """How many rows `rows` will bring; 0 when there is no such table."""
        if not await self.has(table):
            return 0
        with _explained(f"counting {table.name} at {self._where}"):
            found: int = await self._connection.fetchval(
                f"select count(*) from {table.quoted} as t {await self._condition(table)}"
            )
        return found

    async def count_left_out(self, table: OldTable) -> int:
        """How many rows `rows` will not bring, because another table has newer ones of theirs."""
        everything = OldTable(table.name, table.order, table.schema)
        return await self.count(everything) - await self.count(table)

    async def rows(self, table: OldTable) -> AsyncIterator[bytes | TooLong]:
        """The JSON of each row, as UTF-8 but for what was faulty; none without such a table."""
        columns = await self._columns_of(table)
        if not columns:
            return
        order = ", ".join(
            f"t.{_quoted(name)}"
            for name in table.order
            if columns.get(name, _ORDERLESS[0]) not in _ORDERLESS
        )
        rows = (
            f"select 0 as key, to_json({_ALIAS})::text as row"
            # Sorted first, while the long values still lie elsewhere.
            f" from (select t.* from {table.quoted} as t {await self._condition(table)}"
            f" {f'order by {order}' if order else ''} offset 0) as {_ALIAS}"
        )
        async for _, row in self._read(rows, f"reading {table.name} at {self._where}"):
            yield row

    async def documents(self, ids: Sequence[str]) -> dict[str, bytes | TooLong]:
        """The newest version of each of these documents that exists."""
        columns = await self._columns_of(DOCUMENTS)
        if "id" not in columns:
            return {}
        asked = {one: str(known) for one in ids if (known := parse_id(one)) is not None}
        spelled = list(dict.fromkeys(asked.values()))
        # An index on it is used only as it is.
        is_uuid = columns["id"] == "uuid"
        has_order = columns.get("createdAt", _ORDERLESS[0]) not in _ORDERLESS
        newest = ', t."createdAt" desc' if has_order else ""
        rows = (
            f"select array_position($1::text[], {_ALIAS}.id::text) as key,"
            f" to_json({_ALIAS})::text as row"
            f" from (select distinct on (t.id::text) t.* from {DOCUMENTS.quoted} as t"
            f" where {'t.id = any($1::text[]::uuid[])' if is_uuid else 't.id::text = any($1)'}"
            f" order by t.id::text{newest} offset 0) as {_ALIAS}"
        )
        found: dict[str, bytes | TooLong] = {}
        async for at, row in self._read(rows, f"reading Document at {self._where}", spelled):
            found[spelled[at - 1]] = row
        return {one: found[known] for one, known in asked.items() if known in found}

    async def _read(
        self, rows: str, what: str, *arguments: object
    ) -> AsyncIterator[tuple[int, bytes | TooLong]]:
        """Key and whole bytes of each row of a query of (key, row), put together from pieces."""
        query = (
            "select r.key, r.size, substring(r.bytes from p * $PIECE + 1 for $PIECE) as piece"
            " from (select key, bytes, octet_length(bytes) as size"
            f" from (select key, {self._as_bytes.format('row')} as bytes from ({rows}) as r"
            " offset 0) as r offset 0) as r cross join lateral generate_series("
            "0, case when r.size > $MOST then 0 else (r.size - 1) / $PIECE end) as p"
        )
        query = query.replace("$PIECE", str(_PIECE_BYTES)).replace("$MOST", str(ROW_BYTES_MAX))
        parts: list[bytes] = []
        with _explained(what):
            async for key, size, piece in self._connection.rows(query, *arguments):
                if size > ROW_BYTES_MAX:
                    yield key, TooLong(self._to_utf8(piece), size)
                    continue
                parts.append(piece)
                if len(parts) * _PIECE_BYTES >= size:
                    row = piece if len(parts) == 1 else b"".join(parts)
                    parts.clear()
                    yield key, self._to_utf8(row)

    async def _condition(self, table: OldTable) -> str:
        if table.lacking is None:
            return ""
        other, column = OldTable(table.lacking[0], schema=table.schema), table.lacking[1]
        if column not in await self._columns_of(other) or column not in self._columns[table]:
            return ""
        name = _quoted(column)
        return (
            f"where not exists (select from {other.quoted} as o"
            f" where o.{name}::text = t.{name}::text)"
        )

    async def _columns_of(self, table: OldTable) -> dict[str, str]:
        """Name and type of those columns that matter to us: first among them `*`, which every table
        has; nothing when there is no such table.
        """
        if table not in self._columns:
            wanted = [*table.order, *(table.lacking or ())[1:], "chatId", "createdAt", "id"]
            with _explained(f"looking for {table.name} at {self._where}"):
                found = await self._connection.fetch(
                    "select attname::text, format_type(atttypid, null)::text from pg_class c"
                    " join pg_namespace n on n.oid = c.relnamespace"
                    " left join pg_attribute a on a.attrelid = c.oid and attnum > 0"
                    " and not attisdropped and attname = any($3::text[])"
                    " where n.nspname = $1 and c.relname = $2"
                    " and c.relkind in ('r', 'p', 'v', 'm', 'f')",
                    *(table.schema, table.name, wanted),
                )
            # Without any of those columns there is still one row, of nulls, for the table itself.
            self._columns[table] = {name or "*": type_ or "" for name, type_ in found}
        return self._columns[table]


@contextlib.asynccontextmanager
async def open_old_database(dsn: str) -> AsyncIterator[OldDatabase]:
    """Open it for as long as the block lasts, within one transaction that only reads: everything is
    of the moment at which it was opened.

    Raises:
        OldDatabaseError: nobody answers there, or not to us; also later, by every reading.
    """
    where = spoken(dsn)
    connection = await _connect(dsn, where)
    try:
        transaction = connection.transaction(isolation="repeatable_read", readonly=True)
        with _explained(f"opening the database at {where}"):
            await transaction.start()
            # For this transaction only: behind a pooler, others use the same session after us.
            await connection.fetch(
                "select set_config(name, '0', true) from pg_settings where name = any($1::text[])",
                _PATIENCE,
            )
            # Rows that a policy hides from us would be missing without a word: an error is better.
            await connection.fetch("select set_config('row_security', 'off', true)")
            await connection.fetch("select set_config('timezone', 'UTC', true)")
            encoding = await connection.fetchval("select current_setting('server_encoding')")
        yield OldDatabase(connection, encoding, where)
    finally:
        await close_connection(connection)


async def _connect(dsn: str, where: str) -> asyncpg.Connection:
    try:
        # Its timeout is for connecting: a reading may take its time.
        return await asyncpg.connect(understood(dsn), timeout=CONNECT_S, statement_cache_size=0)
    except TimeoutError as error:
        raise OldDatabaseError(f"nobody answers within {CONNECT_S:g} s at {where}") from error
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = without_secret(f"{error}" or type(error).__name__, dsn)
        # The error behind it may hold the password.
        raise OldDatabaseError(f"the database at {where} cannot be opened: {reason}") from None


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise OldDatabaseError(
            f"{what} is not allowed: {error}. This needs the right to read every row of it (SELECT"
            " and, where row security is on, BYPASSRLS)"
        ) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise OldDatabaseError(f"{what} failed: {error or type(error).__name__}") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _codec(encoding: str) -> str:
    """Our name of a server's encoding; `utf-8` also for those that only the server can convert."""
    if encoding == "SQL_ASCII":
        return "raw"
    try:
        return codecs.lookup(encoding.replace("WIN", "cp").replace("KOI8", "koi8-")).name
    except LookupError:
        return "utf-8"
