"""Arguments as models and strangers send them: faults are named, nothing reaches the heart."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from tests.tools.recording import ASSET, CALLER, RecordingAdmission
from tools import registry
from tools.tool import ToolError

LONG = "x" * 10_000_000


async def refusal(name: str, arguments: str | bytes | dict[str, Any]) -> ToolError:
    admission = RecordingAdmission()
    with pytest.raises(ToolError) as caught:
        await registry.call(name, arguments, CALLER, admission.door)
    assert admission.asked == []
    answer = json.dumps(caught.value.json(), ensure_ascii=False)
    assert len(answer.encode()) < 4000
    return caught.value


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('{"prompt": "a fox", }', "not valid JSON"),
        ('{"prompt": a fox}', "line 1, column 12, near"),
        ("{'prompt': 'a fox'}", "not valid JSON"),
        ('{"prompt": "a fox"} {"prompt": "a dog"}', "Extra data"),
        ('{"prompt": "a fo', "cut off after 16 characters"),
        ('{"prompt": "a fox", "n": ', "cut off"),
        ('{"prompt": "a fox"', "cut off"),
        ("{", "cut off"),
        ("[]", "must be a JSON object, not a list"),
        ('"a fox"', "not a text"),
        ("null", "not null"),
        ("7", "not a number"),
        ('{"prompt": "a fox", "prompt": "a dog"}', "prompt stands there twice"),
        ('{"prompt": "a fox", "seed": NaN}', "NaN is no number"),
        ('{"prompt": "a fox", "seed": -Infinity}', "-Infinity is no number"),
        ('{"prompt": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"prompt": "a fox", "seed": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"prompt": "' + LONG + '"}', "too long: 10000014 bytes, at most 262144"),
        (b'{"prompt": "\xff"}', "not valid UTF-8 at byte 12"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_json_that_cannot_be_read_says_where(arguments: str | bytes, words: str) -> None:
    error = await refusal("generate_image", arguments)
    assert error.code == "malformed_arguments"
    assert words in error.message


@pytest.mark.parametrize(
    ("name", "arguments", "loc", "words"),
    [
        ("generate_image", {}, "prompt", "is required"),
        ("generate_image", {"prompt": "  \n"}, "prompt", "at least 1 character"),
        ("generate_image", {"prompt": "x" * 8001}, "prompt", "at most 8000 characters"),
        ("generate_image", {"prompt": LONG}, "prompt", "at most 8000 characters"),
        ("generate_image", {"prompt": 7}, "prompt", "valid string"),
        ("generate_image", {"prompt": "a\0b"}, "prompt", "NUL"),
        ("generate_image", {"prompt": "fox \ud83d"}, "prompt", "surrogate pair stands alone"),
        ("generate_image", '{"prompt": "fox \\ud83d!"}', "prompt", "at character 4"),
        ("generate_image", '{"prompt": "\\u0000"}', "prompt", "NUL"),
        ("generate_image", {"prompt": "a", "style": "\udc00"}, "style", "surrogate"),
        ("generate_image", {"prompt": "a", "n": 0}, "n", "greater than or equal to 1"),
        ("generate_image", {"prompt": "a", "n": 1.5}, "n", "valid integer"),
        ("generate_image", {"prompt": "a", "n": True}, "n", "not true or false"),
        ("generate_image", {"prompt": "a", "n": "many"}, "n", "valid integer"),
        ("generate_image", {"prompt": "a", "seed": -1}, "seed", "greater than or equal to 0"),
        ("generate_image", {"prompt": "a", "seed": 2**53}, "seed", "less than or equal to"),
        ("generate_image", {"prompt": "a", "aspect_ratio": "wide"}, "aspect_ratio", '"16:9"'),
        ("generate_image", {"prompt": "a", "aspect_ratio": "16:0"}, "aspect_ratio", '"16:9"'),
        ("generate_image", {"prompt": "a", "size": "1024"}, "size", "WxH"),
        ("generate_image", {"prompt": "a", "size": "0x5"}, "size", "WxH"),
        ("generate_image", {"prompt": "a", "references": "#1"}, "references", "valid list"),
        ("generate_image", {"prompt": "a", "references": ["#1"] * 17}, "references", "at most 16"),
        ("generate_image", {"prompt": "a", "references": ["#1", "x"]}, "references.1", "handle"),
        ("edit_image", {"prompt": "a"}, "image", "is required"),
        ("edit_image", {"prompt": "a", "image": "cat.png"}, "image", "must name a picture"),
        ("edit_image", {"prompt": "a", "image": "http://10.0.0.1/"}, "image", "not understood"),
        ("edit_image", {"prompt": "a", "image": "#0"}, "image", "must name a picture"),
        ("generate_video", {"prompt": "a", "duration_s": 0}, "duration_s", "greater than 0"),
        ("generate_video", {"prompt": "a", "duration_s": -4}, "duration_s", "greater than 0"),
        ("generate_video", '{"prompt": "a", "duration_s": 1e999}', "duration_s", "finite"),
        ("generate_video", {"prompt": "a", "duration_s": "long"}, "duration_s", "valid number"),
        ("generate_video", {"prompt": "a", "resolution": "7 p"}, "resolution", '"720p"'),
        ("get_generation", {"generation": "3"}, "generation", "#3"),
        ("get_generation", {"generation": "#3.2"}, "generation", "#3"),
        ("list_generations", {"status": "done"}, "status", "'completed'"),
        ("list_generations", {"limit": 101}, "limit", "less than or equal to 100"),
        ("list_models", {"input": "sound"}, "input", "'start_image'"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_wrong_argument_is_named_with_what_would_be_right(
    name: str, arguments: str | dict[str, Any], loc: str, words: str
) -> None:
    error = await refusal(name, arguments)
    assert error.code == "invalid_request"
    (detail,) = error.errors
    assert detail["loc"] == loc
    assert words in detail["msg"]
    assert detail["msg"] in error.message


async def test_an_unknown_argument_is_answered_with_those_there_are() -> None:
    error = await refusal("edit_image", {"prompt": "a", "image": "#1", "strength": 0.5})
    (detail,) = error.errors
    assert detail == {
        "loc": "strength",
        "msg": "is no argument of edit_image, which takes: "
        "prompt, image, mask, references, model, seed, n",
    }


@pytest.mark.parametrize("name", ["draw", "", "generate_image ", "__class__", "\ud83d", LONG])
async def test_an_unknown_tool_is_answered_with_those_there_are(name: str) -> None:
    error = await refusal(name, "{}")
    assert error.code == "unknown_tool"
    assert "generate_image, edit_image, generate_video" in error.message


async def test_every_wrong_argument_is_told_at_once_but_not_without_end() -> None:
    error = await refusal("generate_video", {"prompt": "", "duration_s": 0, "audio": "loud"})
    assert [detail["loc"] for detail in error.errors] == ["prompt", "duration_s", "audio"]
    many = await refusal(
        "get_generation", {"generation": "#1", **dict.fromkeys(map(str, range(99)))}
    )
    assert len(many.errors) == 10
    assert "and 89 more" in many.message


async def test_strange_argument_names_are_shown_harmlessly() -> None:
    names = {"a\nb": 1, "n" * 5000: 1, "имя": 1}
    error = await refusal("get_generation", {"generation": "#1", **names})
    assert [detail["loc"] for detail in error.errors] == [
        "'a\\nb'",
        "n" * 40 + "...",
        "имя",
    ]
    half = await refusal("get_generation", '{"generation": "#1", "\\ud83d": 1}')
    assert "not valid Unicode" in half.message


async def test_too_long_arguments_are_not_parsed() -> None:
    """A list of ten megabytes would be a hundred in memory."""
    arguments = '{"prompt": [' + "1," * 5_000_000 + "1]}"
    tracemalloc.start()
    try:
        await refusal("generate_image", arguments)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(arguments)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "arguments",
    [
        '{"prompt": "лиса на снегу 🦊"}',
        '{"prompt": "fox \\ud83e\\udd8a"}',
        '\ufeff{"prompt": "a fox"}'.encode()[3:],
        '  {"prompt": "a fox", "references": []}\n',
        json.dumps({"prompt": "x" * 8000, "references": [ASSET.upper()]}),
    ],
)
async def test_good_arguments_pass(arguments: str | bytes) -> None:
    admission = RecordingAdmission()
    await registry.call("generate_image", arguments, CALLER, admission.door)
    assert len(admission.wanted()) == 1
