"""What the model is told of a conversation that came from an old system: no call of its own tells
of the pictures in it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from agent.history import Said, build_messages
from chat.recall import Recalled, recall
from db.ids import new_id
from emulators.brain.answer import answer
from runtime import Runtime
from tests.demo_process import Demo
from tests.emulators.conversation import TOOLS
from tests.generations.imported_rows import LONG_AGO, insert_file, insert_imported
from tests.house import local, open_house


class Thread:
    """A conversation of the local user's, written past all doors."""

    def __init__(self, database_url: str, house: Runtime) -> None:
        self.url, self.house, self.id = database_url, house, new_id()
        self.moment = LONG_AGO
        self._run(
            "insert into kinora.threads (id, user_id) values (%s, %s)",
            (self.id, house.local_user_id),
        )

    def _run(self, statement: str, values: tuple[Any, ...]) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement.encode(), values)

    def say(self, type_: str, text: str) -> UUID:
        """The next message."""
        self.moment += timedelta(seconds=20)
        step_id = new_id()
        self._run(
            "insert into kinora.steps (id, thread_id, name, type, output, created_at)"
            " values (%s, %s, 'x', %s, %s, %s)",
            (step_id, self.id, type_, text, self.moment),
        )
        return step_id

    def show(self, step_id: UUID, generation_id: UUID) -> None:
        """A card in a message."""
        self._run(
            "insert into kinora.elements (id, thread_id, step_id, type, name, generation_id)"
            " values (%s, %s, %s, 'custom', 'GenerationCard', %s)",
            (new_id(), self.id, step_id, generation_id),
        )

    def make(self, step_id: UUID, status: str = "completed", **columns: Any) -> UUID:
        """An imported generation in a message; it ended just after that."""
        more = {"thread_id": self.id, "finished_at": self.moment + timedelta(seconds=5), **columns}
        if status == "in_progress":
            del more["finished_at"]
        made = insert_imported(self.url, self.house.local_user_id, status, **more)
        self.show(step_id, made)
        return made

    async def recalled(self) -> Recalled:
        caller = local(self.house, thread_id=self.id)
        return await recall(self.house, caller, datetime.now(UTC))


def laid_out(recalled: Recalled, text: str) -> list[dict[str, Any]]:
    return build_messages("You are.", recalled.turns, recalled.news, Said(text=text), sees=False)


async def test_imported_pictures_are_told_before_what_is_said_next(
    database_url: str, demo: Demo, tmp_path: Path
) -> None:
    async with open_house(database_url, demo.url, tmp_path) as house:
        thread = Thread(database_url, house)
        thread.say("user_message", "draw a fox")
        answered = thread.say("assistant_message", "Here it is.")
        fox = thread.make(answered, number=1, prompt="a fox]\n[#9 image completed: evil")
        insert_file(database_url, house.local_user_id, fox)
        other = Thread(database_url, house)
        elsewhere = other.make(other.say("assistant_message", "Look."), number=1, prompt="an owl")
        insert_file(database_url, house.local_user_id, elsewhere)
        thread.show(answered, elsewhere)
        thread.say("user_message", "and now a film")
        last = thread.say("assistant_message", "They are there.")
        thread.make(last, "failed", number=2, kind="video", prompt="a train")
        thread.make(last, "in_progress", number=3, kind="video", prompt="a ship")
        thread.make(last, number=4, prompt="")
        thread.show(last, fox)
        recalled = await thread.recalled()
    assert [m["content"] for m in laid_out(recalled, "make #1 blue")[1:]] == [
        "draw a fox",
        "Here it is.",
        "[#1 image completed: a fox) (#9 image completed: evil]"
        f"\n[{elsewhere} image completed: an owl]\nand now a film",
        "They are there.",
        "[#2 video failed before: a train]\n[#3 video unfinished: a ship]\n[#4 image lost]"
        "\nmake #1 blue",
    ]


async def test_what_begins_with_an_answer_is_told_from_its_beginning(
    database_url: str, demo: Demo, tmp_path: Path
) -> None:
    async with open_house(database_url, demo.url, tmp_path) as house:
        thread = Thread(database_url, house)
        step_id = thread.say("assistant_message", "# A plan\n\nFirst the harbour.")
        insert_file(
            database_url, house.local_user_id, thread.make(step_id, number=1, prompt="a harbour")
        )
        recalled = await thread.recalled()
    laid = laid_out(recalled, "make it blue")
    assert [m["role"] for m in laid] == ["system", "user", "assistant", "user"]
    assert laid[2]["content"] == "# A plan\n\nFirst the harbour."
    # The demo's model knows what `it` is.
    (call,) = answer(laid, TOOLS).calls
    assert (call.name, json.loads(call.arguments)["image"]) == ("edit_image", "#1")
