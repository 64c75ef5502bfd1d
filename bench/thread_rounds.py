"""The rounds of `bench.threads`, for one number of conversations: a process of its own, started by
it, since Chainlit writes into a folder while it is imported.

    python -m bench.thread_rounds URL THREADS ROUNDS
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any
from uuid import UUID

import asyncpg
from chainlit.data.sql_alchemy import SQLAlchemyDataLayer
from chainlit.types import Pagination, ThreadFilter
from sqlalchemy.ext.asyncio import AsyncEngine

from bench import thread_queries, thread_rows
from bench.thread_queries import PAGE
from db.connect import open_engine
from db.threads import Threads
from tests.db.chat import message, no_generations, session_of

#: Calls of one round: as many as fit into this time, within these bounds.
SLICE_S, CALLS_MAX = 0.2, 10
STOCK_ROUNDS = 3
#: The stock layer knows no more of a person's threads.
STOCK_LIMIT = 1000
WALK = 100
_OLDEST = datetime(2026, 1, 1, microsecond=123456, tzinfo=UTC)
Ask = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing that is asked of all three."""

    ours: Ask
    hand: Ask
    stock: Ask
    #: Whether the answers of ours and by hand can be compared.
    reads: bool = True


class Asker:
    """A person with many threads, and three ways to what they have."""

    def __init__(self, engine: AsyncEngine, stock: SQLAlchemyDataLayer, threads: int) -> None:
        self.engine, self.stock, self.threads = engine, stock, threads
        self.layer = Threads(engine, no_generations)
        self.user_id = thread_rows.user_id()
        order = random.Random(threads).sample(range(1, threads + 1), k=min(threads, 100))
        # All three open the same ones, each in its own turn.
        self.opened = {who: cycle(order) for who in ("ours", "hand", "stock")}

    async def questions(self) -> dict[str, Question]:
        middle = self.threads // 2 + 1
        cursor = await self._cursor_behind(self.threads - middle + 1)
        after = (_OLDEST + timedelta(minutes=middle), thread_rows.thread_id(middle))
        stock_middle = str(
            thread_rows.thread_id(self.threads - min(self.threads, STOCK_LIMIT) // 2)
        )
        asked = {
            "list": Question(
                ours=lambda: self._list(self.layer),
                hand=lambda: thread_queries.page(self.engine, self.user_id),
                stock=lambda: self._list(self.stock),
            ),
            "list in the middle": Question(
                ours=lambda: self._list(self.layer, cursor=cursor),
                hand=lambda: thread_queries.page(self.engine, self.user_id, after),
                stock=lambda: self._list(self.stock, cursor=stock_middle),
            ),
            "open": Question(
                ours=lambda: self.layer.get_thread(self._next("ours")),
                hand=lambda: thread_queries.thread(
                    self.engine, self.user_id, UUID(self._next("hand"))
                ),
                stock=lambda: self.stock.get_thread(self._next("stock")),
            ),
            "write": Question(
                ours=lambda: self._write(self.layer.create_step, self.layer.update_step, "ours"),
                hand=lambda: self._write(self._write_by_hand, self._write_by_hand, "hand"),
                stock=lambda: self._write(self.stock.create_step, self.stock.update_step, "stock"),
                reads=False,
            ),
        }
        words = {"search, rare word": thread_rows.RARE, "search, common word": thread_rows.COMMON}
        return asked | {name: self._search(word) for name, word in words.items()}

    def _search(self, word: str) -> Question:
        return Question(
            ours=lambda: self._list(self.layer, search=word),
            hand=lambda: thread_queries.found(self.engine, self.user_id, word),
            stock=lambda: self._list(self.stock, search=word),
        )

    def _next(self, who: str) -> str:
        return str(thread_rows.thread_id(next(self.opened[who])))

    async def _list(
        self, layer: Threads | SQLAlchemyDataLayer, cursor: str | None = None, **wanted: Any
    ) -> list[Any]:
        known = ThreadFilter(userId=str(self.user_id), **wanted)
        page = await layer.list_threads(Pagination(first=PAGE, cursor=cursor), known)
        return list(page.data)

    async def _cursor_behind(self, threads: int) -> str | None:
        """Our cursor behind so many threads, found as the page does: by going on."""
        cursor, known = None, ThreadFilter(userId=str(self.user_id))
        for first in [WALK] * (threads // WALK) + [threads % WALK] * bool(threads % WALK):
            page = await self.layer.list_threads(Pagination(first=first, cursor=cursor), known)
            cursor = page.pageInfo.endCursor
        return cursor

    async def _write(
        self, create: Callable[..., Any], update: Callable[..., Any], who: str
    ) -> None:
        """An answer as it begins and as it ends."""
        thread_id = UUID(self._next(who))
        step = message(thread_id, "", type="assistant_message", name="Kinora", end=None)
        await create(step)
        step["output"], step["end"] = "Here it is, as you have asked.", step["start"]
        await update(step)

    async def _write_by_hand(self, step: Any) -> None:
        await thread_queries.write(self.engine, self.user_id, step)


async def timed(ask: Ask, calls: int) -> tuple[float, float]:
    """Milliseconds a call, and milliseconds of our CPU a call."""
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        await ask()
    scale = 1000 / calls
    return (time.perf_counter() - began) * scale, (time.process_time() - cpu) * scale


async def check(name: str, question: Question) -> int:
    """Ask everybody once: ours and by hand must bring the same, and the stock layer something.

    Returns how many calls make a round.
    """
    ours, hand, stock = await question.ours(), await question.hand(), await question.stock()
    if question.reads and ours != hand:
        raise RuntimeError(f"{name}: not the same\n{ours}\n{hand}")
    if question.reads and not stock and name != "search, rare word":
        raise RuntimeError(f"{name}: the stock layer brings nothing")
    slowest_ms = max([(await timed(ask, 1))[0] for ask in (question.ours, question.hand)])
    return max(1, min(CALLS_MAX, int(SLICE_S * 1000 / slowest_ms)))


async def ask_all(questions: dict[str, Question], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Round after round, each question to all who are asked in it, whoever comes first in turn."""
    took: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in questions}
    calls_of = {name: await check(name, question) for name, question in questions.items()}
    for number in range(rounds):
        for name, question in questions.items():
            for who, ask, calls in in_turn(question, number, calls_of[name]):
                wall_ms, cpu_ms = await timed(ask, calls)
                took[name][who].append(wall_ms)
                took[name][f"{who} CPU"].append(cpu_ms)
    return took


def in_turn(question: Question, number: int, calls: int) -> Iterator[tuple[str, Ask, int]]:
    """Who is asked in this round; the first reader warms what the second finds."""
    pair = [("ours", question.ours, calls), ("hand", question.hand, calls)]
    yield from pair[:: -1 if number % 2 else 1]
    if number < STOCK_ROUNDS:
        yield "stock", question.stock, 1


@asynccontextmanager
async def open_stock(url: str) -> AsyncIterator[SQLAlchemyDataLayer]:
    """Chainlit's own layer on the schema `stock`."""

    async def connect(**options: Any) -> asyncpg.Connection:
        return await asyncpg.connect(url, server_settings={"search_path": "stock"}, **options)

    layer = SQLAlchemyDataLayer("postgresql+asyncpg://", {"async_creator_fn": connect})
    yield layer
    await layer.engine.dispose()


async def main(url: str, threads: int, rounds: int) -> None:
    """Ask, and print what it took as JSON."""
    # The stock layer warns that it has no storage for files; nobody gives it any.
    logging.getLogger("chainlit").setLevel(logging.ERROR)
    engine = open_engine(url)
    async with open_stock(url) as stock:
        asker = Asker(engine, stock, threads)
        with session_of(await asker.layer.get_user(thread_rows.OWNER)):
            took = await ask_all(await asker.questions(), rounds)
    await engine.dispose()
    print(json.dumps(took))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
