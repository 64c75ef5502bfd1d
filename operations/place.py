"""The database as an operator's command reaches it: configured, or the embedded one for as long as
the command runs; migrated, since a first account may be made before the first start.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncEngine

from data_folder import prepare_data_dir
from db import migrate
from db.connect import open_engine
from db.embedded import EmbeddedPostgres
from settings import Loaded


@contextlib.asynccontextmanager
async def open_database(loaded: Loaded) -> AsyncIterator[AsyncEngine]:
    """The pool, closed at the end; the embedded Postgres is started, or joined, and left."""
    configured = loaded.settings.database_url
    postgres = None if configured else EmbeddedPostgres(prepare_data_dir(loaded))
    try:
        if configured is not None:
            url = configured.get_secret_value()
        else:
            url = await asyncio.to_thread(postgres.enter) if postgres else ""
        direct = loaded.settings.database_listen_url
        direct_url = direct.get_secret_value() if direct else url
        await asyncio.to_thread(migrate.migrate, direct_url)
        engine = open_engine(url, pooled_elsewhere=direct is not None)
        try:
            yield engine
        finally:
            await engine.dispose()
    finally:
        if postgres is not None:
            await asyncio.to_thread(postgres.leave)
