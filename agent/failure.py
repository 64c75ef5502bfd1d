"""Why a chat model gave no answer, in one sentence for the person in the chat; keys and bodies stay
out of it.

    ChatFailure(say)    the turn ends with the sentence that `say` takes from the person's words
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import openai

from agent.words import ENGLISH, Words

DETAIL_CHARS_MAX = 300
DETAIL_KEYS = ("message", "error", "detail", "msg")
SECRET = re.compile(r"\b(sk|pk|key|gsk|hf|xai|Bearer)[-_ ][\w*.-]{6,}|data:[\w/+.-]+;base64,\S*")


class ChatFailure(Exception):
    """The chat model could not answer; `say` makes the sentence for the person in the chat."""

    def __init__(self, say: Callable[[Words], str]) -> None:
        super().__init__(say(ENGLISH))
        self.say = say


def status_failure(error: openai.APIStatusError, model: str, where: str, key: str) -> ChatFailure:
    """Put a refusal into words. `where` names the server, `key` the setting of its key."""
    detail = detail_of(error.body)
    status = error.status_code
    choose = _template(status, str(error.code or ""), detail.lower())

    def say(words: Words) -> str:
        said = choose(words).format(where=where, key=key, model=model, status=status)
        return _with_detail(words, said, detail) if choose is _refused else said

    return ChatFailure(say)


def _refused(words: Words) -> str:
    return words.refused


def _template(status: int, code: str, detail: str) -> Callable[[Words], str]:
    """The sentence for a status; `code` and `detail` are the server's own."""
    match status:
        case 401 | 403:
            return lambda words: words.bad_key
        case 402:
            return lambda words: words.no_credit
        case 404:
            return lambda words: words.unknown_model
        case 413:
            return lambda words: words.too_large
        case 429 if "quota" in code or "quota" in detail:
            return lambda words: words.no_credit
        case 429:
            return lambda words: words.too_busy
        case _ if status >= 500:
            return lambda words: words.server_problem
        case _ if code == "context_length_exceeded" or "context length" in detail:
            return lambda words: words.too_long
    return _refused


def stream_failure(error: object) -> ChatFailure:
    """Put an error that came in the middle of a stream into words."""
    detail = detail_of(error)
    return ChatFailure(lambda words: _with_detail(words, words.broke_off, detail))


def _with_detail(words: Words, said: str, detail: str) -> str:
    return f"{said} {words.says.format(detail=detail)}" if detail else said


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
