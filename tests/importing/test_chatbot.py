"""Super Chatbot's media, people, chats and votes: the table of what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importing.drafts import Clock, Draft, NotTaken, name_of_url
from importing.mapping.chatbot import (
    Chat,
    Person,
    Vote,
    chat,
    generated_media,
    person,
    project,
    vote,
)
from tests.importing.strangers import rows

NOW = datetime(2026, 1, 3, tzinfo=UTC)
CLOCK = Clock(now=NOW, stale_before=NOW - timedelta(hours=24))
OLD = "2026-01-01T00:00:00"
URL = "https://cdn.example.com/a.webp?x=1"
BY_URL = name_of_url(URL)
STYLE = {"id": "ink", "label": "Ink"}
SETTINGS = {
    "style": STYLE,
    "resolution": {"width": 1344, "height": 768, "label": "1344x768", "aspectRatio": "16:9"},
    "model": {"id": "flux-dev", "label": "Flux Dev"},
    "shotSize": {"id": "long-shot", "label": "Long Shot"},
    "seed": "12",
    "availableStyles": [STYLE] * 100,
}
PARAMS = {
    "width_px": 1344,
    "height_px": 768,
    "seed": 12,
    "style": "ink",
    "aspect_ratio": "16:9",
    "shot_size": "Long Shot",
}


def media(**row: Any) -> Draft:
    found = generated_media({"id": "m1", "type": "image", "createdAt": OLD, **row}, CLOCK)
    assert isinstance(found, Draft)
    return found


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ({"fileId": "f"}, ("superduper:file:f", "chatbot:media:m1")),
        ({"requestId": "r"}, ("superduper:file:r", "chatbot:media:m1")),
        (
            {"fileId": "f", "requestId": "r"},
            ("superduper:file:f", "chatbot:media:m1", "superduper:file:r"),
        ),
        ({}, ("chatbot:media:m1",)),
        ({"fileId": "f" * 201, "requestId": ""}, ("chatbot:media:m1",)),
    ],
)
def test_media_are_named_by_their_file_first(
    row: Mapping[str, Any], names: tuple[str, ...]
) -> None:
    assert media(url=URL, **row).names == (*names, BY_URL)
    assert media(status="failed", url=URL, **row).names == names


def test_media_belong_to_a_user_or_else_to_a_session() -> None:
    assert media(url=URL, userId="u", sessionId="s").owner == "chatbot:user:u"
    assert media(url=URL, sessionId="s").owner == "chatbot:session:s"
    assert media(url=URL).owner is None


@pytest.mark.parametrize("is_text", [False, True])
def test_media_settings_come_under_neutral_names(is_text: bool) -> None:
    said: Any = json.dumps(SETTINGS) if is_text else SETTINGS
    found = media(url=URL, prompt="a fox", settings=said)
    assert (found.prompt, found.model, found.params) == ("a fox", "flux-dev", PARAMS)
    assert found.media[0].media_type == "image/webp"
    assert media(url=URL, model="flux-pro", settings=said).model == "flux-pro"


@pytest.mark.parametrize(
    ("resolution", "params"),
    [
        ("1920\u00d71080", {"width_px": 1920, "height_px": 1080}),
        ({"label": "1024 x 768"}, {"width_px": 1024, "height_px": 768}),
        ("720p", {"resolution": "720p"}),
    ],
)
def test_a_resolution_may_be_words(resolution: Any, params: Mapping[str, Any]) -> None:
    assert media(url=URL, settings={"resolution": resolution, "style": "ink"}).params == {
        **params,
        "style": "ink",
    }


def test_settings_that_are_none_are_reported() -> None:
    assert media(url=URL, settings="{broken").params == {}
    assert media(url=URL, settings=[1]).remarks == ("unreadable: settings",)


@pytest.mark.parametrize(
    ("email", "read", "is_guest", "remarks"),
    [
        (" Ann@Example.COM ", "ann@example.com", False, ()),
        ("guest-1730000000000", None, True, ()),
        (None, None, True, ()),
        ("guest-x", None, False, ("no_email_address: guest-x",)),
        ("a@b@c", None, False, ("no_email_address: a@b@c",)),
        (5, None, False, ("unreadable: email",)),
    ],
)
def test_a_person(email: Any, read: str | None, is_guest: bool, remarks: tuple[str, ...]) -> None:
    row = {"id": "u1", "email": email, "password": "$2b$10$x", "balance": 100}
    assert person(row) == Person(id="u1", email=read, is_guest=is_guest, remarks=remarks)


def test_a_chat_is_called_by_one_line() -> None:
    row = {
        "id": "c1",
        "userId": "u1",
        "title": " A\nfox ",
        "createdAt": OLD,
        "visibility": "public",
    }
    assert chat(row, NOW) == Chat(
        id="c1",
        user_id="u1",
        title="A fox",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        is_public=True,
    )
    odd = chat({"id": "c1", "userId": "u1", "title": 5, "createdAt": "infinity"}, NOW)
    assert isinstance(odd, Chat)
    assert (odd.title, odd.is_public) == (None, False)
    assert odd.remarks == ("unreadable: title", "date_out_of_range")


@pytest.mark.parametrize(
    ("row", "word"),
    [({"userId": "u"}, "no_id"), ({"id": "c"}, "no_owner"), ({"id": []}, "broken_id")],
)
def test_a_chat_of_nobody_is_none(row: Mapping[str, Any], word: str) -> None:
    found = chat(row, NOW)
    assert isinstance(found, NotTaken)
    assert found.reason == word


@pytest.mark.parametrize(("said", "is_up"), [(True, True), ("t", True), (False, False)])
def test_a_vote(said: Any, is_up: bool) -> None:
    found = vote({"chatId": "c", "messageId": "m", "isUpvoted": said})
    assert found == Vote(chat_id="c", message_id="m", is_upvoted=is_up)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({"chatId": "c", "isUpvoted": True}, "no_id"),
        ({"chatId": "c", "messageId": "m"}, "broken_vote"),
        ({"chatId": "c", "messageId": "m", "isUpvoted": [1]}, "broken_vote"),
    ],
)
def test_half_a_vote_is_none(row: Mapping[str, Any], word: str) -> None:
    found = vote(row)
    assert isinstance(found, NotTaken)
    assert found.reason == word


def test_a_project_is_somebody_s() -> None:
    assert project({"projectId": "p", "userId": "u"}) == ("p", "u")
    assert isinstance(project({"projectId": "p"}), NotTaken)


@given(
    st.one_of(
        rows(id="x", url=URL, userId="u", fileId="f"),
        rows(id="x", userId="u", email="a@b.example", chatId="c", messageId="m", projectId="p"),
    )
)
@settings(max_examples=150, deadline=None)
def test_nothing_breaks_the_reading(row: dict[str, Any]) -> None:
    media = generated_media(row, CLOCK)
    assert isinstance(media, NotTaken) or media.names
    assert isinstance(person(row), Person | NotTaken)
    assert isinstance(chat(row, NOW), Chat | NotTaken)
    assert isinstance(vote(row), Vote | NotTaken)
    assert isinstance(project(row), tuple | NotTaken)
