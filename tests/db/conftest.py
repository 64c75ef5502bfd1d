"""One migrated database for the tests of this folder, which bring users of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import psycopg
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from db.connect import open_engine


@pytest_asyncio.fixture(scope="session")
async def engine(postgres: Callable[[str], str]) -> AsyncIterator[AsyncEngine]:
    """A migrated database for all tests of this folder that bring users of their own."""
    with psycopg.connect(postgres("kinora"), autocommit=True) as connection:
        connection.execute("create database db_tests template kinora_template")
    opened = open_engine(postgres("db_tests"))
    yield opened
    await opened.dispose()
