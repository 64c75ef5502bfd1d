"""What the Gemini API's answers mean: 200 may hold nothing, and `completed` may be no film."""

from __future__ import annotations

import base64

import httpx
import pytest

from providers import gemini_video, google_wire
from providers.contract import (
    AnswerLost,
    Busy,
    Cancelled,
    Failed,
    JobState,
    Malformed,
    OutOfCredit,
    ProviderError,
    Rejected,
    Running,
    Succeeded,
    Unauthorized,
    Waiting,
)
from providers.gemini import parse
from providers.wire import Answer

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 60).decode()
SECRET = "AIzaCANARY0123456789"


def part(**more: object) -> dict[str, object]:
    return {"inlineData": {"mimeType": "image/jpeg", "data": PNG}, **more}


def candidate(*parts: object, reason: str = "STOP") -> dict[str, object]:
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "finishReason": reason, "index": 0}]}


def test_a_picture_is_found_between_the_words_with_the_type_its_bytes_speak_of() -> None:
    state = parse(candidate({"text": "Here it is"}, part()))
    assert isinstance(state, Succeeded)
    assert [one.url for one in state.outputs] == [f"data:image/png;base64,{PNG}"]


def test_thoughts_hold_drafts_and_are_no_results() -> None:
    other = base64.b64encode(b"\xff\xd8\xff" + b"0" * 60).decode()
    draft = {"inline_data": {"data": other}, "thought": True}
    state = parse(candidate(draft, part()))
    assert isinstance(state, Succeeded)
    assert len(state.outputs) == 1
    assert isinstance(parse(candidate(draft)), Failed)


POLICY = (
    "SAFETY PROHIBITED_CONTENT BLOCKLIST SPII RECITATION IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT"
    " IMAGE_RECITATION MODEL_ARMOR"
)


@pytest.mark.parametrize("reason", POLICY.split())
def test_a_filtered_picture_is_about_what_was_asked(reason: str) -> None:
    state = parse(candidate(reason=reason))
    assert isinstance(state, Failed)
    assert (state.code, state.retryable) == ("content_policy", False)
    assert reason in state.message


@pytest.mark.parametrize("reason", ["SAFETY", "OTHER", "JAILBREAK", "IMAGE_SAFETY", "BRAND_NEW"])
def test_a_blocked_prompt_is_about_what_was_asked(reason: str) -> None:
    state = parse({"promptFeedback": {"blockReason": reason}})
    assert isinstance(state, Failed)
    assert (state.code, state.retryable) == ("content_policy", False)


@pytest.mark.parametrize(
    "body",
    [
        candidate(reason="NO_IMAGE"),
        candidate(reason="IMAGE_OTHER"),
        candidate(reason="MALFORMED_FUNCTION_CALL"),
        candidate({"text": "I would rather talk"}),
        candidate({"inlineData": {"data": "no base64 !"}}),
        candidate({"inlineData": None}, 7),
        {"candidates": []},
        {"candidates": [{"finishReason": "STOP"}]},
        {"error": {"message": "broken"}},
        {},
        [],
    ],
)
def test_200_without_a_picture_is_a_failure_that_may_be_tried_again(body: object) -> None:
    state = parse(body)
    assert isinstance(state, Failed)
    assert (state.code, state.retryable) == ("provider_error", True)


def film(status: str, *steps: object, **more: object) -> JobState:
    return gemini_video.parse({"id": "v1", "status": status, "steps": list(steps), **more}, SECRET)


def output(*content: object, **more: object) -> dict[str, object]:
    return {"type": "model_output", "content": list(content), **more}


def video(uri: str) -> dict[str, str]:
    return {"type": "video", "uri": uri, "mime_type": "video/mp4"}


HERE = "https://generativelanguage.googleapis.com/v1beta/files/abc:download?alt=media"


def test_a_film_on_its_way_says_nothing_of_progress() -> None:
    assert film("queued") == Waiting()
    assert film("in_progress") == Running()
    assert film("cancelled") == Cancelled()


def test_a_film_is_what_stands_in_the_last_step() -> None:
    thought = {"type": "thought", "signature": "x"}
    state = film(
        "completed", output(video("https://x.example/draft")), thought, output(video(HERE))
    )
    assert isinstance(state, Succeeded)
    assert [one.url for one in state.outputs] == [HERE]


def test_a_film_may_come_inside_the_answer_or_break_off_with_something_to_show() -> None:
    inside = {"type": "video", "data": "AAAA", "mime_type": "video/mp4"}
    state = film("incomplete", output({"type": "text", "text": "so:"}, inside), output())
    assert isinstance(state, Succeeded)
    assert [one.url for one in state.outputs] == ["data:video/mp4;base64,AAAA"]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (film("completed", output()), "provider_error"),
        (film("completed"), "provider_error"),
        (film("completed", output(video("ftp://x"), {"type": "image"})), "provider_error"),
        (
            film("completed", output(error={"code": 3, "message": "violates the safety policy"})),
            "content_policy",
        ),
        (
            film("completed", output({"type": "text", "text": "I can't, it violates our policy."})),
            "content_policy",
        ),
        (film("completed", output({"type": "text", "text": "A cat, then."})), "provider_error"),
        (
            film("failed", errors=[{"code": "https://x/safety_filtered", "message": "no"}]),
            "content_policy",
        ),
        (film("failed", errors=[{"code": "x", "message": "internal"}]), "provider_error"),
        (film("failed", errors=[{"message": "credits are depleted"}]), "out_of_credit"),
        (film("failed"), "provider_error"),
        (film("budget_exceeded"), "provider_error"),
        (film("requires_action"), "provider_error"),
        (film("requires_continuation"), "provider_error"),
    ],
)
def test_an_interaction_without_a_film_is_a_failure(state: JobState, code: str) -> None:
    assert isinstance(state, Failed)
    assert state.code == code
    assert state.retryable is (code == "provider_error")


def test_a_failure_does_not_repeat_our_key() -> None:
    state = film("failed", errors=[{"message": f"no such key {SECRET}"}])
    assert isinstance(state, Failed)
    assert SECRET not in state.message


@pytest.mark.parametrize("body", [{"status": "BAKING"}, {"status": None}, {}, [], None, "x"])
def test_what_is_not_understood_is_never_still_running(body: object) -> None:
    with pytest.raises(Malformed):
        gemini_video.parse(body)


def answer(status: int, name: str, message: str = "no", *details: object) -> Answer:
    error = {"code": status, "message": message, "status": name, "details": list(details)}
    return Answer(
        httpx.Response(status), httpx.Response(status, json={"error": error}).content, SECRET
    )


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "22.5s"}
BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
REFUSED: list[tuple[Answer, type[ProviderError]]] = [
    (answer(402, "RESOURCE_EXHAUSTED"), OutOfCredit),
    (answer(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), OutOfCredit),
    (answer(400, "FAILED_PRECONDITION", "Please enable billing on your project"), OutOfCredit),
    (answer(429, "RESOURCE_EXHAUSTED", "Quota exceeded", RETRY), Busy),
    (answer(400, "INVALID_ARGUMENT", "API key not valid.", BAD_KEY), Unauthorized),
    (answer(400, "INVALID_ARGUMENT", "no", BAD_KEY), Unauthorized),
    (answer(401, "UNAUTHENTICATED"), Unauthorized),
    (answer(403, "PERMISSION_DENIED"), Unauthorized),
    (answer(400, "INVALID_ARGUMENT", "aspect ratio"), Rejected),
    (answer(404, "NOT_FOUND"), Rejected),
    (answer(500, "INTERNAL"), AnswerLost),
    (answer(503, "UNAVAILABLE"), AnswerLost),
    (answer(504, "DEADLINE_EXCEEDED"), AnswerLost),
]


@pytest.mark.parametrize(("given", "kind"), REFUSED)
def test_a_refused_submit_says_who_must_act(given: Answer, kind: type[ProviderError]) -> None:
    assert type(google_wire.refusal_of_submit(given)) is kind


def test_how_long_to_wait_stands_in_the_body() -> None:
    assert google_wire.busy(answer(429, "RESOURCE_EXHAUSTED", "x", RETRY)).retry_after_s == 22.5
    assert google_wire.busy(answer(429, "RESOURCE_EXHAUSTED", "x")).retry_after_s is None


def test_only_googles_own_word_says_that_google_failed() -> None:
    assert google_wire.is_own_failure(answer(500, "INTERNAL"))
    page = Answer(httpx.Response(502), b"<html>", SECRET)
    assert not google_wire.is_own_failure(page)
