"""The chat door: Chainlit's hooks and nothing else. A message comes in, the agent answers, cards
stand in the answer.

Chainlit loads this file by its path, and under `-w` a second time: nothing that lives may stand
here. What lives hangs on the state of Chainlit's own app, where `server.py` (or the start-up hook
below, under Chainlit's own command) has put it.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import chainlit as cl
import structlog
from chainlit.data import get_data_layer
from chainlit.element import Element
from chainlit.server import app as house

import api
from agent.chat_model import ChatModel, open_chat_model
from agent.digest import digest
from agent.events import Ended, TextDelta, ToolCallFinished
from agent.history import Said
from agent.loop import Agent
from api import problems
from chat import pictures
from chat.pictures import Brought
from chat.recall import recall
from chat.texts import Texts, texts
from db.connect import DATABASE_ERRORS
from db.ids import new_id
from db.thread_rows import CARD
from db.threads import Threads
from generations.contract import Caller
from runtime import LOCAL_USER, Runtime, open_runtime
from settings import load
from tools.registry import Toolbox

log = structlog.get_logger(__name__)

#: Tools whose answer is a generation that the person wants to look at again.
SHOWN_BY = frozenset({"get_generation", "retry_generation"})


@cl.header_auth_callback
async def log_in_local(headers: Any) -> cl.User:
    """Local mode: whoever got past the guard is the one user of this machine."""
    return cl.User(identifier=LOCAL_USER)


@cl.data_layer
def data_layer() -> Threads:
    """Our own data layer on the one database."""
    runtime: Runtime = house.state.runtime
    return Threads(runtime.engine, runtime.admission.delete_of_thread)


@cl.set_starters
async def starters(user: cl.User | None, language: str | None) -> list[cl.Starter]:
    """Four ways to begin, in the person's language."""
    return [cl.Starter(label=label, message=text) for label, text in texts(language).starters]


@cl.on_chat_resume
async def resume(thread: Any) -> None:
    """Nothing to do, cards draw themselves from their rows; but without this hook no thread
    reopens.
    """


@cl.on_message
async def on_message(message: cl.Message) -> None:
    """Answer one message. What goes wrong is said in the person's language, and logged for the
    operator.
    """
    runtime: Runtime = house.state.runtime
    words = texts(getattr(cl.context.session, "language", None))
    with runtime.turn():
        answer = Answer(caller_of(message))
        try:
            await reply(runtime, house.state.chat, message, answer, words)
        except DATABASE_ERRORS as error:
            log.warning("turn failed", error=type(error).__name__)
            await answer.say_apart(words.database_away)
        except Exception:
            log.exception("turn failed")
            await answer.say_apart(words.failed)
        finally:
            # Also when the person pressed Stop: what was said so far is kept.
            await answer.finish()


def caller_of(message: cl.Message) -> Caller:
    """The person behind the session. The step that asks is their message, whatever answers it
    later.
    """
    user = cl.context.session.user
    if not isinstance(user, cl.PersistedUser):
        raise TypeError("a chat without a stored user")
    return Caller(
        user_id=UUID(user.id),
        thread_id=UUID(cl.context.session.thread_id),
        step_id=UUID(message.id),
    )


async def reply(
    runtime: Runtime, chat: ChatModel, message: cl.Message, answer: Answer, words: Texts
) -> None:
    """Run the agent on one message and put what it says and makes into the answer."""
    said = await take_in(runtime, chat, message, answer, words)
    recalled = await recall(runtime, answer.caller)
    events = Agent(chat).reply(
        said,
        Toolbox(caller=answer.caller, admission=runtime.admission),
        history=recalled.turns,
        finished_lines=recalled.finished_lines,
    )
    async with aclosing(events):
        async for event in events:
            match event:
                case TextDelta(text=text):
                    await answer.say(text)
                case ToolCallFinished():
                    await answer.note_call(event)
                case Ended(message=str(text)):
                    await answer.say_apart(text)


async def take_in(
    runtime: Runtime, chat: ChatModel, message: cl.Message, answer: Answer, words: Texts
) -> Said:
    """Take the message's pictures into our storage; its elements then show ours, for good."""
    elements: dict[str, Element] = {e.id: e for e in message.elements or () if e.path}
    brought = [
        Brought(element_id=e.id, name=e.name, path=Path(str(e.path))) for e in elements.values()
    ]
    taken = await pictures.take_in(runtime, answer.caller, brought)
    for item in taken:
        name = item.brought.name
        if item.asset is None:
            await answer.say_apart(words.not_taken.format(name=name, reason=item.refusal))
        else:
            element = elements[item.brought.element_id]
            element.url = f"/media/{item.asset.id}"
            await layer().create_element(element)
    seen = await pictures.attachments(runtime, taken, seen=chat.sees)
    return Said(text=str(message.content), attachments=seen)


def layer() -> Threads:
    """The data layer that Chainlit holds."""
    found = get_data_layer()
    if not isinstance(found, Threads):
        raise TypeError("the chat runs on our own data layer")
    return found


class Answer:
    """The assistant's one message of a turn: its text, its cards in order, its calls on record."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._message = cl.Message(content="", author="Kinora")
        self._begun = False
        self._apart = False
        self._shown: set[str] = set()

    async def say(self, text: str) -> None:
        """Stream a piece of text; after a call or a notice it begins a new paragraph."""
        await self._begin()
        if self._apart and self._message.content:
            text = "\n\n" + text
        self._apart = False
        await self._message.stream_token(text)

    async def say_apart(self, text: str) -> None:
        """Say something in a paragraph of its own."""
        self._apart = True
        await self.say(text)
        self._apart = True

    async def note_call(self, call: ToolCallFinished) -> None:
        """Show the generation that a call speaks of, and keep the call in the thread for later
        turns.
        """
        if not call.failed and (call.started or call.name in SHOWN_BY):
            await self._show(call.result)
        self._apart = True
        now = datetime.now(UTC).isoformat()
        await layer().create_step(
            {
                "id": str(new_id()),
                "threadId": str(self.caller.thread_id),
                "parentId": self._message.parent_id,
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
        )

    async def _show(self, reading: dict[str, Any]) -> None:
        if reading["id"] in self._shown:
            return
        self._shown.add(reading["id"])
        await self._begin()
        props = {"generation_id": reading["id"], "snapshot": reading}
        card = cl.CustomElement(name=CARD, props=props, display="inline")
        # One after the other: cards that are sent at once stand in random order.
        await card.send(for_id=self._message.id)

    async def _begin(self) -> None:
        """A word or a card needs a message to stand in."""
        if not self._begun:
            self._begun = True
            await self._message.send()

    async def finish(self) -> None:
        """Write the message down as it is now."""
        if self._begun:
            await self._message.update()


@cl.on_app_startup
async def open_house() -> None:
    """Under `chainlit run`: open the runtime, and put our routes in front of Chainlit's
    catch-all.
    """
    loaded = load()
    stack = AsyncExitStack()
    runtime = await stack.enter_async_context(open_runtime(loaded))
    chat = open_chat_model(loaded, runtime.demo_url)
    stack.push_async_callback(chat.close)
    house.state.runtime, house.state.chat, house.state.stack = runtime, chat, stack
    problems.install(house)
    house.router.routes[0:0] = api.routes().routes


@cl.on_app_shutdown
async def close_house() -> None:
    """Under `chainlit run`: close the runtime; afterwards the process is ended without further
    clean-up.
    """
    await layer().close()
    await house.state.stack.aclose()
