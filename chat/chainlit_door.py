"""What of the chat is Chainlit's own affair: sessions, sockets, elements, toasts.

The chat's door (`chainlit_app.py`) has the hooks; what they stand on is here. Nothing that lives is
kept in this module either: it hangs on the state of Chainlit's own app.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import UUID, uuid5

import chainlit as cl
import structlog
from chainlit.context import init_ws_context
from chainlit.data import get_data_layer
from chainlit.element import Element
from chainlit.server import app as house
from chainlit.server import sio
from chainlit.session import WebsocketSession
from chainlit.step import StepDict

from accounts.identity import LOCAL, shown_name
from chat.answer import Answer, Answers, Step
from chat.elsewhere import Followers, Reader, follow
from chat.texts import Texts, texts
from chat.turn import Asked
from db.connect import DATABASE_ERRORS
from db.connect import answers as database_answers
from db.thread_rows import ASSISTANT, CARD
from db.threads import Threads
from runtime import CHECK_S, Runtime

log = structlog.get_logger(__name__)

#: A page whose database is away is let in so soon after it is back.
KNOCK_EVERY_S = 0.5


def answers() -> Answers:
    """The answers that are being written, kept beside what else is alive."""
    if not hasattr(house.state, "answers"):
        house.state.answers = Answers()
    return cast(Answers, house.state.answers)


def followers() -> Followers:
    """The pages that wait for another process's answer, kept there too."""
    if not hasattr(house.state, "followers"):
        house.state.followers = Followers()
    return cast(Followers, house.state.followers)


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


class Door:
    """What of an answer is Chainlit's own affair: cards and pictures as its elements, toasts."""

    def __init__(self, elements: dict[str, Element]) -> None:
        self._elements = elements
        self.page_id: str = cl.context.session.id
        self.page = cl.context.emitter

    async def draw_card(
        self, card_id: str, reading: dict[str, Any], step_id: str
    ) -> dict[str, Any]:
        """Show and store a card on the page that asked; returns the element for the others."""
        props = {"generation_id": reading["id"], "snapshot": reading}
        card = cl.CustomElement(id=card_id, name=CARD, props=props, display="inline")
        await card.send(for_id=step_id)
        # The file behind the key belongs to the session of the page that asked.
        return {**card.to_dict(), "chainlitKey": None}

    async def keep_picture(self, element_id: str, url: str) -> None:
        """Have a picture of the person's shown from our storage from now on."""
        element = self._elements[element_id]
        element.url = url
        await layer().create_element(element)

    async def warn(self, text: str) -> None:
        """Tell the person of trouble, beside the answer."""
        await cl.context.emitter.send_toast(text, "error")


def new_answer(asked: Asked, question: StepDict | None, elements: dict[str, Element]) -> Answer:
    """The assistant's message of a turn, to be shown on the page that asks; a question that all
    pages have already is not named.
    """
    answer_id = str(uuid5(asked.step_id, "answer"))
    message = cl.Message(content="", author=ASSISTANT, id=answer_id).to_dict()
    asking = cast(Step, question) if question else None
    return Answer(cast(Step, message), asking, layer(), Door(elements))


async def hand_back(step_id: str, why: str) -> None:
    """Answer a message that is kept nowhere, on this page alone; its words go back to the field it
    came from.
    """
    answer = cl.Message(content=why, author=ASSISTANT)
    await cl.context.emitter.send_step(answer.to_dict())
    await cl.context.emitter.send_window_message({"kinora": "not_stored", "step": step_id})


async def give_back(session: WebsocketSession, step: dict[str, Any]) -> None:
    """Hand a message back whose pictures are at the server that the page was with before."""
    init_ws_context(session)
    await hand_back(step["id"], words().pictures_gone)


async def join(session: Any, thread: dict[str, Any]) -> None:
    """The page has just been given its thread: an answer that is being written there goes on before
    its eyes, here at once, and by another process whenever something of it is stored.
    """
    await _show_answer(session, thread["id"])
    runtime: Runtime = house.state.runtime

    async def give_anew(found: dict[str, Any]) -> None:
        await session.emit("resume_thread", found)
        await _show_answer(session, found["id"])

    reader = Reader(
        engine=runtime.engine,
        instance=runtime.watch.instance,
        read=lambda: layer().get_thread(thread["id"]),
        give=give_anew,
        is_there=lambda: WebsocketSession.get_by_id(session.id) is session,
    )
    followers().begin(session.id, follow(reader, thread))


async def _show_answer(session: Any, thread_id: str) -> None:
    emitter = cl.context.emitter
    # What the person sends from now on stays on the page.
    await emitter.send_window_message({"kinora": "resumed"})
    answer = answers().of(UUID(thread_id))
    if answer is not None:
        await answer.show_on(session.id, emitter)
        if answer.task is not None and not answer.task.done():
            session.current_task = answer.task
            await emitter.task_start()


def author_of(session: WebsocketSession) -> str:
    """Under which name a message of this session is kept, whatever it says itself."""
    return shown_name(session.user.identifier) if session.user else LOCAL


async def let_in(sid: str, connect: Callable[[], Awaitable[Any]]) -> Any:
    """A page's socket has come. While the database is away it waits at the door: refused, the page
    would never knock again, and without an answer it would stay deaf when the database is back.
    """
    runtime: Runtime = house.state.runtime
    eio_sid = sio.manager.eio_sid_from_sid(sid, "/")
    while eio_sid in sio.eio.sockets and not sio.eio.sockets[eio_sid].closed:
        try:
            if await database_answers(runtime.engine, CHECK_S):
                return await connect()
        except ConnectionRefusedError:
            raise
        except DATABASE_ERRORS as error:
            log.warning("page not let in yet", error=type(error).__name__)
        await asyncio.sleep(KNOCK_EVERY_S)
    return False
