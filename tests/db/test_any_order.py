"""Whatever order Chainlit's writes come in, and however often: one final state.

The orderly sequence begins a thread, writes its steps from beginning to end and its elements, rates
a step, and deletes last. Any other order of the same writes, doubled or at once, must end like it.
So a delete of a thing wins over every other write of it, early or late: deleted stays deleted. Two
things have an order that a person makes and waits for, and stay outside: the text of two edits of
one message (the line of a thread keeps it), and a rating, which is given to a step that is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

from chainlit.element import Image
from chainlit.types import Feedback, Pagination, ThreadFilter
from chainlit.user import PersistedUser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from db.tables import elements, steps
from db.threads import Refused, Threads
from tests.db.chat import an_upload, message, no_generations, session_of, someone

ORDERLY = (
    *("begin thread", "say", "begin answer", "end answer", "add picture", "name picture"),
    *("add card", "rate"),
)
DELETES = ("delete picture", "delete message", "delete answer", "delete thread")
EXAMPLES = 40

Writes = dict[str, Callable[[Threads], Awaitable[Any]]]


def writes_of(user: PersistedUser, thread_id: UUID, asset_id: UUID) -> Writes:
    """All that is written in a thread, by name: a message with a picture, an answer with one."""
    said = message(thread_id, "Draw a red fox")
    begun = message(thread_id, "", type="assistant_message", end=None, streaming=True)
    ended: Any = {**begun, "output": "Here", "end": "2026-11-22T10:00:09Z", "streaming": False}
    plain, named, other = (
        Image(url=url, path="x", name="me.png", thread_id=str(thread_id), for_id=step["id"])
        for url, step in ((None, said), (f"/media/{asset_id}", said), (f"/media/{asset_id}", begun))
    )
    named.id = plain.id

    async def rate(layer: Threads) -> None:
        # Only where the message is gone, or not there yet; a rating that is lost shows in the end.
        with suppress(Refused):
            await layer.upsert_feedback(Feedback(forId=said["id"], value=1))

    return {
        "begin thread": lambda layer: layer.update_thread(
            str(thread_id), name="Draw a red fox", user_id=user.id, metadata={"profile": "p"}
        ),
        "say": lambda layer: layer.create_step(said),
        "begin answer": lambda layer: layer.create_step(begun),
        "end answer": lambda layer: layer.update_step(ended),
        "add picture": lambda layer: layer.create_element(plain),
        "name picture": lambda layer: layer.create_element(named),
        "add card": lambda layer: layer.create_element(other),
        "rate": rate,
        "delete picture": lambda layer: layer.delete_element(plain.id, str(thread_id)),
        "delete message": lambda layer: layer.delete_step(said["id"]),
        "delete answer": lambda layer: layer.delete_step(begun["id"]),
        "delete thread": lambda layer: layer.delete_thread(str(thread_id)),
    }


async def state(layer: Threads, user: PersistedUser, thread_id: UUID) -> Any:
    """All that can be seen of a thread, without its ids."""
    wanted = ThreadFilter(userId=user.id, search="fox")
    page = await layer.list_threads(Pagination(first=100), wanted)
    listed = str(thread_id) in {found["id"] for found in page.data}
    thread = await layer.get_thread(str(thread_id))
    if thread is None:
        return None, listed
    said = {
        (step["type"], step["output"], step["end"], step["streaming"], bool(step["feedback"]))
        for step in thread["steps"]
    }
    types = {step["id"]: step["type"] for step in thread["steps"]}
    shown = {(e["name"], e["url"], types[e["forId"] or ""]) for e in thread["elements"] or []}
    return (thread["name"], str(thread["metadata"]), said, shown), listed


async def left_of_the_deleted(engine: AsyncEngine, thread_id: UUID) -> list[Any]:
    """What the tombstones of a thread hold beside their ids."""
    said = select(steps.c.output, steps.c.name, steps.c.metadata, steps.c.search).where(
        steps.c.thread_id == thread_id, steps.c.deleted_at.is_not(None)
    )
    shown = select(elements.c.url, elements.c.name, elements.c.asset_id, elements.c.props).where(
        elements.c.thread_id == thread_id, elements.c.deleted_at.is_not(None)
    )
    async with engine.connect() as connection:
        rows = [*await connection.execute(said), *await connection.execute(shown)]
    return [row for row in rows if any(row)]


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[str], list[str], int]:
    """Which deletes; all writes, some of them doubled, in an order; how many of them at once."""
    deletes = draw(st.lists(st.sampled_from(DELETES), unique=True, max_size=3))
    doubled = draw(st.lists(st.sampled_from((*ORDERLY, *deletes)), max_size=4))
    order = draw(st.permutations([*ORDERLY, *deletes, *doubled]))
    if "delete message" not in deletes and "delete thread" not in deletes:
        order = [*(write for write in order if write != "rate"), "rate"]
    return deletes, list(order), draw(st.sampled_from((1, 4, 20)))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(orders())
async def test_every_order_of_writes_and_deletes_ends_in_one_state(
    engine: AsyncEngine, drawn: tuple[list[str], list[str], int]
) -> None:
    deletes, order, at_once = drawn
    # Two layers, as in two processes: they have no line of writes in common.
    layers = [Threads(engine, no_generations) for _ in range(2)]
    user = await someone(layers[0])
    asset_id = await an_upload(engine, user)
    # A third conversation shows the picture as well, so it goes with neither of the two.
    with session_of(user, third := uuid4()):
        await writes_of(user, third, asset_id)["name picture"](layers[0])
    orderly, other = uuid4(), uuid4()
    async with asyncio.timeout(20):
        with session_of(user, orderly):
            writes = writes_of(user, orderly, asset_id)
            for name in (*ORDERLY, *(name for name in DELETES if name in deletes)):
                await writes[name](layers[0])
            wanted = await state(layers[0], user, orderly)
        with session_of(user, other):
            writes = writes_of(user, other, asset_id)
            for i in range(0, len(order) - 1, at_once):
                group = enumerate(order[i:-1][:at_once])
                await asyncio.gather(*(writes[name](layers[j % 2]) for j, name in group))
            await writes[order[-1]](layers[1])
            found = await state(layers[0], user, other)
    assert found == wanted
    assert await left_of_the_deleted(engine, other) == []
