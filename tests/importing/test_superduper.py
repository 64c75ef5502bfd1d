"""A file of SuperDuperAI becomes a generation: the table of what means what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importing.drafts import Clock, Draft, NotTaken, name_of_url
from importing.mapping.standing import (
    CANCELLED_THERE,
    FAILED_THERE,
    NO_ADDRESS,
    NO_FILE,
    WITHOUT_RESULT,
)
from importing.mapping.superduper import superduper_file
from tests.importing.strangers import rows

NOW = datetime(2026, 1, 3, tzinfo=UTC)
CLOCK = Clock(now=NOW, stale_before=NOW - timedelta(hours=24))
OLD, YOUNG = "2026-01-01T00:00:00Z", "2026-01-02T12:00:00Z"
URL = "https://cdn.example.com/a/b.png?signature=x%2Fy&expires=1#z"
FAILED_TASK = [{"type": "a", "status": "completed"}, {"type": "b", "status": "error"}]
ORDER = {
    "prompt": "a fox",
    "negative_prompt": "blur",
    "generation_config_name": "house/flux",
    "seed": "123",
    "width": 1024,
    "height": 768.0,
    "steps": 20,
    "style_name": "ink",
    "shot_size": "Long Shot",
    "duration": "5.5",
    "aspect_ratio": "4:3",
}


def read(clock: Clock = CLOCK, **row: Any) -> Draft | NotTaken:
    return superduper_file({"file_id": "f1", "created_at": OLD, **row}, clock)


def draft(clock: Clock = CLOCK, **row: Any) -> Draft:
    found = read(clock, **row)
    assert isinstance(found, Draft)
    return found


def reason(clock: Clock = CLOCK, **row: Any) -> str:
    found = read(clock, **row)
    assert isinstance(found, NotTaken)
    return found.reason


@pytest.mark.parametrize(
    ("row", "status"),
    [
        # Rule 1: a failure, whatever else is said.
        ({"status": "error"}, "failed"),
        ({"status": "failed", "download_url": URL}, "failed"),
        ({"status": "cancelled"}, "failed"),
        ({"status": "completed", "url": URL, "tasks": FAILED_TASK}, "failed"),
        ({"tasks": FAILED_TASK, "created_at": YOUNG}, "failed"),
        # Rule 2: a result, whatever the status.
        ({"url": URL}, "completed"),
        ({"status": "in_progress", "download_url": URL}, "completed"),
        ({"status": "who knows", "url": URL}, "completed"),
        ({"url": URL, "tasks": [{"type": "a", "status": "in_progress"}]}, "completed"),
        ({"status": "Completed"}, "completed"),
        ({"status": "success"}, "completed"),
        ({"tasks": [{"type": "a", "status": "completed"}]}, "completed"),
        ({"url": "blob:https://x.example/1"}, "completed"),
        # Rule 3: in progress for too long.
        ({"status": "in progress"}, "failed"),
        ({"status": "queued"}, "failed"),
        ({"status": "who knows"}, "failed"),
        ({"tasks": [{"type": "a", "status": "in_progress"}]}, "failed"),
        ({"status": "in_progress", "tasks": [{"status": "completed"}]}, "failed"),
        ({}, "failed"),
        # Rule 4: younger ones may still come to their end.
        ({"status": "processing", "created_at": YOUNG}, "younger"),
        ({"status": "who knows", "created_at": YOUNG}, "younger"),
        ({"created_at": YOUNG}, "younger"),
        ({"created_at": None}, "younger"),
        ({"created_at": "infinity"}, "younger"),
    ],
)
def test_the_first_rule_that_fits(row: Mapping[str, Any], status: str) -> None:
    found = read(**row)
    assert (found.status if isinstance(found, Draft) else found.reason) == status


def test_in_progress_stays_so_where_the_operator_says_it() -> None:
    keeps = replace(CLOCK, keeps_in_progress=True)
    for made_at in (OLD, YOUNG, None):
        assert draft(keeps, status="processing", created_at=made_at).status == "in_progress"
    assert draft(keeps, status="error").status == "failed"
    assert draft(keeps, status="processing", url=URL).status == "completed"


def test_what_has_no_date_is_as_old_as_the_dump() -> None:
    old = replace(CLOCK, written_at=NOW - timedelta(days=9))
    assert draft(old, created_at=None).error == ("expired", WITHOUT_RESULT)
    assert reason(replace(CLOCK, written_at=NOW), created_at=None) == "younger"


def test_a_failure_says_why() -> None:
    assert draft(status="error").error == ("provider_error", FAILED_THERE)
    assert draft(status="cancelled").error == ("provider_error", CANCELLED_THERE)
    told = draft(status="error", error="out of\nmemory\0").error
    assert told == ("provider_error", "It had failed in the old system: out of memory\ufffd")
    assert draft(status="failed", url=URL).media == ()
    assert draft(status="failed", url=URL).notes


def test_a_completed_one_without_a_file_says_so() -> None:
    assert draft(status="completed").notes == (NO_FILE,)
    lost = draft(url="blob:https://x.example/1")
    assert (lost.media, lost.notes, lost.remarks) == ((), (NO_ADDRESS,), ("unusable_url",))


@pytest.mark.parametrize(
    ("row", "kind", "media_type", "is_sure"),
    [
        ({"type": "image", "url": "https://x.example/a"}, "image", "image/png", True),
        ({"type": "video", "url": "https://x.example/a"}, "video", "video/mp4", True),
        ({"type": "audio", "url": "https://x.example/a"}, "audio", "audio/mpeg", True),
        ({"type": "voiceover", "url": "https://x.example/a.webm"}, "audio", "audio/webm", True),
        ({"type": "sound_effect", "url": "https://x.example/a.wav"}, "audio", "audio/wav", True),
        ({"type": "music", "url": "https://x.example/a.MP3?x=.png"}, "audio", "audio/mpeg", True),
        ({"video_generation": {}, "url": "https://x.example/a"}, "video", "video/mp4", True),
        ({"url": "https://x.example/a/b.mov#t"}, "video", "video/quicktime", True),
        ({"url": "data:image/webp;base64,AAAA"}, "image", "image/webp", True),
        ({"url": "https://x.example/a", "duration": 4}, "video", "video/mp4", True),
        ({"url": "https://cdn.mov"}, "image", "image/png", False),
        ({"url": "https://x.example/a", "duration": "nan"}, "image", "image/png", False),
    ],
)
def test_the_kind(row: Mapping[str, Any], kind: str, media_type: str, is_sure: bool) -> None:
    found = draft(**row)
    assert (found.kind, found.is_kind_sure) == (kind, is_sure)
    assert found.media[0].media_type == media_type


@pytest.mark.parametrize("word", ["text", "other"])
def test_what_is_no_medium_is_left_with_its_word(word: str) -> None:
    assert reason(type=word, url=URL) == word


def test_an_unknown_word_is_reported() -> None:
    found = draft(type="hologram", status="half\ndone", url=URL)
    assert found.remarks == ("unknown_type: hologram", "unknown_status: half\ufffddone")
    assert draft(type=5, url=URL).remarks == ("unknown_type: 5",)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({"file_id": None}, "no_id"),
        ({"file_id": " "}, "no_id"),
        ({"file_id": "a\nb"}, "broken_id"),
        ({"file_id": "a" * 201}, "broken_id"),
        ({"file_id": {"a": 1}}, "broken_id"),
        ({"file_id": True}, "broken_id"),
        ({"file_id": 10**5000}, "broken_id"),
    ],
)
def test_a_row_without_a_sane_id_is_none(row: Mapping[str, Any], word: str) -> None:
    assert reason(**row, url=URL) == word


def test_what_is_odd_about_a_row_for_later_is_said_too() -> None:
    found = read(status="half done", created_at=YOUNG)
    assert isinstance(found, NotTaken)
    assert found.detail.endswith("a later run takes it. (unknown_status: half done)")


def test_its_names_and_its_owner() -> None:
    found = draft(url=URL, user_id="u1", project_id="p1")
    assert found.names == ("superduper:file:f1", name_of_url(URL))
    assert found.owner == "superduper:user:u1"
    assert draft(url=URL, user_id="", project_id=7).owner == "superduper:project:7"
    assert draft(url=URL).owner is None
    uuid = "0199AAAA-0000-7000-8000-00000000000F"
    assert draft(file_id=uuid).names == (f"superduper:file:{uuid.lower()}",)


def test_both_shapes_and_a_mixture_tell_the_same() -> None:
    table = draft(prompt="a fox", status="completed", download_url=URL, type="image")
    api = superduper_file({"id": "f1", "created_at": OLD, "url": URL, "type": "image"}, CLOCK)
    mixture = draft(id=1, url=URL, type="image", image_generation={"prompt": "a fox"}, status="")
    assert isinstance(api, Draft)
    assert table == replace(api, prompt="a fox") == mixture
    assert table.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert table.media[0].url == URL


def test_what_was_asked_for_comes_under_neutral_names() -> None:
    found = draft(type="video", url=URL, video_generation={**ORDER, "references": [1, 2]})
    assert (found.prompt, found.model) == ("a fox", "house/flux")
    assert found.params == {
        "width_px": 1024,
        "height_px": 768,
        "seed": 123,
        "steps": 20,
        "style": "ink",
        "aspect_ratio": "4:3",
        "shot_size": "Long Shot",
        "duration_s": 5.5,
        "negative_prompt": "blur",
    }
    assert "2 reference pictures" in found.notes[0]
    assert found.remarks == ()


def test_what_no_number_can_be_is_reported_and_left_out() -> None:
    odd = {"width": -1, "height": 10**30, "seed": float("nan"), "steps": [], "duration": "1e999"}
    found = draft(url=URL, image_generation={**odd, "style_name": {}, "prompt": 5})
    assert found.params == {}
    fields = ("prompt", "width_px", "height_px", "seed", "steps", "duration_s")
    assert set(found.remarks) == {f"unreadable: {field}" for field in fields}


def test_a_long_prompt_is_cut_and_says_so() -> None:
    found = draft(url=URL, prompt="x" * 20_001)
    assert (len(found.prompt), found.remarks) == (20_000, ("prompt_cut",))
    assert "20,001 characters" in found.notes[0]
    assert draft(url=URL, prompt="x" * 20_000).remarks == ()


@pytest.mark.parametrize(
    "url",
    [
        *("blob:https://x.example/1", "file:///etc/passwd", "/media/1", "a.png", "//x.example/a"),
        *(
            "javascript:alert(1)",
            "https://",
            "ftp://x.example/a",
            "https://x.example/" + "a" * 4000,
        ),
        *("https://x.example/\0", "data:image/png;base64", "data:image/png;base64,A\nA", "http:/a"),
        "data:image/png;base64," + "A" * (30 * 1024 * 1024),
    ],
)
def test_what_is_no_web_address_is_not_taken(url: str) -> None:
    found = draft(status="completed", url=url)
    assert (found.media, found.remarks, len(found.notes)) == ((), ("unusable_url",), 1)


def test_the_bytes_may_be_in_the_address() -> None:
    url = "data:image/png;base64," + "A" * 2_000_000
    assert draft(url=url).media[0].url == url


@given(st.one_of(rows(file_id="f", url=URL), rows(id="f", tasks=FAILED_TASK, created_at=OLD)))
@settings(max_examples=150, deadline=None)
def test_nothing_breaks_the_reading(row: dict[str, Any]) -> None:
    found = superduper_file(row, CLOCK)
    assert isinstance(found, NotTaken) or found.names
