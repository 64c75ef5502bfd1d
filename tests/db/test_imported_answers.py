"""Chainlit's page shows thumbs only beside an answer of a run, and imported answers have none."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from chainlit.types import Feedback
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from db.tables import feedbacks, imported
from db.threads import Threads
from db.threads_of import Refused
from tests.db.chat import message, no_generations, read_thread, session_of, someone


@pytest.fixture
def layer(engine: AsyncEngine) -> Threads:
    return Threads(engine, no_generations)


async def test_imported_answers_are_read_in_runs_and_rated_there(
    layer: Threads, engine: AsyncEngine
) -> None:
    user, thread_id = await someone(layer), uuid4()
    with session_of(user, thread_id):
        asked = message(thread_id, "A fox")
        said = message(thread_id, "Here", type="assistant_message")
        for step in (asked, said):
            await layer.create_step(step)
        await layer.upsert_feedback(Feedback(forId=said["id"], value=0))
        assert len((await read_thread(layer, thread_id))["steps"]) == 2
        async with engine.begin() as connection:
            known = {"legacy_id": "chatbot:chat:1", "target_id": thread_id}
            await connection.execute(insert(imported).values(**known))
        question, run, answer = (await read_thread(layer, thread_id))["steps"]
        assert [question["id"], answer["id"]] == [asked["id"], said["id"]]
        assert (question["parentId"], run["parentId"]) == (None, None)
        assert (answer["parentId"], answer["feedback"]) == (run["id"], None)
        assert (run["type"], run["name"]) == ("run", "on_message")
        assert run["createdAt"] == answer["createdAt"]
        rating = run["feedback"]
        assert rating is not None
        assert rating["value"] == 0
        rated = Feedback(forId=run["id"], value=1, id=rating["id"])
        await layer.upsert_feedback(rated)
        [_, run, _] = (await read_thread(layer, thread_id))["steps"]
        assert run["feedback"] == {**rating, "value": 1}
        async with engine.connect() as connection:
            stored = await connection.execute(select(feedbacks.c.step_id, feedbacks.c.value))
        assert stored.all() == [(UUID(said["id"]), 1)]
    other = await someone(layer)
    with session_of(other, uuid4()), pytest.raises(Refused):
        await layer.upsert_feedback(Feedback(forId=run["id"], value=0))
