"""The chat wire, as OpenAI's own client reads it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from openai import AsyncOpenAI

from tests.demo_process import Demo
from tests.emulators.conversation import TOOLS


@pytest.fixture
async def openai(calm_demo: Demo) -> AsyncIterator[Any]:
    """OpenAI's client on the demo model, untyped: its types are not what is tested."""
    async with AsyncOpenAI(api_key="any", base_url=f"{calm_demo.url}/v1", max_retries=0) as client:
        yield client


async def chunks(openai: Any, text: str, **more: Any) -> list[Any]:
    stream = await openai.chat.completions.create(
        model="demo-chat",
        messages=[{"role": "user", "content": text}],
        tools=cast("Any", TOOLS),
        stream=True,
        **more,
    )
    return [chunk async for chunk in stream]


async def test_a_call_comes_in_pieces_that_make_valid_json(openai: Any) -> None:
    got = await chunks(openai, "Draw a red fox in the snow, 16:9")
    assert got[0].choices[0].delta.role == "assistant"
    deltas = [chunk.choices[0].delta for chunk in got]
    calls = [delta.tool_calls[0] for delta in deltas if delta.tool_calls]
    assert calls[0].id
    assert (calls[0].function.name, calls[0].function.arguments) == ("generate_image", "")
    assert len(calls) > 2
    assert json.loads("".join(call.function.arguments for call in calls)) == {
        "prompt": "a red fox in the snow",
        "aspect_ratio": "16:9",
    }
    assert got[-1].choices[0].finish_reason == "tool_calls"


async def test_words_come_in_pieces_and_usage_only_when_asked_for(openai: Any) -> None:
    got = await chunks(openai, "hello", stream_options={"include_usage": True})
    texts = [c.choices[0].delta.content for c in got if c.choices and c.choices[0].delta.content]
    assert len(texts) > 10
    assert "".join(texts).startswith("Hello!")
    assert got[-1].choices == []
    assert got[-1].usage.total_tokens > 0
    assert (await chunks(openai, "hello"))[-1].choices[0].finish_reason == "stop"


async def test_the_same_request_gets_the_same_answer(openai: Any) -> None:
    one, other = [await chunks(openai, "draw a cat") for _ in range(2)]
    assert [chunk.choices for chunk in one] == [chunk.choices for chunk in other]
    assert one[0].id == other[0].id


async def test_without_streaming_the_answer_is_whole(openai: Any) -> None:
    asked = [{"role": "user", "content": "нарисуй кота 😀"}]
    done = await openai.chat.completions.create(
        model="demo-chat", messages=asked, tools=cast("Any", TOOLS)
    )
    [call] = done.choices[0].message.tool_calls
    assert json.loads(call.function.arguments)["prompt"].startswith("кота")
    assert done.choices[0].finish_reason == "tool_calls"
    assert done.usage.prompt_tokens > 0


async def test_the_demo_model_is_listed(openai: Any) -> None:
    assert [model.id async for model in openai.models.list()] == ["demo-chat"]


@pytest.mark.parametrize(
    "content",
    [b"no json", b"[]", b"{}", b'{"messages": []}', b'{"messages": [1]}', b'{"messages": "x"}'],
)
async def test_a_request_that_is_none_is_refused_in_openai_s_shape(
    calm_demo: Demo, content: bytes
) -> None:
    answer: httpx.Response = await calm_demo.client.post("/v1/chat/completions", content=content)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


async def test_half_a_surrogate_pair_does_no_harm(calm_demo: Demo) -> None:
    body = b'{"messages": [{"role": "user", "content": "[[say: a \\ud800 b]]"}]}'
    answer = await calm_demo.client.post("/v1/chat/completions", content=body)
    assert answer.json()["choices"][0]["message"]["content"] == "a ? b"
