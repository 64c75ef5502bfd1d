"""`python -m emulators`: the demo provider as a process of its own."""

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from emulators.app import create_app
from emulators.broken_answers import TRANSPORT

DEFAULT_PORT = 8790
BACKLOG = 2048
LEAVE_WITHIN_S = 1  # open streams and long polls are cut after this at the end


class StartError(Exception):
    """The provider cannot start; the message is one line for the person who started it."""


class Server(uvicorn.Server):
    """uvicorn, but a signal that asks it to stop ends the process with exit code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT; a second one ends open requests at once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, signal.SIGINT, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def protocol_with_transport(**arguments: Any) -> asyncio.Protocol:
    """Make uvicorn's protocol leave its connection in the scope, so that a fault can cut it."""
    protocol = cast("Callable[..., Any]", AutoHTTPProtocol)(**arguments)
    app = protocol.app

    async def app_with_transport(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[TRANSPORT] = protocol.transport
        await app(scope, receive, send)

    protocol.app = app_with_transport
    return cast("asyncio.Protocol", protocol)


def default_data_dir(port: int) -> Path:
    """Return the folder of this user and port under the system's temporary one."""
    return Path(tempfile.gettempdir()) / f"kinora-demo-{os.getuid()}-{port}"


def prepare_data_dir(path: Path, is_guessable: bool) -> None:
    """Make the folder, for us alone. Raises StartError.

    Under the temporary folder anybody may have been first, so a guessable one must be our own.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
        if is_guessable and not (stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()):
            raise StartError(f"{path} is not a folder of this user; name another by --data-dir")
        path.chmod(0o700)
    except OSError as error:
        raise StartError(f"cannot use the folder {path}: {error.strerror}") from error


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Be the only provider on a folder; the lock dies with the process, however it dies."""
    with (data_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(f"another demo provider works in {data_dir}") from error
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises StartError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise StartError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def serve(host: str, port: int, data_dir: Path | None) -> None:
    """Run until a signal asks to stop. Raises StartError."""
    with listen(host, port) as listener:
        port = listener.getsockname()[1]
        is_guessable = data_dir is None
        data_dir = (data_dir or default_data_dir(port)).absolute()
        prepare_data_dir(data_dir, is_guessable)
        with only_one(data_dir):
            shown = f"[{host}]" if ":" in host else host
            sys.stdout.write(f"Kinora demo provider at http://{shown}:{port}, data in {data_dir}\n")
            sys.stdout.flush()
            config = uvicorn.Config(
                create_app(data_dir),
                http=cast("type[asyncio.Protocol]", protocol_with_transport),
                ws="wsproto",
                log_level=logging.WARNING,
                access_log=False,
                timeout_graceful_shutdown=LEAVE_WITHIN_S,
            )
            Server(config).run(sockets=[listener])


def main() -> int:
    """Read the command line, serve, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m emulators",
        description="A chat model and painters for trying Kinora without keys.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument(
        "--data-dir", type=Path, help="default: a temporary folder per user and port"
    )
    arguments = parser.parse_args()
    try:
        serve(arguments.host, arguments.port, arguments.data_dir)
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
