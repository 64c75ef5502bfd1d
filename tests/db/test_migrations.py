"""A database is brought to this version once, whoever begins, and nobody else's tables are touched.

`db.tables` and the migrations say the same thing twice; so do the engine's whole schema and its
migration files. Both pairs are held against each other here.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.resources
import sys
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from db import tables
from db.migrate import ENGINE_SCHEMA, LOCK, MIGRATIONS, migrate, pending
from settings import ROOT, child_environment

FOREIGN = """
create table public.users (id int primary key, email text);
insert into public.users values (1, 'somebody@example.org');
create table public.threads (id int);
create table public.procrastinate_jobs (id int, note text);
create table public.alembic_version (version_num varchar(32) primary key);
insert into public.alembic_version values ('deadbeef');
create schema theirs;
create table theirs.generations (id int);
create function public.procrastinate_notify() returns int language sql as 'select 1';
"""
ENGINE_SCRIPTS = importlib.resources.files("procrastinate") / "sql" / "migrations"
FIRST_SCRIPT = "00.00.00_01_initial.sql"
PROGRAM = """
import sys
from db.migrate import migrate
print("ready", flush=True)
sys.stdin.readline()
migrate(sys.argv[1])
"""
#: What a schema consists of, as text without anything that differs from database to database.
FACTS = {
    "columns": """
        select table_name, column_name, data_type, udt_name, is_nullable, column_default,
               is_identity
        from information_schema.columns where table_schema = %(schema)s""",
    "indexes": """
        select tablename, indexname, indexdef from pg_indexes where schemaname = %(schema)s""",
    "constraints": """
        select conrelid::regclass::text, conname, pg_get_constraintdef(c.oid)
        from pg_constraint c where c.connamespace = %(schema)s::regnamespace""",
    "functions": """
        select p.oid::regprocedure::text, pg_get_functiondef(p.oid)
        from pg_proc p where p.pronamespace = %(schema)s::regnamespace""",
    "triggers": """
        select pg_get_triggerdef(t.oid) from pg_trigger t
        join pg_class c on c.oid = t.tgrelid
        where c.relnamespace = %(schema)s::regnamespace and not t.tgisinternal""",
    "enums": """
        select t.typname, e.enumlabel, rank() over (partition by t.oid order by e.enumsortorder)
        from pg_enum e join pg_type t on t.oid = e.enumtypid
        where t.typnamespace = %(schema)s::regnamespace""",
    "types": """
        select t.typname, a.attname, a.attnum, a.atttypid::regtype::text
        from pg_type t join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
        join pg_attribute a on a.attrelid = c.oid
        where t.typnamespace = %(schema)s::regnamespace and a.attnum > 0""",
}


def facts_of(url: str, schema: str) -> dict[str, list[Any]]:
    with psycopg.connect(url) as connection:
        return {
            what: sorted(connection.execute(query, {"schema": schema}).fetchall(), key=repr)
            for what, query in FACTS.items()
        }


@pytest.fixture
def empty_url(postgres: Callable[[str], str]) -> Iterator[str]:
    """A database with nothing in it."""
    name = sql.Identifier(database := f"e{uuid4().hex[:12]}")
    with psycopg.connect(postgres("kinora"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template0").format(name))
        yield postgres(database)
        connection.execute(sql.SQL("drop database {} with (force)").format(name))


def test_the_migrations_make_the_tables_that_the_code_believes_in(database_url: str) -> None:
    def ours(name: str | None, kind: str, _: Any) -> bool:
        return kind != "schema" or name == tables.SCHEMA

    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database_url), poolclass=NullPool
    )
    with engine.connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": ours,
            "compare_type": True,
            "compare_server_default": True,
            "version_table_schema": tables.SCHEMA,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_what_is_to_be_done_is_said_until_it_is_done(empty_url: str) -> None:
    said = pending(empty_url)
    assert len(said) == 2
    assert "schema kinora is at None" in said[0]
    assert f"needs {importlib.metadata.version('procrastinate')}" in said[1]
    migrate(empty_url)
    assert pending(empty_url) == []


def test_a_second_migration_changes_nothing(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("insert into kinora.users (id, identifier) values (%s, 'me')", [uuid4()])
        before = [facts_of(database_url, schema) for schema in (tables.SCHEMA, ENGINE_SCHEMA)]
        migrate(database_url)
        assert before == [facts_of(database_url, s) for s in (tables.SCHEMA, ENGINE_SCHEMA)]
        assert connection.execute("select identifier from kinora.users").fetchall() == [("me",)]


def test_what_was_said_before_an_upgrade_is_found_after_it(empty_url: str) -> None:
    user, thread = uuid4(), uuid4()
    with psycopg.connect(empty_url, autocommit=True) as connection:
        migrate(empty_url)
        connection.execute("drop schema kinora cascade; create schema kinora")
        upgrade(empty_url, "0002")
        connection.execute("insert into kinora.users (id, identifier) values (%s, 'me')", [user])
        old = "insert into kinora.threads (id, user_id, name) values (%s, %s, 'Old times')"
        connection.execute(old, [thread, user])
        said = "insert into kinora.steps (id, thread_id, type, output) values (%s, %s, %s, %s)"
        connection.execute(said, [uuid4(), thread, "user_message", "Рыжие лисы"])
        migrate(empty_url)
        for table, words in (("steps", "лиса"), ("steps", "рыж"), ("threads", "time")):
            count = f"select count(*) from kinora.{table} where search @@ kinora.wanted(%s)"
            assert connection.execute(count.encode(), [words]).fetchone() == (1,), words


def upgrade(url: str, revision: str) -> None:
    """Bring our schema to an older version."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing_half_done(empty_url: str) -> None:
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("create schema jobs; create table jobs.procrastinate_jobs (id int)")
        with pytest.raises(psycopg.Error):
            migrate(empty_url)
        left = "select nspname from pg_namespace where nspname in ('kinora', 'jobs')"
        assert connection.execute(left).fetchall() == [("jobs",)]
        assert facts_of(empty_url, "jobs")["functions"] == []
        assert len(pending(empty_url)) == 2
        connection.execute("drop table jobs.procrastinate_jobs")
        migrate(empty_url)
    assert pending(empty_url) == []


def test_tables_of_others_are_not_touched(empty_url: str) -> None:
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute(FOREIGN)
        before = {schema: facts_of(empty_url, schema) for schema in ("public", "theirs")}
        migrate(empty_url)
        assert {schema: facts_of(empty_url, schema) for schema in before} == before
        assert connection.execute("select email from public.users").fetchall() == [
            ("somebody@example.org",)
        ]
        version = connection.execute("select version_num from public.alembic_version").fetchall()
        assert version == [("deadbeef",)]
        schemas = connection.execute(
            "select nspname::text from pg_namespace where nspname !~ '^pg_' order by 1"
        ).fetchall()
    names = [name for (name,) in schemas]
    assert names == ["information_schema", "jobs", "kinora", "public", "theirs"]
    assert pending(empty_url) == []


@pytest.mark.parametrize("stopped_after", ["0.0.0", "02.06.00_01_add_cancel_states.sql"])
def test_an_engine_upgraded_step_by_step_is_the_same_as_a_fresh_one(
    empty_url: str, database_url: str, stopped_after: str
) -> None:
    """From its first version on, and from where a migration that was killed had come."""
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("create schema jobs; set search_path = jobs")
        for script in sorted(ENGINE_SCRIPTS.iterdir(), key=lambda script: script.name):
            if script.name == FIRST_SCRIPT or FIRST_SCRIPT < script.name <= stopped_after:
                connection.execute(script.read_text("utf-8").encode())
        connection.execute("create table jobs.kinora_engine (version text not null)")
        connection.execute("insert into jobs.kinora_engine values (%s)", [stopped_after])
        migrate(empty_url)
        installed = importlib.metadata.version("procrastinate")
        recorded = connection.execute("select version from jobs.kinora_engine").fetchall()
        assert recorded == [(installed,)]
    upgraded, fresh = (facts_of(url, ENGINE_SCHEMA) for url in (empty_url, database_url))
    for what in FACTS:
        assert upgraded[what] == fresh[what], what
    assert len(fresh["functions"]) > 10
    assert pending(empty_url) == []


def test_the_engines_functions_work_whatever_the_callers_path_is(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        unpinned = connection.execute(
            "select proname from pg_proc where pronamespace = 'jobs'::regnamespace and "
            "not coalesce(proconfig, '{}') @> array['search_path=jobs, pg_temp']"
        ).fetchall()
    assert unpinned == []


def test_a_database_of_a_later_version_is_left_as_it_is(database_url: str) -> None:
    """While processes are replaced one by one, an old one may be started again."""
    later = ("9999", "99.0.0")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update kinora.alembic_version set version_num = %s", later[:1])
        connection.execute("update jobs.kinora_engine set version = %s", later[1:])
        migrate(database_url)
        assert pending(database_url) == []
        found = connection.execute(
            "select version_num, version from kinora.alembic_version, jobs.kinora_engine"
        ).fetchall()
    assert found == [later]


async def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    starting = [
        asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, empty_url),
            cwd=ROOT,
            env=child_environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    processes = await asyncio.gather(*starting)
    async with asyncio.timeout(50):
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        # Both wait for this lock before either goes on, so they are really two at once.
        with psycopg.connect(empty_url) as gate:
            gate.execute("select pg_advisory_xact_lock(%s)", [LOCK])
            said = [asyncio.create_task(process.communicate(b"\n")) for process in processes]
            await asyncio.to_thread(until_two_wait, empty_url)
        errors = [stderr.decode() for _, stderr in await asyncio.gather(*said)]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert pending(empty_url) == []
    with psycopg.connect(empty_url) as connection:
        for table in ("kinora.alembic_version", "jobs.kinora_engine"):
            count = connection.execute(f"select count(*) from {table}").fetchone()
            assert count == (1,)


def until_two_wait(url: str) -> None:
    """Return when two processes wait for the migration's lock."""
    waiting = """
        select count(*) from pg_locks where locktype = 'advisory' and not granted and
        database = (select oid from pg_database where datname = current_database())
    """
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(1000):
            if connection.execute(waiting).fetchone() == (2,):
                return
            connection.execute("select pg_sleep(0.02)")
    raise AssertionError("nobody waits for the lock")
