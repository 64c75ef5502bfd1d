"""The agent ends a turn that goes wrong in the person's language."""

from __future__ import annotations

from dataclasses import asdict
from string import Formatter

from agent.chat_model import ChatModel
from agent.loop import Agent
from agent.words import ENGLISH, RUSSIAN
from tests.agent.scripted_server import ScriptedServer, refuses
from tests.agent.turns import end_of, turn
from tools.registry import Toolbox


def test_both_languages_fill_in_the_same_things() -> None:
    russian = asdict(RUSSIAN)
    for name, text in asdict(ENGLISH).items():
        assert places(russian[name]) == places(text), name
        assert russian[name] != text


def places(text: str) -> set[str | None]:
    return {field for _, field, _, _ in Formatter().parse(text)} - {None}


async def test_a_refusal_is_told_in_the_language_of_the_turn(
    chat: ChatModel, toolbox: Toolbox, server: ScriptedServer
) -> None:
    server.script.append(refuses(400, {"error": {"message": "bad {x}"}}))
    end = end_of(await turn(Agent(chat, RUSSIAN), toolbox))
    assert end.message == "Модель чата отклонила запрос (HTTP 400). Она сообщает: bad {x}"
