"""How we reach Postgres: one pool for everything short, and connections of their own for LISTEN and
locks.

Both speak asyncpg, which understands the whole libpq address (sockets, sslmode and friends), so an
address goes through untouched instead of being taken apart by SQLAlchemy.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

POOL_SIZE = 16
POOL_OVERFLOW = 0
POOL_WAIT_S = 10.0
CONNECT_S = 10.0
COMMAND_S = 30.0
#: A connection that was used so lately need not be asked whether it lives: had its server gone,
#: the closed socket would be known here. Only a peer that vanished without a word is not.
FRESH_S = 5.0
#: A peer that vanished without a word is given up after about 20 s, so that its locks come free.
_KEEPALIVE = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

#: What says that the database is away, or was while we asked.
DATABASE_ERRORS = (
    *(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError),
    # No connection of the pool came free in time.
    PoolTimeout,
)


def _prepared_statement_name() -> str:
    return f"__kinora_{uuid4().hex}__"


def open_engine(url: str, *, pooled_elsewhere: bool = False) -> AsyncEngine:
    """Open the application's pool on `postgresql://...`.

    `pooled_elsewhere`: the address leads through a transaction pooler, so prepared statements get
    names of their own and are not cached.
    """

    async def connect(**options: Any) -> asyncpg.Connection:
        try:
            return await asyncpg.connect(
                url, timeout=CONNECT_S, command_timeout=COMMAND_S, **options
            )
        except OSError as error:
            # A stopped server's socket is a file that is not found: nobody's file is meant by that.
            raise ConnectionError(f"nobody answers at the database's address: {error}") from error

    arguments: dict[str, Any] = {}
    if pooled_elsewhere:
        arguments = {
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": _prepared_statement_name,
            "statement_cache_size": 0,
        }
    engine = create_async_engine(
        "postgresql+asyncpg://",
        connect_args={"async_creator_fn": connect, **arguments},
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_WAIT_S,
        hide_parameters=True,
        json_serializer=lambda value: json.dumps(value, ensure_ascii=False),
    )
    event.listen(engine.sync_engine, "checkin", _note_use)
    event.listen(engine.sync_engine, "checkout", _find_dead)
    return engine


def _note_use(connection: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _find_dead(connection: Any, record: Any, proxy: Any) -> None:
    """Have the pool open another connection instead of one whose server is gone, such as after a
    restart of Postgres; asking each time would be most round trips of all.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError("its server has closed this connection")
    if time.monotonic() - record.info.get("used_at", time.monotonic()) > FRESH_S:
        try:
            connection.ping()
        except (*DATABASE_ERRORS, AsyncAdapt_asyncpg_dbapi.Error) as error:
            raise DisconnectionError("nobody answers on this connection") from error


def at_once(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for what is one statement: it needs no transaction around it."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


async def answers(engine: AsyncEngine, within_s: float) -> bool:
    """Whether the database answers at all, and soon."""
    try:
        async with asyncio.timeout(within_s), engine.connect() as connection:
            await connection.execute(text("select 1"))
    except (*DATABASE_ERRORS, TimeoutError):
        return False
    return True


async def open_connection(
    url: str, *, on_lost: Callable[[], None] | None = None
) -> asyncpg.Connection:
    """Open one connection outside the pool, for LISTEN or session locks; `on_lost` is called when
    it ends.
    """
    connection = await asyncpg.connect(
        url, timeout=CONNECT_S, command_timeout=COMMAND_S, server_settings=_KEEPALIVE
    )
    if on_lost is not None:
        connection.add_termination_listener(lambda _: on_lost())
    return connection


async def close_connection(connection: asyncpg.Connection | None) -> None:
    """Close a connection of its own, whatever state it is in, within two seconds."""
    if connection is None or connection.is_closed():
        return
    try:
        async with asyncio.timeout(2):
            await connection.close()
    except (TimeoutError, OSError, asyncpg.PostgresError):
        connection.terminate()
