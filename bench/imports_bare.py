"""What Postgres alone needs for the rows that an import has made: COPY into tables that are ours
but for their foreign keys. Their indexes are kept, and what is searched for is computed anew.
"""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
from psycopg import sql

#: What an import writes.
TABLES = (
    *("users", "threads", "steps", "elements", "feedbacks"),
    *("generations", "assets", "remote_files", "imported"),
)
_COLUMNS = """
    select attname from pg_attribute
    where attrelid = %s::regclass and attnum > 0 and not attisdropped
        and attgenerated = '' and attidentity = ''
    order by attnum
"""
_PIECE_BYTES = 1 << 20


def copy_bare(url: str, folder: Path) -> float:
    """Seconds that COPY needs for all the rows of an import's tables, one table at a time."""
    took_s = 0.0
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop schema if exists bare cascade")
        connection.execute("create schema bare")
        for name in TABLES:
            took_s += _copy(connection, name, folder / f"{name}.rows")
        connection.execute("drop schema bare cascade")
    return took_s


def _copy(connection: psycopg.Connection, name: str, file: Path) -> float:
    ours, bare = sql.Identifier("kinora", name), sql.Identifier("bare", name)
    made = sql.SQL("create table {} (like {} including all)").format(bare, ours)
    connection.execute(made)
    found = connection.execute(_COLUMNS, [f"kinora.{name}"]).fetchall()
    columns = sql.SQL(", ").join(sql.Identifier(column) for (column,) in found)
    with connection.cursor() as cursor:
        out = sql.SQL("copy {} ({}) to stdout (format binary)").format(ours, columns)
        with file.open("wb") as rows, cursor.copy(out) as copy:
            for piece in copy:
                rows.write(piece)
        began = time.perf_counter()
        into = sql.SQL("copy {} ({}) from stdin (format binary)").format(bare, columns)
        with file.open("rb") as rows, cursor.copy(into) as copy:
            while piece := rows.read(_PIECE_BYTES):
                copy.write(piece)
        took_s = time.perf_counter() - began
    file.unlink()
    return took_s
