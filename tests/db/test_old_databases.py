"""An old Postgres, read as one moment, never written, whatever lies in it."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from db import old_databases
from db.old_databases import (
    CHATS,
    DEPRECATED_MESSAGES,
    DOCUMENTS,
    MESSAGES,
    OldDatabase,
    OldDatabaseError,
    OldTable,
    TooLong,
    open_old_database,
)
from tests.old_systems.databases import execute, old_database

THINGS = OldTable("Odd things", ("at", "id"))


@pytest.fixture
def make_old(postgres: Callable[[str], str]) -> Iterator[Callable[..., str]]:
    """Makes an old database in an encoding, with what these statements put in; returns its
    address.
    """
    with contextlib.ExitStack() as stack:

        def make(*statements: str, encoding: str = "UTF8") -> str:
            url = stack.enter_context(old_database(postgres, encoding))
            execute(url, *statements)
            return url

        yield make


async def rows_of(old: OldDatabase, table: OldTable) -> list[bytes]:
    rows = [row async for row in old.rows(table)]
    assert all(isinstance(row, bytes) for row in rows)
    return [row for row in rows if isinstance(row, bytes)]


async def read(url: str, table: OldTable) -> list[dict[str, Any]]:
    async with open_old_database(url) as old:
        rows = [json.loads(row) for row in await rows_of(old, table)]
        assert await old.count(table) == len(rows)
    return rows


async def test_values_that_break_a_driver_come_as_they_stand(
    make_old: Callable[..., str],
) -> None:
    url = make_old(
        'create table "Odd things" (id int, at timestamp, "camelCase" json, b bytea, n numeric)',
        """insert into "Odd things" values
        (1, '0001-01-01', '{"a": "\\u0000 \\ud800"}', '\\x00ff', 'NaN'),
        (2, '294276-12-31 23:59:59', '[1e400]', null, 1e300),
        (3, 'infinity', null, null, null)""",
    )
    rows = await read(url, THINGS)
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert rows[0]["camelCase"] == {"a": "\0 \ud800"}
    assert [row["at"] for row in rows] == [
        "0001-01-01T00:00:00",
        "294276-12-31T23:59:59",
        "infinity",
    ]


@pytest.mark.parametrize(
    ("encoding", "written", "expected"),
    [
        ("SQL_ASCII", rb"\xff\xc3\xa9", b"\xff\xc3\xa9"),
        ("LATIN1", rb"\xe9", "é".encode()),
        # There is no such character, so the server itself cannot say what it is.
        ("WIN1252", rb"\xe9\x81", "é\ufffd".encode()),
        ("KOI8R", rb"\xc1", "а".encode()),
        ("EUC_TW", rb"plain", b"plain"),
        ("UTF8", rb"\xc3\xa9", "é".encode()),
    ],
)
async def test_any_encoding_can_be_read(
    make_old: Callable[..., str], encoding: str, written: bytes, expected: bytes
) -> None:
    url = make_old('create table "Odd things" (id int, t text)', encoding=encoding)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"set client_encoding to {encoding}".encode())
        connection.execute(b'insert into "Odd things" values (1, E\'' + written + b"')")
    async with open_old_database(url) as old:
        (row,) = await rows_of(old, THINGS)
    assert row == b'{"id":1,"t":"' + expected + b'"}'


async def test_rows_come_in_order_as_far_as_the_columns_are_there(
    make_old: Callable[..., str],
) -> None:
    url = make_old(
        'create table "Chat" (id int, "createdAt" timestamp)',
        "insert into \"Chat\" values (2, '2024-02-01'), (3, '2024-01-01'), (1, '2024-02-01')",
        'create table "Document" (id int, "createdAt" json)',
        "insert into \"Document\" values (2, '1'), (1, '2')",
        'create table "User" (name text)',
        "insert into \"User\" values ('a')",
        'create table "GeneratedMedia" ()',
        'insert into "GeneratedMedia" default values',
    )
    assert [row["id"] for row in await read(url, CHATS)] == [3, 1, 2]
    assert [row["id"] for row in await read(url, DOCUMENTS)] == [1, 2]
    assert await read(url, old_databases.USERS) == [{"name": "a"}]
    assert await read(url, old_databases.MEDIA) == [{}]


async def test_a_table_that_is_not_there_has_no_rows(make_old: Callable[..., str]) -> None:
    async with open_old_database(make_old('create table "chat" (id int)')) as old:
        assert not await old.has(CHATS)
        assert await old.has(OldTable("chat"))
        assert await old.count(CHATS) == await old.count_left_out(DEPRECATED_MESSAGES) == 0
        assert await rows_of(old, CHATS) == []
        assert await old.documents([str(uuid4())]) == {}


async def test_deprecated_messages_of_chats_with_newer_ones_are_left_out(
    make_old: Callable[..., str],
) -> None:
    url = make_old(
        'create table "Message" (id int, "chatId" text, "createdAt" timestamp)',
        """insert into "Message" values
        (1, 'b', '2024-01-02'), (2, 'a', '2024-01-01'), (3, 'b', '2024-01-01')""",
    )
    assert [row["id"] for row in await read(url, DEPRECATED_MESSAGES)] == [2, 3, 1]
    execute(
        url,
        'create table "Message_v2" (id int, "chatId" text)',
        "insert into \"Message_v2\" values (1, 'a')",
    )
    assert [row["id"] for row in await read(url, DEPRECATED_MESSAGES)] == [3, 1]
    async with open_old_database(url) as old:
        assert await old.count_left_out(DEPRECATED_MESSAGES) == 1
        assert await old.count_left_out(MESSAGES) == 0


@pytest.mark.parametrize("id_type", ["uuid", "text"])
async def test_the_newest_versions_of_documents_are_found(
    make_old: Callable[..., str], id_type: str
) -> None:
    one, other = UUID(int=1), UUID(int=2)
    url = make_old(
        f'create table "Document" (id {id_type}, "createdAt" timestamp, content text)',
        f"""insert into "Document" values ('{one}', '2024-01-01', 'old'),
        ('{one}', '2024-01-03', 'new'), ('{one}', '2024-01-02', 'middle'),
        ('{other}', '2024-01-01', repeat('x', 200000))""",
    )
    upper = "{" + str(one).upper() + "}"
    async with open_old_database(url) as old:
        found = await old.documents([upper, str(one), "no id\0", str(uuid4()), str(other)])
    assert list(found) == [upper, str(one), str(other)]
    contents = [json.loads(row)["content"] for row in found.values() if isinstance(row, bytes)]
    assert contents == ["new", "new", "x" * 200_000]


async def test_long_rows_come_whole_and_the_longest_are_told_of(
    make_old: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_old(
        'create table "Odd things" (id int, t text)',
        """insert into "Odd things" select n, repeat('x', n * 65536 - 40) || md5(n::text)
        from generate_series(1, 4) n""",
        "insert into \"Odd things\" values (5, repeat('y', 2000000)), (6, 'z')",
    )
    monkeypatch.setattr(old_databases, "ROW_BYTES_MAX", 1_000_000)
    async with open_old_database(url) as old:
        rows = [row async for row in old.rows(THINGS)]
    for n, row in enumerate(rows[:4], 1):
        assert isinstance(row, bytes)
        assert json.loads(row)["t"].startswith("x" * (n * 65536 - 40))
        assert len(json.loads(row)["t"]) == n * 65536 - 8
    passed_over, last = rows[4:]
    assert isinstance(passed_over, TooLong)
    assert passed_over.size_bytes == 2_000_000 + len('{"id":5,"t":""}')
    assert passed_over.head.startswith(b'{"id":5,"t":"yyy')
    assert last == b'{"id":6,"t":"z"}'


async def test_many_rows_of_megabytes_take_the_memory_of_few(make_old: Callable[..., str]) -> None:
    url = make_old(
        'create table "Odd things" (id int, t text)',
        "insert into \"Odd things\" select n, repeat('x', 5000000) from generate_series(1, 40) n",
    )
    async with open_old_database(url) as old:
        tracemalloc.start()
        try:
            sizes = [len(row) async for row in old.rows(THINGS) if isinstance(row, bytes)]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert len(sizes) == 40
    assert peak < 120 << 20


async def test_everything_is_of_one_moment(make_old: Callable[..., str]) -> None:
    url = make_old('create table "Chat" (id int)', 'insert into "Chat" values (1), (2)')
    async with open_old_database(url) as old:
        assert await old.count(CHATS) == 2
        execute(url, 'insert into "Chat" values (3)', 'delete from "Chat" where id = 1')
        assert await rows_of(old, CHATS) == [b'{"id":1}', b'{"id":2}']


async def test_two_readings_may_be_under_way_in_turns(make_old: Callable[..., str]) -> None:
    url = make_old(
        'create table "Chat" (id int)', 'insert into "Chat" select generate_series(1, 1200)'
    )
    async with open_old_database(url) as old:
        one, other = old.rows(CHATS), old.rows(CHATS)
        for _ in range(1200):
            assert await anext(one) == await anext(other)


async def test_nothing_can_be_written_there(make_old: Callable[..., str]) -> None:
    url = make_old(
        "create table written (at timestamp)",
        "create function note() returns int language sql as"
        " 'insert into written values (now()) returning 1'",
        'create view "Chat" as select note() as id',
    )
    async with open_old_database(url) as old:
        with pytest.raises(OldDatabaseError, match="read-only"):
            await rows_of(old, CHATS)
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from written").fetchone() == (0,)


@pytest.mark.parametrize(
    ("schemas", "found"),
    [
        (["superduperai.files", "public.files"], "superduperai.files"),
        (["public.file", "public.files"], "public.files"),
        (["superduperai.file"], "superduperai.file"),
    ],
)
async def test_the_table_of_files_is_found(
    make_old: Callable[..., str], schemas: list[str], found: str
) -> None:
    url = make_old(
        "create schema superduperai", *(f"create table {one} (id int)" for one in schemas)
    )
    async with open_old_database(url) as old:
        table = await old.files_table()
    assert f"{table.schema}.{table.name}" == found


async def test_a_database_without_files_is_none_of_superduper(
    make_old: Callable[..., str],
) -> None:
    async with open_old_database(make_old()) as old:
        with pytest.raises(
            OldDatabaseError, match=r"no table of files: none of superduperai\.files"
        ):
            await old.files_table()


async def test_rows_that_may_not_be_read_are_an_error_not_an_empty_table(
    make_old: Callable[..., str],
) -> None:
    role = f"r{uuid4().hex[:12]}"
    url = make_old(
        f"create role {role} login password 'p'",
        'create table "Chat" (id int)',
        f'create table "User" (id int); grant select on "User" to {role}',
        'insert into "User" values (1); alter table "User" enable row level security',
    )
    try:
        async with open_old_database(as_role(url, role)) as old:
            with pytest.raises(OldDatabaseError, match="right to read every row"):
                await rows_of(old, CHATS)
        async with open_old_database(as_role(url, role)) as old:
            with pytest.raises(OldDatabaseError, match="right to read every row"):
                await rows_of(old, old_databases.USERS)
    finally:
        execute(url, f"drop owned by {role}", f"drop role {role}")


def as_role(url: str, role: str) -> str:
    place = url.partition("://")[2].rpartition("@")[2]
    return f"postgresql://{role}:p@{place}"
