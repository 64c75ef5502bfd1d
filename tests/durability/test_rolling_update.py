"""A rolling update with a migration in it: old and new processes side by side under load, replaced
one by one, and no client sees an error.

The new version is this one with one more migration, which adds and takes nothing away (expand):
what nobody needs any more goes with the version after (contract).
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest

from accounts import keys
from db import keys as key_rows
from db.connect import open_engine
from db.migrate import pending
from settings import ROOT, child_environment
from tests.demo_process import Demo
from tests.durability.processes import House
from tests.durability.servers import Server, listening
from tests.house import chainlit_root, free_port
from tests.people import SECRET, add_account
from tests.sticky_proxy import Balancer, balance

pytestmark = pytest.mark.timeout(300)
CLIENTS = 4
END_S = 60.0
LEFT_OUT = shutil.ignore_patterns(
    *(
        ".git",
        ".venv*",
        ".uv",
        ".data",
        "tests",
        "bench",
        "docs",
        "__pycache__",
        ".*_cache",
        ".files",
    )
)
MIGRATION = """
from alembic import op

revision = "9001"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE kinora.generations ADD COLUMN later TEXT DEFAULT 'x'")
    op.execute("CREATE TABLE kinora.later (id UUID PRIMARY KEY)")
"""


@dataclass(kw_only=True)
class Rollout:
    """Who runs, of which version."""

    balancer: Balancer
    environ: dict[str, str]
    folder: Path
    running: dict[str, House] = field(default_factory=dict)

    async def start(self, name: str, version: Path) -> None:
        """Start a replica (`a`, `b`) or a worker of this version, until it is ready."""
        replica = next((one for one in self.balancer.replicas if one.name == name), None)
        more = {"CHAINLIT_APP_ROOT": str(chainlit_root(self.folder / name))}
        if replica is not None:
            more |= {"PORT": str(replica.port), "WORKER": "off"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(version / ("server.py" if replica else "worker.py"))),
            cwd=version,
            env=self.environ | more,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        if replica is None:
            self.running[name] = listening(House(process=process))
            return
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{replica.port}", trust_env=False)
        house = self.running[name] = listening(Server(process=process, client=client))
        assert await house.until_ready(), "\n".join(house.lines)
        await replica.look()

    async def stop(self, name: str) -> None:
        """By SIGTERM, to its good end."""
        house = self.running.pop(name)
        house.signal(signal.SIGTERM)
        assert await house.ended(END_S) == 0, list(house.lines)[-20:]
        await house.close()

    async def close(self) -> None:
        """End whoever is left."""
        await asyncio.gather(*(house.close() for house in self.running.values()))


@dataclass(kw_only=True)
class Load:
    """Clients that order and wait, until they are told to stop; what they did not like."""

    url: str
    key: str
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    ids: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    async def one(self) -> None:
        """A client with one connection and one key, and no second try."""
        headers = {"Authorization": f"Bearer {self.key}"}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, trust_env=False, timeout=40
        ) as client:
            while not self.stopped.is_set():
                with self._noting():
                    await self._order(client)

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            self.wrong.append(f"{type(error).__name__}: {error}")

    async def _order(self, client: httpx.AsyncClient) -> None:
        wanted = {"prompt": "a fox", "model": "demo-image-quick"}
        headers = {"Idempotency-Key": str(uuid4())}
        made = await client.post("/api/tools/generate_image", json=wanted, headers=headers)
        made.raise_for_status()
        self.ids.append(made.json()["id"])
        self.accepted.set()
        reading = made.json()
        while reading["status"] not in ("completed", "failed", "cancelled", "unknown"):
            answer = await client.get(made.headers["location"], params={"wait": 20})
            reading = answer.raise_for_status().json()
        if reading["status"] != "completed":
            self.wrong.append(f"{reading['id']}: {reading['error']}")
            return
        (await client.get(reading["assets"][0]["url"])).raise_for_status()
        (await client.get("/api/generations", params={"limit": 5})).raise_for_status()


@contextlib.asynccontextmanager
async def under_load(load: Load) -> AsyncIterator[Load]:
    """The clients, for as long as the block runs."""
    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(load.one())
        try:
            yield load
        finally:
            load.stopped.set()


async def more(load: Load, count: int) -> None:
    """Return when so many further orders were accepted."""
    aim = len(load.ids) + count
    async with asyncio.timeout(END_S):
        while len(load.ids) < aim:
            load.accepted.clear()
            await load.accepted.wait()


def new_version(folder: Path) -> Path:
    """The next version: this one, and a migration."""
    version = folder / "next"
    shutil.copytree(ROOT, version, ignore=LEFT_OUT)
    migrations = version / "db" / "migrations" / "versions"
    before = sorted(path.name.split("_")[0] for path in migrations.glob("[0-9]*.py"))[-1]
    (migrations / "9001_later.py").write_text(MIGRATION.format(before=before), "utf-8")
    return version


async def test_no_client_sees_an_error_while_processes_are_replaced(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> None:
    """New and old beside each other, both ways round: an old worker on the new tables, an old
    replica that starts again beside new ones.
    """
    folder, url = shared_folder / "rolling", fresh_database("rolling")
    folder.mkdir(mode=0o755)
    new = await asyncio.to_thread(new_version, folder)
    async with AsyncExitStack() as stack:
        balancer = await stack.enter_async_context(balance([free_port(), free_port()]))
        environ = child_environment() | {
            "DATABASE_URL": url,
            "DEMO_BASE_URL": demo.url,
            "DATA_DIR": str(folder / "data"),
            "AUTH_MODE": "password",
            "CHAINLIT_AUTH_SECRET": SECRET,
            "PUBLIC_URL": balancer.url,
            "PYTHONWARNINGS": "ignore",
        }
        rollout = Rollout(balancer=balancer, environ=environ, folder=folder)
        stack.push_async_callback(rollout.close)
        for name in ("a", "b", "old worker"):
            await rollout.start(name, ROOT)
        async with under_load(Load(url=balancer.url, key=await a_key(url))) as load:
            await more(load, 5)
            for name in ("a", "b"):
                await rollout.stop(name)
                await rollout.start(name, new)
                await more(load, 5)
            with psycopg.connect(url) as connection:
                connection.execute("select later from kinora.generations limit 1")
            # Somebody starts an old one again: it works on, and leaves the newer tables alone.
            await rollout.stop("a")
            await rollout.start("a", ROOT)
            await more(load, 5)
            await rollout.stop("a")
            await rollout.start("a", new)
            await rollout.start("new worker", new)
            await rollout.stop("old worker")
            await more(load, 5)
        assert load.wrong == []
    assert pending(url) == []
    book = (await demo.client.get("/_ledger")).json()["generations"]
    assert [one for one in load.ids if book[one]["submits"] != 1] == []


async def a_key(url: str) -> str:
    """Somebody's API key, made past every server."""
    user_id, given = await add_account(url, "roller@example.org"), keys.make()
    engine = open_engine(url)
    async with engine.begin() as connection:
        await key_rows.create(
            connection,
            user_id,
            name="roller",
            prefix=given.prefix,
            secret_sha256=given.digest(),
            scopes=keys.DEFAULT_SCOPES,
        )
    await engine.dispose()
    return given.text()
