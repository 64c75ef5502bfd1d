"""The demo provider's process: `python -m emulators`, one for each data folder, shared by all our
processes.

It is a provider like any other, so it must outlive our death: its jobs and its ledger are its own,
its port stays the same. It gets a session of its own, so that a Ctrl-C meant for us does not reach
it before we have let go of it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from settings import ROOT, child_environment
from shared_process import ServerUnavailable, Shared

HOST = "127.0.0.1"
START_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0
ANSWER_S = 2.0
POLL_S = 0.03


class DemoProvider:
    """One process's use of the demo provider of a folder; all calls block."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._server = _Emulators(folder)
        self._shared = Shared(folder, self._server)

    def enter(self) -> str:
        """Start it or join it, and give its address, without /v1 or /v2.

        Raises: ServerUnavailable.
        """
        self._shared.enter()
        return self._server.url()

    def leave(self) -> None:
        """Stop using it; the last one to leave stops it. Raises: ServerUnavailable."""
        self._shared.leave()


class _Emulators:
    """The process of one folder, as `Shared` wants it; its port is written down beside its
    state.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port_file = folder / "port"
        self._child: subprocess.Popen[bytes] | None = None

    def url(self) -> str:
        return f"http://{HOST}:{self._port_file.read_text('ascii').strip()}"

    def is_up(self) -> bool:
        return self._pid() is not None

    def boot(self) -> None:
        port = self._choose_port()
        self._port_file.write_text(str(port), encoding="ascii")
        arguments = ["--host", HOST, "--port", str(port), "--data-dir", str(self._folder / "state")]
        with (self._folder / "log").open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "emulators", *arguments],
                cwd=ROOT,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + START_LIMIT_S
        while not self.is_up():
            if self._child.poll() is not None or time.monotonic() > until:
                raise ServerUnavailable(
                    f"The demo provider did not start; see {self._folder / 'log'}."
                )
            time.sleep(POLL_S)

    def stop(self) -> None:
        pid = self._pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + STOP_LIMIT_S
        while self._is_running(pid):
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
                return
            time.sleep(POLL_S)

    def _is_running(self, pid: int) -> bool:
        if self._child is not None and self._child.pid == pid:
            return self._child.poll() is None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return self._pid() == pid

    def _pid(self) -> int | None:
        """The process that answers at our port with our folder; anything else there is not ours."""
        try:
            # Asked every other second: reading certificates, for plain http, would take 30 ms.
            answer = httpx.get(
                f"{self.url()}/healthz", timeout=ANSWER_S, trust_env=False, verify=False
            )
            said = answer.json()
            ours = Path(said["data_dir"]) == (self._folder / "state").absolute()
            return int(said["pid"]) if ours else None
        except (OSError, httpx.HTTPError, json.JSONDecodeError, KeyError, TypeError, ValueError):
            return None

    def _choose_port(self) -> int:
        """The port of last time if it is free, so that addresses in old answers stay true; else a
        new one.
        """
        known = self._port_file.read_text("ascii").strip() if self._port_file.exists() else ""
        for port in (int(known) if known.isdecimal() else 0, 0):
            try:
                with socket.create_server((HOST, port)) as trial:
                    return int(trial.getsockname()[1])
            except OSError:
                continue
        raise ServerUnavailable("There is no free port for the demo provider.")
