"""Super Chatbot's documents: pictures and films as JSON, and what was written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importing.drafts import Clock, Draft, NotTaken, name_of_url
from importing.mapping.documents import image_document, written_document
from importing.mapping.standing import NO_FILE, WITHOUT_RESULT
from tests.importing.strangers import rows

NOW = datetime(2026, 1, 3, tzinfo=UTC)
CLOCK = Clock(now=NOW, stale_before=NOW - timedelta(hours=24))
OLD, YOUNG = "2026-01-01T00:00:00", "2026-01-02T12:00:00"
URL = "https://cdn.example.com/a.webp?x=1"
BY_URL = name_of_url(URL)
STYLE = {"id": "ink", "label": "Ink"}
SETTINGS = {
    "style": STYLE,
    "resolution": {"width": 1344, "height": 768, "label": "1344x768"},
    "model": {"id": "flux-dev", "label": "Flux Dev"},
    "availableStyles": [STYLE] * 100,
}
PARAMS = {"width_px": 1344, "height_px": 768, "style": "ink"}


def document(content: Any, **row: Any) -> Draft | NotTaken:
    content = json.dumps(content) if isinstance(content, dict) else content
    fixed = {"id": "d1", "text": "image", "createdAt": OLD, "userId": "u1", "content": content}
    return image_document({**fixed, **row}, CLOCK)


def drawn(content: Any, **row: Any) -> Draft:
    found = document(content, **row)
    assert isinstance(found, Draft)
    return found


@pytest.mark.parametrize(
    ("content", "made_at", "status"),
    [
        ({"status": "failed", "error": "no credit"}, YOUNG, "failed"),
        ({"status": "pending", "imageUrl": URL}, YOUNG, "completed"),
        ({"status": "completed"}, YOUNG, "completed"),
        ({"status": "pending"}, OLD, "failed"),
        ({"status": "streaming"}, OLD, "failed"),
        ({"status": "processing"}, YOUNG, "younger"),
        ({}, YOUNG, "younger"),
    ],
)
def test_a_document_stands_by_the_same_rules(
    content: dict[str, Any], made_at: str, status: str
) -> None:
    found = document(content, createdAt=made_at)
    assert (found.status if isinstance(found, Draft) else found.reason) == status


def test_a_document_says_why_it_has_nothing() -> None:
    assert drawn({"status": "pending"}).error == ("expired", WITHOUT_RESULT)
    assert drawn({"status": "completed"}).notes == (NO_FILE,)
    failed = drawn({"status": "failed", "error": "no credit"}).error
    assert failed == ("provider_error", "It had failed in the old system: no credit")


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"fileId": "f"}, ("superduper:file:f", "chatbot:document:d1")),
        (
            {"fileId": "f", "requestId": "r"},
            ("superduper:file:f", "chatbot:document:d1", "superduper:file:r"),
        ),
        ({"requestId": "r"}, ("superduper:file:r", "chatbot:document:d1")),
        ({}, ("chatbot:document:d1:2026-01-01T00:00:00+00:00", "chatbot:document:d1")),
    ],
)
def test_a_version_of_a_document_has_its_own_name_first(
    content: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert drawn({**content, "imageUrl": URL}).names == (*names, BY_URL)


def test_a_version_keeps_its_name_whatever_the_clock_says() -> None:
    shown = drawn({"imageUrl": URL}, createdAt="2099-01-01 00:00:00Z")
    assert shown.names[0] == "chatbot:document:d1:2099-01-01T00:00:00+00:00"
    assert shown.remarks == ("date_out_of_range",)


def test_a_document_tells_what_was_asked_for_without_its_lists() -> None:
    content = {"prompt": "a fox", "videoUrl": URL, "negativePrompt": "blur", "settings": SETTINGS}
    found = drawn(content, text="video")
    assert (found.kind, found.prompt, found.model) == ("video", "a fox", "flux-dev")
    assert found.params == {**PARAMS, "negative_prompt": "blur"}
    assert found.owner == "chatbot:user:u1"


def test_a_document_without_a_prompt_takes_its_title_s() -> None:
    assert drawn({"imageUrl": URL}, title="A fox").prompt == "A fox"
    asked = json.dumps({"prompt": "a red fox", "style": STYLE})
    found = drawn({"imageUrl": URL}, title=asked)
    assert (found.prompt, found.params) == ("a red fox", {"style": "ink"})


@pytest.mark.parametrize("content", [None, "", "{", "[1]", "5", [1], "iVBORw0KGgo", "[" * 90_000])
def test_a_picture_s_content_that_is_no_object_is_broken(content: Any) -> None:
    found = document(content)
    assert isinstance(found, NotTaken)
    assert found.reason == "broken_content"


@pytest.mark.parametrize("kind", ["text", "sheet", "hologram", None, 5])
def test_another_kind_is_no_picture(kind: Any) -> None:
    found = document({"imageUrl": URL}, text=kind)
    assert isinstance(found, NotTaken)
    assert found.reason == "unknown_kind"


@pytest.mark.parametrize(
    ("kind", "content", "markdown"),
    [
        ("text", "# Fox\n![f](https://x.example/a.png)", "# Fox\n[f](https://x.example/a.png)"),
        ("text", "# Of foxes\n\nThe *fox*.", "The *fox*."),
        ("text", "# Of foxes", "# Of foxes"),
        ("code", "print('```')\n", "````\nprint('```')\n````"),
        ("sheet", 'a,b\n1,"x|\ny"\n2', "| a | b |\n| --- | --- |\n| 1 | x\\| y |\n| 2 |  |"),
        ("sheet", "a\n" * 51, "```csv\n" + "a\n" * 51 + "```"),
    ],
)
def test_what_was_written_is_markdown(kind: str, content: str, markdown: str) -> None:
    row = {"kind": kind, "title": "Of\nfoxes", "content": content}
    assert written_document(row) == ("Of foxes", markdown)


def test_what_was_written_is_cut_where_it_is_too_long() -> None:
    found = written_document({"text": "text", "content": "x" * 200_001})
    assert found is not None
    assert found[0] == "Untitled"
    assert found[1].endswith(
        "x\n\n[It had 200,001 characters in the old system; the first 200,000 are kept.]"
    )


@pytest.mark.parametrize("row", [{"text": "image", "content": "x"}, {"text": "text"}, {}])
def test_what_was_not_written_is_none(row: Mapping[str, Any]) -> None:
    assert written_document(row) is None


@given(
    st.one_of(
        rows(id="x", text="image", content=json.dumps({"imageUrl": URL})),
        rows(id="x", text="sheet", content="a,b"),
    )
)
@settings(max_examples=150, deadline=None)
def test_nothing_breaks_the_reading(row: dict[str, Any]) -> None:
    drawn = image_document(row, CLOCK)
    assert isinstance(drawn, NotTaken) or drawn.names
    written = written_document(row)
    assert written is None or all(written)
