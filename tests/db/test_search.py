"""Search finds what people said, in both languages, while they still type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from chainlit.types import Pagination, ThreadFilter
from chainlit.user import PersistedUser
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from db import search
from db.ids import new_id
from db.tables import steps, threads
from db.threads import Threads
from tests.db.chat import message, no_generations, session_of, someone

MINUTE = timedelta(minutes=1)
Search = Callable[[str], Awaitable[list[str | None]]]
SAID = {
    "fox": "A Red FOX is running through the snow",
    "лиса": "Рыжая Лиса и чёрные кошки — «ночью», в лесу",
    "films": "day/night in 16:9; 100% of_it, don't ask",
    "ёлка": "Ёлки у дома",
}


@pytest.fixture
def layer(engine: AsyncEngine) -> Threads:
    return Threads(engine, no_generations)


async def titles(
    layer: Threads, user: PersistedUser, words: str, cursor: str | None = None
) -> tuple[list[str | None], str | None]:
    page = await layer.list_threads(
        Pagination(first=20, cursor=cursor), ThreadFilter(userId=user.id, search=words)
    )
    return [thread["name"] for thread in page.data], page.pageInfo.endCursor


@pytest.fixture
async def find(layer: Threads) -> Search:
    """A search by somebody who has had these conversations; so has another."""
    for user in (other := await someone(layer), me := await someone(layer)):
        for name, said in SAID.items():
            thread_id = uuid4()
            with session_of(user, thread_id):
                shown = f"another's {name}" if user is other else name
                await layer.update_thread(str(thread_id), name=shown, user_id=user.id)
                await layer.create_step(message(thread_id, said))
                await layer.create_step(message(thread_id, "zebra", type="tool", input="zebra"))
                await layer.create_step(message(thread_id, "Fine", type="assistant_message"))

    async def search_as_me(words: str) -> list[str | None]:
        return (await titles(layer, me, words))[0]

    return search_as_me


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("red fox", ["fox"]),
        ("FOXES", ["fox"]),
        ("run snow", ["fox"]),
        ("fox snow", ["fox"]),
        ("fox ru", ["fox"]),
        ("кошка", ["лиса"]),
        ("черная кошка", ["лиса"]),
        ("чёрн", ["лиса"]),
        ("ночью", ["лиса"]),
        ("елка", ["ёлка"]),
        ("ёлк", ["ёлка"]),
        ("day", ["films"]),
        ("nigh", ["films"]),
        ("films", ["films"]),
        ("film", ["films"]),
        ("fox кошка", []),
        ("fox films", []),
        ("ox", []),
        ("_ed", []),
        ("0% of_", []),
        ("zebra", []),
        ("zebra\0", []),
        ("another", []),
    ],
)
async def test_all_words_of_one_message_or_of_the_title_are_found(
    find: Search, words: str, found: list[str]
) -> None:
    assert await find(words) == found


async def test_every_beginning_of_a_word_finds_it(find: Search) -> None:
    for word, thread in (("running", "fox"), ("кошки", "лиса"), ("лесу", "лиса")):
        for length in range(2, len(word) + 1):
            assert thread in await find(word[:length]), word[:length]


@pytest.mark.parametrize("words", ["", "  ", "\n"])
async def test_a_search_for_nothing_is_no_search(find: Search, words: str) -> None:
    assert len(await find(words)) == len(SAID)


async def test_where_no_word_is_left_the_text_itself_is_looked_for_in_titles(
    layer: Threads,
) -> None:
    user = await someone(layer)
    for name in ("The end!!!", "100%", "a_b", "Всё \U0001f98a"):
        await layer.update_thread(str(uuid4()), name=name, user_id=user.id)
    for words, found in (
        ("!!!", ["The end!!!"]),
        ("the", ["The end!!!"]),
        ("%", ["100%"]),
        ("_", ["a_b"]),
        ("\U0001f98a", ["Всё \U0001f98a"]),
        ("?", []),
    ):
        assert (await titles(layer, user, words))[0] == found, words


@pytest.mark.parametrize(
    "words",
    ["'", "''; drop table x", '"fox', "fox & | !", "a:*b <-> (", "\\", "fox:*", "\x7f\ufffe", "--"],
)
async def test_no_text_makes_a_search_fail(find: Search, words: str) -> None:
    assert isinstance(await find(words), list)
    assert isinstance(await find(words * 200), list)


async def test_a_message_of_a_million_words_is_kept_and_found_by_its_beginning(
    layer: Threads,
) -> None:
    user, thread_id = await someone(layer), uuid4()
    letters = [chr(0x20000 + i) for i in range(200)]
    worst = " ".join(f"{a}{b}{c}" for a in letters for b in letters for c in letters[:25])
    with session_of(user, thread_id):
        await layer.update_thread(str(thread_id), name="long", user_id=user.id)
        await layer.create_step(message(thread_id, f"beginning {worst} end"))
        assert (await titles(layer, user, "beginning"))[0] == ["long"]
        thread = await layer.get_thread(str(thread_id))
    assert thread is not None
    assert len(thread["steps"][0]["output"]) == len(worst) + 14


async def _many(engine: AsyncEngine, user: PersistedUser, count: int) -> None:
    """Threads `t0`, `t1`, ... a minute apart, each with a message; each hundredth says `seldom`."""
    owner, first = UUID(user.id), datetime(2026, 1, 1, tzinfo=UTC)
    begun = [
        {"id": new_id(), "user_id": owner, "name": f"t{i}", "created_at": first + i * MINUTE}
        for i in range(count)
    ]
    said = [
        {
            "id": new_id(),
            "thread_id": thread["id"],
            "type": "user_message",
            "output": "common words" + (" seldom" if i % 100 == 0 else ""),
        }
        for i, thread in enumerate(begun)
    ]
    async with engine.begin() as connection:
        await connection.execute(insert(threads), begun)
        await connection.execute(insert(steps), said)


@pytest.mark.parametrize(("words", "every"), [("common", 1), ("common wor", 1), ("seldom", 100)])
async def test_a_word_of_all_threads_and_a_seldom_one_are_found_page_by_page(
    layer: Threads, engine: AsyncEngine, words: str, every: int
) -> None:
    user, count = await someone(layer), search.MATCHES_MAX + 100
    await _many(engine, user, count)
    wanted = [f"t{i}" for i in reversed(range(0, count, every))][:60]
    found: list[str | None] = []
    cursor: str | None = None
    while len(found) < len(wanted):
        page, cursor = await titles(layer, user, words, cursor)
        assert page
        found += page
    assert found == wanted
