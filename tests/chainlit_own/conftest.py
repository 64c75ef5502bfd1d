"""Chainlit's own data layer tests, held against our layer.

Chainlit has no suite for data layers in general; it tests each of its own. Those of its SQLAlchemy
layer fit ours best. They are not ours to keep, so each run takes them from the source distribution
of the very Chainlit that is installed (`source.py`); where no package index can be reached they are
skipped, and say so, with CI set too.

`test_sql_alchemy.py` names them all. What stands between them and our layer is `ByName`:

- ids: theirs are words ("test_thread"), ours are UUIDs; each word is given one of its own;
- owners: their threads may have none, ours always have one, as all threads have that Chainlit
  itself begins; one that they begin without is given a user;
- SQL: where they look a column of a thread up by a statement of their own, they get what
  `get_thread` says it is.

One test asks for something no other part of Chainlit knows; it is skipped with that reason.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import pytest
import pytest_asyncio
from chainlit.element import Element
from chainlit.types import ThreadDict
from chainlit.user import User

from db.connect import open_engine
from db.ids import parse_id
from db.threads import Threads
from tests.chainlit_own import source
from tests.db.chat import no_generations, session_of

OWNER = "owner_of_what_has_none"
_LOOK_UP = re.compile(r'SELECT "(\w+)" FROM threads WHERE "id" = :id')


def id_of(name: str) -> str:
    """Always the same UUID for a word that stands for an id; a UUID stays as it is."""
    return str(parse_id(name) or uuid5(NAMESPACE_URL, name))


class ByName(Threads):
    """Our layer for callers whose ids are words and whose threads need no owner."""

    async def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        if user_id is None and await self.get_thread(thread_id) is None:
            user_id = str(await self.ensure_user(OWNER))
        await super().update_thread(id_of(thread_id), name, user_id, metadata, tags)

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        return await super().get_thread(id_of(thread_id))

    async def get_thread_author(self, thread_id: str) -> str:
        return await super().get_thread_author(id_of(thread_id))

    async def delete_thread(self, thread_id: str) -> None:
        await super().delete_thread(id_of(thread_id))

    async def create_element(self, element: Element) -> None:
        element.for_id = id_of(element.for_id) if element.for_id else None
        await super().create_element(element)

    async def execute_sql(self, query: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        """A column of one thread, JSON as text, as their database keeps it."""
        asked = _LOOK_UP.fullmatch(query)
        assert asked is not None, f"this asks for more than a column of a thread: {query}"
        found = await self.get_thread(parameters["id"])
        if found is None:
            return []
        value = dict(found)[asked.group(1)]
        return [{asked.group(1): json.dumps(value) if isinstance(value, dict) else value}]


@pytest.fixture(scope="session")
def theirs() -> ModuleType:
    """Their tests, or a skip that says why they cannot be had."""
    try:
        return source.load()
    except source.Unavailable as error:
        pytest.skip(f"Chainlit's own tests: {error}")


@pytest_asyncio.fixture
async def data_layer(database_url: str) -> AsyncIterator[ByName]:
    """Our layer on a database of the test's own, as theirs have one each."""
    engine = open_engine(database_url)
    yield ByName(engine, no_generations)
    await engine.dispose()


@pytest.fixture
def test_user() -> User:
    return User(identifier="test_user_identifier", metadata={})


@pytest.fixture
def mock_chainlit_context(
    data_layer: ByName, test_user: User
) -> contextlib.AbstractAsyncContextManager[None]:
    """The session of a chat; nothing about it is mocked, only the name is theirs."""

    @contextlib.asynccontextmanager
    async def chatting() -> AsyncIterator[None]:
        with session_of(await data_layer.create_user(test_user), uuid4()):
            yield

    return chatting()
