"""The front of the house: one ASGI app under uvicorn. Guard first, then our routes, then Chainlit
mounted at `/`.

Read it from `main` upwards. Chainlit's own command is not used to serve: it patches asyncio in the
whole process and ends it without clean-up. Mounted, its lifespan does not run, so ours opens and
closes everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from types import FrameType

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from settings import ROOT, Loaded, Settings, SettingsError, give_chainlit_its_secret, load

# isort: split
# Only now: Chainlit reads where its folder is when it is imported, and `settings` says so.
from chainlit.auth import create_jwt, ensure_jwt_secret, set_auth_cookie
from chainlit.config import FILES_DIRECTORY, config, load_module
from chainlit.data import get_data_layer
from chainlit.server import app as chainlit
from chainlit.server import build_dir, copilot_build_dir, get_html_template, sio
from chainlit.user import User

import api
from accounts.identity import LOCAL
from agent.chat_model import ChatModel, open_chat_model
from api import framework
from api.access import Access
from api.caller import runtime_of, visitor_of
from api.front import WILDCARDS, front_of
from api.guard import Guard
from api.heads import BoundedHeads
from api.page import PublicFiles, bundle_routes, page_routes
from api.problems import install
from command import leave, one_line_errors
from data_folder import prepare_data_dir, read_secret
from logs import configure_logging
from runtime import Runtime, open_runtime

log = structlog.get_logger(__name__)

CHAT = ROOT / "chainlit_app.py"
#: A running turn of the agent may take so long to come to its end when the server stops.
TURN_GRACE_S = 150.0
#: Whoever sends people here by `/readyz` asks it each second or two.
NOTICE_S = 2.0
#: One message on the socket; the framework's own limit is the same and would leave a trace.
SOCKET_MESSAGE_BYTES_MAX = 1_000_000
#: A session's files are ours by then (uploads) or can be made again (props).
SESSION_KEPT_S = 24 * 3600.0


class Server(uvicorn.Server):
    """uvicorn that ends with exit code 0, and lets running turns finish first."""

    def __init__(self, settings: uvicorn.Config, runtime: Runtime, chat: ChatModel) -> None:
        super().__init__(settings)
        self._runtime, self._chat = runtime, chat

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM without passing them on at the end, which would make the exit
        code 143.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; at the second signal stop waiting."""
        if self.should_exit:
            self.force_exit = True
            self._runtime.hurry()
        self.should_exit = True
        # Not left to the loop's next look: the sooner others know, the sooner they take over.
        self._runtime.drain()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Open the socket, and only then say so."""
        await super().startup(sockets)
        if self.started:
            accounts = await self._runtime.entrance.count_accounts()
            say_what_is_in_use(self._runtime, self._chat, accounts)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Drain, wait for running turns, then close the listener and the connections: until then
        balancers read from `/readyz` that we stop, and where there may be one it is given the time
        to ask.
        """
        self._runtime.drain()
        notice = asyncio.create_task(self._be_noticed())
        await self._runtime.turns_ended(TURN_GRACE_S)
        await notice
        await super().shutdown(sockets)

    async def _be_noticed(self) -> None:
        settings = self._runtime.loaded.settings
        if settings.auth_mode != "local" and settings.public_url is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._runtime.hurried.wait(), NOTICE_S)


def create_app(runtime: Runtime, chat: ChatModel) -> FastAPI:
    """The whole app around what is alive; `chainlit`'s own app carries the same for its hooks."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, title="Kinora")
    for state in (app.state, chainlit.state):
        state.runtime, state.chat = runtime, chat
    # Its routes read the database, too, and its page reads what they answer.
    for door in (app, chainlit):
        install(door)
    # First, since what else the framework offers there is kept from everybody.
    app.include_router(bundle_routes(Path(build_dir) / "assets", Path(copilot_build_dir)))
    app.include_router(api.routes())
    settings = runtime.loaded.settings
    app.include_router(page_routes(get_html_template(""), enter, settings.allowed_origins))
    app.mount("/public", PublicFiles(directory=ROOT / "public"))
    app.mount("/", framework.Fence(chainlit, is_local=settings.auth_mode == "local"))
    return app


async def enter(request: Request, response: Response) -> Response:
    """Local mode has one user, so whoever opens the page is logged in as that one; else there is a
    page to log in.
    """
    runtime = runtime_of(request)
    if runtime.entrance.local is not None:
        set_auth_cookie(request, response, create_jwt(User(identifier=LOCAL)))
        return response
    is_login, known = request.url.path.startswith("/login"), visitor_of(request)
    if known is None and not is_login:
        return RedirectResponse("/login", status_code=303, headers={"Cache-Control": "no-store"})
    if known is not None and is_login:
        return RedirectResponse("/", status_code=303, headers={"Cache-Control": "no-store"})
    return response


async def close_data_layer() -> None:
    """Chainlit closes its data layer in a lifespan that does not run here."""
    layer = get_data_layer()
    if layer is not None:
        await layer.close()


def say_what_is_in_use(runtime: Runtime, chat: ChatModel, accounts: tuple[int, int] | None) -> None:
    """Nobody's key starts to spend by surprise: the terminal names what is used and who configured
    it, and who may enter; `accounts`: those that can log in, and those without a password; None in
    local mode, which has none.
    """
    lines = [
        "",
        f"  Kinora is ready:  {_address(runtime.loaded.settings)}",
        *(() if accounts is None else (f"  who may enter:    {_who(*accounts)}",)),
        f"  chat model:       {chat.label} ({chat.source})",
        *(f"  painter:          {p['label']} ({p['source']})" for p in runtime.in_use()),
        *(() if runtime.drives else (f"  worker:           {_elsewhere(runtime.loaded)}",)),
        *(f"  not used:         {name} (a later version's)" for name in runtime.loaded.ignored),
        "",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _address(settings: Settings) -> str:
    """Where a person at this machine finds us; a wildcard is no address."""
    host = "127.0.0.1" if settings.host in WILDCARDS else settings.host
    here = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    if settings.auth_mode == "local" or settings.public_url is None:
        return here
    return f"{settings.public_url} ({here} on this machine)"


def _elsewhere(loaded: Loaded) -> str:
    said = f"none here (WORKER=off, {loaded.origin('worker')})"
    return f"{said}; nothing is painted unless one runs: make worker"


def _who(accounts: int, without_password: int) -> str:
    door = ".venv/bin/python manage.py users"
    some = f"{accounts} account" + ("" if accounts == 1 else "s") if accounts else "nobody yet"
    if without_password:
        return f"{some}; {without_password} without a password, give one: {door} password EMAIL"
    return some if accounts else f"{some}; make an account: {door} add EMAIL --admin"


def load_chat(settings: Settings) -> None:
    """Load the chat's hooks the way Chainlit's own command does, and set what its file cannot
    know.
    """
    clear_old_sessions(folder_of_sessions(settings))
    # Our guard stands in front of everything; the chat's file would put one before Chainlit alone.
    chainlit.state.guarded = True
    framework.install(chainlit)
    config.run.module_name = str(CHAT)
    load_module(config.run.module_name)
    ensure_jwt_secret()
    origins = [f"http://{host}:{settings.port}" for host in ("127.0.0.1", "localhost", "[::1]")]
    config.project.allow_origins = origins
    # The guard in front has compared Origin and Host already, whatever port a tunnel shows.
    sio.eio.cors_allowed_origins = []


def folder_of_sessions(settings: Settings) -> Path:
    """A folder of this server's own, among those on one machine: a session's id goes with its page
    to another server, and the one that it left removes what it kept of it.
    """
    folder = FILES_DIRECTORY / str(settings.port)
    folder.mkdir(exist_ok=True)
    # The package has an object of the same name in the module's place.
    importlib.import_module("chainlit.config").FILES_DIRECTORY = folder  # type: ignore[attr-defined]
    return folder


def clear_old_sessions(folder: Path) -> None:
    """Chainlit never removes what it keeps of a session: originals of photos, props of cards."""
    for session in folder.iterdir() if folder.is_dir() else ():
        if time.time() - session.stat().st_mtime > SESSION_KEPT_S:
            shutil.rmtree(session, ignore_errors=True)


def listen(settings: Settings) -> socket:
    """Take the address first: an installation that cannot be reached should not start to work.

    Raises:
        SettingsError: somebody has it, or it is none of this machine's.
    """
    family = AF_INET6 if ":" in settings.host else AF_INET
    try:
        return create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise SettingsError(f"cannot listen on {where}: {error.strerror}; set PORT") from error


async def serve(loaded: Loaded) -> None:
    """Open everything, serve until a signal comes, close everything."""
    with listen(loaded.settings) as listener:
        await serve_on(listener, loaded)


async def serve_on(listener: socket, loaded: Loaded) -> None:
    """Open everything around a socket that is ours already."""
    async with open_runtime(loaded) as runtime:
        chat = open_chat_model(loaded, runtime.demo_url)
        server = Server(
            uvicorn.Config(
                Guard(
                    Access(create_app(runtime, chat), lambda: runtime), front_of(loaded.settings)
                ),
                http=BoundedHeads,
                # Whose address it is counts for the throttle: a proxy on this machine is believed.
                proxy_headers=True,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=2,
                ws_per_message_deflate=False,
                ws_max_size=SOCKET_MESSAGE_BYTES_MAX,
            ),
            runtime,
            chat,
        )
        try:
            await server.serve(sockets=[listener])
        finally:
            await close_data_layer()
            await chat.close()


def main() -> None:
    """Read the settings, load the chat, serve."""
    with one_line_errors():
        loaded = load()
        configure_logging(loaded.settings.log_format)
        give_chainlit_its_secret(read_secret(loaded, prepare_data_dir(loaded)).decode())
        load_chat(loaded.settings)
        uvloop.run(serve(loaded))
        leave()


if __name__ == "__main__":
    main()
