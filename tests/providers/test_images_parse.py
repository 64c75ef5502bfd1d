"""What an OpenAI-shaped answer means: 200 is not yet success, and a 429 not always patience."""

from __future__ import annotations

import base64

import httpx2
import openai
import pytest

from providers.contract import (
    AnswerLost,
    Busy,
    Failed,
    Malformed,
    OutOfCredit,
    ProviderError,
    Rejected,
    Succeeded,
    Unauthorized,
)
from providers.openai_images import parse, read
from providers.openai_refusals import refusal

SECRET = "sk-CANARY0123456789"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 60).decode()
WEBP = base64.b64encode(b"RIFF0000WEBP" + b"0" * 60).decode()


def test_pictures_come_as_base64_with_the_type_their_bytes_speak_of() -> None:
    state = parse({"created": 1, "data": [{"b64_json": PNG}, {"b64_json": WEBP, "url": None}]})
    assert isinstance(state, Succeeded)
    assert [one.url[:22] for one in state.outputs] == [
        "data:image/png;base64,",
        "data:image/webp;base64",
    ]
    assert state.cost_usd is None


def test_other_servers_give_addresses_or_data_uris() -> None:
    urls = ["https://media.example.com/1.png", f"data:image/png;base64,{PNG}"]
    state = parse({"data": [{"url": url, "b64_json": None} for url in urls]})
    assert isinstance(state, Succeeded)
    assert [one.url for one in state.outputs] == urls


def test_some_of_the_pictures_are_a_success() -> None:
    state = parse({"data": [{"b64_json": PNG}, {"b64_json": ""}, None, {"url": 7}]})
    assert isinstance(state, Succeeded)
    assert len(state.outputs) == 1


@pytest.mark.parametrize(
    ("body", "code", "retryable"),
    [
        ({"data": []}, "provider_error", True),
        ({}, "provider_error", True),
        ([], "provider_error", True),
        ({"data": [{"b64_json": "not base64 at all"}]}, "provider_error", True),
        ({"data": None, "error": {"message": "out of memory"}}, "provider_error", True),
        ({"error": {"message": "blocked by content policy"}}, "content_policy", False),
    ],
)
def test_200_without_a_picture_is_a_failure(body: object, code: str, retryable: bool) -> None:
    state = parse(body)
    assert isinstance(state, Failed)
    assert (state.code, state.retryable, state.charged) == (code, retryable, None)


def test_a_page_is_no_answer() -> None:
    with pytest.raises(AnswerLost):
        read(b"<html>", "api.example.com")


def refused(
    status: int, error: object, headers: dict[str, str] | None = None
) -> openai.APIStatusError:
    """The SDK's error, made as the SDK makes it."""
    request = httpx2.Request("POST", "https://api.openai.com/v1/images/generations")
    response = httpx2.Response(status, json={"error": error}, headers=headers, request=request)
    client = openai.AsyncOpenAI(api_key="k")
    return client._make_status_error_from_response(response)


def error(code: str | None, message: str = "no", kind: str = "x") -> dict[str, str | None]:
    return {"message": message, "type": kind, "param": None, "code": code}


TABLE: list[tuple[int, object, type[ProviderError]]] = [
    (400, error("moderation_blocked"), Rejected),
    (403, error("content_policy_violation"), Rejected),
    (400, error(None, "Your request was rejected by our safety system"), Rejected),
    (400, error("invalid_value"), Rejected),
    (404, error("model_not_found"), Rejected),
    (413, "too large", Rejected),
    (429, error("insufficient_quota"), OutOfCredit),
    (429, error(None, kind="insufficient_quota"), OutOfCredit),
    (400, error("billing_hard_limit_reached"), OutOfCredit),
    (402, None, OutOfCredit),
    (403, error(None, "Insufficient credits"), OutOfCredit),
    (429, error("rate_limit_exceeded"), Busy),
    (401, error("invalid_api_key"), Unauthorized),
    (403, error(None, "Your organization must be verified"), Unauthorized),
    (500, error(None, kind="server_error"), AnswerLost),
    (502, None, AnswerLost),
    (503, None, AnswerLost),
    (408, None, AnswerLost),
    (307, None, Malformed),
]


@pytest.mark.parametrize(("status", "body", "kind"), TABLE)
def test_a_refusal_says_who_must_act(status: int, body: object, kind: type[ProviderError]) -> None:
    assert type(refusal(refused(status, body))) is kind


def test_policy_is_told_from_other_mistakes() -> None:
    assert refusal(refused(400, error("moderation_blocked"))).code == "content_policy"
    assert refusal(refused(400, error("invalid_value"))).code == "invalid_request"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"Retry-After": "9"}, 9.0),
        ({"retry-after-ms": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_read_in_milliseconds_and_seconds(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert refusal(refused(429, error("rate_limit_exceeded"), headers)).retry_after_s == seconds


def test_503_with_a_time_to_wait_was_not_accepted() -> None:
    assert type(refusal(refused(503, None, {"Retry-After": "3"}))) is Busy


def test_a_key_that_the_server_repeats_is_not_repeated() -> None:
    raised = refusal(refused(401, error("invalid_api_key", f"wrong key {SECRET}")), SECRET)
    assert raised.message == "wrong key [key]"
