"""Chainlit's data layer, ours: each write is one transaction, and raises when it fails.

Chainlit fires its writes off without waiting and without order. Two things answer that: statements
that may come in any order (`thread_writes`), and a line per thread (`write_queue`), so that of two
writes of one step the one asked for last stays. Whose a write is comes from the session it is asked
for in, never from what is written. What was deleted stays deleted: a write that comes late is
dropped without a fuss, since nobody waits for Chainlit's.

Chainlit reads a thread two or three times when it is reopened; that is one short statement each,
so nothing is cached that could go stale.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

import structlog
from chainlit.context import ChainlitContextException, get_context
from chainlit.data.base import BaseDataLayer
from chainlit.data.utils import queue_until_user_message
from chainlit.element import Element, ElementDict
from chainlit.step import StepDict
from chainlit.types import (
    Feedback,
    PageInfo,
    PaginatedResponse,
    Pagination,
    ThreadDict,
    ThreadFilter,
)
from chainlit.user import PersistedUser, User
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import thread_deletes, thread_reads, thread_writes, users
from db.ids import parse_id
from db.thread_rows import (
    card_generation,
    element_values,
    known_id,
    media_asset,
    stamp,
    step_values,
    storable,
    title,
)
from db.threads_of import Deleted, Refused
from db.write_queue import WriteQueue

__all__ = ["Refused", "Threads"]

CLOSE_WAIT_S = 5.0

_P = ParamSpec("_P")
_T = TypeVar("_T")
_log = structlog.get_logger()


def _after_first_message(
    method: Callable[_P, Coroutine[Any, Any, _T]],
) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """Hold the write back until the person says something: a page view leaves no thread behind."""
    hold: Callable[..., Any] = queue_until_user_message()
    return cast(Callable[_P, Coroutine[Any, Any, _T]], hold(method))


class Threads(BaseDataLayer):
    """Users, threads, steps, elements and feedback of the chat.

    `delete_generations` is called with a thread's id inside the transaction that deletes it.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        delete_generations: Callable[[AsyncConnection, UUID], Awaitable[None]],
    ) -> None:
        self.engine = engine
        self.delete_generations = delete_generations
        self.writes = WriteQueue(engine)

    async def ensure_user(self, identifier: str) -> UUID:
        """The id of the user who is called so, made when there is none; needs no session."""
        async with self.engine.begin() as connection:
            return await users.ensure(connection, storable(identifier))

    async def get_user(self, identifier: str) -> PersistedUser | None:
        async with self.engine.connect() as connection:
            found = await thread_reads.user(connection, storable(identifier))
        return _user(found) if found else None

    async def create_user(self, user: User) -> PersistedUser:
        query = thread_writes.upsert_user(storable(user.identifier), storable(user.metadata))
        async with self.engine.begin() as connection:
            return _user((await connection.execute(query)).mappings().one())

    async def _asker(self) -> UUID | None:
        """The user of the session this is asked for in; None outside any."""
        try:
            user = get_context().session.user
        except ChainlitContextException:
            return None
        if user is None:
            return None
        known = parse_id(user.id) if isinstance(user, PersistedUser) else None
        return known or await self.ensure_user(user.identifier)

    async def _writer(self) -> UUID:
        asker = await self._asker()
        if asker is None:
            raise Refused("nobody is signed in, so nothing can be written")
        return asker

    async def _write(
        self, thread_id: UUID, thing_id: UUID, writer: UUID, write: thread_writes.Write
    ) -> None:
        async with self.writes.transaction(thread_id) as connection:
            if (await connection.execute(*write)).first() is not None:
                return
            if await thread_deletes.was_deleted(connection, writer, thread_id, thing_id):
                raise Deleted("this was deleted, or its thread was")
            raise Refused("this names something that is not the writer's")

    async def close(self) -> None:
        """Wait for the writes on their way; the engine is closed by who opened it."""
        late = await self.writes.drained(CLOSE_WAIT_S)
        if late:
            _log.warning("writes of the chat did not end in time", count=late)

    async def build_debug_url(self) -> str:
        return ""

    async def get_thread_author(self, thread_id: str) -> str:
        known = parse_id(thread_id)
        if known is None:
            return ""
        async with self.engine.connect() as connection:
            return await thread_reads.author(connection, known) or ""

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """The thread with its steps and elements; outside a session the caller sees to who may."""
        known, asker = parse_id(thread_id), await self._asker()
        if known is None:
            return None
        async with self.engine.connect() as connection:
            found = await thread_reads.whole_thread(connection, known, asker)
        return cast(ThreadDict | None, found)

    async def list_threads(
        self, pagination: Pagination, filters: ThreadFilter
    ) -> PaginatedResponse[ThreadDict]:
        async with self.engine.connect() as connection:
            page = await thread_reads.page(
                connection,
                known_id(filters.userId, "user"),
                limit=pagination.first,
                cursor=pagination.cursor,
                words=storable(filters.search),
                feedback=filters.feedback,
            )
        return PaginatedResponse(
            pageInfo=PageInfo(page.has_next, page.first, page.last),
            data=cast(list[ThreadDict], page.threads),
        )

    async def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        """Begin a thread when a user is named, else change one that is there.

        Each session that ends writes its state into its thread: one that was deleted meanwhile must
        not come back by that.
        """
        known, asker = known_id(thread_id, "thread"), await self._asker()
        given = (title(name), storable(metadata or {}), storable(tags))
        if user_id is None:
            async with self.writes.transaction(known) as connection:
                await connection.execute(thread_writes.update_thread(known, asker, *given))
            return
        owner = known_id(user_id, "user")
        if asker not in (None, owner):
            raise Refused("a thread is begun by its own user")
        query = thread_writes.upsert_thread(known, owner, *given)
        with _dropped_if_late():
            await self._write(known, known, owner, query)

    async def delete_thread(self, thread_id: str) -> None:
        """Delete a thread with all it holds; outside a session the caller sees to who may."""
        known, asker = known_id(thread_id, "thread"), await self._asker()
        async with self.writes.transaction(known) as connection:
            await thread_deletes.delete_thread(connection, known, asker, self.delete_generations)

    async def keep_step(self, step: StepDict) -> None:
        """Write a new step for somebody who must know whether it is kept.

        Raises:
            Deleted: it, or its thread, was deleted.
            Refused: it, or its thread, is somebody else's.
        """
        begun = self.writes.begun.get(known_id(step.get("id"), "step"))
        # Chainlit writes each message by itself, and tells nobody how that went.
        await (asyncio.shield(begun) if begun else self._write_step(step))

    async def _write_step(self, step: StepDict) -> None:
        thread_id = known_id(step.get("threadId"), "step's thread")
        values = step_values(step)
        name = title(values.get("output")) if values.get("type") == "user_message" else None
        step_id, writer = known_id(step.get("id"), "step"), await self._writer()
        query = thread_writes.upsert_step(step_id, thread_id, writer, values, name)
        await self._write(thread_id, step_id, writer, query)

    @_after_first_message
    async def create_step(self, step_dict: StepDict) -> None:
        with _dropped_if_late(), self.writes.beginning(known_id(step_dict.get("id"), "step")):
            await self._write_step(step_dict)

    @_after_first_message
    async def update_step(self, step_dict: StepDict) -> None:
        with _dropped_if_late():
            await self._write_step(step_dict)

    @_after_first_message
    async def delete_step(self, step_id: str) -> None:
        known, where, writer = known_id(step_id, "step"), _current_thread(), await self._writer()
        async with self.writes.transaction(where) as connection:
            await thread_deletes.delete_step(connection, known, where, writer)

    async def get_favorite_steps(self, user_id: str) -> list[StepDict]:
        async with self.engine.connect() as connection:
            found = await thread_reads.favorite_steps(connection, known_id(user_id, "user"))
        return cast(list[StepDict], found)

    @_after_first_message
    async def create_element(self, element: Element) -> None:
        """Store what an element says, never its bytes: an upload is an asset, which `url` names."""
        said = element.to_dict()
        thread_id = known_id(element.thread_id, "element's thread")
        element_id, writer = known_id(element.id, "element"), await self._writer()
        asset_id = media_asset(element.url)
        query = thread_writes.upsert_element(
            element_id,
            thread_id,
            writer,
            element_values(said),
            generation_id=card_generation(said),
            asset_id=asset_id,
        )
        with _dropped_if_late():
            try:
                await self._write(thread_id, element_id, writer, query)
            except Deleted:
                async with self.writes.transaction(thread_id) as connection:
                    await thread_deletes.let_go_of(connection, writer, asset_id)
                raise

    async def get_element(self, thread_id: str, element_id: str) -> ElementDict | None:
        known, wanted = parse_id(thread_id), parse_id(element_id)
        if known is None or wanted is None:
            return None
        async with self.engine.connect() as connection:
            found = await thread_reads.one_element(connection, known, wanted)
        return cast(ElementDict | None, found)

    @_after_first_message
    async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:
        known, writer = known_id(element_id, "element"), await self._writer()
        where = parse_id(thread_id) or _current_thread()
        async with self.writes.transaction(where) as connection:
            await thread_deletes.delete_element(connection, known, where, writer)

    async def upsert_feedback(self, feedback: Feedback) -> str:
        return await self.rate(await self._writer(), feedback)

    async def delete_feedback(self, feedback_id: str) -> bool:
        return await self.unrate(await self._writer(), feedback_id)

    async def rate(self, user_id: UUID, feedback: Feedback) -> str:
        """Store feedback of a user who is known without a session, and return its id.

        Without an id of its own it takes the step's, so that a doubled click leaves one.
        """
        step_id = known_id(feedback.forId, "feedback's step")
        feedback_id = known_id(feedback.id, "feedback") if feedback.id else step_id
        query = thread_writes.upsert_feedback(
            feedback_id, step_id, user_id, feedback.value, storable(feedback.comment)
        )
        async with self.writes.transaction(step_id) as connection:
            if (await connection.execute(*query)).first() is None:
                raise Refused("this is no step of this person's")
        return str(feedback_id)

    async def unrate(self, user_id: UUID, feedback_id: str) -> bool:
        """Delete feedback of a user who is known without a session; False when it is not theirs."""
        known = parse_id(feedback_id)
        if known is None:
            return False
        async with self.writes.transaction(known) as connection:
            gone = await connection.execute(thread_writes.delete_feedback(known, user_id))
        return bool(gone.rowcount)


@contextmanager
def _dropped_if_late() -> Iterator[None]:
    try:
        yield
    except Deleted as late:
        _log.info("late write dropped", reason=str(late))


def _user(row: RowMapping) -> PersistedUser:
    return PersistedUser(
        id=str(row["id"]),
        createdAt=stamp(row["created_at"]) or "",
        identifier=row["identifier"],
        metadata=row["metadata"],
    )


def _current_thread() -> UUID:
    return known_id(get_context().session.thread_id, "thread")
