"""What was said in the old chat: the table of parts, attachments and roles."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importing.drafts import Medium, Mention, NotTaken, Said, name_of_url
from importing.mapping.messages import message
from tests.importing.strangers import rows

NOW = datetime(2026, 1, 3, tzinfo=UTC)
URL = "https://cdn.example.com/a.webp?x=1"
BY_URL = name_of_url(URL)
ROW = {"id": "m1", "chatId": "c1", "role": "assistant", "createdAt": "2026-01-01T00:00:00"}
DRAWN = {"id": "d1", "title": "A fox", "kind": "image", "content": "A document was created"}
MADE = {"status": "completed", "fileId": "f", "requestId": "r", "imageUrl": URL, "prompt": "a fox"}


def said(*parts: Any, **row: Any) -> Said:
    found = message({**ROW, "parts": list(parts), "attachments": [], **row}, NOW)
    assert isinstance(found, Said), found
    return found


def reason(**row: Any) -> str:
    found = message({**ROW, "parts": [text("hello")], **row}, NOW)
    assert isinstance(found, NotTaken)
    return found.reason


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def attached(name: str | None, url: str | None = URL, said: str | None = "image/webp") -> Any:
    return {"name": name, "url": url, "contentType": said, "thumbnailUrl": None}


def called(result: Any, tool: str = "createDocument") -> dict[str, Any]:
    call = {"state": "result", "toolCallId": "t", "toolName": tool, "args": {}, "result": result}
    return {"type": "tool-invocation", "toolInvocation": call}


def names(found: Said) -> list[tuple[str, ...]]:
    return [mention.names for mention in found.mentions]


def test_texts_are_joined_and_plumbing_is_left_out() -> None:
    parts = [
        *({"type": "step-start"}, {"type": "reasoning", "reasoning": "hm"}, text("One.")),
        *({"type": "source", "source": {}}, text(" "), {"type": "data-x", "data": 1}, text("Two.")),
    ]
    assert said(*parts) == Said(
        id="m1",
        chat_id="c1",
        role="assistant",
        text="One.\n\nTwo.",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"content": "Hello"}, "Hello"),
        ({"content": "[not JSON]"}, "[not JSON]"),
        (
            {"content": [text("One."), {"type": "tool-call", "args": {}}, text("Two.")]},
            "One.\n\nTwo.",
        ),
        ({"parts": json.dumps([text("Hello")])}, "Hello"),
        ({"parts": "Hello"}, "Hello"),
        ({"parts": [], "content": "Hello"}, "Hello"),
        ({"parts": ["Hello"]}, "Hello"),
        ({"parts": [text("a\0b\ud800")]}, "a\ufffdb\ufffd"),
    ],
)
def test_both_tables_and_their_texts(row: Mapping[str, Any], words: str) -> None:
    found = message({**ROW, **row}, NOW)
    assert isinstance(found, Said)
    assert (found.text, found.remarks) == (words, ())


@pytest.mark.parametrize(
    ("row", "word"),
    [
        *(({"id": None}, "no_id"), ({"id": "a\n"}, "no_content"), ({"id": "a\nb"}, "broken_id")),
        *(({"chatId": None}, "no_chat"), ({"role": "system"}, "role"), ({"role": "data"}, "role")),
        *(({"role": []}, "role"), ({"parts": []}, "no_content"), ({"parts": None}, "no_content")),
        ({"parts": [{"type": "reasoning", "text": "hm"}]}, "no_content"),
        ({"parts": [text(" \n")]}, "no_content"),
        ({"role": "tool", "parts": [text("plumbing")]}, "no_content"),
    ],
)
def test_what_nobody_saw_is_not_taken(row: Mapping[str, Any], word: str) -> None:
    assert reason(**({"parts": []} if row.get("id") == "a\n" else {}), **row) == word


@pytest.mark.parametrize(
    "part",
    [
        called(DRAWN),
        called(json.dumps(DRAWN)),
        {"type": "tool-createDocument", "state": "output-available", "output": DRAWN},
        {"type": "dynamic-tool", "toolName": "createDocument", "output": [{"result": DRAWN}]},
        {"type": "tool-result", "toolName": "createDocument", "result": DRAWN},
        {"type": "tool-result", "output": {"type": "json", "value": DRAWN}},
        {"type": "tool-x", "output": {"content": [{"type": "text", "text": json.dumps(DRAWN)}]}},
    ],
)
def test_a_tool_s_answer_names_the_picture_it_made(part: Any) -> None:
    picture = Mention(names=("chatbot:document:d1",), kind="image", medium=None)
    assert said(part).mentions == (picture,)
    from_tool = said(part, role="tool")
    assert (from_tool.role, from_tool.text, from_tool.mentions) == ("assistant", "", (picture,))


def test_a_tool_s_answer_names_what_it_wrote() -> None:
    made = {"a": "text", "b": "sheet", "c": "video"}
    parts = [called({**DRAWN, "id": name, "kind": kind}) for name, kind in made.items()]
    found = said(*parts, parts[0])
    assert (found.documents, names(found)) == (("a", "b"), [("chatbot:document:c",)])
    assert found.mentions[0].kind == "video"


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (MADE, ("superduper:file:f", "superduper:file:r", BY_URL)),
        ({"success": True, "requestId": "r"}, ("superduper:file:r",)),
        ({"url": URL}, ("chatbot:message:m1:0", BY_URL)),
        ({"id": "f", "url": URL, "image_generation": {}}, ("superduper:file:f", BY_URL)),
    ],
)
def test_a_tool_s_answer_tells_of_media(answer: Any, named: tuple[str, ...]) -> None:
    assert names(said(called(answer))) == [named]


@pytest.mark.parametrize(
    "answer",
    [
        *({"url": "https://example.com/page", "title": "A page"}, {"temperature": 5}, "done", None),
        *({"availableStyles": [{"id": "ink", "label": "Ink"}]}, {"imageUrl": "blob:x"}, 5),
    ],
)
def test_a_tool_s_answer_that_tells_of_none_brings_none(answer: Any) -> None:
    assert said(text("Here."), called(answer)).mentions == ()


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_an_attachment_may_name_its_file(role: str) -> None:
    found = said(role=role, attachments=[attached("[FILE_ID:F-1] a red fox")])
    named = ("superduper:file:F-1", BY_URL)
    medium = Medium(url=URL, media_type="image/webp")
    assert found.mentions == (
        Mention(names=named, kind="image", medium=medium, prompt="a red fox"),
    )


def test_an_attachment_is_given_by_a_person_or_made_by_the_assistant() -> None:
    medium = Medium(url=URL, media_type="image/webp", name="fox.webp")
    given = Mention(names=("chatbot:message:m1:0", BY_URL), kind="image", medium=medium)
    assert said(attachments=[attached("fox.webp")]).mentions == (given,)
    (uploaded,) = said(role="user", attachments=[attached("fox.webp")]).mentions
    assert (uploaded.is_upload, given.is_upload) == (True, False)


@pytest.mark.parametrize(
    ("role", "attachment"),
    [
        ("user", attached("a\nb", said="application/pdf")),
        ("user", attached("a b", said="video/mp4")),
        ("assistant", attached("a b", "https://x.example/a", said="text/csv")),
        ("user", attached("a b", None)),
    ],
)
def test_another_attachment_is_said_below_the_text(role: str, attachment: Any) -> None:
    found = said(text("Look."), role=role, attachments=[attachment])
    assert (found.text, found.mentions) == ("Look.\n\n(a file was attached: a b)", ())
    assert found.remarks == ("attachment_not_taken",)


@pytest.mark.parametrize(
    ("part", "url"),
    [
        ({"type": "file", "mimeType": "image/png", "data": "A" * 40}, "data:image/png;base64,"),
        ({"type": "file", "mediaType": "image/png", "url": URL, "filename": "a.png"}, URL),
        ({"type": "image", "image": URL}, URL),
        ({"type": "image", "image": "data:image/png;base64,AAAA"}, "data:image/png;base64,AAAA"),
    ],
)
def test_a_file_in_the_text_is_an_attachment(part: Any, url: str) -> None:
    (mention,) = said(part, role="user").mentions
    assert mention.is_upload
    assert mention.medium is not None
    assert mention.medium.url.startswith(url)


def test_pictures_in_the_assistant_s_text_become_mentions_in_their_place() -> None:
    found = said(
        text(f'See ![a [red] fox]({URL} "t") and ![](https://x.example/b_(1).png).'),
        called(DRAWN),
        text("![gone](blob:x)"),
    )
    assert found.text == "See a [red] fox and .\n\ngone"
    other = name_of_url("https://x.example/b_(1).png")
    first, second = ("chatbot:message:m1:0", BY_URL), ("chatbot:message:m1:1", other)
    assert names(found) == [first, second, ("chatbot:document:d1",)]
    assert found.remarks == ("unusable_url",)
    theirs = said(text(f"![fox]({URL})"), role="user")
    assert (theirs.text, theirs.mentions) == (f"fox ({URL})", ())


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (json.dumps(MADE), ""),
        (f"Here.\n```json\n{json.dumps(MADE)}\n```\nDone.", "Here.\n\nDone."),
        ('```json\n{"requestId": "r"}\n```', '```json\n{"requestId": "r"}\n```'),
    ],
)
def test_the_json_of_a_picture_in_the_text_becomes_a_mention(words: str, left: str) -> None:
    found = said(text(words))
    assert found.text == left
    if words != left:
        assert found.mentions[0].prompt == "a fox"
        assert names(found) == [("superduper:file:f", "superduper:file:r", BY_URL)]


def test_what_is_told_of_twice_is_one() -> None:
    found = said(
        text(f"![fox]({URL})"),
        called({"requestId": "r"}),
        called(MADE),
        attachments=[attached("[FILE_ID:f] a fox"), attached("a.webp")],
    )
    ours = ("superduper:file:f", "superduper:file:r", "chatbot:message:m1:0", BY_URL)
    assert (names(found), found.mentions[0].prompt) == ([ours], "a fox")


def test_two_files_at_one_address_are_two() -> None:
    twice = [attached("[FILE_ID:a] x"), attached("[FILE_ID:b] y")]
    found = said(attachments=twice)
    assert names(found) == [("superduper:file:a", BY_URL), ("superduper:file:b", BY_URL)]


def test_what_is_odd_is_reported() -> None:
    odd = [5, {"type": "hologram"}, {"type": "text", "text": 5}, {}, text("Hello")]
    found = said(*odd, attachments=[None, *[5]], createdAt="infinity")
    parts = ("unreadable: part", "unknown_part: hologram", "unreadable: text", "unknown_part: None")
    assert found.remarks == (*parts, "unreadable: attachment", "date_out_of_range")
    assert said(text("Hello"), attachments="x").remarks == ("unreadable: attachments",)


def test_more_than_a_person_writes_is_cut() -> None:
    long = said(text("x" * 200_001))
    assert (len(long.text), long.remarks) == (200_000, ("text_cut",))
    many = said(*[called({"requestId": str(number)}) for number in range(501)])
    assert (len(many.mentions), many.remarks) == (500, ("too_many_media",))
    deep: Any = DRAWN
    for _ in range(500):
        deep = [deep]
    assert said(text("Hello"), called(deep)).remarks == ("tool_result_cut",)


@pytest.mark.parametrize(
    "poison",
    [
        *("![" * 100_000, "![](a(" * 50_000, '![](a "' * 40_000, "![[]" * 60_000),
        *('```json{"requestId"' * 20_000, "[FILE_ID:" * 30_000, "![](a" + " " * 200_000),
    ],
)
def test_a_text_costs_no_more_than_its_length(poison: str) -> None:
    started = time.process_time()
    said(text(poison), attachments=[attached(poison)])
    assert time.process_time() - started < 1


@given(
    st.one_of(
        rows(id="m", chatId="c", role="user"),
        rows(id="m", chatId="c", role="assistant", parts=[called(MADE), text(json.dumps(MADE))]),
        rows(id="m", chatId="c", role="tool", attachments=[attached("[FILE_ID:x] y")]),
    )
)
@settings(max_examples=200, deadline=None)
def test_nothing_breaks_the_reading(row: dict[str, Any]) -> None:
    found = message(row, NOW)
    if isinstance(found, Said):
        assert found.text or found.mentions or found.documents
        assert all(mention.names for mention in found.mentions)
        found.text.encode()
