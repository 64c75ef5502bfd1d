"""Run a command and see to it that nothing it started outlives it, daemons included.

`.ci/run` calls this on Linux: as a child subreaper, this process becomes the parent of every orphan
below it, so what is still there at the end is known exactly. Left-over processes are named, killed,
and a failure: a suite that leaves a server behind has not closed what it opened.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # Source: linux/prctl.h
GRACE_S = 10


def main(command: list[str]) -> int:
    """Returns the command's exit code, or 1 when it left something behind."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    code = 1
    try:
        code = subprocess.run(command, check=False).returncode
    finally:
        left = sweep()
    for line in left:
        sys.stderr.write(f"left behind and killed: {line}\n")
    return code or (1 if left else 0)


def sweep() -> list[str]:
    """Wait a moment for orphans to end by themselves, then kill the rest; returns these."""
    deadline = time.monotonic() + GRACE_S
    while reap() and time.monotonic() < deadline:
        time.sleep(0.1)
    killed: list[str] = []
    while children := reap():
        for pid in children:
            killed.append(f"{pid} {command_line(pid)}")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
    return killed


def reap() -> list[int]:
    """Collect those that have ended; returns the children still running, orphans adopted by now."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return [int(pid) for pid in own.read_text("ascii").split()]


def command_line(pid: int) -> str:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "(gone)"
    return raw.replace(b"\0", b" ").decode("utf-8", "replace").strip()[:200]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
