"""Everything that is opened once and closed in reverse: database, files, clients, providers, watch,
engine.

Nothing in Kinora lives at module level; whoever needs something alive is handed this. Servers open
it, and workers, which differ in one thing: they drive generations whatever WORKER says.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from accounts.entrance import Entrance
from accounts.identity import LOCAL
from accounts.presence import Presence
from accounts.widget_entrance import WidgetEntrance
from data_folder import derived, place_of, prepare_data_dir, read_secret
from db import accounts, migrate, users
from db.connect import answers, open_engine
from db.lines import Limits, ProviderLimit
from db.storage import Storage
from db.storages import open_storage
from db.uploads import Uploads
from generations.admission import Admission
from generations.advance import drive
from generations.budgets import Budgets
from generations.chores import chores
from generations.engine import CONCURRENCY, Engine
from generations.hands import Hands
from generations.hearing import Hearing, Hooks
from generations.meters import Meters
from generations.remote import RemoteFiles, open_remote_files
from generations.watch import Watch
from own_servers import OwnServers, open_own_servers
from providers.catalogue import Catalogue, load_catalogue
from providers.configured import configured
from providers.download import open_result_clients
from providers.place import Configured
from providers.transport import open_client
from settings import Loaded

log = structlog.get_logger(__name__)

START_WAIT_S = 30.0
#: How long a check of health may take before it counts as a failure.
CHECK_S = 3.0
END_WAIT_S = 5.0
#: Drivers at once in a process that does nothing else.
WORKER_CONCURRENCY = 2000


@dataclass(slots=True, kw_only=True)
class Runtime:
    """What is alive in this process."""

    loaded: Loaded
    secret: bytes
    engine: AsyncEngine
    files: Storage
    uploads: Uploads
    watch: Watch
    jobs: Engine
    #: Whether `jobs` runs: else another process's engine drives what is accepted here.
    drives: bool
    meters: Meters
    hearing: Hearing
    admission: Admission
    #: Brings what lies at an old system still.
    remote_files: RemoteFiles
    painters: list[Configured]
    entrance: Entrance
    #: None in local mode, which has one user.
    widget: WidgetEntrance | None
    presence: Presence
    demo_url: str
    local_user_id: UUID
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    hurried: asyncio.Event = field(default_factory=asyncio.Event)
    #: Background work has ended by a mistake of ours, and nothing here brings it back.
    broken: asyncio.Event = field(default_factory=asyncio.Event)
    turns: set[asyncio.Task[Any]] = field(default_factory=set)

    def key(self, purpose: str) -> bytes:
        """A key of its own for each purpose, all derived from the one secret."""
        return derived(self.secret, purpose)

    def drain(self) -> None:
        """Begin to stop: readiness falls, streams end, long polls answer, and what is driven here
        is handed over, however long turns and submits on their way still take.
        """
        self.draining.set()
        self.watch.end_streams()
        self.jobs.stop()

    def hurry(self) -> None:
        """Stop waiting for what is still under way: somebody asked a second time."""
        self.hurried.set()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """A turn of the agent runs in this block; a stop waits for it."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a turn runs as a task")
        self.turns.add(task)
        try:
            yield
        finally:
            self.turns.discard(task)

    async def turns_ended(self, limit_s: float) -> None:
        """Wait until no turn runs, at most so long, or until somebody is in a hurry."""

        async def end() -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    # Whoever has the page open may begin another one meanwhile.
                    while self.turns:
                        await asyncio.wait(set(self.turns))

        if self.turns:
            await _first(asyncio.create_task(end()), self.hurried)

    def in_use(self) -> list[dict[str, Any]]:
        """The painters that are configured, and where; the page and the terminal say it."""
        return [
            {
                "label": painter.label,
                "demo": painter.demo,
                "source": self.loaded.named_origin(painter.setting),
            }
            for painter in self.painters
        ]

    async def check(self) -> dict[str, bool]:
        """What readiness depends on."""
        return {
            "database": await answers(self.engine, CHECK_S),
            "listening": self.watch.listening.is_set(),
            **({"engine": self.jobs.alive.is_set()} if self.drives else {}),
            "accepting": not self.draining.is_set(),
        }


@contextlib.asynccontextmanager
async def open_runtime(loaded: Loaded, *, is_worker: bool = False) -> AsyncIterator[Runtime]:
    """Open everything; what was opened is closed in reverse, whatever happens.

    `is_worker`: generations are driven here, and many of them, whatever WORKER says.

    Raises: ServerUnavailable, ModelsFileError, or the database's own errors.
    """
    async with AsyncExitStack() as stack:
        data_dir = await asyncio.to_thread(prepare_data_dir, loaded)
        catalogue = load_catalogue(loaded.settings.models_file)
        servers = await open_own_servers(stack, loaded, data_dir)
        engine, direct_url = await _open_database(stack, loaded, servers)
        files = await stack.enter_async_context(open_storage(place_of(loaded, data_dir)))
        await files.clear_scratch()
        client = await stack.enter_async_context(open_client())
        presence, meters = Presence(engine), Meters()
        secret = read_secret(loaded, data_dir)
        remote_files = await stack.enter_async_context(
            open_remote_files(engine, files, loaded.settings.import_origins)
        )
        painters = _open_painters(stack, loaded, servers.demo_url, client)
        hands = Hands(
            engine=engine,
            watch=Watch(engine, direct_url, {accounts.CHANNEL: presence.hear}, meters.reconnected),
            files=files,
            catalogue=catalogue,
            providers={painter.provider.name: painter.provider for painter in painters},
            results=await stack.enter_async_context(open_result_clients()),
            remote_files=remote_files,
            hooks=Hooks(public_url=loaded.settings.public_url, key=derived(secret, "webhooks")),
            limits=_limits(loaded, catalogue),
            meters=meters,
        )
        async with engine.begin() as connection:
            local_user_id = await users.ensure(connection, LOCAL)
        is_local = loaded.settings.auth_mode == "local"
        runtime = Runtime(
            loaded=loaded,
            secret=secret,
            entrance=Entrance(engine, secret, local_user_id if is_local else None),
            widget=None if is_local else WidgetEntrance(engine, derived(secret, "widget"), secret),
            presence=presence,
            engine=engine,
            files=files,
            uploads=Uploads(engine, files),
            watch=hands.watch,
            jobs=_open_jobs(hands, direct_url, is_worker=is_worker),
            drives=is_worker or loaded.settings.worker == "on",
            meters=meters,
            hearing=Hearing(engine, hands.hooks, hands.providers),
            admission=Admission(engine, catalogue, frozenset(hands.providers), _budgets(loaded)),
            remote_files=remote_files,
            painters=painters,
            demo_url=servers.demo_url,
            local_user_id=local_user_id,
        )
        async with _at_work(runtime, servers):
            yield runtime


async def _open_database(
    stack: AsyncExitStack, loaded: Loaded, servers: OwnServers
) -> tuple[AsyncEngine, str]:
    """The pool on a migrated database, and the address for LISTEN and locks."""
    direct = loaded.settings.database_listen_url
    direct_url = direct.get_secret_value() if direct else servers.database_url
    await asyncio.to_thread(migrate.migrate, direct_url)
    engine = open_engine(servers.database_url, pooled_elsewhere=direct is not None)
    stack.push_async_callback(engine.dispose)
    return engine, direct_url


def _open_painters(
    stack: AsyncExitStack, loaded: Loaded, demo_url: str, client: httpx.AsyncClient
) -> list[Configured]:
    """The painters, and the end of whatever one of them opens for itself alone."""
    painters = configured(loaded.settings, demo_url, client)
    for painter in painters:
        if painter.aclose is not None:
            stack.push_async_callback(painter.aclose)
    return painters


def _open_jobs(hands: Hands, direct_url: str, *, is_worker: bool) -> Engine:
    """The engine, which calls the drivers."""
    return Engine(
        hands.engine,
        direct_url,
        hands.meters.counting(partial(drive, hands)),
        chores(hands.limits),
        WORKER_CONCURRENCY if is_worker else CONCURRENCY,
    )


def _limits(loaded: Loaded, catalogue: Catalogue) -> Limits:
    bounds = {
        name: ProviderLimit(at_once=one.at_once, submits=one.submits, per_s=one.per_s)
        for name, one in catalogue.bounds.items()
    }
    return Limits(per_user=loaded.settings.max_in_flight_per_user, providers=bounds)


def _budgets(loaded: Loaded) -> Budgets:
    settings = loaded.settings
    return Budgets(
        per_user_usd=settings.budget_usd_per_user_per_day, per_day_usd=settings.budget_usd_per_day
    )


@contextlib.asynccontextmanager
async def _at_work(runtime: Runtime, servers: OwnServers) -> AsyncIterator[None]:
    """Watch and engine run for as long as the block does; the engine stops first and hands over."""
    if not runtime.drives:
        runtime.jobs.stop()  # Before it runs, so that it opens nothing.
    works = {
        "engine": runtime.jobs.run(),
        "watch": runtime.watch.run(),
        "keeper": servers.keep_up(runtime.watch.listening),
        "doorkeeper": runtime.presence.run(),
        "lag": runtime.meters.measure_lag(),
    }
    tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
    for task in tasks:
        task.add_done_callback(partial(_say_if_dead, runtime))
    try:
        async with asyncio.timeout(START_WAIT_S):
            await runtime.watch.listening.wait()
            if runtime.drives:
                await runtime.jobs.alive.wait()
        yield
    finally:
        runtime.drain()
        await _first(tasks[0], runtime.hurried)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=END_WAIT_S)


async def _first(task: asyncio.Task[Any], hurried: asyncio.Event) -> None:
    """Wait for the task, or for the hurry."""
    hurry = asyncio.create_task(hurried.wait())
    await asyncio.wait({task, hurry}, return_when=asyncio.FIRST_COMPLETED)
    hurry.cancel()


def _say_if_dead(runtime: Runtime, task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        runtime.broken.set()
        log.critical("background work ended", task=task.get_name(), exc_info=error)
