"""What two rows tell of one generation comes to the same whichever is read first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from db.ids import new_id
from importing.drafts import Clock, Draft, Medium
from importing.writing.merge import begun, files_of, joined
from importing.writing.owners import Owner

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CLOCK = Clock(now=NOW, stale_before=NOW - timedelta(hours=24))
OWNER = Owner(new_id(), "password:anna@example.org")
BACKEND, CHAT = "superduper:f1", "chatbot:media:m1"
MEDIUM = Medium(url="https://cdn.example.org/a.png", media_type="image/png")


def draft(**more: object) -> Draft:
    """A row's word, with whatever matters."""
    plain = Draft(names=("superduper:file:f1",), owner=None, kind="image", status="completed")
    return replace(plain, **more)  # type: ignore[arg-type]


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """Any row's word about one picture."""
    status = draw(st.sampled_from(["completed", "failed", "in_progress"]))
    return draft(
        status=status,
        prompt=draw(st.sampled_from(["", "a fox", "a red fox", "a blue fox"])),
        model=draw(st.sampled_from([None, "flux", "comfyui/flux"])),
        params=draw(st.dictionaries(st.sampled_from(["seed", "style"]), st.integers(0, 99))),
        error=("provider_error", "It failed.") if status == "failed" else None,
        media=draw(st.sampled_from([(), (MEDIUM,)])) if status == "completed" else (),
        created_at=draw(st.sampled_from([None, NOW - timedelta(days=3), NOW - timedelta(days=9)])),
    )


@given(drafts(), drafts())
def test_the_order_of_two_rows_makes_no_difference(one: Draft, other: Draft) -> None:
    first = joined(begun(one, BACKEND, OWNER, CLOCK), other, CHAT, OWNER, CLOCK)
    second = joined(begun(other, CHAT, OWNER, CLOCK), one, BACKEND, OWNER, CLOCK)
    assert replace(second, id=first.id, notes=[]) == replace(first, notes=[])


@given(drafts())
def test_a_row_told_twice_adds_nothing(one: Draft) -> None:
    held = begun(one, BACKEND, OWNER, CLOCK)
    assert joined(held, one, BACKEND, OWNER, CLOCK) == held


def test_a_file_proves_that_it_was_made() -> None:
    failed = begun(draft(status="failed", error=("timeout", "Late.")), BACKEND, OWNER, CLOCK)
    now = joined(failed, draft(media=(MEDIUM,)), CHAT, OWNER, CLOCK)
    assert (now.status, now.error_code, now.error_message, now.files) == (
        "completed",
        None,
        None,
        1,
    )
    (file,) = files_of(now, draft(media=(MEDIUM,)))
    assert (file.generation_id, file.user_id, file.url) == (failed.id, OWNER.id, MEDIUM.url)


def test_what_is_unknown_on_one_side_is_taken_from_the_other() -> None:
    bare = begun(draft(), CHAT, OWNER, CLOCK)
    full = draft(prompt="a fox", model="flux", params={"seed": 7}, created_at=NOW)
    now = joined(bare, full, BACKEND, OWNER, CLOCK)
    assert (now.prompt, now.model, now.params) == ("a fox", "flux", {"seed": 7})
    assert (now.legacy_id, now.provider) == (BACKEND, "superduper")


def test_a_kind_that_was_only_guessed_yields_to_one_that_was_said() -> None:
    guessed = begun(draft(is_kind_sure=False), CHAT, OWNER, CLOCK)
    said = draft(kind="video", media=(MEDIUM,))
    assert joined(guessed, said, BACKEND, OWNER, CLOCK).kind == "video"
