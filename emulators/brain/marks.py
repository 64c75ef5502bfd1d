"""Marks by which a test drives the model; `emulators/README.md` explains them.

`[[calls: [{"name": ..., "arguments": ...}]]]`, `[[say: text]]`, `[[slow: N words]]`, and
`[[fault: ...]]`, which is for the painters and passed on with what is to be painted.
"""

import json
import re
from typing import Any

from emulators.brain.toolbox import Call

SAY = re.compile(r"\[\[say:\s*(?P<text>.*?)\s*\]\]", re.DOTALL)
SLOW = re.compile(r"\[\[slow:\s*(?P<words>\d{1,5})\s*words?\s*\]\]")
CALLS = "[[calls:"
FAULT = re.compile(r"\[\[fault:.*?(?:\]\]|$)", re.IGNORECASE | re.DOTALL)


def marked_calls(text: str) -> tuple[Call, ...] | None:
    """Return the calls a mark asks for, or None. Raises ValueError when it is no such list."""
    if CALLS not in text:
        return None
    content = text.split(CALLS, 1)[1].lstrip()
    calls, _ = json.JSONDecoder().raw_decode(content)
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise ValueError("the mark must hold a list of objects")
    return tuple(Call(str(call["name"]), raw(call.get("arguments", {}))) for call in calls)


def raw(arguments: Any) -> str:
    """Return arguments as JSON text; a text is passed on as it is, broken or not."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def marked_text(text: str) -> str | None:
    """Return what a mark wants said, or None."""
    match = SAY.search(text)
    return match["text"] if match else None


def marked_words(text: str) -> int | None:
    """Return how many words a mark wants said slowly, or None."""
    match = SLOW.search(text)
    return int(match["words"]) if match else None


def split_faults(text: str) -> tuple[str, str]:
    """Return a user's words without marks for the painters, and those marks.

    Text that another mark dictates is left as it is.
    """
    if CALLS in text or SAY.search(text):
        return text, ""
    return FAULT.sub(" ", text), " ".join(match.group() for match in FAULT.finditer(text))
