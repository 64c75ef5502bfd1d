"""Bringing a database to this version: our schema by Alembic, the engine's by its own package,
under one lock.

Any number of processes may start at once. Our schema changes in one transaction, so a migration
that fails leaves nothing behind. Foreign tables are never touched: ours are in `kinora`, the
engine's in `jobs`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.resources
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from crash_points import crash_point
from db.tables import SCHEMA

MIGRATIONS = Path(__file__).parent / "migrations"
ENGINE_SCHEMA = "jobs"
RECORD = f"{ENGINE_SCHEMA}.kinora_engine"
REVISION = f"select version_num from {SCHEMA}.alembic_version"
#: "kinora" on a phone's keys; any constant number would do.
LOCK = 546672
LOCK_WAIT_S = 120
CONNECT_S = 10

_PIN_FUNCTIONS = f"""
do $$ declare f regprocedure; begin
  for f in select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
           where n.nspname = '{ENGINE_SCHEMA}'
  loop execute format('alter function %s set search_path = {ENGINE_SCHEMA}, pg_temp', f); end loop;
end $$
"""


def migrate(url: str) -> None:
    """Bring the database behind a `postgresql://` address to this version; blocking, safe to call
    from many processes.
    """
    engine = _open(url)
    with engine.connect() as connection:
        connection.execute(text(f"set lock_timeout = '{LOCK_WAIT_S}s'"))
        # Of the session, since the engine's scripts want a transaction each; it ends with it.
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.commit()
        _migrate_engine(connection)
        with connection.begin():
            connection.execute(text(f"create schema if not exists {SCHEMA}"))
            if not _is_newer(_scalar(connection, REVISION), _head()):
                command.upgrade(_config(connection), "head")
    engine.dispose()


def pending(url: str) -> list[str]:
    """Return what `migrate` would still do, as sentences; empty when the database is of this
    version.
    """
    engine = _open(url)
    head = _head()
    with engine.connect() as connection:
        found = _scalar(connection, REVISION)
        engine_found = _scalar(connection, f"select version from {RECORD}")
    engine.dispose()
    missing = []
    if found != head and not _is_newer(found, head):
        missing.append(f"schema {SCHEMA} is at {found}, this version needs {head}")
    if engine_found is None or _is_after(_engine_version(), engine_found):
        missing.append(f"schema {ENGINE_SCHEMA} is at {engine_found}, needs {_engine_version()}")
    return missing


def _head() -> str | None:
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _is_newer(found: str | None, head: str | None) -> bool:
    """Whether a later version has been here: while processes are replaced one by one, an old one
    may start again beside it, and what is added does not disturb it. Revisions are numbered.
    """
    return found is not None and head is not None and found > head


def _open(url: str) -> Engine:
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, connect_timeout=CONNECT_S),
        poolclass=NullPool,
    )


def _scalar(connection: Connection, query: str) -> str | None:
    table = query.rsplit(" ", 1)[1]
    if connection.execute(text("select to_regclass(:t)"), {"t": table}).scalar() is None:
        return None
    value = connection.execute(text(query)).scalar()
    return None if value is None else str(value)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _engine_version() -> str:
    return importlib.metadata.version("procrastinate")


def _migrate_engine(connection: Connection) -> None:
    """Apply procrastinate's SQL from the installed package, a transaction for each script, and
    remember how far that went: a new value of an enum cannot be used in the transaction that makes
    it, and no script can be run twice.
    """
    with connection.begin():
        connection.execute(text(f"create schema if not exists {ENGINE_SCHEMA}"))
        connection.execute(text(f"create table if not exists {RECORD} (version text not null)"))
        found = connection.execute(text(f"select version from {RECORD}")).scalar()
    for name, script in _engine_scripts(found):
        with connection.begin():
            connection.execute(text(f"set local search_path = {ENGINE_SCHEMA}"))
            _run_script(connection, script)
            # The functions name their tables unqualified: a caller without `jobs` in its path
            # would fail.
            connection.execute(text(_PIN_FUNCTIONS))
            _record(connection, name)
        crash_point("migrate.between")
    if found is None or _is_after(_engine_version(), found):
        with connection.begin():
            _record(connection, _engine_version())


def _record(connection: Connection, version: str) -> None:
    """Remember a version of the package, or the last of its scripts when not all are applied."""
    connection.execute(text(f"delete from {RECORD}"))
    connection.execute(text(f"insert into {RECORD} values (:v)"), {"v": version})


def _engine_scripts(found: str | None) -> list[tuple[str, str]]:
    """Name and text of what is still to be applied, in order."""
    sql = importlib.resources.files("procrastinate") / "sql"
    if found is None:
        return [(_engine_version(), (sql / "schema.sql").read_text("utf-8"))]
    if found == _engine_version():
        return []
    return [
        (entry.name, entry.read_text("utf-8"))
        for entry in sorted((sql / "migrations").iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".sql") and _is_after(entry.name, found)
    ]


def _is_after(name: str, found: str) -> bool:
    if found.endswith(".sql"):
        return name > found
    return _version(name) > _version(found)


def _version(text_: str) -> tuple[int, ...]:
    """`03.04.00_01_pre_words.sql` and `3.10.0` both as (3, 4, 0)-like numbers."""
    return tuple(int(part) for part in text_.split("_", 1)[0].split(".")[:3])


def _run_script(connection: Connection, script: str) -> None:
    """Run several statements at once: psycopg does so when there are no parameters."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("migrations run on psycopg")
    driver.execute(script.encode("utf-8"))
