"""Somebody else's Postgres that cannot be opened: one sentence says why, without the password."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from db.old_addresses import spoken, understood, without_secret
from db.old_databases import OldDatabaseError, open_old_database
from tests.house import free_port

SECRET = "se%2Fcret"


async def refusal(dsn: str) -> str:
    with pytest.raises(OldDatabaseError) as caught:
        async with open_old_database(dsn):
            pytest.fail("it was opened")
    cause: BaseException | None = caught.value
    while cause is not None:
        assert "se/cret" not in repr(cause)
        assert SECRET not in repr(cause)
        cause = cause.__cause__
    return str(caught.value)


async def test_nobody_there_is_said_with_the_place() -> None:
    port = free_port()
    said = await refusal(f"postgresql://me:{SECRET}@127.0.0.1:{port}/old")
    assert f"127.0.0.1:{port}/old cannot be opened" in said


async def test_somebody_who_speaks_otherwise_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("db.old_databases.CONNECT_S", 0.2)
            said = await refusal(f"postgresql://me:{SECRET}@127.0.0.1:{port}/old?sslmode=disable")
    assert f"nobody answers within 0.2 s at 127.0.0.1:{port}/old" in said


async def test_no_such_database_or_person_is_said(postgres: Callable[[str], str]) -> None:
    assert 'database "nowhere" does not exist' in await refusal(postgres("nowhere"))
    place = postgres("kinora").partition("://")[2].rpartition("@")[2]
    assert "nobody_such" in await refusal(f"postgresql://nobody_such:{SECRET}@{place}")


@pytest.mark.parametrize(
    "dsn",
    [
        "",
        "files.jsonl",
        f"mysql://me:{SECRET}@host/old",
        f"postgresql://me:{SECRET}@host:port/old",
        f"postgresql://me:{SECRET}@[host/old",
        "postgresql://me:se/cret@host/old",
        "postgresql://me:x#se/cret@host/old",
        f"postgresql://me:{SECRET}@127.0.0.1/old?sslmode=perhaps",
        f"host=127.0.0.1 password={SECRET}",
    ],
)
async def test_what_is_no_address_is_said(dsn: str) -> None:
    assert "cannot be opened" in await refusal(dsn)


def test_words_of_other_clients_are_left_out_of_an_address() -> None:
    said = "postgres://me:p%40ss@db.host:6543/old?sslmode=require"
    assert understood(f"{said}&channel_binding=require&pgbouncer=true&schema=public") == said
    assert understood("postgresql:///old?host=/run/pg") == "postgresql:///old?host=%2Frun%2Fpg"


@pytest.mark.parametrize(
    ("dsn", "place"),
    [
        ("postgres://me:p@db.host:6543/old?sslmode=require", "db.host:6543/old"),
        ("postgresql://me:p@[::1]/old", "[::1]/old"),
        ("postgresql:///old?host=/run/pg", "/run/pg/old"),
        ("postgresql://", "this machine"),
        ("postgresql://me:p/w@host/old", "this address"),
        ("host=db.host password=p", "this address"),
    ],
)
def test_an_address_is_told_without_its_password(dsn: str, place: str) -> None:
    assert spoken(dsn) == place


def test_a_password_is_taken_out_of_a_sentence_in_either_spelling() -> None:
    dsn = "postgresql://me:p%40ss@host/old?password=other"
    assert without_secret(f"{dsn} p@ss p%40ss other, me", dsn) == "*** *** *** ***, me"
