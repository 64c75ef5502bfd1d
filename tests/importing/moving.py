"""Two old systems, filled, and the command that brings them over, as an operator types it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from settings import ROOT, child_environment
from tests.old_systems.account import Account
from tests.old_systems.chatbot import write_chatbot
from tests.old_systems.chatbot_tables import Chatbot
from tests.old_systems.databases import old_database
from tests.old_systems.superduper import Files, write_table

RUN_S = 120.0


@dataclass(slots=True, kw_only=True)
class Moving:
    """A new house and what is to be moved into it."""

    database_url: str
    data_dir: Path
    superduper: str
    chatbot: str
    #: What the old systems hold.
    files: Account = field(default_factory=Account)
    talk: Account = field(default_factory=Account)

    @property
    def sources(self) -> list[str]:
        return ["--superduper", self.superduper, "--chatbot", self.chatbot]

    async def start(self, *words: str, **settings: str) -> asyncio.subprocess.Process:
        """Begin `manage.py import`."""
        environ = {"DATABASE_URL": self.database_url, "DATA_DIR": str(self.data_dir), **settings}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "manage.py"), "import", *words),
            env=child_environment() | environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *words: str, **settings: str) -> tuple[int, str, str]:
        """Exit code, and what was said on stdout and stderr."""
        process = await self.start(*words, **settings)
        async with asyncio.timeout(RUN_S):
            said, told = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode(), told.decode()

    async def bring(self, *words: str, **settings: str) -> dict[str, Any]:
        """Import both, and return the report."""
        code, said, told = await self.run(*self.sources, *words, **settings)
        assert code == 0, told
        report: dict[str, Any] = json.loads(said)
        assert report["is_whole"]
        assert report["adds_up"]
        return report

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Ask the new house's database."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def one(self, query: str, *values: Any) -> Any:
        """The only value of the only row."""
        ((value,),) = self.rows(query, *values)
        return value

    def hashes(self) -> dict[str, str]:
        """Of each table every row, as text."""
        return hashes_of(self.database_url)


def hashes_of(url: str, schema: str = "kinora") -> dict[str, str]:
    """Of each table of a schema every row, as text."""
    found = {}
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select relname from pg_class where relnamespace = %s::regnamespace"
            " and relkind = 'r' order by 1",
            [schema],
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("select t::text from {}.{} t order by 1").format(
                sql.Identifier(schema), sql.Identifier(table)
            )
            digest = hashlib.sha256()
            for (row,) in connection.execute(query):
                digest.update(row.encode() + b"\n")
            found[table] = digest.hexdigest()
    return found


@contextmanager
def old_systems(
    postgres: Callable[[str], str],
    database_url: str,
    data_dir: Path,
    files: Files,
    **chatbot: int,
) -> Iterator[Moving]:
    """Both old systems, filled, for as long as the block lasts."""
    data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    with old_database(postgres) as superduper, old_database(postgres) as chat:
        moving = Moving(
            database_url=database_url, data_dir=data_dir, superduper=superduper, chatbot=chat
        )
        moving.files = write_table(files, superduper)
        moving.talk = write_chatbot(Chatbot(files=files, **chatbot), chat)
        yield moving
