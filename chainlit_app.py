"""The chat door: Chainlit's hooks and nothing else. A message comes in, the agent answers, cards
stand in the answer.

Chainlit loads this file by its path, and under `-w` a second time: nothing that lives may stand
here. What lives hangs on the state of Chainlit's own app, where `server.py` (or the start-up hook
below, under Chainlit's own command) has put it.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import chainlit as cl
import structlog
from chainlit.element import Element
from chainlit.server import app as house
from chainlit.server import get_html_template, sio
from chainlit.session import WebsocketSession
from fastapi import Request, Response

import api
from accounts.identity import LOCAL
from agent.chat_model import open_chat_model
from agent.history import Attachment
from api import framework
from api.access import Access
from api.front import front_of
from api.guard import Guard
from api.page import page_routes
from chat import incoming
from chat.answer import Answer
from chat.chainlit_door import (
    answers,
    author_of,
    caller_id,
    give_back,
    hand_back,
    join,
    layer,
    let_in,
    new_answer,
    words,
)
from chat.pictures import Brought
from chat.texts import texts
from chat.turn import Asked, Turn
from data_folder import prepare_data_dir, read_secret
from db import conversation, turns
from db.connect import DATABASE_ERRORS
from db.ids import parse_id
from db.threads import Refused, Threads
from logs import configure_logging
from runtime import Runtime, open_runtime
from settings import give_chainlit_its_secret, load

log = structlog.get_logger(__name__)


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


@cl.on_chat_end
async def keep_place() -> None:
    """The socket has closed. What is sent until it comes back never arrives, so the page is to be
    given its thread anew then.
    """
    session = cl.context.session
    if session.has_first_interaction:
        session.thread_id_to_resume = session.thread_id
    cl.chat_context.clear()


@cl.on_chat_resume
async def resume(thread: Any) -> None:
    """A page comes to a thread, or comes back to it: an answer that is being written there goes on
    before its eyes. Cards draw themselves from their rows.
    """
    # Its type says that `emit` gives nothing back; it gives what is to be awaited.
    session: Any = cl.context.session
    send = session.emit

    async def send_and_go_on(event: str, data: Any) -> None:
        # Chainlit sends the thread after this hook; what is sent before is wiped out by that.
        await send(event, data)
        if event != "resume_thread":
            return
        session.emit = send
        await join(session, thread)

    session.emit = send_and_go_on


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
    question = message.to_dict()
    answer = new_answer(asked, question, elements)
    # From now on, since a page that comes back in this moment finds the message stored or here, and
    # a process that stops in this moment answers it first.
    with house.state.runtime.turn(), answers().writing(asked.thread_id, answer):
        try:
            await layer().keep_step(question)
        except (*DATABASE_ERRORS, Refused, ValueError) as error:
            log.warning("message not stored", error=type(error).__name__)
            await hand_back(message.id, words().not_stored)
            return
        await run_turn(asked, answer)


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
        answer = new_answer(asked, None, {})
        with answers().writing(thread_id, answer):
            await run_turn(asked, answer)
    finally:
        await emitter.task_end()


async def run_turn(asked: Asked, answer: Answer) -> None:
    """Run a turn; after it no page waits for more."""
    try:
        await Turn(house.state.runtime, house.state.chat, words(), answer).run(asked)
    finally:
        await answer.end()


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
    incoming.front(sio.handlers["/"], WebsocketSession.get, author_of, let_in, give_back)
    house.state.fronted = True
