"""With the real Postgres of the wheel, real processes and real kills.

As root, pytest's own folders are closed to nobody, who runs the server: these tests make theirs.
"""

import asyncio
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psycopg
import pytest

from db.embedded import EmbeddedPostgres
from db.embedded_home import SYSTEM_DIR, binaries, reachable, server_user
from shared_process import ServerUnavailable

ROOT = Path(__file__).parents[2]
WAIT_S = 60.0
AS_ROOT = os.geteuid() == 0

PROGRAM = """
import os, sys
from pathlib import Path
from db.embedded import EmbeddedPostgres

data_dir, uid, packages = sys.argv[1:]
if int(uid) != os.geteuid():
    os.setgroups([]); os.setgid(int(uid)); os.setuid(int(uid))
    sys.path.insert(0, packages)
server = EmbeddedPostgres(Path(data_dir))
print(server.enter(), flush=True)
sys.stdin.readline()
server.leave()
"""


class App:
    """Another process that uses the database of `data_dir`, in a process group of its own."""

    def __init__(self, data_dir: Path, uid: int | None = None, packages: Path = ROOT) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, data_dir, str(uid or os.geteuid()), packages],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )

    def url(self) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], WAIT_S)
        assert ready, "it did not start in time"
        return self.process.stdout.readline().decode().strip()

    def leave(self) -> None:
        with self.process:
            self.process.communicate(b"\n", WAIT_S)
        assert self.process.returncode == 0

    def kill(self, group: bool = False) -> None:
        with self.process:
            os.killpg(self.process.pid, signal.SIGKILL) if group else self.process.kill()
            self.process.wait(WAIT_S)


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that everybody may enter."""
    folder = Path(tempfile.mkdtemp(prefix="kinora-test-")).resolve()
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def inside(data_dir: Path) -> Iterator[str]:
    """Use the database of `data_dir` from this process, too."""
    server = EmbeddedPostgres(data_dir)
    try:
        yield server.enter()
    finally:
        server.leave()


@pytest.fixture
def folder() -> Iterator[Path]:
    with own_folder() as made:
        yield made


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A DATA_DIR whose cluster is made, for tests that leave it stopped."""
    with own_folder() as made:
        with inside(made / "data"):
            pass
        yield made / "data"


def postmaster(data_dir: Path) -> int | None:
    """The process id in postmaster.pid, which is there while the server runs."""
    pid_file = data_dir / "postgres" / "pgdata" / "postmaster.pid"
    return int(pid_file.read_text().split()[0]) if pid_file.exists() else None


def socket_dir_of(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def ask(url: str, query: str) -> str:
    with psycopg.connect(url, connect_timeout=10, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return str(row[0])


def do(url: str, statement: str) -> None:
    with psycopg.connect(url, connect_timeout=10, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_the_first_process_starts_it_and_the_last_one_stops_it(data_dir: Path) -> None:
    first = App(data_dir)
    url = first.url()
    pid = postmaster(data_dir)
    second = App(data_dir)
    assert second.url() == url
    first.leave()
    assert ask(url, "select 1") == "1"
    assert postmaster(data_dir) == pid
    second.leave()
    assert postmaster(data_dir) is None
    with pytest.raises(psycopg.OperationalError):
        ask(url, "select 1")


def test_a_killed_app_leaves_a_server_that_the_next_one_joins_and_stops(data_dir: Path) -> None:
    killed = App(data_dir)
    url = killed.url()
    pid = postmaster(data_dir)
    killed.kill()
    with inside(data_dir) as joined:
        assert joined == url
        assert postmaster(data_dir) == pid
    assert postmaster(data_dir) is None


def test_committed_rows_survive_a_kill_of_everything(data_dir: Path) -> None:
    app = App(data_dir)
    url = app.url()
    do(url, "create table kept (n int)")
    do(url, "insert into kept values (7)")
    pid = postmaster(data_dir)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    app.kill()
    with inside(data_dir) as again:
        assert ask(again, "select n from kept") == "7"


def test_entering_again_brings_back_a_killed_postgres(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    url = server.enter()
    pid = postmaster(data_dir)
    assert pid is not None
    with psycopg.connect(url) as session:
        os.kill(pid, signal.SIGKILL)
        assert server.enter() == url
        assert ask(url, "select 1") == "1"
        session.close()
    server.leave()
    assert postmaster(data_dir) is None


def test_a_pid_file_that_names_a_stranger_is_not_believed(data_dir: Path) -> None:
    """As after a restart of a container, where process ids begin again."""
    (data_dir / "postgres" / "pgdata" / "postmaster.pid").write_text(f"{os.getpid()}\n/\n1\n5432\n")
    with inside(data_dir) as url:
        assert ask(url, "select 1") == "1"


def test_four_processes_starting_at_once_share_one_new_server(folder: Path) -> None:
    apps = [App(folder / "data") for _ in range(4)]
    urls = {app.url() for app in apps}
    assert len(urls) == 1
    assert ask(urls.pop(), "select count(*) from pg_database where datname = 'kinora'") == "1"
    for app in apps:
        app.leave()
    assert postmaster(folder / "data") is None


def test_an_interrupted_first_start_leaves_no_half_cluster(folder: Path) -> None:
    data = folder / "data"
    app = App(data)
    deadline = time.monotonic() + WAIT_S
    while not list(data.glob("postgres/pgdata.new.*/base/1/PG_VERSION")):
        assert time.monotonic() < deadline, "initdb did not begin in time"
    app.kill(group=True)
    assert not (data / "postgres" / "pgdata").exists()
    with inside(data) as url:
        assert ask(url, "select 1") == "1"
    assert list(data.glob("postgres/pgdata.new.*")) == []


def test_any_path_will_do_and_two_databases_live_side_by_side(folder: Path, data_dir: Path) -> None:
    """Also a folder that was moved: nothing in it depends on where it lies."""
    spaced = folder / "Ünser $HOME 'alt' 100%"
    with inside(spaced) as url, inside(data_dir) as other:
        assert socket_dir_of(url) == spaced / "postgres" / "run"
        do(url, "create table here (n int)")
        assert ask(other, "select to_regclass('here') is null") == "True"
        assert asyncio.run(ask_by_asyncpg(url, "select lower('ÄÖЖ')")) == "äöж"
    deep = folder / "a long path" / "x".ljust(110, "é")
    deep.parent.mkdir(mode=0o755)
    spaced.rename(deep)
    with inside(deep) as url:
        assert ask(url, "select count(*) from here") == "0"
        socket_dir = socket_dir_of(url)
        assert folder not in socket_dir.parents
        assert socket_dir.stat().st_mode & 0o777 == 0o700
    assert not socket_dir.exists()


async def ask_by_asyncpg(url: str, query: str) -> str:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return str(await connection.fetchval(query))
    finally:
        await connection.close()


def test_the_socket_lies_in_a_private_folder_of_data_dir(folder: Path, data_dir: Path) -> None:
    with inside(data_dir) as url:
        run = data_dir / "postgres" / "run"
        assert url == f"postgresql://postgres@/kinora?host={run}"
        assert run.stat().st_mode & 0o777 == 0o700
        assert ask(url, "show listen_addresses") == ""


@pytest.mark.parametrize(
    ("setting", "value"),
    [("fsync", "on"), ("full_page_writes", "on"), ("synchronous_commit", "on")],
)
def test_what_was_committed_is_on_the_disk(data_dir: Path, setting: str, value: str) -> None:
    with inside(data_dir) as url:
        assert ask(url, f"show {setting}") == value


def test_an_ordinary_user_runs_it_as_himself(folder: Path) -> None:
    uid, packages = os.geteuid(), ROOT
    if AS_ROOT:
        uid = pwd.getpwnam("daemon").pw_uid
        os.chown(folder, uid, -1)
        packages = reachable(binaries(), pwd.getpwuid(uid), SYSTEM_DIR).parents[2]
    app = App(folder / "data", uid, packages)
    assert ask(app.url(), "select 1") == "1"
    assert (folder / "data" / "postgres" / "pgdata").stat().st_uid == uid
    assert (folder / "data").stat().st_mode & 0o777 == 0o700
    app.leave()
    assert postmaster(folder / "data") is None


def test_data_of_another_major_version_is_refused(folder: Path) -> None:
    old = folder / "data" / "postgres" / "pgdata"
    old.mkdir(parents=True)
    (old / "PG_VERSION").write_text("17\n")
    if (user := server_user()) is not None:
        os.chown(old, user.pw_uid, user.pw_gid)
    with pytest.raises(ServerUnavailable, match=r"made by Postgres 17, the installed one is 18"):
        EmbeddedPostgres(folder / "data").enter()


def test_a_server_that_cannot_start_says_why(folder: Path, data_dir: Path) -> None:
    config = data_dir / "postgres" / "pgdata" / "postgresql.auto.conf"
    before = config.read_bytes()
    config.write_bytes(b"no_such_setting = 1\n")
    try:
        with pytest.raises(ServerUnavailable, match=r"server\.log[\s\S]*no_such_setting"):
            EmbeddedPostgres(data_dir).enter()
    finally:
        config.write_bytes(before)
