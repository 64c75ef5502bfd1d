"""What is somebody else's stays as it is, byte by byte, whoever names its id and however."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from chainlit.element import Image
from chainlit.types import Feedback, Pagination, ThreadFilter
from chainlit.user import PersistedUser
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.threads import Refused, Threads
from tests.db.chat import (
    a_generation,
    an_upload,
    card,
    message,
    read_elements,
    read_thread,
    rows_of,
    session_of,
    someone,
)


async def _no_deletion(connection: AsyncConnection, thread_id: UUID) -> None:
    pytest.fail("a foreign thread's generations were deleted")


@pytest.fixture
def layer(engine: AsyncEngine) -> Threads:
    return Threads(engine, _no_deletion)


@dataclass(frozen=True, slots=True)
class Hers:
    """Alice's things, by the ids that Mallory has got hold of."""

    user: PersistedUser
    thread_id: UUID
    step_id: str
    element_id: str
    feedback_id: str
    generation_id: UUID
    asset_id: UUID


async def _hers(layer: Threads) -> Hers:
    alice, thread_id = await someone(layer), uuid4()
    generation_id = await a_generation(layer.engine, alice)
    asset_id = await an_upload(layer.engine, alice)
    with session_of(alice, thread_id):
        said = message(thread_id, "Hers")
        await layer.create_step(said)
        drawn = card(thread_id, said["id"], generation_id)
        await layer.create_element(drawn)
        rated = await layer.upsert_feedback(Feedback(forId=said["id"], value=1))
    return Hers(alice, thread_id, said["id"], drawn.id, rated, generation_id, asset_id)


Attack = Callable[[Threads, Hers, UUID], Awaitable[object]]


def _image(thread_id: UUID, **more: str) -> Image:
    return Image(name="x", thread_id=str(thread_id), **{"path": "x", **more})  # type: ignore[arg-type]


REFUSED: dict[str, Attack] = {
    "a step into her thread": lambda layer, hers, mine: layer.create_step(
        message(hers.thread_id, "Mallory was here")
    ),
    "her step's id in my thread": lambda layer, hers, mine: layer.create_step(
        message(mine, "Mallory was here", id=hers.step_id)
    ),
    "her step's id in her thread": lambda layer, hers, mine: layer.update_step(
        message(hers.thread_id, "Mallory was here", id=hers.step_id)
    ),
    "an element into her thread": lambda layer, hers, mine: layer.create_element(
        _image(hers.thread_id)
    ),
    "her element's id in my thread": lambda layer, hers, mine: layer.create_element(
        _image(mine, id=hers.element_id)
    ),
    "a card of her generation": lambda layer, hers, mine: layer.create_element(
        card(mine, hers.step_id, hers.generation_id)
    ),
    "a picture of hers": lambda layer, hers, mine: layer.create_element(
        _image(mine, url=f"/media/{hers.asset_id}")
    ),
    "feedback on her step": lambda layer, hers, mine: layer.upsert_feedback(
        Feedback(forId=hers.step_id, value=0)
    ),
    "her feedback's id": lambda layer, hers, mine: layer.upsert_feedback(
        Feedback(forId=hers.step_id, value=0, id=hers.feedback_id)
    ),
    "a thread in her name": lambda layer, hers, mine: layer.update_thread(
        str(uuid4()), name="Mallory was here", user_id=hers.user.id
    ),
}

FINDS_NOTHING: dict[str, Attack] = {
    "rename": lambda layer, hers, mine: layer.update_thread(str(hers.thread_id), name="x"),
    "metadata": lambda layer, hers, mine: layer.update_thread(
        str(hers.thread_id), metadata={"is_shared": True}
    ),
    "thread": lambda layer, hers, mine: layer.delete_thread(str(hers.thread_id)),
    "step": lambda layer, hers, mine: layer.delete_step(hers.step_id),
    "element": lambda layer, hers, mine: layer.delete_element(hers.element_id),
    "element, her thread": lambda layer, hers, mine: layer.delete_element(
        hers.element_id, str(hers.thread_id)
    ),
    "feedback": lambda layer, hers, mine: layer.delete_feedback(hers.feedback_id),
    "reading": lambda layer, hers, mine: layer.get_thread(str(hers.thread_id)),
}


@pytest.mark.parametrize("attack", REFUSED.values(), ids=REFUSED)
async def test_a_write_that_names_what_is_hers_is_refused(layer: Threads, attack: Attack) -> None:
    hers = await _hers(layer)
    before = await rows_of(layer.engine, hers.thread_id)
    mallory, mine = await someone(layer), uuid4()
    with session_of(mallory, mine):
        with pytest.raises(Refused):
            await attack(layer, hers, mine)
        assert await rows_of(layer.engine, hers.thread_id) == before
        mine_after = await rows_of(layer.engine, mine)
    assert (mine_after.steps, mine_after.elements, mine_after.feedbacks) == ([], [], [])


@pytest.mark.parametrize("attack", FINDS_NOTHING.values(), ids=FINDS_NOTHING)
async def test_to_others_her_things_do_not_exist(layer: Threads, attack: Attack) -> None:
    hers = await _hers(layer)
    before = await rows_of(layer.engine, hers.thread_id)
    with session_of(await someone(layer), uuid4()):
        assert not await attack(layer, hers, uuid4())
    assert await rows_of(layer.engine, hers.thread_id) == before


async def test_her_feedback_id_on_my_own_step_is_refused(layer: Threads) -> None:
    hers, mallory, mine = await _hers(layer), await someone(layer), uuid4()
    before = await rows_of(layer.engine, hers.thread_id)
    with session_of(mallory, mine):
        said = message(mine)
        await layer.create_step(said)
        with pytest.raises(Refused):
            await layer.upsert_feedback(Feedback(forId=said["id"], value=0, id=hers.feedback_id))
    assert await rows_of(layer.engine, hers.thread_id) == before


async def test_her_thread_cannot_be_taken_over_by_naming_myself(layer: Threads) -> None:
    hers, mallory = await _hers(layer), await someone(layer)
    before = await rows_of(layer.engine, hers.thread_id)
    with session_of(mallory, hers.thread_id), pytest.raises(Refused):
        await layer.update_thread(str(hers.thread_id), "mine", mallory.id, {"a": 1}, ["x"])
    assert await rows_of(layer.engine, hers.thread_id) == before


async def test_nobody_can_write_without_being_signed_in(layer: Threads) -> None:
    thread_id = uuid4()
    with session_of(None, thread_id), pytest.raises(Refused):
        await layer.create_step(message(thread_id))
    assert await layer.get_thread(str(thread_id)) is None


async def test_a_card_cannot_be_pointed_at_another_generation_of_others(layer: Threads) -> None:
    hers, mallory, mine = await _hers(layer), await someone(layer), uuid4()
    with session_of(mallory, mine):
        said = message(mine)
        await layer.create_step(said)
        drawn = card(mine, said["id"], await a_generation(layer.engine, mallory))
        await layer.create_element(drawn)
        before = await read_elements(layer, mine)
        drawn.props = {"generation_id": str(hers.generation_id)}
        with pytest.raises(Refused):
            await layer.create_element(drawn)
        drawn.props = {}
        with pytest.raises(ValueError, match="card's generation"):
            await layer.create_element(drawn)
        assert await read_elements(layer, mine) == before


async def test_a_page_of_threads_holds_ones_own_only(layer: Threads) -> None:
    hers, mallory = await _hers(layer), await someone(layer)
    for search in (None, "Hers"):
        page = await layer.list_threads(
            Pagination(first=20), ThreadFilter(userId=mallory.id, search=search)
        )
        assert page.data == []
    page = await layer.list_threads(Pagination(first=20), ThreadFilter(userId=hers.user.id))
    assert [thread["id"] for thread in page.data] == [str(hers.thread_id)]


async def test_without_a_session_the_author_is_told_so_that_the_caller_can_decide(
    layer: Threads,
) -> None:
    hers = await _hers(layer)
    assert await layer.get_thread_author(str(hers.thread_id)) == hers.user.identifier
    assert (await read_thread(layer, hers.thread_id))["userIdentifier"] == hers.user.identifier
    assert await layer.get_thread_author(str(uuid4())) == ""
