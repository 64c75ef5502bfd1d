"""What a refusal in OpenAI's shape means: by its machine words first, then by its status.

Source: openai 3.54.0 (_exceptions.py, _base_client.py), https://developers.openai.com/api/docs
(guides/error-codes), 2026-11-22; that images say `moderation_blocked` is reported, not documented.
"""

from __future__ import annotations

from collections.abc import Mapping

import openai

from providers.contract import (
    AnswerLost,
    Busy,
    Malformed,
    OutOfCredit,
    ProviderError,
    Rejected,
    Unauthorized,
)
from providers.failures import (
    RETRY_AFTER_S_MAX,
    classify,
    message_of,
    plain_text,
    retry_after_s,
)

NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
POLICY = frozenset(
    {
        *("moderation_blocked", "content_policy_violation", "image_content_policy_violation"),
        "content_filter",
    }
)


def refusal(error: openai.APIStatusError, secret: str = "") -> ProviderError:
    """Return what a refused submit means; 429 is not always about the rate."""
    status, asked_s = error.status_code, wait_s(error.response.headers)
    said = plain_text(message_of(error.body), secret) or f"HTTP {status}"
    words = {str(error.code), str(error.type)}
    request_id = error.request_id
    if status == 402 or words & NO_CREDIT or (status == 403 and classify(said) == "out_of_credit"):
        return OutOfCredit(said, request_id=request_id)
    if 400 <= status < 500 and (words & POLICY or (status == 400 and is_policy(said))):
        return Rejected(said, code="content_policy", request_id=request_id)
    if status in (401, 403):
        return Unauthorized(said, request_id=request_id)
    if status == 429 or (status == 503 and asked_s is not None):
        return Busy(said, retry_after_s=asked_s, request_id=request_id)
    if status >= 500 or status == 408:
        return AnswerLost(f"HTTP {status}: {said}", request_id=request_id)
    if status >= 400:
        return Rejected(f"HTTP {status}: {said}", request_id=request_id)
    return Malformed(f"HTTP {status} to a submit", request_id=request_id)


def is_policy(said: str) -> bool:
    """Whether a refusal's own words speak of what may not be made."""
    return classify(said) == "content_policy"


def wait_s(headers: Mapping[str, str]) -> float | None:
    """Return how long to wait: OpenAI says it in milliseconds, and in the usual header."""
    text = headers.get("retry-after-ms", "").strip()
    if text.isdecimal() and len(text) < 10:
        return min(int(text) / 1000, RETRY_AFTER_S_MAX)
    return retry_after_s(headers)
