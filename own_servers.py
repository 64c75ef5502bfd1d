"""The servers that come with us, for whoever has configured none: the embedded Postgres and the
demo provider.

All processes on one data folder share them: the first starts them, the last stops them, and whoever
finds one killed brings it back.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog

from db.embedded import EmbeddedPostgres
from demo import DemoProvider
from settings import Loaded
from shared_process import ServerUnavailable

log = structlog.get_logger(__name__)

KEEP_UP_EVERY_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnServers:
    """Where the servers answer, ours or configured, and those that we have started or joined."""

    database_url: str
    demo_url: str
    postgres: EmbeddedPostgres | None
    demo: DemoProvider | None

    async def keep_up(self, database_answers: asyncio.Event) -> None:
        """Bring back, again and again, a server of ours that was killed under us."""
        while True:
            await asyncio.sleep(KEEP_UP_EVERY_S)
            try:
                if self.postgres is not None and not database_answers.is_set():
                    await asyncio.to_thread(self.postgres.enter)
                if self.demo is not None:
                    url = await asyncio.to_thread(self.demo.enter)
                    if url != self.demo_url:
                        log.error("demo provider moved; restart Kinora to follow it", url=url)
            except (ServerUnavailable, OSError) as error:
                log.warning("server not brought back", reason=str(error))


async def open_own_servers(stack: AsyncExitStack, loaded: Loaded, data_dir: Path) -> OwnServers:
    """Start or join the two side by side, since each takes most of a second; `stack` leaves them.

    Raises: ServerUnavailable.
    """
    settings = loaded.settings
    postgres = EmbeddedPostgres(data_dir) if settings.database_url is None else None
    demo = DemoProvider(data_dir / "demo") if settings.demo_base_url is None else None
    urls = await asyncio.gather(
        *(_enter(stack, server) for server in (postgres, demo)), return_exceptions=True
    )
    for url in urls:
        if isinstance(url, BaseException):
            raise url
    configured_url = settings.database_url
    return OwnServers(
        database_url=configured_url.get_secret_value() if configured_url else str(urls[0]),
        demo_url=settings.demo_base_url or str(urls[1]),
        postgres=postgres,
        demo=demo,
    )


async def _enter(stack: AsyncExitStack, server: EmbeddedPostgres | DemoProvider | None) -> str:
    if server is None:
        return ""
    url = await asyncio.to_thread(server.enter)
    stack.push_async_callback(asyncio.to_thread, server.leave)
    return url
