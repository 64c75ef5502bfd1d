"""What the benchmarks of generations stand on: models whose jobs take a known time, a database for
each round, and the kernel's books about Postgres.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from bench.light_provider import Light, light_provider
from bench.memory import cpu_s
from bench.place import AS_A_PERSON, workplace
from bench.threads import make_database
from db.embedded import EmbeddedPostgres
from settings import child_environment

TEMPLATE = "generations_template"
_MODEL = """
[[models]]
id = "{id}"
label = "Bench {id}"
kind = "image"
[[models.routes]]
provider = "runpod"
endpoint = "{endpoint}"
on_lost_submit = "key"
fields = {{ prompt = "prompt" }}
{pace}
"""
#: Looked at twice a second, whatever was learnt.
_STEADY = "poll_s = 0.5\npoll_max_s = 0.5"
#: Model: how long its jobs take (seconds, spread in percent), and when they are looked at.
MODELS = {
    "warm": ("s1-p0", _STEADY),
    "second": ("s1-p0", _STEADY),
    "five": ("s5-p0", _STEADY),
    "looked": ("s900-p0", _STEADY),
    "waiting": ("s900-p0", "poll_s = 5.0\npoll_max_s = 5.0"),
    "restart": ("s20-p10", ""),
    "paced-0": ("s5-p0", ""),
    "paced-2": ("s5-p2", ""),
    "paced-10": ("s5-p10", ""),
    "paced-20": ("s5-p20", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where rounds are run: the provider, Postgres, a folder."""

    folder: Path
    light: Light
    fresh_database: Callable[[], str]

    def settings(self, database_url: str, **more: str) -> dict[str, str]:
        """The settings of a runtime on this database; the bounds of users are off."""
        data_dir = self.folder / f"data-{uuid4().hex[:8]}"
        data_dir.mkdir(mode=0o711)
        return {
            "DATABASE_URL": database_url,
            "DATA_DIR": str(data_dir),
            # Nobody asks the demo provider here.
            "DEMO_BASE_URL": "http://127.0.0.1:9",
            "RUNPOD_API_KEY": "bench",
            "RUNPOD_BASE_URL": f"{self.light.url}/v2",
            "MODELS_FILE": str(self.folder / "models.toml"),
            "MAX_IN_FLIGHT_PER_USER": "0",
            **more,
        }


@asynccontextmanager
async def open_place(seed: int = 1) -> AsyncIterator[Place]:
    """Start everything that stands beside what is measured."""
    with workplace() as folder:
        (folder / "postgres").mkdir(mode=0o711)
        (folder / "models.toml").write_text(models_text(), encoding="utf-8")
        server = EmbeddedPostgres(folder / "postgres")
        address = await asyncio.to_thread(server.enter)
        try:
            await asyncio.to_thread(make_database, address, TEMPLATE)

            def fresh_database() -> str:
                name = f"g{uuid4().hex[:12]}"
                with psycopg.connect(address, autocommit=True) as connection:
                    template = sql.SQL("create database {} template {}")
                    names = sql.Identifier(name), sql.Identifier(TEMPLATE)
                    connection.execute(template.format(*names))
                return address.replace("/kinora?", f"/{name}?")

            async with light_provider(seed) as light:
                yield Place(folder=folder, light=light, fresh_database=fresh_database)
        finally:
            await asyncio.to_thread(server.leave)


def models_text() -> str:
    """The file of models; its provider has no bounds."""
    rows = [
        _MODEL.format(id=name, endpoint=endpoint, pace=pace)
        for name, (endpoint, pace) in MODELS.items()
    ]
    return '[providers.runpod]\non_lost_submit = "key"\n' + "".join(rows)


async def run_apart(module: str, settings: dict[str, str], *words: object) -> dict[str, Any]:
    """Run a module in a process of its own; its last line is what it measured."""
    log = Path(settings["DATA_DIR"]) / "log"
    with log.open("wb") as complaints:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *map(str, words)),
            env=child_environment() | AS_A_PERSON | settings,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
        )
        said, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{module}: {log.read_text('utf-8', errors='replace')[-2000:]}")
    measured: dict[str, Any] = json.loads(said.splitlines()[-1])
    return measured


def parent_of(pid: int) -> int:
    """The process that started this one."""
    return int(_fields(pid)[1])


def tree_cpu_s(pid: int) -> float:
    """CPU seconds of a process, its children, and those of them that have ended."""
    ticks = sum(int(field) for field in _fields(pid)[13:15])
    used = cpu_s(pid) + ticks / 100
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and parent_of(int(entry.name)) == pid:
                used += cpu_s(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return used


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()


def say(measured: dict[str, Any]) -> None:
    """Tell the process that waits for us what was measured."""
    sys.stdout.write("\n" + json.dumps(measured) + "\n")
