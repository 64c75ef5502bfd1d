"""What went wrong, in our few words: from a status, a header or a provider's free text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from providers.contract import ErrorCode

MESSAGE_CHARS_MAX = 500
RETRY_AFTER_S_MAX = 3600.0
DEPTH_MAX = 6
READ_CHARS_MAX = 20_000
SECRET_CHARS_MIN = 8  # the demo provider's key is a word, and may be said

#: Source: PROVIDERS' texts of RunPod workers and the models behind them, as of 2026-11-22.
CONTENT_POLICY = re.compile(
    r"nsfw|\bE005\b|flagged as sensitive|sensitive content|content[ _-]?polic|moderat(?:ion|ed)"
    r"|safety (?:check|filter|system)|inappropriate content|prohibited content",
    re.IGNORECASE,
)
OUT_OF_CREDIT = re.compile(
    r"insufficient (?:balance|credit|funds)|exhausted balance|out of credits?|not enough credits?"
    r"|payment required",
    re.IGNORECASE,
)
INVALID_REQUEST = re.compile(
    r"^\W*(?:invalid (?:parameter|input|value|request|size)|missing required|validation error)",
    re.IGNORECASE,
)
TIMEOUT = re.compile(r"\btimed? ?out\b|timeout exceeded|deadline exceeded", re.IGNORECASE)
LONG_RUN = re.compile(r"[A-Za-z0-9+/=_-]{120,}")


def classify(text: str) -> ErrorCode:
    """Return what a provider's own words mean."""
    for pattern, code in KINDS:
        if pattern.search(text):
            return code
    return "provider_error"


KINDS: tuple[tuple[re.Pattern[str], ErrorCode], ...] = (
    (CONTENT_POLICY, "content_policy"),
    (OUT_OF_CREDIT, "out_of_credit"),
    (INVALID_REQUEST, "invalid_request"),
    (TIMEOUT, "timeout"),
)


def message_of(error: object, depth: int = 0) -> str:
    """Return the sentence inside an error, which may be a text, a table, or JSON as text."""
    if depth > DEPTH_MAX:
        return ""
    if isinstance(error, str) and error.lstrip().startswith(("{", "[")):
        try:
            error = json.loads(error)
        except ValueError:
            return str(error)
    if isinstance(error, list) and error:
        return message_of(error[0], depth + 1)
    if isinstance(error, Mapping):
        for key in ("error_message", "message", "msg", "detail", "error", "title"):
            if error.get(key):
                return message_of(error[key], depth + 1)
        return ""
    return "" if error is None else str(error)


def plain_text(text: str, secret: str = "") -> str:
    """Return a provider's text fit to be shown: short, one line, no data, never our key."""
    if len(secret) >= SECRET_CHARS_MIN:
        text = text.replace(secret, "[key]")
    text = LONG_RUN.sub("[...]", text[:READ_CHARS_MAX])
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= MESSAGE_CHARS_MAX else text[: MESSAGE_CHARS_MAX - 3] + "..."


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return what Retry-After asks for, in seconds or as a date; None when it says nothing."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return min(float(text), RETRY_AFTER_S_MAX)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), RETRY_AFTER_S_MAX)
