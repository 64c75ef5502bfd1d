"""Old databases for tests: empty ones, in the run's Postgres."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
from psycopg import sql


@contextlib.contextmanager
def old_database(postgres: Callable[[str], str], encoding: str = "UTF8") -> Iterator[str]:
    """The address of an empty database that lasts as long as the block; `postgres` tells the
    address of a database by its name.
    """
    name = sql.Identifier(f"old{uuid4().hex[:12]}")
    with psycopg.connect(postgres("kinora"), autocommit=True) as connection:
        connection.execute(
            sql.SQL(
                "create database {} encoding {} template template0"
                " locale_provider libc lc_collate 'C' lc_ctype 'C'"
            ).format(name, encoding)
        )
    try:
        yield postgres(name.as_string().strip('"'))
    finally:
        with psycopg.connect(postgres("kinora"), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(name))


def execute(url: str, *statements: str) -> None:
    """Have these done there, one by one."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
