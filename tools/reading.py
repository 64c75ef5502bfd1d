"""From what a caller sent to a tool's typed arguments, or to words about what is wrong with it.

The caller is often a language model whose JSON is cut off, malformed or invented: every fault
becomes a `ToolError` that says where it is and what would be right, and nothing of a huge argument
is echoed back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from pydantic import ValidationError

from tools.arguments import Arguments
from tools.tool import Tool, ToolError

ARGUMENTS_BYTES_MAX = 256 * 1024
ERRORS_SHOWN_MAX = 10
NEAR_CHARS = 24


def read_arguments(tool: Tool, sent: str | bytes | Mapping[str, Any]) -> Arguments:
    """Check what was sent against the tool's arguments. Raises: ToolError."""
    values = dict(sent) if isinstance(sent, Mapping) else parse_object(sent)
    try:
        return tool.arguments.model_validate(values)
    except ValidationError as error:
        raise refused(tool, error) from None


def parse_object(sent: str | bytes) -> dict[str, Any]:
    """Parse JSON text into an object; no text at all means no arguments. Raises: ToolError."""
    try:
        encoded = sent if isinstance(sent, bytes) else sent.encode("utf-8", "surrogatepass")
        if len(encoded) > ARGUMENTS_BYTES_MAX:
            malformed(f"are too long: {len(encoded)} bytes, at most {ARGUMENTS_BYTES_MAX} are read")
        text = sent if isinstance(sent, str) else sent.decode("utf-8")
    except UnicodeDecodeError as error:
        malformed(f"are not valid UTF-8 at byte {error.start}")
    if not text.strip():
        return {}
    try:
        value = json.loads(text, object_pairs_hook=unique_pairs, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        malformed(where_json_broke(text, error))
    except RecursionError:
        malformed("are nested too deeply")
    except ValueError as error:
        malformed(f"are not valid JSON: {error}")
    if not isinstance(value, dict):
        malformed(f"must be a JSON object, not {json_type(value)}")
    return value


def where_json_broke(text: str, error: json.JSONDecodeError) -> str:
    """Say whether the JSON is cut off or wrong, and where."""
    if not text.rstrip().endswith("}") and text.lstrip().startswith("{"):
        return f"are not complete: the JSON is cut off after {len(text)} characters; send it whole"
    near = ascii(text[max(0, error.pos - NEAR_CHARS) : error.pos + NEAR_CHARS])
    return (
        f"are not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}, near {near}"
    )


def unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{shown(twice)} stands there twice")
    return values


def no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def json_type(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def malformed(what: str) -> NoReturn:
    raise ToolError("malformed_arguments", f"The arguments {what}.") from None


def refused(tool: Tool, error: ValidationError) -> ToolError:
    """The refusal of a call with such arguments."""
    known = ", ".join(tool.arguments.model_fields)
    unknown = f"is no argument of {tool.name}, which takes: {known}"
    errors, left = complaints(error, "arguments", unknown)
    return ToolError("invalid_request", summary(tool.name, errors, left), errors)


def complaints(
    error: ValidationError, whole: str, unknown: str
) -> tuple[list[dict[str, str]], int]:
    """Pydantic's complaints in words that name the arguments and what exists, and how many more
    there are. `whole`: what all of it is called; `unknown`: what is said of a name too many.
    """
    details = error.errors(include_url=False, include_input=False, include_context=False)
    errors = []
    for detail in details[:ERRORS_SHOWN_MAX]:
        loc = ".".join(shown(part) for part in detail["loc"]) or whole
        msg = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            msg = unknown
        elif detail["type"] == "missing":
            msg = "is required"
        elif detail["type"] == "string_unicode":
            msg = "a name among them is not valid Unicode"
        errors.append({"loc": loc, "msg": msg})
    return errors, len(details) - len(errors)


def summary(name: str, errors: Iterable[Mapping[str, str]], left: int) -> str:
    listed = "; ".join(f"{error['loc']}: {error['msg']}" for error in errors)
    return f"{name} was not run. {listed}" + (f"; and {left} more" if left else "")


def shown(name: object) -> str:
    """A caller's own word, made fit to be shown: short, and without what breaks a line or an
    encoding.
    """
    text = str(name)
    text = text if len(text) <= 40 else f"{text[:40]}..."
    return text if text.isprintable() else ascii(text)
