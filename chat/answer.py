"""The assistant's one message of a turn, on every page that looks at its thread.

What is sent on a socket that is down never arrives. So an answer knows the pages that show it: one
that comes back, or is opened in the middle, is given the message as it stands and hears the rest.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid5

from agent.digest import digest
from agent.events import ToolCallFinished
from db.threads import Threads

#: Tools whose answer is a generation that the person wants to look at again.
SHOWN_BY = frozenset({"get_generation", "retry_generation"})
#: Pieces of text that come faster than this are gathered: each event costs the loop half a
#: millisecond, and nobody reads faster.
GATHER_S = 0.1
#: A page that comes back has read its thread a moment before it asks for a running answer.
KEPT_S = 10.0

Step = dict[str, Any]


class Emitter(Protocol):
    """What a page can be told, in Chainlit's words."""

    async def send_step(self, step_dict: Any) -> Any: ...
    async def update_step(self, step_dict: Any) -> Any: ...
    async def stream_start(self, step_dict: Any) -> Any: ...
    async def send_token(self, id: str, token: str) -> Any: ...
    async def send_element(self, element_dict: Any) -> Any: ...
    async def task_start(self) -> Any: ...
    async def task_end(self) -> Any: ...


class Door(Protocol):
    """What only the chat's own door can do."""

    @property
    def page_id(self) -> str:
        """Which page asked."""

    @property
    def page(self) -> Emitter:
        """The page that asked."""

    async def draw_card(self, card_id: str, reading: Step, step_id: str) -> Step:
        """Show and store a card on the page that asked; returns the element for the others."""

    async def keep_picture(self, element_id: str, url: str) -> None:
        """Have a picture of the person's shown from our storage from now on."""

    async def warn(self, text: str) -> None:
        """Tell the person of trouble, beside the answer."""


class Answer:
    """Its text, its cards in order, its calls on record.

    `message` and `question` are steps in Chainlit's spelling. The message's id is made of the
    question's, and all other ids of it, so a turn that is taken up again writes the same message
    and shows the same cards.
    """

    def __init__(self, message: Step, question: Step | None, layer: Threads, door: Door) -> None:
        self._layer, self._door = layer, door
        self._id = UUID(message["id"])
        self._message, self._question = message, question
        self._pages: dict[str, Emitter] = {door.page_id: door.page}
        #: A page that joins is given all there is, and after it exactly what comes.
        self._line = asyncio.Lock()
        self._gathered: list[str] = []
        self._sent_at = 0.0
        self._begun = False
        self._apart = False
        self._shown: set[str] = set()
        self._cards: list[Step] = []
        self.task = asyncio.current_task()

    async def show_on(self, page_id: str, page: Emitter) -> None:
        """Give a page everything as it is now, and let it hear what comes."""
        async with self._line:
            if self._question is not None:
                await page.send_step(self._question)
            if self._begun:
                # A page drops a step whose parent it does not know.
                await page.send_step({**self._message, "parentId": None})
            for card in self._cards:
                await page.send_element(card)
            self._pages[page_id] = page

    async def say(self, text: str) -> None:
        """Stream a piece of text; after a call or a notice it begins a new paragraph."""
        await self._begin()
        if self._apart and (self._message["output"] or self._gathered):
            text = "\n\n" + text
        self._apart = False
        self._gathered.append(text)
        if asyncio.get_running_loop().time() - self._sent_at >= GATHER_S:
            await self._send_gathered()

    async def _send_gathered(self) -> None:
        if not self._gathered:
            return
        text = "".join(self._gathered)
        self._gathered.clear()
        async with self._line:
            self._message["output"] += text
            if self._message["streaming"]:
                await self._tell(lambda page: page.send_token(str(self._id), text))
            else:
                self._message["streaming"] = True
                await self._tell(lambda page: page.stream_start(dict(self._message)))
        self._sent_at = asyncio.get_running_loop().time()

    async def _tell(self, send: Callable[[Emitter], Awaitable[Any]], but: str = "") -> None:
        for page_id, page in list(self._pages.items()):
            if page_id != but:
                await send(page)

    async def say_apart(self, text: str) -> None:
        """Say something in a paragraph of its own."""
        self._apart = True
        await self.say(text)
        self._apart = True

    async def note_call(self, call: ToolCallFinished) -> None:
        """Show the generation that a call speaks of, and keep the call in the thread for later
        turns.
        """
        await self._send_gathered()
        if not call.failed and (call.started or call.name in SHOWN_BY):
            await self._show(call.result)
        self._apart = True
        now = datetime.now(UTC).isoformat()
        step: Any = {
            "id": str(uuid5(self._id, f"call {call.index}")),
            "threadId": self._message["threadId"],
            "parentId": self._message["parentId"],
            "name": call.name,
            "type": "tool",
            "input": call.arguments,
            "output": json.dumps(digest(call.result), ensure_ascii=False),
            "isError": call.failed,
            "showInput": "json",
            "createdAt": now,
            "start": now,
            "end": now,
        }
        await self._layer.create_step(step)

    async def _show(self, reading: dict[str, Any]) -> None:
        if reading["id"] in self._shown:
            return
        self._shown.add(reading["id"])
        await self._begin()
        # A card needs a stored message to stand in, should this turn be cut off.
        await self._store()
        card_id = str(uuid5(self._id, reading["id"]))
        # One after the other: cards that are sent at once stand in random order.
        card = await self._door.draw_card(card_id, reading, str(self._id))
        async with self._line:
            self._cards.append(card)
            await self._tell(lambda page: page.send_element(card), but=self._door.page_id)

    async def _begin(self) -> None:
        """A word or a card needs a message on the page; stored it is when it is whole."""
        if self._begun:
            return
        self._begun = True
        now = datetime.now(UTC).isoformat()
        async with self._line:
            self._message |= {"createdAt": now, "start": now, "end": now}
            await self._tell(lambda page: page.send_step(dict(self._message)))

    async def _store(self) -> None:
        message: Any = dict(self._message)
        await self._layer.update_step(message)

    async def keep_picture(self, element_id: str, url: str) -> None:
        """Have a picture of the person's shown from our storage from now on."""
        await self._door.keep_picture(element_id, url)

    async def warn(self, text: str) -> None:
        """Tell the person of trouble, beside the answer."""
        await self._door.warn(text)

    async def finish(self) -> None:
        """Send what was gathered, and write the message down as it is now, once."""
        if self._begun:
            await self._send_gathered()
            async with self._line:
                self._message["streaming"] = False
                await self._tell(lambda page: page.update_step(dict(self._message)))
            await self._store()

    async def end(self) -> None:
        """No page waits for more."""
        await self._tell(lambda page: page.task_end())


class Answers:
    """The answers that are being written in this process, by thread."""

    def __init__(self) -> None:
        self._by_thread: dict[UUID, Answer] = {}

    def of(self, thread_id: UUID) -> Answer | None:
        """The answer that is being written in a thread, or has just been."""
        return self._by_thread.get(thread_id)

    @contextmanager
    def writing(self, thread_id: UUID, answer: Answer) -> Iterator[None]:
        """An answer is written in this block."""
        self._by_thread[thread_id] = answer
        try:
            yield
        finally:
            loop = asyncio.get_running_loop()
            loop.call_later(KEPT_S, self._forget, thread_id, answer)

    def _forget(self, thread_id: UUID, answer: Answer) -> None:
        if self._by_thread.get(thread_id) is answer:
            del self._by_thread[thread_id]
