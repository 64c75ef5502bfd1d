"""What the tests stand on: a real Postgres, the real demo provider, the real server, a real
browser.

One embedded Postgres and one demo provider serve the whole run; each test that asks for one gets a
database of its own, copied from a migrated template.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from db.embedded import EmbeddedPostgres
from db.migrate import migrate
from tests.demo_process import Demo, start_demo
from tests.house import Served, serve
from tests.s3_server import S3Server, start_s3

TEMPLATE = "kinora_template"
#: Their tests wait for browsers, processes and outages more than they work.
SLOW_FOLDERS = ("journeys", "durability")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Spread the slow files among the others; leave the long forms out, unless they are asked
    for.
    """
    items[:] = spread(items)
    if "long" in config.getoption("markexpr"):
        return
    skip = pytest.mark.skip(reason="a long form: `make test-long` runs it")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)


def spread(items: list[pytest.Item]) -> list[pytest.Item]:
    """The same, file by file, with the slow files at even distances: workers that all had browsers
    at the same time would wait for the machine.
    """
    files = [list(of_file) for _, of_file in itertools.groupby(items, lambda item: item.path)]
    slow = [one for one in files if set(SLOW_FOLDERS) & set(one[0].path.parts)]
    quick = [one for one in files if one not in slow]
    # Where each would stand if its kind alone filled the list.
    placed = [
        ((at + 0.5) / len(kind), one) for kind in (slow, quick) for at, one in enumerate(kind)
    ]
    return [item for _, one in sorted(placed, key=lambda pair: pair[0]) for item in one]


@pytest.fixture(scope="session")
def shared_folder() -> Iterator[Path]:
    """A folder that Postgres may enter even when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="kinora-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(shared_folder: Path) -> Iterator[Callable[[str], str]]:
    """The run's Postgres, as a function from a database's name to its address."""
    data_dir = shared_folder / "postgres-of-the-run"
    data_dir.mkdir(mode=0o711)
    server = EmbeddedPostgres(data_dir)
    url = server.enter()

    def address(name: str) -> str:
        return url.replace("/kinora?", f"/{name}?")

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    migrate(address(TEMPLATE))
    yield address
    server.leave()


@pytest.fixture
def database_url(postgres: Callable[[str], str]) -> Iterator[str]:
    """A fresh, migrated database of the test's own."""
    name = f"t{uuid4().hex[:12]}"
    with psycopg.connect(postgres("kinora"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
    yield postgres(name)
    with psycopg.connect(postgres("kinora"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )


@pytest.fixture(scope="session")
def fresh_database(postgres: Callable[[str], str]) -> Callable[[str], str]:
    """Makes a migrated database of this name, for what outlives a test; it goes with the run."""

    def make(name: str) -> str:
        with psycopg.connect(postgres("kinora"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {}").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE)
                )
            )
        return postgres(name)

    return make


@pytest.fixture(scope="session")
async def demo(shared_folder: Path) -> AsyncIterator[Demo]:
    """The run's demo provider, in a process of its own."""
    async with start_demo(shared_folder / "demo") as running:
        yield running


@pytest.fixture
async def calm_demo(demo: Demo) -> AsyncIterator[Demo]:
    """The demo provider without faults or holds, before and after."""
    await demo.calm()
    yield demo
    await demo.calm()


@pytest.fixture(scope="session")
async def server(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> AsyncIterator[Served]:
    """The run's server, in a process of its own, on a database of its own."""
    data_dir, url = shared_folder / "served", fresh_database("served")
    async with serve(data_dir, DATABASE_URL=url, DEMO_BASE_URL=demo.url) as served:
        yield served


@pytest.fixture(scope="session")
async def s3_server() -> AsyncIterator[S3Server]:
    """The run's S3 server."""
    async with start_s3() as running:
        yield running
