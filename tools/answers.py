"""What tools answer, as JSON Schema: for callers that check an answer before they read it.

As plain as the schemas of their arguments, since some clients lay both before their model. Fields
may be added to an answer later, so nothing here forbids others.
"""

from __future__ import annotations

from typing import Any, Literal

#: One generation; a page of generations; the models.
Answer = Literal["generation", "generations", "models"]

#: The `provider` of what was imported from an old system: nobody here drives it or can repeat it.
OLD_SYSTEMS = ("superduper", "chatbot")

STATUSES = (
    *("queued", "submitting", "in_progress", "storing"),
    *("completed", "failed", "cancelled", "unknown"),
)


def _object(**properties: Any) -> dict[str, Any]:
    """An object in which all of these fields stand."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _maybe(type_: str) -> dict[str, Any]:
    """A value, or null while there is none."""
    return {"type": [type_, "null"]}


_TEXT: dict[str, Any] = {"type": "string"}
_WORDS: dict[str, Any] = {"type": "array", "items": _TEXT}

ASSET = _object(
    id=_TEXT,
    url=_TEXT,
    thumbnail_url=_maybe("string"),
    media_type=_TEXT,
    width_px=_maybe("integer"),
    height_px=_maybe("integer"),
    duration_s=_maybe("number"),
    size_bytes=_maybe("integer"),
)
GENERATION = _object(
    id=_TEXT,
    handle=_maybe("string"),
    kind={"type": "string", "enum": ["image", "video", "audio"]},
    status={"type": "string", "enum": list(STATUSES)},
    progress=_maybe("number"),
    queue_position=_maybe("integer"),
    prompt=_TEXT,
    model=_TEXT,
    provider=_TEXT,
    params={"type": "object"},
    parent_id=_maybe("string"),
    thread_id=_maybe("string"),
    inputs={"type": "array", "items": _object(role=_TEXT, asset_id=_TEXT)},
    assets={"type": "array", "items": ASSET},
    error=_object(code=_TEXT, message=_TEXT, retryable={"type": "boolean"}) | _maybe("object"),
    notes=_WORDS,
    charged={"type": "string", "enum": ["no", "yes", "maybe"]},
    cost_usd=_object(estimated=_maybe("number"), actual=_maybe("number")),
    attempt={"type": "integer"},
    cancel_requested_at=_maybe("string"),
    created_at=_TEXT,
    submitted_at=_maybe("string"),
    finished_at=_maybe("string"),
)
MODEL = _object(
    id=_TEXT,
    label=_TEXT,
    kind=_TEXT,
    provider=_TEXT,
    routes={"type": "array", "items": {"type": "object"}},
    inputs=_WORDS,
    aspect_ratios=_WORDS,
    durations_s={"type": "array", "items": {"type": "number"}},
    resolutions=_WORDS,
    max_n={"type": "integer"},
    price=_object(unit=_TEXT, usd={"type": "number"}, as_of=_TEXT) | _maybe("object"),
    available={"type": "boolean"},
)
SCHEMAS: dict[Answer, dict[str, Any]] = {
    "generation": GENERATION,
    "generations": _object(
        data={"type": "array", "items": GENERATION}, next_cursor=_maybe("string")
    ),
    "models": _object(data={"type": "array", "items": MODEL}),
}
