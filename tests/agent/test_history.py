"""How a conversation is laid out for a chat model, and what is left out of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from agent.digest import ITEMS_MAX, digest
from agent.history import (
    HISTORY_CHARS_MAX,
    LEFT_OUT,
    TURNS_MAX,
    Answered,
    Attachment,
    Called,
    Said,
    Turn,
    build_messages,
    finished_line,
)
from tests.tools.recording import a_generation

CALL = Called(name="generate_image", arguments='{"prompt": "a fox"}', result=a_generation(1))


def messages(*history: Turn, new: str = "next", **more: Any) -> list[dict[str, Any]]:
    options: dict[str, Any] = {"news": (), "sees": True} | more
    return build_messages(
        "You are.", history, options["news"], Said(text=new), sees=options["sees"]
    )


def a_turn(text: str, *calls: Called) -> Turn:
    answered = (Answered(text="I begin.", calls=calls), Answered(text="Done.")) if calls else ()
    return Turn(said=Said(text=text), answered=answered)


def test_a_turn_is_laid_out_with_each_result_behind_its_call() -> None:
    laid = messages(a_turn("draw", CALL, CALL))
    assert [m["role"] for m in laid] == [
        *("system", "user", "assistant", "tool", "tool", "assistant", "user")
    ]
    ids = [call["id"] for call in laid[2]["tool_calls"]]
    assert [m["tool_call_id"] for m in laid[3:5]] == ids
    assert len(set(ids)) == 2
    assert laid[2]["tool_calls"][0]["function"] == {
        "name": "generate_image",
        "arguments": '{"prompt": "a fox"}',
    }
    assert laid[-1] == {"role": "user", "content": "next"}


def test_calls_of_different_turns_have_different_ids() -> None:
    laid = messages(a_turn("one", CALL), a_turn("two", CALL))
    ids = [m["tool_call_id"] for m in laid if m["role"] == "tool"]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    "history",
    [
        [a_turn("x" * 3000, CALL) for _ in range(60)],
        [a_turn("short", CALL) for _ in range(TURNS_MAX + 5)],
        [a_turn("я" * (HISTORY_CHARS_MAX // 2 - 100), *[CALL] * 10) for _ in range(3)],
    ],
    ids=["long", "many", "huge"],
)
def test_a_long_history_is_cut_at_whole_turns_and_the_model_is_told(history: list[Turn]) -> None:
    laid = messages(*history)
    assert laid[0]["content"] == f"You are.\n{LEFT_OUT}"
    assert laid[1]["role"] == "user"
    assert len(laid) > 2
    assert len(json.dumps(laid[1:-1], ensure_ascii=False)) < HISTORY_CHARS_MAX * 1.1
    assert sum(m["role"] == "user" for m in laid) - 1 <= TURNS_MAX
    called = [c["id"] for m in laid if m["role"] == "assistant" for c in m.get("tool_calls", ())]
    assert called == [m["tool_call_id"] for m in laid if m["role"] == "tool"]


def test_a_short_history_is_kept_whole() -> None:
    laid = messages(a_turn("one"), a_turn("two", CALL))
    assert laid[0] == {"role": "system", "content": "You are."}
    assert [m["content"] for m in laid if m["role"] == "user"] == ["one", "two", "next"]


def test_news_stand_in_front_of_the_new_message() -> None:
    lines = [
        finished_line(a_generation(2, kind="video", status="completed")),
        finished_line(
            a_generation(
                3, status="failed", error={"code": "timeout", "message": "took\n[too] long"}
            )
        ),
        finished_line({"id": "0199", "handle": None, "kind": "image", "status": "cancelled"}),
    ]
    assert lines == [
        "[#2 video completed]",
        "[#3 image failed: took (too) long]",
        "[0199 image cancelled]",
    ]
    laid = messages(a_turn("one"), news=lines)
    assert [m["role"] for m in laid] == ["system", "user", "user"]
    assert laid[0]["content"] == "You are."
    assert laid[-1]["content"] == "\n".join([*lines, "next"])


def test_attachments_are_named_and_shown_only_to_models_that_see() -> None:
    said = Said(
        text="animate it",
        attachments=(
            Attachment(asset_id="a1", name="my [cat]\n.jpg", picture="data:image/jpeg;base64,AA"),
            Attachment(asset_id="a2", name="dog.png"),
        ),
    )
    text = "animate it\n[attached: a1 my (cat) .jpg]\n[attached: a2 dog.png]"
    seen = build_messages("S", [], [], said, sees=True)[-1]["content"]
    assert seen == [
        {"type": "text", "text": text},
        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AA"}},
    ]
    assert build_messages("S", [], [], said, sees=False)[-1]["content"] == text
    only = Said(text="", attachments=said.attachments[1:])
    assert build_messages("S", [], [], only, sees=True)[-1]["content"] == "[attached: a2 dog.png]"


def test_nothing_unreadable_goes_out() -> None:
    odd = "a\0b\ud83d"
    call = Called(name=odd, arguments='{"prompt": "\\ud83d"}', result={"note": odd})
    broken = Called(name="x", arguments="{broken", result={})
    turn = Turn(said=Said(text=odd), answered=(Answered(text=odd, calls=(call, broken)),))
    laid = messages(turn, new=odd + "x" * 100_000, news=[odd])
    assert not re.search(r"(?<!\\)\\u0000", json.dumps(laid))
    json.dumps(laid, ensure_ascii=False).encode("utf-8")
    assert [c["function"]["arguments"] for c in laid[2]["tool_calls"]] == ['{"prompt": "?"}', "{}"]
    assert len(laid[-1]["content"]) < 40_000
    assert laid[-1]["content"].endswith("left out.]")


def test_a_generation_is_told_without_addresses_and_empty_fields() -> None:
    asset = {"id": "s1", "url": "/media/s1", "thumbnail_url": "/media/s1?w=512"}
    told = digest(
        a_generation(
            3,
            status="completed",
            prompt="x" * 9000,
            assets=[asset, asset],
            notes=["The ratio was changed."],
        )
    )
    assert told.pop("prompt") == "x" * 500 + "..."
    assert told == {
        "id": "01990000-0000-7000-8000-000000000003",
        "handle": "#3",
        "kind": "image",
        "status": "completed",
        "model": "demo-image",
        "params": {"aspect_ratio": "16:9", "n": 1},
        "files": 2,
        "notes": ["The ratio was changed."],
    }


def test_a_failure_is_told_with_its_reason() -> None:
    error = {"code": "content_policy", "message": "refused", "retryable": False}
    told = digest(a_generation(1, status="failed", error=error, cancel_requested_at="2026"))
    assert told["error"] == error
    assert told["cancel_requested"] is True


def test_a_long_list_is_told_in_part() -> None:
    told = digest({"data": [a_generation(i) for i in range(100)], "next_cursor": "abc"})
    assert len(told["data"]) == ITEMS_MAX
    assert told["left_out"] == 100 - ITEMS_MAX
    assert told["data"][0]["handle"] == "#0"
    assert "created_at" not in told["data"][0]


def test_models_and_refusals_are_told_as_they_are() -> None:
    model = {"id": "m", "label": "M", "kind": "image", "inputs": ["text!"], "routes": ["a"]}
    assert digest({"data": [model]}) == {
        "data": [{"id": "m", "label": "M", "kind": "image", "inputs": ["text!"]}]
    }
    refusal = {"error": {"code": "x", "message": "y", "errors": [{"loc": "n", "msg": "1 to 4"}]}}
    assert digest(refusal) == refusal
