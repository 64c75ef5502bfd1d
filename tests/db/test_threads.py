"""The data layer of the chat keeps what was said, whatever the order in which it hears of it."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from chainlit.context import get_context
from chainlit.emitter import ChainlitEmitter
from chainlit.step import StepDict
from chainlit.types import ThreadDict
from chainlit.user import PersistedUser
from sqlalchemy.ext.asyncio import AsyncEngine

from db.connect import open_engine
from db.threads import Threads
from tests.db.chat import (
    a_generation,
    an_upload,
    card,
    message,
    no_generations,
    read_thread,
    session_of,
    someone,
)


@pytest.fixture
def layer(engine: AsyncEngine) -> Threads:
    return Threads(engine, no_generations)


def _run(thread_id: UUID) -> tuple[StepDict, StepDict]:
    """A step when it begins and when it ends."""
    begun = StepDict(
        id=str(uuid4()),
        threadId=str(thread_id),
        name="generate_image",
        type="tool",
        input="",
        output="",
        start="2026-11-22T10:00:01Z",
        createdAt="2026-11-22T10:00:01Z",
        end=None,
        metadata={"turn": 1},
        showInput="json",
        streaming=True,
    )
    ended = StepDict(
        **{
            **begun,
            "input": '{"prompt": "fox"}',
            "output": "started",
            "end": "2026-11-22T10:00:02Z",
            "metadata": {"turn": 1, "done": True},
            "streaming": False,
        }
    )
    return begun, ended


async def _begin(
    layer: Threads, user: PersistedUser
) -> tuple[UUID, list[Callable[[], Awaitable[object]]]]:
    """The writes of the first seconds of a chat, each with a picture of its own to show."""
    thread_id = uuid4()
    generation_id = await a_generation(layer.engine, user)
    said = message(thread_id)
    begun, ended = _run(thread_id)
    drawn = card(thread_id, said["id"], generation_id)
    return thread_id, [
        lambda: layer.create_step(said),
        lambda: layer.update_thread(str(thread_id), name="Draw a red fox", user_id=user.id),
        lambda: layer.create_element(drawn),
        lambda: layer.create_step(begun),
        lambda: layer.update_step(ended),
    ]


def _shape(thread: ThreadDict) -> dict[str, Any]:
    """A thread without what differs from one telling to the next."""
    ids = {"id", "threadId", "forId", "generation_id", "createdAt", "parentId"}
    told = [{k: v for k, v in step.items() if k not in ids} for step in thread["steps"]]
    drawn = [
        {"type": e["type"], "name": e["name"], "prompt": (e["props"] or {})["snapshot"]["prompt"]}
        for e in thread["elements"] or []
    ]
    return {"name": thread["name"], "steps": told, "elements": drawn}


async def test_the_first_writes_of_a_chat_come_in_any_order_and_end_alike(layer: Threads) -> None:
    user = await someone(layer)
    shapes = []
    for order in itertools.permutations(range(5)):
        thread_id, writes = await _begin(layer, user)
        with session_of(user, thread_id):
            for i in order:
                await writes[i]()
            shapes.append(_shape(await read_thread(layer, thread_id)))
    assert all(shape == shapes[0] for shape in shapes)
    assert [step["output"] for step in shapes[0]["steps"]] == ["Draw a red fox", "started"]
    assert shapes[0]["steps"][1]["metadata"] == {"turn": 1, "done": True}
    assert shapes[0]["steps"][1]["end"] == "2026-11-22T10:00:02Z"
    assert shapes[0]["steps"][1]["streaming"] is False
    assert shapes[0]["elements"][0]["prompt"] == "a red fox"


async def test_the_first_writes_of_a_chat_at_once_and_doubled_lose_nothing(layer: Threads) -> None:
    user = await someone(layer)
    shapes = []
    for seed in range(10):
        thread_id, writes = await _begin(layer, user)
        order = [*writes, *writes]
        random.Random(seed).shuffle(order)
        with session_of(user, thread_id):
            async with asyncio.timeout(10):
                await asyncio.gather(*(write() for write in order))
            shapes.append(_shape(await read_thread(layer, thread_id)))
    assert all(shape == shapes[0] for shape in shapes)
    assert len(shapes[0]["steps"]) == 2
    assert len(shapes[0]["elements"]) == 1


async def test_a_first_message_with_a_photo_through_chainlit_itself_is_all_there(
    layer: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainlit.data._data_layer", layer)
    monkeypatch.setattr("chainlit.data._data_layer_initialized", True)
    user = await someone(layer)
    asset_id = await an_upload(layer.engine, user)
    with session_of(user, spoken=False) as session:
        photo = await session.persist_file(name="me.png", mime="image/png", content=b"pixels")
        said = message(UUID(session.thread_id), "Make me blue\n\nplease")
        emitter = get_context().emitter
        assert isinstance(emitter, ChainlitEmitter)
        received = await emitter.process_message({"message": said, "fileReferences": [photo]})
        # What chainlit_app does: the bytes have become an asset, and the element names it.
        received.elements[0].url = f"/media/{asset_id}"
        await received.elements[0].send(for_id=received.id)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        async with asyncio.timeout(5):
            await asyncio.gather(*(task for task in others if "chainlit" in repr(task)))
        await layer.close()
        thread = await read_thread(layer, UUID(session.thread_id))
        await session.delete()
    assert thread["name"] == "Make me blue please"
    assert thread["userIdentifier"] == user.identifier
    assert [step["output"] for step in thread["steps"]] == ["Make me blue\n\nplease"]
    assert [(e["url"], e["mime"], e["forId"]) for e in thread["elements"] or []] == [
        (f"/media/{asset_id}", "image/png", received.id)
    ]


async def test_a_page_that_is_only_looked_at_leaves_no_thread(layer: Threads) -> None:
    user = await someone(layer)
    with session_of(user, spoken=False) as session:
        greeting = message(UUID(session.thread_id), "Hello", type="assistant_message")
        await layer.create_step(greeting)
        assert await layer.get_thread(session.thread_id) is None
        session.has_first_interaction = True
        await session.flush_method_queue()
        assert (await read_thread(layer, UUID(session.thread_id)))["steps"][0]["output"] == "Hello"


async def test_an_answer_is_not_emptied_by_the_news_of_its_beginning(layer: Threads) -> None:
    user, thread_id = await someone(layer), uuid4()
    begun = message(thread_id, "", type="assistant_message")
    with session_of(user, thread_id):
        await layer.update_step(message(thread_id, "Here it is", id=begun["id"]))
        await layer.create_step(begun)
        await layer.create_step(begun)
        [step] = (await read_thread(layer, thread_id))["steps"]
    assert step["output"] == "Here it is"


async def test_what_was_said_comes_back_as_it_was(layer: Threads) -> None:
    user, thread_id = await someone(layer), uuid4()
    said = message(
        thread_id,
        parentId=str(uuid4()),
        command="Picture",
        modes={"tone": "calm"},
        metadata={"icon": "star", "deep": {"list": [1, 2.5, None, "\u044f"]}},
        tags=["a", "b"],
        language="json",
        generation={"model": "m"},
        waitForAnswer=True,
        isError=True,
        defaultOpen=True,
        autoCollapse=False,
        showInput=True,
        input="asked",
    )
    with session_of(user, thread_id):
        await layer.create_step(said)
        [step] = (await read_thread(layer, thread_id))["steps"]
    assert step == {**said, "icon": None, "feedback": None}


async def test_an_input_that_is_not_to_be_shown_stays_back(layer: Threads) -> None:
    user, thread_id = await someone(layer), uuid4()
    with session_of(user, thread_id):
        await layer.create_step(message(thread_id, input="secret", showInput=False))
        [step] = (await read_thread(layer, thread_id))["steps"]
    assert step["input"] == ""
    assert step["showInput"] is False


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("nul \0 here", "nul \ufffd here"),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("\u043b\u0438\u0441\u0430 \U0001f98a", "\u043b\u0438\u0441\u0430 \U0001f98a"),
    ],
)
async def test_a_message_is_not_lost_for_what_postgres_cannot_hold(
    layer: Threads, said: str, kept: str
) -> None:
    user, thread_id = await someone(layer), uuid4()
    more = {"metadata": {said: [said, float("nan")]}, "tags": [said]}
    with session_of(user, thread_id):
        await layer.create_step(message(thread_id, said, **more))
        await layer.update_thread(str(thread_id), name=said, user_id=user.id)
        thread = await read_thread(layer, thread_id)
    [step] = thread["steps"]
    assert (step["output"], thread["name"]) == (kept, kept)
    assert (step["metadata"], step["tags"]) == ({kept: [kept, None]}, [kept])


async def test_ids_that_are_none_exist_nowhere(layer: Threads) -> None:
    user, thread_id = await someone(layer), uuid4()
    assert await layer.get_thread("../etc") is None
    assert await layer.get_thread_author("1; drop table threads") == ""
    assert await layer.get_element("x", str(uuid4())) is None
    with session_of(user, thread_id):
        with pytest.raises(ValueError, match="not a UUID"):
            await layer.create_step(message(thread_id, id="mine"))
        with pytest.raises(ValueError, match="not a UUID"):
            await layer.create_step(message(thread_id, threadId="mine"))
        with pytest.raises(ValueError, match="not a UUID"):
            await layer.delete_thread("mine")
    assert await layer.get_thread(str(thread_id)) is None


async def test_a_write_that_fails_is_heard_of(layer: Threads) -> None:
    user, thread_id = await someone(layer), uuid4()
    nowhere = open_engine("postgresql://postgres@127.0.0.1:9/nowhere")
    with session_of(user, thread_id), pytest.raises(OSError, match="9"):
        await Threads(nowhere, no_generations).create_step(message(thread_id))
    await nowhere.dispose()


async def test_metadata_is_merged_and_none_takes_a_key_away(layer: Threads) -> None:
    user, thread_id = await someone(layer), str(uuid4())
    with session_of(user):
        await layer.update_thread(thread_id, "Foxes", user.id, {"a": 1, "gone": 2}, ["red"])
        await layer.update_thread(thread_id, metadata={"b": {"c": None}, "gone": None})
        thread = await read_thread(layer, UUID(thread_id))
    assert thread["metadata"] == {"a": 1, "b": {"c": None}}
    assert (thread["name"], thread["tags"]) == ("Foxes", ["red"])
    await layer.update_thread(thread_id, name="  Red\nfoxes ")
    assert (await read_thread(layer, UUID(thread_id)))["name"] == "Red foxes"


async def test_a_session_that_ends_does_not_bring_its_deleted_thread_back(layer: Threads) -> None:
    user, thread_id = await someone(layer), uuid4()
    with session_of(user, thread_id) as session:
        await layer.create_step(message(thread_id))
        await layer.delete_thread(str(thread_id))
        await layer.update_thread(str(thread_id), metadata=session.to_persistable())
        assert await layer.get_thread(str(thread_id)) is None


async def test_a_thread_is_called_after_its_first_message_shortened(layer: Threads) -> None:
    user, thread_id = await someone(layer), uuid4()
    with session_of(user, thread_id):
        await layer.create_step(message(thread_id, "fox " * 1000))
        await layer.create_step(message(thread_id, "And a second one"))
        name = (await read_thread(layer, thread_id))["name"]
    assert name is not None
    assert name.startswith("fox fox")
    assert name.endswith("\u2026")
    assert len(name) <= 120


async def test_closing_waits_for_what_chainlit_has_fired_off(layer: Threads) -> None:
    user, thread_id = await someone(layer), uuid4()
    with session_of(user, thread_id):
        fired = [asyncio.create_task(layer.create_step(message(thread_id))) for _ in range(30)]
        await layer.close()
        assert all(task.done() for task in fired)
        assert len((await read_thread(layer, thread_id))["steps"]) == 30
