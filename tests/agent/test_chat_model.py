"""Whom the agent talks to, what it learns from refusals, and what a person reads when a server
fails.
"""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from agent.chat_model import ChatModel, open_chat_model, open_client
from agent.history import Attachment, Said
from agent.loop import Agent
from settings import Loaded, load
from tests.agent.scripted_server import Reply, ScriptedServer, calls, delta, refuses, says, sse
from tests.agent.turns import end_of, finished, text_of, turn
from tools.registry import Toolbox

SECRET = "sk-secret-0123456789"
PICTURE = "data:image/jpeg;base64,/9j/4AAQSkZJRg=="


def loaded(tmp_path: Path, **environ: str) -> Loaded:
    return load(environ, tmp_path / "absent.env")


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "x", "param": None, "code": None, **more}}


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, error(f"Incorrect API key provided: {SECRET}"), "Check OPENAI_API_KEY (.env)"),
        (403, error("no"), "does not accept the key"),
        (402, error("pay"), "no credit left"),
        (404, error("model not found"), 'no chat model named "test-model"'),
        (413, error("big"), "too large"),
        (429, error("slow down"), "Try again in a minute"),
        (429, error("You exceeded your quota", code="insufficient_quota"), "no credit left"),
        (400, error("too long", code="context_length_exceeded"), "Begin a new chat"),
        (400, error("bad `x`"), "It says: bad `x`"),
        (400, error(f"leak {SECRET} {PICTURE}"), "It says: leak *** ***"),
        (422, {"detail": "missing field"}, "It says: missing field"),
        (422, {"message": {"detail": [{"loc": ["x"], "msg": "missing y"}]}}, "It says: missing y"),
        (400, {"error": "does not support tools"}, "It says: does not support tools"),
        (400, [1], "(HTTP 400)."),
        (500, error("boom"), "(HTTP 500)"),
        (503, "loading", "(HTTP 503)"),
    ],
)
async def test_a_refusal_becomes_a_sentence_for_a_person(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, status: int, body: object, words: str
) -> None:
    server.script.append(refuses(status, body))
    end = end_of(await turn(agent, toolbox))
    assert end.reason == "error"
    assert words in str(end.message)
    assert SECRET not in str(end.message)
    assert len(str(end.message)) < 500
    server.script.append(says("Back again."))
    assert text_of(await turn(agent, toolbox)) == "Back again."


@pytest.mark.parametrize(
    "chunk",
    [
        {"error": {"message": "CUDA out of memory", "code": 500}},
        {"error": "CUDA out of memory"},
        {"object": "error", "message": "CUDA out of memory"},
    ],
)
async def test_an_error_in_the_middle_of_a_stream_ends_the_turn(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, chunk: dict[str, Any]
) -> None:
    server.script.append(Reply(blocks=sse(delta(content="Once "), chunk)))
    events = await turn(agent, toolbox)
    assert text_of(events) == "Once "
    assert "CUDA out of memory" in str(end_of(events).message)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(blocks=(b"data: {broken\n\n",)),
        Reply(blocks=(b"data: 7\n\n",)),
        Reply(blocks=(b"data: " + b"[" * 100_000 + b"\n\n",)),
        Reply(blocks=(b"<html>Welcome</html>",), headers=("content-type: text/html",)),
        Reply(blocks=(b"not json",), headers=("content-type: application/json",)),
    ],
    ids=["broken", "number", "deep", "html", "no json"],
)
async def test_an_answer_that_is_no_answer_is_told(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, reply: Reply
) -> None:
    server.script.append(reply)
    assert "cannot be understood" in str(end_of(await turn(agent, toolbox)).message)


async def test_a_server_that_is_not_there_is_told(toolbox: Toolbox) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        client = open_client(f"http://127.0.0.1:{port}/v1", "none").with_options(max_retries=0)
        chat = ChatModel(
            client=client, name="m", server=f"127.0.0.1:{port}", key_setting="K", source="a test"
        )
        end = end_of(await turn(Agent(chat), toolbox))
        chat.name = ""
        unnamed = end_of(await turn(Agent(chat), toolbox))
    assert end == unnamed
    assert end.message == f"The chat model at 127.0.0.1:{port} cannot be reached. Is it running?"
    await chat.close()


async def test_a_busy_server_is_asked_again(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    server.script += [
        refuses(503, error("loading"), "retry-after-ms: 1"),
        refuses(429, error("slow down"), "retry-after-ms: 1"),
        says("Ready."),
    ]
    assert text_of(await turn(agent, toolbox)) == "Ready."
    assert len(server.requests) == 3


async def test_a_model_that_takes_tools_only_without_reasoning_is_asked_so(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    """And from then on without a refused request before each round."""
    message = (
        "Function tools with reasoning_effort are not supported for gpt-5.6-luna in "
        "/v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort "
        "to 'none'."
    )
    server.script += [refuses(400, error(message)), calls(("list_models", "")), says("One.")]
    assert text_of(await turn(agent, toolbox)) == "One."
    assert [r.get("reasoning_effort") for r in server.requests] == [None, "none", "none"]
    server.script += [refuses(400, error(message))] * 2
    assert "reasoning_effort" in str(end_of(await turn(agent, toolbox)).message)
    assert len(server.requests) == 4


async def test_a_model_that_wants_thoughts_back_gets_blank_ones_for_the_past(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    message = "The `reasoning_content` in the thinking mode must be passed back to the API."
    server.script += [calls(("list_models", "")), refuses(400, error(message)), says("One.")]
    assert text_of(await turn(agent, toolbox)) == "One."
    assert [m.get("reasoning_content") for m in server.messages if m["role"] == "assistant"] == [
        " "
    ]


@pytest.mark.parametrize(
    "refusal",
    [
        refuses(400, {"error": "this model does not support image input"}),
        refuses(500, error("image input is not supported - hint: provide the mmproj")),
        refuses(400, error("messages[1].content must be a string")),
        refuses(422, {"detail": "Multimodal input is off"}),
    ],
)
async def test_pictures_are_left_out_once_a_server_refuses_them(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, refusal: Reply
) -> None:
    server.script += [refusal, calls(("list_models", "")), says("A cat, I am told.")]
    said = Said(
        text="what is this?",
        attachments=(Attachment(asset_id="a1", name="c.jpg", picture=PICTURE),),
    )
    async with asyncio.timeout(5):
        events = [event async for event in agent.reply(said, toolbox)]
    assert text_of(events) == "A cat, I am told."
    assert len(finished(events)) == 1
    with_picture, *without = [r["messages"][1]["content"] for r in server.requests]
    assert with_picture == [
        {"type": "text", "text": "what is this?\n[attached: a1 c.jpg]"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    assert without == ["what is this?\n[attached: a1 c.jpg]"] * 2


def test_without_key_and_address_the_demo_model_is_used(tmp_path: Path) -> None:
    chat = open_chat_model(loaded(tmp_path, CHAT_MODEL="gpt-4o"), "http://127.0.0.1:8199")
    assert (chat.name, chat.demo, chat.sees) == ("demo-chat", True, False)
    assert str(chat.client.base_url) == "http://127.0.0.1:8199/v1/"
    assert "Demo" in chat.label
    assert chat.source == "built in"


@pytest.mark.parametrize(
    ("environ", "name", "extras", "base_url", "key", "source"),
    [
        (
            {"OPENAI_API_KEY": SECRET},
            "gpt-6-luna",
            {"reasoning_effort": "none"},
            "https://api.openai.com/v1/",
            SECRET,
            "OPENAI_API_KEY, environment",
        ),
        (
            {"OPENAI_API_KEY": SECRET, "CHAT_MODEL": "gpt-4o"},
            "gpt-4o",
            {},
            "https://api.openai.com/v1/",
            SECRET,
            "OPENAI_API_KEY, environment",
        ),
        (
            {"OPENAI_BASE_URL": "http://me:pw@box:11434/v1", "CHAT_MODEL": "qwen3"},
            "qwen3",
            {},
            "http://me:pw@box:11434/v1/",
            "none",
            "OPENAI_BASE_URL, environment",
        ),
        (
            {"OPENAI_BASE_URL": "https://box/v1/", "OPENAI_API_KEY": SECRET},
            "",
            {},
            "https://box/v1/",
            SECRET,
            "OPENAI_BASE_URL, environment",
        ),
    ],
)
def test_settings_choose_the_chat_model(
    tmp_path: Path,
    environ: dict[str, str],
    name: str,
    extras: dict[str, str],
    base_url: str,
    key: str,
    source: str,
) -> None:
    chat = open_chat_model(loaded(tmp_path, **environ), "http://127.0.0.1:8199")
    assert (chat.name, chat.extras, chat.source) == (name, extras, source)
    assert (str(chat.client.base_url), chat.client.api_key) == (base_url, key)
    assert not chat.demo
    for shown in (chat.label, chat.server, chat.key_setting, chat.source, repr(chat)):
        assert SECRET not in shown
        assert "pw" not in shown


async def test_a_server_without_a_named_model_is_asked_for_its_first_chat_model(
    chat: ChatModel, agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    chat.name = ""
    assert chat.label == f"the first model at 127.0.0.1:{server.port}"
    assert "Set CHAT_MODEL" in str(end_of(await turn(agent, toolbox)).message)
    server.models = ["", "text-embedding-nomic"]
    assert "Set CHAT_MODEL" in str(end_of(await turn(agent, toolbox)).message)
    server.models = ["text-embedding-nomic", "qwen3:8b", "llama"]
    server.script += [says("Hello."), says("Hello.")]
    await turn(agent, toolbox)
    await turn(agent, toolbox)
    assert [r["model"] for r in server.requests] == ["qwen3:8b"] * 2
    assert sum(head.startswith("GET") for head in server.headers) == 3
    assert chat.label.startswith("qwen3:8b at 127.0.0.1")


async def test_only_our_settings_reach_the_server(
    monkeypatch: pytest.MonkeyPatch, server: ScriptedServer, toolbox: Toolbox, tmp_path: Path
) -> None:
    """The SDK would read an organisation, its HTTP client a proxy from the environment."""
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-somebody")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-somebody")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    chat = open_chat_model(loaded(tmp_path), server.base_url.removesuffix("/v1"))
    server.script.append(says("Hello."))
    assert text_of(await turn(Agent(chat), toolbox)) == "Hello."
    assert "of-somebody" not in "".join(server.headers)
    await chat.close()
