"""Bringing a database to this version: our schema by Alembic, the engine's by its own package,
under one lock.

Everything runs in one transaction that first takes an advisory lock, so any number of processes may
start at once, and a migration that fails leaves nothing behind. Foreign tables are never touched:
ours are in `kinora`, the engine's in `jobs`.
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

from db.tables import SCHEMA

MIGRATIONS = Path(__file__).parent / "migrations"
ENGINE_SCHEMA = "jobs"
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
    with engine.begin() as connection:
        connection.execute(text(f"set local lock_timeout = '{LOCK_WAIT_S}s'"))
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        connection.execute(text(f"create schema if not exists {SCHEMA}"))
        command.upgrade(_config(connection), "head")
        _migrate_engine(connection)
    engine.dispose()


def pending(url: str) -> list[str]:
    """Return what `migrate` would still do, as sentences; empty when the database is of this
    version.
    """
    engine = _open(url)
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    with engine.connect() as connection:
        found = _scalar(connection, f"select version_num from {SCHEMA}.alembic_version")
        engine_found = _scalar(connection, f"select version from {ENGINE_SCHEMA}.kinora_engine")
    engine.dispose()
    missing = []
    if found != head:
        missing.append(f"schema {SCHEMA} is at {found}, this version needs {head}")
    if engine_found != _engine_version():
        missing.append(f"schema {ENGINE_SCHEMA} is at {engine_found}, needs {_engine_version()}")
    return missing


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
    """Apply procrastinate's SQL from the installed package, and remember for which version that was
    done.
    """
    connection.execute(text(f"create schema if not exists {ENGINE_SCHEMA}"))
    connection.execute(
        text(f"create table if not exists {ENGINE_SCHEMA}.kinora_engine (version text not null)")
    )
    found = connection.execute(text(f"select version from {ENGINE_SCHEMA}.kinora_engine")).scalar()
    installed = _engine_version()
    if found == installed:
        return
    for script in _engine_scripts(found):
        connection.execute(text(f"set local search_path = {ENGINE_SCHEMA}"))
        _run_script(connection, script)
        connection.execute(text("set local search_path = public"))
        # The functions name their tables unqualified: a caller without `jobs` in its path would
        # fail.
        connection.execute(text(_PIN_FUNCTIONS))
    connection.execute(text(f"delete from {ENGINE_SCHEMA}.kinora_engine"))
    connection.execute(
        text(f"insert into {ENGINE_SCHEMA}.kinora_engine values (:v)"), {"v": installed}
    )


def _engine_scripts(found: str | None) -> list[str]:
    sql = importlib.resources.files("procrastinate") / "sql"
    if found is None:
        return [(sql / "schema.sql").read_text("utf-8")]
    return [
        entry.read_text("utf-8")
        for entry in sorted((sql / "migrations").iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".sql") and _version(entry.name) > _version(found)
    ]


def _version(text_: str) -> tuple[int, ...]:
    """`03.04.00_01_pre_words.sql` and `3.10.0` both as (3, 4, 0)-like numbers."""
    return tuple(int(part) for part in text_.split("_", 1)[0].split(".")[:3])


def _run_script(connection: Connection, script: str) -> None:
    """Run several statements at once: psycopg does so when there are no parameters."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("migrations run on psycopg")
    driver.execute(script.encode("utf-8"))
