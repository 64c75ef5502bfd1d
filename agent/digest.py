"""What a chat model needs to know of a tool's answer: less than a page needs, and no address it
could pass on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.answers import OLD_SYSTEMS

ITEMS_MAX = 40
TEXT_CHARS_MAX = 500
GENERATION_KEYS = (
    *("id", "handle", "kind", "status", "progress", "prompt", "model", "params", "parent_id"),
)
MODEL_KEYS = (
    *("id", "label", "kind", "inputs", "aspect_ratios", "durations_s", "resolutions", "max_n"),
    *("price", "available"),
)


def digest(result: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a tool, reduced: a generation, a list, or a refusal."""
    if isinstance(result.get("data"), list):
        items = result["data"]
        shown: dict[str, Any] = {"data": [digest(item) for item in items[:ITEMS_MAX]]}
        if len(items) > ITEMS_MAX:
            shown["left_out"] = len(items) - ITEMS_MAX
        return shown
    if "status" in result and "kind" in result:
        return generation_digest(result)
    if "inputs" in result and "label" in result:
        return {key: result[key] for key in MODEL_KEYS if key in result}
    return {key: short(value) for key, value in result.items()}


def generation_digest(generation: Mapping[str, Any]) -> dict[str, Any]:
    """A generation: what it is, how it stands, what went wrong; of its files only how many there
    are.
    """
    known = {
        key: short(generation[key])
        for key in GENERATION_KEYS
        if generation.get(key) not in (None, {}, [])
    }
    if generation.get("assets"):
        known["files"] = len(generation["assets"])
    if generation.get("provider") in OLD_SYSTEMS:
        # Else a model promises that it will come, or tries it again.
        known["imported_from"] = generation["provider"]
    if generation.get("cancel_requested_at"):
        known["cancel_requested"] = True
    for key in ("error", "notes"):
        if generation.get(key):
            known[key] = short(generation[key])
    return known


def short(value: Any) -> Any:
    """A JSON value with its texts and lists bounded."""
    if isinstance(value, str):
        return value if len(value) <= TEXT_CHARS_MAX else f"{value[:TEXT_CHARS_MAX]}..."
    if isinstance(value, Mapping):
        return {key: short(item) for key, item in list(value.items())[:ITEMS_MAX]}
    if isinstance(value, list):
        return [short(item) for item in value[:ITEMS_MAX]]
    return value
