"""The chat door: Chainlit's hooks and nothing else. A message comes in, the agent answers, cards
stand in the answer.

Chainlit loads this file by its path, and under `-w` a second time: nothing that lives may stand
here. What lives hangs on the state of Chainlit's own app, where `server.py` (or the start-up hook
below, under Chainlit's own command) has put it.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import chainlit as cl
import structlog
from chainlit.data import get_data_layer
from chainlit.element import Element
from chainlit.server import app as house
from chainlit.server import get_html_template, sio
from chainlit.session import WebsocketSession
from fastapi import Request, Response

import api
from accounts.identity import LOCAL, shown_name
from agent.chat_model import open_chat_model
from agent.digest import digest
from agent.events import ToolCallFinished
from agent.history import Attachment
from api import framework
from api.access import Access
from api.front import front_of
from api.guard import Guard
from api.page import page_routes
from chat import incoming
from chat.pictures import Brought
from chat.texts import Texts, texts
from chat.turn import Asked, Turn
from db import conversation, turns
from db.connect import DATABASE_ERRORS
from db.ids import parse_id
from db.thread_rows import ASSISTANT, CARD
from db.threads import Refused, Threads
from logs import configure_logging
from runtime import Runtime, open_runtime, prepare_data_dir, read_secret
from settings import give_chainlit_its_secret, load

log = structlog.get_logger(__name__)

#: Tools whose answer is a generation that the person wants to look at again.
SHOWN_BY = frozenset({"get_generation", "retry_generation"})
#: Pieces of text that come faster than this are gathered: each event costs the loop half a
#: millisecond, and nobody reads faster.
GATHER_S = 0.1


async def log_in_local(headers: Any) -> cl.User:
    """Local mode: whoever got past the guard is the one user of this machine."""
    return cl.User(identifier=LOCAL)


async def log_in_by_password(email: str, password: str) -> None:
    """Nobody gets here: our own log-in stands before the framework's, which only wants to know that
    there is one.
    """


if load().settings.auth_mode == "local":
    cl.header_auth_callback(log_in_local)
else:
    cl.password_auth_callback(log_in_by_password)


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
    """Answer one message, once it is stored: what cannot be kept is not answered."""
    elements: dict[str, Element] = {e.id: e for e in message.elements or () if e.path}
    asked = Asked(
        step_id=UUID(message.id),
        thread_id=UUID(cl.context.session.thread_id),
        user_id=caller_id(),
        at=datetime.now(UTC),
        text=str(message.content),
        brought=[
            Brought(element_id=e.id, name=e.name, path=Path(str(e.path))) for e in elements.values()
        ],
    )
    answer = Answer(asked, elements)
    try:
        await layer().create_step(message.to_dict())
    except (*DATABASE_ERRORS, Refused, ValueError) as error:
        log.warning("message not stored", error=type(error).__name__)
        await answer.warn(words().not_stored)
        await answer.say_apart(words().not_stored)
        return
    await Turn(house.state.runtime, house.state.chat, words(), answer).run(asked)


@cl.action_callback("try_again")
async def try_again(action: cl.Action) -> None:
    """Take up a turn that was cut by the end of its process; what it had started is not started
    twice, since generations are unique by message and call.
    """
    runtime: Runtime = house.state.runtime
    step_id, user_id = parse_id(action.payload.get("turn")), caller_id()
    if step_id is None:
        return
    async with runtime.engine.begin() as connection:
        thread_id = await turns.thread_of_interrupted(connection, user_id, step_id)
        message = await conversation.one(connection, user_id, step_id)
        if thread_id is None or message is None:
            return
        await turns.begin(connection, step_id, thread_id, runtime.watch.instance)
    asked = Asked(
        step_id=step_id,
        thread_id=thread_id,
        user_id=user_id,
        at=message.created_at,
        text=message.output,
        known=[Attachment(asset_id=str(i), name=name) for i, name in message.pictures],
    )
    emitter = cl.context.emitter
    await emitter.delete_step({"id": str(action.payload.get("notice"))})
    cl.context.session.current_task = asyncio.current_task()
    await emitter.task_start()
    try:
        await Turn(runtime, house.state.chat, words(), Answer(asked, {})).run(asked)
    finally:
        await emitter.task_end()


def words() -> Texts:
    """Our own words in the language of the session."""
    return texts(getattr(cl.context.session, "language", None))


def caller_id() -> UUID:
    """The person behind the session."""
    user = cl.context.session.user
    if not isinstance(user, cl.PersistedUser):
        raise TypeError("a chat without a stored user")
    return UUID(user.id)


def layer() -> Threads:
    """The data layer that Chainlit holds."""
    found = get_data_layer()
    if not isinstance(found, Threads):
        raise TypeError("the chat runs on our own data layer")
    return found


class Answer:
    """The assistant's one message of a turn: its text, its cards in order, its calls on record.

    Its ids are made of the asking step's, so a turn that is taken up again writes the same message
    and shows the same cards.
    """

    def __init__(self, asked: Asked, elements: dict[str, Element]) -> None:
        self._thread_id = str(asked.thread_id)
        self._elements = elements
        self._id = uuid5(asked.step_id, "answer")
        self._message = cl.Message(content="", author=ASSISTANT, id=str(self._id))
        self._gathered: list[str] = []
        self._sent_at = 0.0
        self._begun = False
        self._apart = False
        self._shown: set[str] = set()

    async def say(self, text: str) -> None:
        """Stream a piece of text; after a call or a notice it begins a new paragraph."""
        await self._begin()
        if self._apart and (self._message.content or self._gathered):
            text = "\n\n" + text
        self._apart = False
        self._gathered.append(text)
        if asyncio.get_running_loop().time() - self._sent_at >= GATHER_S:
            await self._send_gathered()

    async def _send_gathered(self) -> None:
        if self._gathered:
            text = "".join(self._gathered)
            self._gathered.clear()
            await self._message.stream_token(text)
            self._sent_at = asyncio.get_running_loop().time()

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
        await layer().create_step(
            {
                "id": str(uuid5(self._id, f"call {call.index}")),
                "threadId": self._thread_id,
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
        # A card needs a stored message to stand in, should this turn be cut off.
        await layer().create_step(self._message.to_dict())
        props = {"generation_id": reading["id"], "snapshot": reading}
        card_id = str(uuid5(self._id, reading["id"]))
        card = cl.CustomElement(id=card_id, name=CARD, props=props, display="inline")
        # One after the other: cards that are sent at once stand in random order.
        await card.send(for_id=self._message.id)

    async def _begin(self) -> None:
        """A word or a card needs a message on the page; stored it is when it is whole."""
        if not self._begun:
            self._begun = True
            self._message.created_at = datetime.now(UTC).isoformat()
            await cl.context.emitter.send_step(self._message.to_dict())

    async def keep_picture(self, element_id: str, url: str) -> None:
        """Have a picture of the person's shown from our storage from now on."""
        element = self._elements[element_id]
        element.url = url
        await layer().create_element(element)

    async def warn(self, text: str) -> None:
        """Tell the person of trouble, beside the answer."""
        await cl.context.emitter.send_toast(text, "error")

    async def finish(self) -> None:
        """Send what was gathered, and write the message down as it is now, once."""
        if self._begun:
            await self._send_gathered()
            self._message.streaming = False
            await cl.context.emitter.update_step(self._message.to_dict())
            await layer().update_step(self._message.to_dict())


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
    page = page_routes(get_html_template(""), as_it_is, loaded.settings.allowed_origins)
    house.router.routes[0:0] = [*api.routes().routes, *page.routes]


async def as_it_is(request: Request, response: Response) -> Response:
    """Under `chainlit run` the page sees to its login itself."""
    return response


@cl.on_app_shutdown
async def close_house() -> None:
    """Under `chainlit run`: close the runtime; afterwards the process is ended without further
    clean-up.
    """
    await layer().close()
    await house.state.stack.aclose()


def author_of(session: WebsocketSession) -> str:
    """Under which name a message of this session is kept, whatever it says itself."""
    return shown_name(session.user.identifier) if session.user else LOCAL


def stand_in_front(app: Any) -> None:
    """Under `chainlit run` no server of ours has done it: the guard, the secret, the log's form."""
    loaded = load()
    configure_logging(loaded.settings.log_format)
    give_chainlit_its_secret(read_secret(loaded, prepare_data_dir(loaded)).decode())
    framework.install(app)
    app.add_middleware(Access, runtime=lambda: app.state.runtime)
    app.add_middleware(Guard, front=front_of(loaded.settings))
    app.state.guarded = True


# Middleware cannot be added once an app has started, so this stands at the end of the file and not
# in a hook; a second load under `-w` finds it done.
if not getattr(house.state, "guarded", False):
    stand_in_front(house)
# The table of the socket's events is not loaded anew either.
if not getattr(house.state, "fronted", False):
    incoming.front(sio.handlers["/"], WebsocketSession.get, author_of)
    house.state.fronted = True
