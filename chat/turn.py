"""A turn: one message of a person, and the agent's answer to it as it comes into being.

The page it is shown on is behind a small protocol; the chat's door implements it on Chainlit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from agent.chat_model import ChatModel
from agent.events import Ended, Event, TextDelta, ToolCallFinished
from agent.history import Attachment, Said
from agent.loop import Agent
from chat import pictures
from chat.pictures import Brought
from chat.recall import Recalled, recall
from chat.texts import Texts
from crash_points import crash_point
from db import threads_of, turns
from db.connect import DATABASE_ERRORS
from db.threads_of import Deleted
from generations.contract import Caller
from runtime import Runtime
from tools.registry import Toolbox

log = structlog.get_logger(__name__)

#: While an answer comes in, its thread may be deleted, here or in any other process.
LOOK_EVERY_S = 1.0


class Page(Protocol):
    """Where an answer is shown and kept."""

    async def say(self, text: str) -> None:
        """Stream a piece of text."""

    async def say_apart(self, text: str) -> None:
        """Say something in a paragraph of its own."""

    async def note_call(self, call: ToolCallFinished) -> None:
        """Show the generation that a call speaks of, and keep the call."""

    async def keep_picture(self, element_id: str, url: str) -> None:
        """Have a picture of the person's shown from our storage from now on."""

    async def finish(self) -> None:
        """Write the answer down. Raises: the database's errors."""

    async def warn(self, text: str) -> None:
        """Tell the person of trouble, beside the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asked: new files are still to be taken in, known pictures only named."""

    step_id: UUID
    thread_id: UUID
    user_id: UUID
    at: datetime
    text: str
    brought: Sequence[Brought] = ()
    known: Sequence[Attachment] = ()


class Turn:
    """Answers one message. The step that asks is the person's message, whatever answers it and
    however often: what its calls have started is found again by their index.
    """

    def __init__(self, runtime: Runtime, chat: ChatModel, words: Texts, page: Page) -> None:
        self._runtime, self._chat, self._words, self._page = runtime, chat, words, page

    async def run(self, asked: Asked) -> None:
        """Answer, and write down that it is answered; also when the person pressed Stop. In a
        thread that was deleted nothing is said any more.
        """
        with self._runtime.turn():
            try:
                # Reading what was said before waits for nothing.
                recalling = recall(self._runtime, _caller(asked), asked.at)
                _, recalled = await asyncio.gather(self._begin(asked), recalling)
                await self._reply(asked, recalled)
            except Deleted:
                log.info("turn ended, its thread was deleted")
            except Exception:  # noqa: BLE001 - the chat's boundary: people read words, not traces
                log.exception("turn failed")
                await self._page.say_apart(self._words.failed)
            finally:
                await self._end(asked)

    async def _begin(self, asked: Asked) -> None:
        async with self._runtime.engine.begin() as connection:
            instance = self._runtime.watch.instance
            await turns.begin(connection, asked.step_id, asked.thread_id, instance)

    async def _end(self, asked: Asked) -> None:
        """Only a stored answer ends a turn: without, it counts as interrupted once we are gone."""
        try:
            await self._page.finish()
            crash_point("turn.step-written")
            async with self._runtime.engine.begin() as connection:
                await turns.end(connection, asked.step_id, self._runtime.watch.instance)
        except DATABASE_ERRORS as error:
            log.warning("answer not stored", error=type(error).__name__)
            await self._page.warn(self._words.answer_not_stored)

    async def _reply(self, asked: Asked, recalled: Recalled) -> None:
        caller = _caller(asked)
        taken = await self._take_in(caller, asked.brought)
        events = Agent(self._chat, self._words.agent).reply(
            Said(text=asked.text, attachments=(*asked.known, *taken)),
            Toolbox(caller=caller, admission=self._runtime.admission),
            history=recalled.turns,
            news=recalled.news,
        )
        async with aclosing(events), aclosing(self._while_it_stands(asked, events)) as heard:
            async for event in heard:
                match event:
                    case TextDelta(text=text):
                        await self._page.say(text)
                    case ToolCallFinished():
                        await self._page.note_call(event)
                    case Ended(message=str(text)):
                        await self._page.say_apart(text)

    async def _while_it_stands(
        self, asked: Asked, events: AsyncIterator[Event]
    ) -> AsyncGenerator[Event]:
        """The events of an answer for as long as its thread is there.

        Raises:
            Deleted: it no longer is.
        """
        clock = asyncio.get_running_loop().time
        looked_at = clock()
        async for event in events:
            if isinstance(event, ToolCallFinished) or clock() - looked_at >= LOOK_EVERY_S:
                async with self._runtime.engine.connect() as connection:
                    if await threads_of.is_deleted(connection, asked.user_id, asked.thread_id):
                        raise Deleted("the thread of this answer was deleted")
                looked_at = clock()
            yield event

    async def _take_in(self, caller: Caller, brought: Sequence[Brought]) -> tuple[Attachment, ...]:
        taken = await pictures.take_in(self._runtime, caller, brought)
        for item in taken:
            if item.asset is None:
                refusal = self._words.not_taken.format(name=item.brought.name, reason=item.refusal)
                await self._page.say_apart(refusal)
            else:
                await self._page.keep_picture(item.brought.element_id, f"/media/{item.asset.id}")
        return await pictures.attachments(self._runtime, taken, seen=self._chat.sees)


def _caller(asked: Asked) -> Caller:
    return Caller(user_id=asked.user_id, thread_id=asked.thread_id, step_id=asked.step_id)
