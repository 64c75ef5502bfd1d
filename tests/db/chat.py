"""A chat for tests: Chainlit's own session and context, and rows of ours to speak of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from chainlit.context import ChainlitContext, context_var
from chainlit.element import CustomElement
from chainlit.session import WebsocketSession, ws_sessions_id, ws_sessions_sid
from chainlit.step import StepDict
from chainlit.types import ThreadDict
from chainlit.user import PersistedUser, User
from sqlalchemy import Table, Text, cast, func, insert, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.ids import new_id
from db.tables import assets, elements, feedbacks, generations, steps, threads
from db.threads import Threads


async def _emit(*_: Any) -> None:
    """Nobody looks at this page."""


async def no_generations(connection: AsyncConnection, thread_id: UUID) -> None:
    """For threads that have none, or whose tests do not ask what becomes of them."""


@contextmanager
def session_of(
    user: User | None, thread_id: UUID | None = None, *, spoken: bool = True
) -> Iterator[WebsocketSession]:
    """A session of this user, who has `spoken` or has only opened the page."""
    session = WebsocketSession(
        id=str(uuid4()),
        socket_id=str(uuid4()),
        emit=_emit,  # type: ignore[arg-type]
        emit_call=_emit,
        user_env={},
        client_type="webapp",
        user=user,
        thread_id=str(thread_id) if thread_id else None,
    )
    session.has_first_interaction = spoken
    token = context_var.set(ChainlitContext(session))
    try:
        yield session
    finally:
        context_var.reset(token)
        ws_sessions_id.pop(session.id, None)
        ws_sessions_sid.pop(session.socket_id, None)


async def someone(layer: Threads) -> PersistedUser:
    """A person nobody has met before."""
    return await layer.create_user(User(identifier=f"person-{uuid4()}"))


def message(thread_id: UUID, output: str = "Draw a red fox", **more: Any) -> StepDict:
    """What a person says, as Chainlit hands it to the data layer."""
    said: dict[str, Any] = {
        "id": str(uuid4()),
        "threadId": str(thread_id),
        "parentId": None,
        "createdAt": "2026-11-22T10:00:00.123456Z",
        "command": None,
        "modes": None,
        "start": "2026-11-22T10:00:00.123456Z",
        "end": "2026-11-22T10:00:00.123456Z",
        "output": output,
        "name": "User",
        "type": "user_message",
        "language": None,
        "streaming": False,
        "isError": False,
        "waitForAnswer": False,
        "metadata": {},
        "tags": None,
    }
    return StepDict(**{**said, **more})  # type: ignore[typeddict-item]


def card(thread_id: UUID, step_id: str, generation_id: UUID, **props: Any) -> CustomElement:
    """The card that chainlit_app sends for a generation; `props` are what a client adds to it."""
    return CustomElement(
        thread_id=str(thread_id),
        for_id=step_id,
        name="GenerationCard",
        props={"generation_id": str(generation_id), **props},
    )


async def read_thread(layer: Threads, thread_id: UUID) -> ThreadDict:
    """A thread that must be there."""
    found = await layer.get_thread(str(thread_id))
    assert found is not None
    return found


async def read_elements(layer: Threads, thread_id: UUID) -> list[Any]:
    """The elements of a thread that must be there."""
    return list((await read_thread(layer, thread_id))["elements"] or [])


async def a_generation(engine: AsyncEngine, user: PersistedUser, **more: Any) -> UUID:
    """A finished picture of the user's, by its id."""
    values = {
        "id": new_id(),
        "user_id": UUID(user.id),
        "kind": "image",
        "status": "completed",
        "prompt": "a red fox",
        "model": "demo-image",
        "provider": "demo",
        "endpoint": "demo-image",
        **more,
    }
    async with engine.begin() as connection:
        await connection.execute(insert(generations).values(**values))
    made: UUID = values["id"]
    return made


async def an_upload(engine: AsyncEngine, user: PersistedUser) -> UUID:
    """A picture the user has given, by its asset's id."""
    asset_id = new_id()
    values = {
        "id": asset_id,
        "user_id": UUID(user.id),
        "media_type": "image/png",
        "storage_key": f"uploads/{asset_id}.png",
    }
    async with engine.begin() as connection:
        await connection.execute(insert(assets).values(**values))
    return asset_id


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything that stands in a thread, byte by byte."""

    threads: list[str]
    steps: list[str]
    elements: list[str]
    feedbacks: list[str]


async def rows_of(engine: AsyncEngine, thread_id: UUID) -> Rows:
    async with engine.connect() as connection:
        said = select(steps.c.id).where(steps.c.thread_id == thread_id)
        return Rows(
            await _rows(connection, threads, threads.c.id == thread_id),
            await _rows(connection, steps, steps.c.thread_id == thread_id),
            await _rows(connection, elements, elements.c.thread_id == thread_id),
            await _rows(connection, feedbacks, feedbacks.c.step_id.in_(said)),
        )


async def _rows(connection: AsyncConnection, table: Table, where: Any) -> list[str]:
    found = select(table).where(where).order_by(table.c.id).subquery("found")
    query = select(cast(func.to_json(literal_column("found")), Text)).select_from(found)
    return [str(row) for row in (await connection.execute(query)).scalars()]
