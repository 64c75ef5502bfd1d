"""JSON Schema as plain as servers need it: a flat object of typed, described fields.

Inference servers compile tool schemas into grammars of their own, and each chokes on something
else: `anyOf` with null, `$defs`, patterns, large `maxLength` values (one engine refuses repetitions
of 2000 and then every tool of the request; Source:
https://github.com/ggml-org/llama.cpp/issues/27087, 2026-08-14). Bounds that are left out here stand
in the descriptions and are checked when the call arrives.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tools.arguments import Arguments

KEPT = ("type", "description", "enum", "minimum")


@cache
def plain_schema(arguments: type[Arguments]) -> dict[str, Any]:
    """The schema of a tool's arguments; optional fields are those that are not in `required`. It is
    worked out once, and all who ask share it.
    """
    whole = arguments.model_json_schema()
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: plain_field(field) for name, field in whole["properties"].items()},
    }
    if whole.get("required"):
        schema["required"] = whole["required"]
    schema["additionalProperties"] = False
    return schema


def plain_field(field: dict[str, Any]) -> dict[str, Any]:
    """One field without titles, defaults, null alternatives and what only some servers know."""
    for option in field.get("anyOf", ()):
        if option != {"type": "null"}:
            field = {**option, **field}
    plain = {key: field[key] for key in KEPT if key in field}
    if "items" in field:
        plain["items"] = plain_field(field["items"])
    return plain
