"""Both old systems, filled, beside an empty house in one Postgres; and the command that moves what
they hold, watched by the kernel's books.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.generations_place import parent_of, tree_cpu_s
from bench.place import AS_A_PERSON, workplace
from bench.threads import make_database
from db.embedded import EmbeddedPostgres
from settings import ROOT, child_environment
from tests.old_systems.chatbot import write_chatbot
from tests.old_systems.chatbot_tables import Chatbot
from tests.old_systems.databases import old_database
from tests.old_systems.superduper import Files, write_table

LOOK_S = 0.05
PEOPLE, GUESTS = 200, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much the old systems hold."""

    files: int
    media: int
    documents: int
    chats: int

    def part(self, n: int) -> Size:
        """The n-th part of it."""
        return Size(
            files=self.files // n,
            media=self.media // n,
            documents=self.documents // n,
            chats=self.chats // n,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run of the command."""

    took_s: float
    #: Of its process alone, and of all of Postgres meanwhile: it reads there, too.
    cpu_s: float
    postgres_cpu_s: float
    peak_mib: float
    report: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The old systems, and where their data is to go."""

    folder: Path
    superduper: str
    chatbot: str
    #: An empty house.
    database_url: str
    #: How many rows the old systems hold.
    rows: int
    postmaster: int

    def bring(self) -> Ran:
        """Run `manage.py import`. Raises: RuntimeError."""
        environ = {"DATABASE_URL": self.database_url, "DATA_DIR": str(self.folder / "data")}
        said, told = self.folder / "said", self.folder / "told"
        database = tree_cpu_s(self.postmaster)
        began = time.perf_counter()
        with said.open("wb") as out, told.open("wb") as err:
            process = subprocess.Popen(
                [
                    *(sys.executable, str(ROOT / "manage.py"), "import"),
                    *("--superduper", self.superduper, "--chatbot", self.chatbot),
                ],
                env=child_environment() | AS_A_PERSON | environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        peak_mib = 0.0
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            peak_mib = max(peak_mib, _peak_mib(process.pid))
            time.sleep(LOOK_S)
        _, status, used = ended
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"import: {told.read_text('utf-8', errors='replace')[-2000:]}")
        return Ran(
            took_s=time.perf_counter() - began,
            cpu_s=used.ru_utime + used.ru_stime,
            postgres_cpu_s=tree_cpu_s(self.postmaster) - database,
            peak_mib=peak_mib,
            report=json.loads(said.read_text("utf-8")),
        )


def _peak_mib(pid: int) -> float:
    """The most it has had in memory; `ru_maxrss` would tell of the process that started it, too."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii", errors="replace").splitlines()
    # A process that has just ended has no memory any more.
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


@contextlib.contextmanager
def open_place(size: Size) -> Iterator[Place]:
    """Fill the old systems, for as long as the block lasts."""
    with workplace() as folder:
        for name in ("postgres", "data"):
            (folder / name).mkdir(mode=0o711)
        server = EmbeddedPostgres(folder / "postgres")
        address = server.enter()

        def named(name: str) -> str:
            return address.replace("/kinora?", f"/{name}?")

        try:
            with old_database(named) as superduper, old_database(named) as chatbot:
                with psycopg.connect(address) as connection:
                    ((backend,),) = connection.execute("select pg_backend_pid()").fetchall()
                    postmaster = parent_of(backend)
                yield Place(
                    folder=folder,
                    superduper=superduper,
                    chatbot=chatbot,
                    database_url=make_database(address, "house"),
                    rows=fill(size, superduper, chatbot),
                    postmaster=postmaster,
                )
        finally:
            server.leave()


def fill(size: Size, superduper: str, chatbot: str) -> int:
    """Write both old systems; returns how many rows they have."""
    files = Files(count=size.files)
    account = write_table(files, superduper)
    account += write_chatbot(
        Chatbot(
            files=files,
            people=PEOPLE,
            guests=GUESTS,
            media=size.media,
            documents=size.documents,
            chats=size.chats,
        ),
        chatbot,
    )
    for url in (superduper, chatbot):
        with psycopg.connect(url, autocommit=True) as connection:
            # As in a database that has stood for a while.
            connection.execute("vacuum analyze")
    return account.tables.total()
