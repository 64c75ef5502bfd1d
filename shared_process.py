"""A server process that several of our processes share: the first starts it, the last stops it.

Who is inside is known by file locks and by nothing else. The kernel drops a dead process's locks,
so `kill -9` of a user does not keep the server alive for ever, and of the server does not keep us
out; a list of process ids would go stale in both cases. `start.lock` is held while somebody starts
or stops the server, `users.lock` is shared by everybody inside. All calls block: from a loop, use
`asyncio.to_thread`.

A user killed without warning leaves the server running; the next one to enter finds it, and the
last one to leave stops it.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

LOCK_WAIT_S = 90.0
LOCK_POLL_S = 0.02


class ServerUnavailable(RuntimeError):
    """The server cannot be had now; the message is written for the person at the terminal."""


class SharedServer(Protocol):
    """What `Shared` must be able to do with the server; it calls one of these at a time."""

    def is_up(self) -> bool:
        """Whether it answers; if it does not, what a killed one left behind is cleared away."""

    def boot(self) -> None:
        """Start it and return when it answers.

        Raises: ServerUnavailable.
        """

    def stop(self) -> None:
        """Stop it and return when it is gone; nothing to do when it is not there.

        Raises: ServerUnavailable.
        """


class Shared:
    """One process's place among the users of a server; the locks lie in `folder`, which exists.

    The place lives as long as this object. A child made by bare `os.fork` shares it; children that
    execute a program do not.
    """

    def __init__(
        self, folder: Path, server: SharedServer, lock_wait_s: float = LOCK_WAIT_S
    ) -> None:
        self.folder = folder
        self.server = server
        self.lock_wait_s = lock_wait_s
        self.place: BinaryIO | None = None

    def enter(self) -> None:
        """Be a user of the running server; when already inside, bring back one that was killed.

        Raises: ServerUnavailable, also when another process starts or stops it for too long.
        """
        with self.turn():
            if not self.server.is_up():
                self.server.boot()
            if self.place is None:
                self.place = held(self.folder / "users.lock", fcntl.LOCK_SH, self.lock_wait_s)

    def leave(self) -> None:
        """Be no user any more, and stop the server if nobody else is inside.

        Raises: ServerUnavailable; we are outside even then.
        """
        place, self.place = self.place, None
        if place is None:
            return
        with place, self.turn():
            # Nobody can enter during our turn, so changing a shared lock for an exclusive one,
            # which the kernel does in two steps, cannot let anybody slip in between.
            if take_now(place, fcntl.LOCK_EX):
                self.server.stop()

    def __enter__(self) -> "Shared":
        self.enter()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the only one who starts or stops the server."""
        with held(self.folder / "start.lock", fcntl.LOCK_EX, self.lock_wait_s) as lock:
            try:
                yield
            finally:
                # Not left to close(): a child another thread is just forking holds a copy.
                fcntl.flock(lock, fcntl.LOCK_UN)


def open_lock(path: Path) -> BinaryIO:
    """The lock file, made when missing; only its owner can open it, hence lock us out."""
    return open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))


def take_now(lock: BinaryIO, kind: int) -> bool:
    """Take `kind` (LOCK_SH or LOCK_EX) if that is possible at once."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def held(path: Path, kind: int, wait_s: float) -> BinaryIO:
    """The lock file with `kind` (LOCK_SH or LOCK_EX) taken; closing it lets go.

    Raises: ServerUnavailable when others keep it for more than `wait_s`.
    """
    deadline = time.monotonic() + wait_s
    lock = open_lock(path)
    while not take_now(lock, kind):
        if time.monotonic() >= deadline:
            lock.close()
            raise ServerUnavailable(
                f"Another process has kept {path} for more than {wait_s:g} seconds. "
                "Wait for it to finish starting or stopping, or end it, and try again."
            )
        time.sleep(LOCK_POLL_S)
    return lock
