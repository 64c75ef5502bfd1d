"""A turn of the agent: refused calls go back to the model, bounds hold, Stop stops, a cut runs
nothing.
"""

from __future__ import annotations

import asyncio
import json

import pytest

from agent.events import Ended, TextDelta, ToolCallFinished
from agent.history import Said
from agent.loop import CALLS_MAX, ROUNDS_MAX, TEXT_CHARS_MAX, Agent
from tests.agent.scripted_server import Reply, ScriptedServer, calls, delta, says, sse
from tests.agent.turns import end_of, finished, text_of, turn
from tests.tools.recording import STEP, RecordingAdmission
from tools.registry import Toolbox

FOX = ("generate_image", '{"prompt": "a fox"}')
LONG_PROMPT = '{"prompt": "' + "x" * 10_000_000 + '"}'


@pytest.mark.parametrize(
    ("name", "arguments", "code", "words"),
    [
        ("generate_image", '{"prompt": a fox}', "malformed_arguments", "not valid JSON"),
        ("generate_image", '{"prompt": "a fo', "malformed_arguments", "cut off after 16"),
        ("generate_image", "[1]", "malformed_arguments", "must be a JSON object"),
        ("generate_image", LONG_PROMPT, "malformed_arguments", "too long"),
        ("generate_image", '{"prompt": "a\\u0000b"}', "invalid_request", "NUL"),
        ("generate_image", '{"prompt": "\\ud83d"}', "invalid_request", "surrogate"),
        ("generate_image", '{"promt": "a fox"}', "invalid_request", "is no argument of"),
        ("paint", '{"prompt": "a fox"}', "unknown_tool", "The tools: generate_image"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_refused_call_goes_back_to_the_model_which_mends_it(
    agent: Agent,
    toolbox: Toolbox,
    server: ScriptedServer,
    admission: RecordingAdmission,
    name: str,
    arguments: str,
    code: str,
    words: str,
) -> None:
    server.script += [calls((name, arguments)), calls(FOX), says("It is on its way.")]
    events = await turn(agent, toolbox)
    refused, mended = finished(events)
    assert refused.failed
    assert not refused.started
    assert refused.result["error"]["code"] == code
    assert words in refused.result["error"]["message"]
    assert mended.started
    assert mended.index == 1
    assert [wanted.prompt for wanted in admission.wanted()] == ["a fox"]
    told = [m for m in server.requests[1]["messages"] if m["role"] == "tool"]
    assert words in told[0]["content"]
    sent_back = server.requests[1]["messages"][-2]["tool_calls"][0]["function"]["arguments"]
    assert isinstance(json.loads(sent_back), dict)
    assert len(json.dumps(server.requests[1])) < 50_000
    assert end_of(events) == Ended(reason="done")


async def test_calls_are_numbered_over_all_rounds_for_a_repeated_turn(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, admission: RecordingAdmission
) -> None:
    server.script += [calls(FOX, ("list_models", "{}")), calls(FOX), says("Both.")]
    await turn(agent, toolbox)
    callers = [caller for verb, caller, _ in admission.asked if verb == "submit"]
    assert [(c.step_id, c.call_index) for c in callers if c] == [(STEP, 0), (STEP, 2)]


async def test_a_model_that_never_stops_calling_is_stopped(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, admission: RecordingAdmission
) -> None:
    server.script += [calls(("list_models", "{}"))] * 99
    end = end_of(await turn(agent, toolbox))
    assert end.reason == "limit"
    assert end.message is not None
    assert f"{ROUNDS_MAX} rounds" in end.message
    assert len(server.requests) == len(admission.asked) == ROUNDS_MAX


async def test_calls_beyond_the_bound_are_not_run_and_the_model_is_told(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, admission: RecordingAdmission
) -> None:
    server.script += [calls(*[FOX] * (CALLS_MAX + 3)), calls(FOX), says("That was too many.")]
    events = await turn(agent, toolbox)
    assert len(admission.wanted()) == CALLS_MAX
    assert [c.failed for c in finished(events)] == [False] * CALLS_MAX + [True] * 4
    assert finished(events)[-1].result["error"]["code"] == "too_many_calls"
    assert "used up" in server.messages[-1]["content"]
    assert end_of(events) == Ended(reason="done")


async def test_an_endless_text_is_cut_and_the_stream_closed(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    endless = sse(*[delta(content="x" * 10_000)] * 12, done=False)
    server.script.append(Reply(blocks=endless, end="hold"))
    events = await turn(agent, toolbox)
    assert TEXT_CHARS_MAX < len(text_of(events)) <= TEXT_CHARS_MAX + 10_000
    assert end_of(events).reason == "limit"
    async with asyncio.timeout(5):
        await server.left.wait()


async def test_an_endless_answer_without_text_is_cut(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    thought = sse(delta(reasoning_content="x" * 1_000_000), done=False)
    server.script.append(Reply(blocks=thought * 18, end="hold"))
    end = end_of(await turn(agent, toolbox))
    assert end.reason == "error"
    assert "without end" in str(end.message)


CUTS = {
    "inside the arguments": sse(
        delta(
            tool_calls=[{"index": 0, "function": {"name": FOX[0], "arguments": '{"prompt": "a'}}]
        ),
        done=False,
    ),
    "behind whole arguments": sse(
        delta(tool_calls=[{"index": 0, "function": {"name": FOX[0], "arguments": FOX[1]}}]),
        done=False,
    ),
    "inside a line": (b'data: {"choices": [{"delta": {"content": "Her',),
}


@pytest.mark.parametrize("by_close", [False, True], ids=["chunked", "by close"])
@pytest.mark.parametrize("blocks", CUTS.values(), ids=CUTS)
async def test_a_cut_answer_runs_no_tool(
    agent: Agent,
    toolbox: Toolbox,
    server: ScriptedServer,
    admission: RecordingAdmission,
    blocks: tuple[bytes, ...],
    by_close: bool,
) -> None:
    server.script.append(Reply(blocks=blocks, end="cut", by_close=by_close))
    events = await turn(agent, toolbox)
    assert admission.asked == []
    assert finished(events) == []
    end = end_of(events)
    assert end.reason == "error"
    assert "Try again" in str(end.message) or "understood" in str(end.message)
    server.script.append(says("Here I am."))
    assert text_of(await turn(agent, toolbox)) == "Here I am."


async def test_a_cut_behind_the_end_of_an_answer_takes_nothing_from_it(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    whole = sse(delta(content="Hello."), delta("stop"), done=False)
    server.script.append(Reply(blocks=whole, end="cut"))
    events = await turn(agent, toolbox)
    assert text_of(events) == "Hello."
    assert end_of(events) == Ended(reason="done")


async def test_what_was_started_before_a_cut_is_told(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    server.script += [calls(FOX), Reply(blocks=sse(delta(content="It"), done=False), end="cut")]
    events = await turn(agent, toolbox)
    assert [c.started for c in finished(events)] == [True]
    assert text_of(events) == "It"
    assert end_of(events).reason == "error"


async def test_closing_the_iterator_ends_the_stream_at_once(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    server.script.append(Reply(blocks=sse(delta(content="One "), done=False), end="hold"))
    async with asyncio.timeout(5):
        events = agent.reply(Said(text="count"), toolbox)
        assert await anext(events) == TextDelta(text="One ")
        await events.aclose()
        await server.left.wait()


async def test_cancelling_the_task_ends_the_stream_and_leaves_what_was_started(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, admission: RecordingAdmission
) -> None:
    server.script += [calls(FOX), Reply(blocks=sse(delta(content="It "), done=False), end="hold")]
    heard = asyncio.Event()

    async def listen() -> None:
        async for event in agent.reply(Said(text="draw a fox"), toolbox):
            if isinstance(event, TextDelta):
                heard.set()

    task = asyncio.create_task(listen())
    async with asyncio.timeout(5):
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.left.wait()
    assert admission.verbs() == ["submit"]


async def test_stopping_between_two_calls_runs_no_further_one(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, admission: RecordingAdmission
) -> None:
    server.script.append(calls(FOX, FOX, FOX))
    events = agent.reply(Said(text="three foxes"), toolbox)
    async with asyncio.timeout(5):
        async for event in events:
            if isinstance(event, ToolCallFinished):
                break
        await events.aclose()
    assert len(admission.wanted()) == 1


@pytest.mark.parametrize(
    ("finish", "reason", "words"),
    [("length", "limit", "length limit"), ("content_filter", "error", "filter")],
)
async def test_an_answer_stopped_by_the_server_says_so(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, finish: str, reason: str, words: str
) -> None:
    server.script.append(Reply(blocks=sse(delta(content="Once"), delta(finish))))
    end = end_of(await turn(agent, toolbox))
    assert end.reason == reason
    assert words in str(end.message)


async def test_arguments_cut_at_the_length_limit_go_back_as_cut_off(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer, admission: RecordingAdmission
) -> None:
    piece = {"index": 0, "function": {"name": FOX[0], "arguments": '{"prompt": "a ve'}}
    server.script += [Reply(blocks=sse(delta(tool_calls=[piece]), delta("length"))), says("Sorry.")]
    (call,) = finished(await turn(agent, toolbox))
    assert "cut off" in call.result["error"]["message"]
    assert admission.asked == []


async def test_an_empty_answer_is_an_error_but_silence_after_a_call_is_not(
    agent: Agent, toolbox: Toolbox, server: ScriptedServer
) -> None:
    silent = Reply(blocks=sse(delta(role="assistant"), delta("stop")))
    server.script.append(silent)
    assert end_of(await turn(agent, toolbox)).reason == "error"
    server.script += [calls(FOX), silent]
    assert end_of(await turn(agent, toolbox)) == Ended(reason="done")
