"""Why a chat model gave no answer, in one sentence for the person in the chat; keys and bodies stay
out of it.

    ChatFailure(message)    the turn ends with this sentence
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import openai

DETAIL_CHARS_MAX = 300
DETAIL_KEYS = ("message", "error", "detail", "msg")
CUT_OFF = "The connection to the chat model broke off in the middle of its answer. Try again."
NOT_UNDERSTOOD = (
    "The chat model's server sent an answer that cannot be understood. Check its address, "
    "OPENAI_BASE_URL, which usually ends in /v1."
)
SECRET = re.compile(r"\b(sk|pk|key|gsk|hf|xai|Bearer)[-_ ][\w*.-]{6,}|data:[\w/+.-]+;base64,\S*")


class ChatFailure(Exception):
    """The chat model could not answer; the message is for the person in the chat."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def status_failure(error: openai.APIStatusError, model: str, where: str, key: str) -> ChatFailure:
    """Put a refusal into words. `where` names the server, `key` the setting of its key."""
    code = str(error.code or "")
    detail = detail_of(error.body)
    match error.status_code:
        case 401 | 403:
            said = f"{where} does not accept the key for the chat model. Check {key}."
        case 402:
            said = f"The account of the chat model at {where} has no credit left."
        case 404:
            said = f'{where} knows no chat model named "{model}". Check CHAT_MODEL and the address.'
        case 413:
            said = "The conversation or a picture is too large for the chat model."
        case 429 if "quota" in code or "quota" in detail.lower():
            said = f"The account of the chat model at {where} has no credit left."
        case 429:
            said = "The chat model has too much to do at the moment. Try again in a minute."
        case status if status >= 500:
            said = f"The chat model's server has a problem (HTTP {status}). Try again in a while."
        case _ if code == "context_length_exceeded" or "context length" in detail.lower():
            said = "This conversation has grown too long for the chat model. Begin a new chat."
        case status:
            said = f"The chat model refused the request (HTTP {status})."
            said += f" It says: {detail}" if detail else ""
    return ChatFailure(said)


def stream_failure(error: object) -> ChatFailure:
    """Put an error that came in the middle of a stream into words."""
    detail = detail_of(error)
    said = "The chat model broke off with an error. Try again."
    return ChatFailure(f"{said} It says: {detail}" if detail else said)


def detail_of(body: object) -> str:
    """What the server says is wrong, on one line, short, and without anything that looks like a
    key.
    """
    while isinstance(body, Mapping | list):
        if isinstance(body, list):
            body = body[0] if body else None
        else:
            body = next((body[key] for key in DETAIL_KEYS if body.get(key)), None)
    if not isinstance(body, str):
        return ""
    flat = " ".join(SECRET.sub("***", body[: DETAIL_CHARS_MAX * 4]).split())
    return flat if len(flat) <= DETAIL_CHARS_MAX else f"{flat[:DETAIL_CHARS_MAX]}..."
