"""Every way in which servers stream a tool call brings the same calls (PROVIDERS section 13)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.events import Ended, ToolCallStarted
from agent.loop import Agent
from tests.agent.scripted_server import Reply, ScriptedServer, delta, says, sse
from tests.agent.turns import end_of, finished, text_of, turn
from tests.tools.recording import RecordingAdmission
from tools.registry import Toolbox

FOX = '{"prompt": "a fox"}'
DOG = '{"prompt": "a dog"}'


def piece(arguments: object = None, name: str | None = None, **more: Any) -> dict[str, Any]:
    """One delta with a piece of one tool call."""
    function = {"arguments": arguments, "name": name}
    function = {key: value for key, value in function.items() if value is not None}
    return delta(tool_calls=[{**more, "function": function}])


def lines(*parts: bytes) -> Reply:
    return Reply(blocks=parts)


USAGE = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
END = delta("tool_calls")
ONE_CALL = {
    "pieces as OpenAI sends them": sse(
        delta(role="assistant"),
        delta(content="Ok, "),
        piece("", "generate_image", index=0, id="call_1", type="function"),
        piece('{"prompt": ', index=0),
        piece('"a fox"}', index=0),
        END,
        USAGE,
    ),
    "whole in one chunk, no id": sse(piece(FOX, "generate_image", index=0), END),
    "empty id, the name in every piece": sse(
        piece('{"prompt": ', "generate_image", index=0, id=""),
        piece('"a fox"', "generate_image", index=0, id=""),
        piece("}", "generate_image", index=0, id=""),
        END,
    ),
    "index null": sse(piece("", "generate_image", index=None, id="x"), piece(FOX, index=None), END),
    "no index at all": sse(piece('{"prompt"', "generate_image"), piece(': "a fox"}'), END),
    "a new id in every piece": sse(
        piece('{"prompt": ', "generate_image", index=0, id="a"),
        piece('"a fox"}', "generate_image", index=0, id="b"),
        END,
    ),
    "finish_reason stop": sse(piece(FOX, "generate_image", index=0), delta("stop")),
    "arguments as an object": sse(piece({"prompt": "a fox"}, "generate_image", index=0), END),
    "reasoning before": sse(
        delta(reasoning_content="hmm"), delta(reasoning="hm"), piece(FOX, "generate_image"), END
    ),
    "chunks without choices": sse(
        {"id": "x"}, {"choices": None}, {"choices": [None]}, piece(FOX, "generate_image"), END
    ),
    "deltas null or missing": sse(
        {"choices": [{"delta": None}]},
        {"choices": [{}]},
        delta(content=None, tool_calls=None),
        piece(FOX, "generate_image", index=0),
        END,
    ),
    "the whole call again at the end": sse(
        piece('{"prompt": ', "generate_image", index=0, id="a"),
        piece('"a fox"}', index=0),
        piece('{"prompt": "a fox"}', "generate_image", index=0, id="a"),
        END,
    ),
    "an empty piece behind the end": sse(
        piece(FOX, "generate_image", index=0, id="a"),
        piece("", "generate_image", index=0, id="a"),
        END,
    ),
    "no [DONE]": sse(piece(FOX, "generate_image", index=0), END, done=False),
    "no finish_reason": sse(piece(FOX, "generate_image", index=0)),
    "comments, blanks, CRLF, no space": (
        b": PROCESSING\r\n\r\ndata:\r\n\r\nevent: x\r\nid: 4\r\ndata:"
        + json.dumps(piece(FOX, "generate_image")).encode()
        + b"\r\n\r\ndata:[DONE]\r\n\r\n",
    ),
    "no newline at the end": (
        b"data: " + json.dumps(piece(FOX, "generate_image")).encode() + b"\n\ndata: [DONE]",
    ),
    "split at every byte": tuple(
        bytes([byte]) for byte in b"".join(sse(piece(FOX, "generate_image", index=0), END))
    ),
}


@pytest.mark.parametrize("blocks", ONE_CALL.values(), ids=ONE_CALL)
async def test_one_call_is_understood(
    agent: Agent,
    toolbox: Toolbox,
    server: ScriptedServer,
    admission: RecordingAdmission,
    blocks: tuple[bytes, ...],
) -> None:
    server.script += [Reply(blocks=blocks), says("It is on its way.")]
    events = await turn(agent, toolbox)
    assert [wanted.prompt for wanted in admission.wanted()] == ["a fox"]
    assert [e for e in events if isinstance(e, ToolCallStarted)] == [
        ToolCallStarted(index=0, name="generate_image")
    ]
    (call,) = finished(events)
    assert (call.index, call.name, json.loads(call.arguments)) == (
        0,
        "generate_image",
        {"prompt": "a fox"},
    )
    assert call.started
    assert not call.failed
    assert call.result["handle"] == "#1"
    assert text_of(events).endswith("It is on its way.")
    assert end_of(events) == Ended(reason="done")


TWO_CALLS = {
    "each at its index, in turns": sse(
        piece('{"prompt": ', "generate_image", index=0, id="a"),
        piece('{"prompt": ', "generate_image", index=1, id="b"),
        piece('"a fox"}', index=0),
        piece('"a dog"}', index=1),
        END,
    ),
    "all at index 0, told apart by id": sse(
        piece(FOX, "generate_image", index=0, id="a"),
        piece(DOG, "generate_image", index=0, id="b"),
        END,
    ),
    "all at index 0, in pieces": sse(
        piece("", "generate_image", index=0, id="a"),
        piece(FOX, index=0),
        piece("", "generate_image", index=0, id="b"),
        piece(DOG, index=0),
        END,
    ),
    "no index and no id": sse(piece(FOX, "generate_image"), piece(DOG, "generate_image"), END),
    "the same id twice": sse(
        piece(FOX, "generate_image", index=0, id="a"),
        piece(DOG, "generate_image", index=1, id="a"),
        END,
    ),
    "both in one chunk": sse(
        delta(
            tool_calls=[
                {"function": {"name": "generate_image", "arguments": FOX}},
                {"function": {"name": "generate_image", "arguments": DOG}},
            ]
        ),
        END,
    ),
}


@pytest.mark.parametrize("blocks", TWO_CALLS.values(), ids=TWO_CALLS)
async def test_two_calls_are_kept_apart_and_in_order(
    agent: Agent,
    toolbox: Toolbox,
    server: ScriptedServer,
    admission: RecordingAdmission,
    blocks: tuple[bytes, ...],
) -> None:
    server.script += [Reply(blocks=blocks), says("Both.")]
    events = await turn(agent, toolbox)
    assert [wanted.prompt for wanted in admission.wanted()] == ["a fox", "a dog"]
    assert [(c.index, c.result["handle"]) for c in finished(events)] == [(0, "#1"), (1, "#2")]
    (message,) = [m for m in server.messages if m["role"] == "assistant"]
    ids = [call["id"] for call in message["tool_calls"]]
    assert len(set(ids)) == 2
    assert all(len(i) == 9 and i.isalnum() for i in ids)
    results = [m for m in server.messages if m["role"] == "tool"]
    assert [m["tool_call_id"] for m in results] == ids
    assert ["#1" in m["content"] for m in results] == [True, False]


@pytest.mark.parametrize("arguments", ["", None, {}, "{}"])
async def test_a_call_without_arguments_is_a_call(
    agent: Agent,
    toolbox: Toolbox,
    server: ScriptedServer,
    admission: RecordingAdmission,
    arguments: Any,
) -> None:
    server.script += [
        Reply(blocks=sse(piece(arguments, "list_models", index=0), END)),
        says("One."),
    ]
    (call,) = finished(await turn(agent, toolbox))
    assert call.result["data"][0]["id"] == "demo-image"
    assert call.arguments == "{}"
    assert admission.verbs() == ["models"]


async def test_an_answer_that_is_not_streamed_is_understood(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, admission: RecordingAdmission
) -> None:
    function = {"name": "generate_image", "arguments": FOX}
    message = {"content": None, "tool_calls": [{"id": "a", "function": function}]}
    body = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
    whole = json.dumps(body, indent=1).encode()
    server.script += [
        Reply(blocks=(whole,), headers=("content-type: application/json",)),
        says("Yes."),
    ]
    assert text_of(await turn(agent, toolbox)) == "Yes."
    assert len(admission.wanted()) == 1


async def test_text_survives_as_it_was_said(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    """Line separators inside JSON are no ends of lines; parts and refusals are text; halves of
    pairs are not.
    """
    server.script.append(
        Reply(
            blocks=sse(
                delta(content="а\u2028\u0085🦊 "),
                delta(content=[{"type": "thinking", "text": "no"}, {"type": "text", "text": "b "}]),
                delta(refusal="c "),
                '{"choices": [{"delta": {"content": "d\\ud83d\\u0000"}}]}',
                delta("stop"),
            )
        )
    )
    assert text_of(await turn(agent, toolbox)) == "а\u2028\u0085🦊 b c d?"


async def test_nothing_is_sent_that_a_server_could_refuse(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    server.script.append(says("Hello."))
    await turn(agent, toolbox)
    (request,) = server.requests
    assert set(request) == {"model", "messages", "tools", "stream"}
    assert "strict" not in json.dumps(request["tools"])
    assert all(set(m) == {"role", "content"} for m in request["messages"])


async def test_what_a_server_wants_back_with_a_call_it_gets(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    """Thoughts and signatures; a signature may come in a last piece without index or name."""
    signature = {"google": {"thought_signature": "s1"}}
    server.script += [
        Reply(
            blocks=sse(
                delta(reasoning_content="A fox "),
                delta(reasoning_content="then."),
                piece(FOX, "generate_image", index=0, id="a"),
                delta(tool_calls=[{"extra_content": signature}]),
                END,
            )
        ),
        says("Done."),
    ]
    await turn(agent, toolbox)
    (message,) = [m for m in server.messages if m["role"] == "assistant"]
    assert message["reasoning_content"] == "A fox then."
    assert [call["extra_content"] for call in message["tool_calls"]] == [signature]
    assert message["tool_calls"][0]["function"]["arguments"] == FOX
