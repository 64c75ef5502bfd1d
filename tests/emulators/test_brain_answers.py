"""What the demo model says: about results, refusals and itself, in the person's language."""

from __future__ import annotations

import json

import pytest

from emulators.brain.answer import SLOW_PAUSE_S, answer
from emulators.brain.phrases import PHRASES
from tests.emulators.conversation import (
    TOOLS,
    Message,
    agent,
    ask,
    called,
    drawn,
    generation,
    tool,
    user,
)


def said_about(tool_name: str, result: object, text: str = "draw a red fox in the snow") -> str:
    """What is said when a tool has answered, later in a conversation."""
    before = [user("hello"), agent("Hello."), user(text)]
    return answer([*before, *called(tool_name, {}, result)], TOOLS).text


def test_started_work_is_named_with_its_handle() -> None:
    said = said_about("generate_image", generation(3))
    assert "a red fox in the snow" in said
    assert "(#3)" in said
    assert "card" in said


def test_the_answer_is_in_the_language_of_the_question() -> None:
    assert "Рисую" in said_about("generate_image", generation(3), "нарисуй лису")
    assert "Ich zeichne" in said_about("generate_image", generation(3), "zeichne einen Fuchs")
    assert "正在画" in said_about("generate_image", generation(3), "画一只狐狸")


def test_a_refusal_is_said_with_its_facts() -> None:
    error = {"code": "invalid_request", "message": "demo-video makes 1 to 10 seconds, not 900."}
    said = said_about("generate_video", {"error": error})
    assert said == "That is not possible: demo-video makes 1 to 10 seconds, not 900."


def test_a_refusal_names_the_arguments_at_fault() -> None:
    errors = [{"loc": "n", "msg": "at most 4"}]
    error = {"code": "invalid_request", "message": "Wrong arguments.", "errors": errors}
    assert "at most 4" in said_about("generate_image", {"error": error})


@pytest.mark.parametrize(
    ("state", "part"),
    [
        ({"status": "queued", "queue_position": 2}, "place 2"),
        ({"status": "in_progress", "progress": 0.42}, "42 %"),
        ({"status": "completed"}, "ready"),
        (
            {"status": "failed", "error": {"code": "timeout", "message": "took too long"}},
            "too long",
        ),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "unknown"}, "charged"),
    ],
)
def test_how_a_generation_stands_is_told(state: Message, part: str) -> None:
    assert part in said_about("get_generation", generation(1, **state), "is it ready?")


def test_a_list_of_generations_is_short_and_readable() -> None:
    rows = [generation(2, "video", status="completed"), generation(1)]
    said = said_about("list_generations", {"data": rows}, "what have I made?")
    assert "- #2 film: a red fox in the snow (ready)" in said
    assert "- #1 picture: a red fox in the snow (waiting)" in said


def test_a_list_of_models_tells_their_prices() -> None:
    price = {"unit": "second", "usd": 0.01}
    row = {"id": "demo-video", "label": "Demo film", "kind": "video", "price": price}
    said = said_about("list_models", {"data": [row]}, "which models are there?")
    assert "- Demo film (`demo-video`): film, $0.01 a second" in said


def test_the_first_reply_says_once_that_it_is_a_demo() -> None:
    note = PHRASES["en"].demo_note
    first = [user("draw a cat"), *called("generate_image", {}, generation(1))]
    assert answer([user("draw a cat")], TOOLS).text == ""
    assert note in answer(first, TOOLS).text
    assert note in ask("hello").text
    assert note not in ask("hello", drawn()).text


def test_only_offered_tools_and_parameters_are_used() -> None:
    narrow = [tool("generate_image", "prompt")]
    [call] = answer([user("draw a cat, 16:9, seed 7")], narrow).calls
    assert json.loads(call.arguments) == {"prompt": "a cat, 16:9, seed 7"}
    assert answer([user("make a video of a cat")], narrow).calls == ()


def test_a_mark_drives_any_call_even_a_broken_one() -> None:
    wanted = [{"name": "nothing", "arguments": '{"a": '}, {"name": "b", "arguments": {"c": [1]}}]
    reply = ask(f"[[calls: {json.dumps(wanted)}]]", drawn())
    assert [(call.name, call.arguments) for call in reply.calls] == [
        ("nothing", '{"a": '),
        ("b", '{"c": [1]}'),
    ]


def test_a_mark_makes_it_say_a_text_and_nothing_else() -> None:
    assert ask("[[say: one\ntwo]]").text == "one\ntwo"


def test_a_mark_makes_it_speak_slowly() -> None:
    reply = ask("[[slow: 40 words]]")
    assert len(reply.text.split()) == 40
    assert reply.pause_s == SLOW_PAUSE_S


@pytest.mark.parametrize("mark", ["[[calls: nonsense]]", "[[calls: [1]]]", "[[calls: {}]]"])
def test_a_mark_that_cannot_be_read_is_answered(mark: str) -> None:
    reply = ask(mark)
    assert reply.calls == ()
    assert "cannot be read" in reply.text


@pytest.mark.parametrize("language", sorted(PHRASES))
def test_the_pieces_of_a_text_are_the_text(language: str) -> None:
    phrases = PHRASES[language]  # type: ignore[index]
    for text in (phrases.hello, phrases.demo_note, f" a\n\n{phrases.unknown}  b \n"):
        reply = ask(f"[[say: {text}]]")
        assert "".join(reply.pieces()) == reply.text
        assert len(list(reply.pieces())) > 3


@pytest.mark.parametrize(
    "messages",
    [
        [user("")],
        [user("..."), agent("")],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url"}]}],
        [{"role": "tool", "tool_call_id": "x", "content": "not json"}],
        [{"role": "system", "content": "You are Kinora."}],
        [user("a" * 100_000)],
        [user("draw " + " " * 100_000 + "a cat")],
        [user("please " * 20_000)],
        [user("16:" * 20_000)],
        [user("нарисуй \x00 кота \ud800")],
    ],
)
def test_no_conversation_is_too_odd_for_an_answer(messages: list[Message]) -> None:
    reply = answer(messages, TOOLS)
    assert reply.text or reply.calls
