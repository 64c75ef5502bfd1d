"""What comes in on the chat's socket: which events exist, and what is left of what is said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import uuid1, uuid4

import pytest
from chainlit.server import sio

from chat.incoming import CHECKED, FILES_MAX, PLAIN, SILENT, connection, front, message

THREAD, KEPT = str(uuid4()), str(uuid4())
#: What the socket's library hands over; only it can put a function there.
HANDSHAKE = {"asgi.receive": lambda: None}


def test_every_event_of_the_framework_is_passed_checked_or_silent() -> None:
    assert set(sio.handlers) == {"/"}
    assert set(sio.handlers["/"]) == PLAIN | CHECKED | SILENT


class Table:
    """A table of events whose handlers note what reached them."""

    def __init__(self, *events: str) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.handlers: dict[str, Any] = {name: self.note(name) for name in events}
        self.session = SimpleNamespace(thread_id=THREAD, files={KEPT: {}})
        sessions = {"known": self.session}
        front(self.handlers, sessions.get, lambda _: "ada", self.let_in, self.give_back)

    async def let_in(self, sid: str, connect: Any) -> Any:
        """Nobody has to wait."""
        return await connect()

    async def give_back(self, session: Any, step: dict[str, Any]) -> None:
        """Note which message it was."""
        self.seen.append(("given back", step["id"]))

    def note(self, name: str) -> Any:
        async def inner(*args: object) -> bool:
            self.seen.append((name, *args))
            return True

        return inner


@pytest.fixture
def table() -> Table:
    return Table(*PLAIN, *CHECKED, *SILENT, "event_of_a_later_version")


async def test_what_the_page_needs_passes_and_the_rest_is_silent(table: Table) -> None:
    for name, handler in table.handlers.items():
        if name not in CHECKED:
            await handler("known")
            await handler("known", {"message": {"id": "x"}}, "and more")
    assert {name for name, *_ in table.seen} == PLAIN
    assert all(len(call) == 2 for call in table.seen)


async def test_an_event_without_a_session_is_nothing(table: Table) -> None:
    for name in (*PLAIN, "client_message"):
        await table.handlers[name]("stranger", {"message": {"id": str(uuid4()), "output": "x"}})
    assert table.seen == []


def said(**more: Any) -> dict[str, Any]:
    return {"message": {"id": str(uuid4()), "output": "a fox", **more}, "fileReferences": []}


async def test_a_message_is_what_the_person_says_and_nothing_they_claim(table: Table) -> None:
    claimed = said(
        threadId=str(uuid4()), parentId=str(uuid4()), name="Kinora", type="assistant_message",
        createdAt="3000-01-01", metadata={"is_shared": True}, tags=["x"], generation={"a": 1},
        command="sudo", modes={"a": "b"}, streaming=True, language="html", isError=True,
    )  # fmt: skip
    await table.handlers["client_message"]("known", claimed)
    [(_, _, kept)] = table.seen
    assert kept["message"].pop("createdAt") < "3000"
    assert kept == {
        "message": {
            "id": claimed["message"]["id"],
            "threadId": THREAD,
            "parentId": None,
            "name": "ada",
            "type": "user_message",
            "output": "a fox",
            "metadata": {},
        },
        "fileReferences": [],
    }


@pytest.mark.parametrize(
    "payload",
    [
        *(None, 1, "x", [], {}, {"message": None}, {"message": []}, {"message": "x"}),
        *({"message": {}}, {"message": {"id": str(uuid4())}}, {"message": {"output": "x"}}),
        *(said(id=i) for i in (None, 1, "", "x", "../x", str(uuid1()), str(uuid4()).upper())),
        *(said(id=f"{{{uuid4()}}}"), said(output=None), said(output=1), said(output={"a": 1})),
        *(said(output=""), said(output=" \n "), said(output=["x"])),
    ],
)
async def test_a_message_of_a_strange_shape_is_not_taken(table: Table, payload: object) -> None:
    await table.handlers["client_message"]("known", payload)
    await table.handlers["client_message"]("known")
    assert table.seen == []


def test_files_are_named_by_their_ids_once_and_not_too_many() -> None:
    ids = [str(uuid4()) for _ in range(FILES_MAX + 3)]
    junk: list[object] = [None, "x", {}, {"id": 1}, {"id": "../x"}, {"id": {}}, [ids[0]]]
    files = [*junk, *({"id": i, "path": "/etc/passwd"} for i in [ids[0], *ids])]
    kept = message({**said(output=""), "fileReferences": files}, "ada", THREAD)
    assert kept is not None
    assert kept["fileReferences"] == [{"id": i} for i in ids[:FILES_MAX]]
    for other in (None, "x", 1, {"id": ids[0]}):
        kept = message({**said(), "fileReferences": other}, "ada", THREAD)
        assert kept is not None
        assert kept["fileReferences"] == []


def test_a_page_says_which_session_and_thread_and_no_more() -> None:
    session, thread = str(uuid4()), str(uuid4())
    auth = {"sessionId": session, "threadId": thread, "clientType": "copilot"}
    claimed = {**auth, "userEnv": "{", "chatProfile": "x", "user": "ada"}
    assert connection(claimed) == {**auth, "userEnv": None, "chatProfile": None}
    for none in ("", None):
        kept = connection({"sessionId": session, "threadId": none, "clientType": ["x"]})
        assert kept is not None
        assert (kept["threadId"], kept["clientType"]) == (None, "webapp")


@pytest.mark.parametrize(
    "auth",
    [
        *(None, 1, "x", [], {}, {"sessionId": None}, {"sessionId": "../../x"}, {"sessionId": []}),
        *({"sessionId": str(uuid4()), "threadId": t} for t in ("x", 1, {"a": 1}, "' or 1=1")),
    ],
)
async def test_a_page_that_makes_no_sense_is_refused(table: Table, auth: object) -> None:
    assert await table.handlers["connect"]("sid", HANDSHAKE, auth) is False
    assert await table.handlers["connect"]("sid", HANDSHAKE) is False
    assert table.seen == []


async def test_a_client_cannot_play_the_handshake_again_with_other_headers(table: Table) -> None:
    auth, forged = {"sessionId": str(uuid4())}, {"HTTP_COOKIE": "a=b", "asgi.receive": "x"}
    for environ in (None, "x", {}, forged):
        assert await table.handlers["connect"]("sid", environ, auth) is False
    assert table.seen == []
    assert await table.handlers["connect"]("sid", HANDSHAKE, auth) is True


async def test_a_message_whose_files_are_not_here_is_given_back(table: Table) -> None:
    kept, lost = {"id": KEPT}, {"id": str(uuid4())}
    told = {**said(), "fileReferences": [kept, lost]}
    await table.handlers["client_message"]("known", told)
    assert table.seen == [("given back", told["message"]["id"])]
    await table.handlers["client_message"]("known", {**said(), "fileReferences": [kept]})
    assert table.seen[1][0] == "client_message"


async def test_a_page_that_comes_back_in_another_thread_goes_on_in_that_one(table: Table) -> None:
    other, auth = str(uuid4()), {"sessionId": str(uuid4())}
    for thread_id in (None, THREAD):
        await table.handlers["connect"]("known", HANDSHAKE, {**auth, "threadId": thread_id})
        assert vars(table.session) == {"thread_id": THREAD, "files": {KEPT: {}}}
    await table.handlers["connect"]("known", HANDSHAKE, {**auth, "threadId": other})
    assert table.session.thread_id == table.session.thread_id_to_resume == other
    assert table.session.has_first_interaction
