"""Answers that another process writes: a page may come to this one while a turn of its thread runs
in another that drains, or that the balancer has turned away from. What that one stores is shown
here as it comes; its words between two stores are not.

When the other one dies, the thread as it is read then says that the answer was interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db import turns
from db.connect import DATABASE_ERRORS

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0

Thread = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A page that has a thread open; `instance` is its process, `is_there` false once it left."""

    engine: AsyncEngine
    instance: int
    read: Callable[[], Awaitable[Any]]
    give: Callable[[Thread], Awaitable[None]]
    is_there: Callable[[], bool]


async def follow(reader: Reader, thread: Thread) -> None:
    """Give a page its thread anew whenever it differs from what it was given, for as long as
    another process answers in it, and once more after that.
    """
    thread_id, given = UUID(thread["id"]), _seen(thread)
    while reader.is_there():
        goes_on = True
        try:
            async with reader.engine.connect() as connection:
                concerns, goes_on = await turns.elsewhere(connection, thread_id, reader.instance)
            found = await reader.read() if concerns else None
            if found is not None and _seen(found) != given:
                await reader.give(found)
                given = _seen(found)
        except DATABASE_ERRORS as error:
            log.warning("answer of another process not read", error=type(error).__name__)
        if not goes_on:
            return
        await asyncio.sleep(LOOK_EVERY_S)


def _seen(thread: Thread) -> object:
    """What is given anew when it changes; cards draw themselves from their rows."""
    return (
        [(step["id"], step["output"]) for step in thread["steps"]],
        [element["id"] for element in thread["elements"]],
    )


class Followers:
    """The pages that wait so, each once."""

    def __init__(self) -> None:
        self._by_page: dict[str, asyncio.Task[None]] = {}

    def begin(self, page_id: str, work: Coroutine[Any, Any, None]) -> None:
        """Wait for a page, in place of what it waited for before."""
        before = self._by_page.get(page_id)
        if before is not None:
            before.cancel()
        task = asyncio.create_task(work, name="follower")
        self._by_page[page_id] = task
        task.add_done_callback(lambda done: self._forget(page_id, done))

    def _forget(self, page_id: str, task: asyncio.Task[None]) -> None:
        if self._by_page.get(page_id) is task:
            del self._by_page[page_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("page stopped waiting for another process", exc_info=error)
