"""A page that comes to another server than the one it was with: nothing is lost there, and nothing
is pretended.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests.agent.scripted_server import Reply, ScriptedServer, calls, says, scripted_server, sse
from tests.demo_process import Demo
from tests.durability.chats import Chat, cards_of, notice_of
from tests.house import Served, serve
from tests.journeys.cards import outage

pytestmark = pytest.mark.timeout(120)

DRAW = ("generate_image", json.dumps({"prompt": "a mill", "model": "demo-image-quick"}))
SILENCE = Reply(blocks=sse("", done=False), end="hold")
SHOWN_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two servers on one database and one folder, and the chat model of both."""

    one: Served
    other: Served
    model: ScriptedServer

    def chat(self) -> Chat:
        """A page of this machine's one user, with both."""
        return Chat(self.one.client)


@contextlib.asynccontextmanager
async def two(database_url: str, demo: Demo, folder: Path, *script: Reply) -> AsyncIterator[Pair]:
    async with scripted_server(*script) as model, contextlib.AsyncExitStack() as stack:
        settings = {
            "DATABASE_URL": database_url,
            "DEMO_BASE_URL": demo.url,
            "OPENAI_BASE_URL": model.base_url,
            "CHAT_MODEL": "scripted",
        }
        # The folder has the secret, which both must have.
        both = (stack.enter_async_context(serve(folder, **settings)) for _ in range(2))
        one, other = await asyncio.gather(*both)
        for served in (one, other):
            await served.client.get("/")
        yield Pair(one=one, other=other, model=model)


@pytest.fixture(scope="module")
async def pair(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> AsyncIterator[Pair]:
    async with two(fresh_database("two_servers"), demo, shared_folder / "two") as found:
        yield found


def a_picture() -> dict[str, tuple[str, bytes, str]]:
    """As a form sends it."""
    data = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(data, "PNG")
    return {"file": ("red.png", data.getvalue(), "image/png")}


async def attach(chat: Chat, client: httpx.AsyncClient) -> str:
    """Add a picture to what the page is going to say; its id."""
    where = f"/project/file?session_id={chat.session_id}"
    answer = await client.post(where, files=a_picture())
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def outputs(thread: dict[str, Any]) -> list[str]:
    """What was said."""
    return [step["output"] for step in thread["steps"] if "message" in step["type"]]


async def test_a_page_that_was_elsewhere_goes_on_in_the_thread_it_began_there(pair: Pair) -> None:
    chat = pair.chat()
    pair.model.script[:] = [says("Here."), says("And here.")]
    # A session that has heard nothing yet stays behind.
    await chat.connect(pair.one.url)
    await chat.connect(pair.other.url)
    await chat.say("hello there")
    began = chat.thread_id
    await chat.connect(pair.one.url)
    await chat.until(lambda: bool(chat.given), SHOWN_WITHIN_S)
    assert (chat.given[-1]["id"], outputs(chat.given[-1])) == (began, ["hello there", "Here."])
    await chat.say("hello again")
    assert chat.thread_id == began
    said = ["hello there", "Here.", "hello again", "And here."]
    assert outputs(await chat.read()) == said
    await chat.leave()


async def test_a_message_whose_picture_is_at_another_server_is_handed_back(pair: Pair) -> None:
    chat = pair.chat()
    pair.model.script[:] = [says("Here."), says("I see it.")]
    await chat.connect(pair.one.url)
    await chat.say("hello")
    asked = len(pair.model.requests)
    file_id = await attach(chat, pair.one.client)
    await chat.connect(pair.other.url)
    step_id = await chat.send("What is this?", file_id)
    back = {"kinora": "not_stored", "step": step_id}
    await chat.until(lambda: back in chat.told, SHOWN_WITHIN_S)
    assert outputs(await chat.read()) == ["hello", "Here."]
    assert len(pair.model.requests) == asked
    # Nothing of it was removed where it is.
    await chat.connect(pair.one.url)
    await chat.send("What is this?", file_id)
    await chat.until(lambda: chat.has_ended, SHOWN_WITHIN_S)
    assert outputs(await chat.read()) == ["hello", "Here.", "What is this?", "I see it."]
    await chat.leave()


async def test_what_belongs_to_a_session_elsewhere_is_refused_in_words(pair: Pair) -> None:
    chat, other = pair.chat(), pair.other.client
    await chat.connect(pair.one.url)
    session = chat.session_id
    body = {"sessionId": session, "action": {"name": "try_again", "payload": {"turn": "x"}}}
    where = f"/project/file?session_id={session}"
    for answer in (
        await other.post("/project/action", json=body),
        await other.post(where, files=a_picture()),
        await other.get(f"/project/file/{uuid4()}?session_id={session}"),
    ):
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await other.post("/set-session-cookie", json={"session_id": session})).is_success
    await chat.leave()


async def test_a_server_leaves_the_files_of_the_other_alone(pair: Pair) -> None:
    """A page has been with both, which share a folder, and left a picture at each; one of them
    clears its session away, as it does when a page has not come back, and stops.
    """
    left, chat = Chat(pair.other.client), pair.chat()
    chat.session_id = left.session_id
    pair.model.script[:] = [says("I see it.")]
    await left.connect(pair.other.url)
    old = f"/project/file/{await attach(left, pair.other.client)}?session_id={left.session_id}"
    await chat.connect(pair.one.url)
    file_id = await attach(chat, pair.one.client)
    await left.clear()
    async with asyncio.timeout(SHOWN_WITHIN_S):
        while (await pair.other.client.get(old)).status_code == 200:
            await outage(0.05)
    pair.other.signal(signal.SIGTERM)
    assert await pair.other.ended() == 0
    where = f"/project/file/{file_id}?session_id={chat.session_id}"
    assert (await pair.one.client.get(where)).content == a_picture()["file"][1]
    await chat.send("What is this?", file_id)
    await chat.until(lambda: chat.has_ended, SHOWN_WITHIN_S)
    elements = (await chat.read())["elements"]
    assert [one["url"].startswith("/media/") for one in elements] == [True]
    await chat.leave()


async def test_an_answer_is_followed_from_another_server_and_taken_up_there(
    database_url: str, calm_demo: Demo, shared_folder: Path
) -> None:
    script = (calls(DRAW), SILENCE, calls(DRAW), says("The mill is on its way."))
    async with two(database_url, calm_demo, shared_folder / "follow", *script) as pair:
        asking, looking = pair.chat(), Chat(pair.other.client)
        await asking.connect(pair.one.url)
        step_id = await asking.send("Draw a mill")
        async with asyncio.timeout(SHOWN_WITHIN_S):
            while not asking.thread_id or not cards_of(await asking.read()):
                await outage(0.05)
        looking.thread_id = asking.thread_id
        await looking.connect(pair.other.url)
        await looking.until(lambda: bool(looking.given), SHOWN_WITHIN_S)
        [card] = cards_of(looking.given[-1])
        assert notice_of(looking.given[-1], step_id) is None
        file_id = await attach(looking, pair.other.client)
        pair.one.signal(signal.SIGKILL)
        await pair.one.ended()
        # The page asks for nothing: it is told.
        await looking.until(lambda: notice_of(looking.given[-1], step_id) is not None)
        notice = notice_of(looking.given[-1], step_id)
        assert notice is not None
        assert await looking.try_again(notice)
        thread = await looking.read()
        assert notice_of(thread, step_id) is None
        assert outputs(thread)[-1].endswith("The mill is on its way.")
        assert [one["id"] for one in cards_of(thread)] == [card["id"]]
        assert (await calm_demo.ledger(card["id"]))["submits"] == 1
        where = f"/project/file/{file_id}?session_id={looking.session_id}"
        assert (await pair.other.client.get(where)).status_code == 200
        await looking.leave()
