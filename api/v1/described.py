"""What the description of these routes has in common: the statuses of refusals, and bodies that are
read by hand.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from api.v1.shapes import ErrorAnswer

MEANINGS = {
    400: "The provider refused what was asked; `code` says why.",
    401: "Nobody is logged in, or the key is wrong.",
    402: "It would cost more than may be spent today.",
    403: "The key lacks the scope, or the request comes from another page.",
    404: "There is no such thing for this caller, or no such model.",
    405: "The address has no such method.",
    409: "The film is not finished, or something has just been changed by somebody else.",
    413: "The request is too large.",
    416: "The film has no such range of bytes.",
    422: "An argument is wrong, or the model cannot do it; says what is possible.",
    429: "Too many requests a minute.",
    500: "A mistake of ours.",
    502: "The provider failed.",
    503: "The provider or the database cannot be reached, or the server stops; try again.",
    504: "The provider took too long, or nobody knows whether it was made.",
}
#: Any of these routes may answer with one.
ALWAYS = (401, 403, 422, 429, 503)
Described = dict[int | str, dict[str, Any]]


def refusals(*statuses: int) -> Described:
    """The refusals of a route, those of all routes included."""
    return {
        status: {"model": ErrorAnswer, "description": MEANINGS[status]}
        for status in sorted({*ALWAYS, *statuses})
    }


def answers(shape: type[BaseModel], meaning: str, *refused: int) -> Described:
    """What a route answers: this shape, or a refusal."""
    return {200: {"model": shape, "description": meaning}, **refusals(*refused)}


def bodies(json_shape: type[BaseModel], files: dict[str, bool], example: Any) -> dict[str, Any]:
    """The description of a body that is JSON, or, where it may carry files, a form as well.

    `files`: their names, and whether there may be several.
    """
    schema = _whole(json_shape.model_json_schema())
    content: dict[str, Any] = {"application/json": {"schema": schema, "example": example}}
    if files:
        one = {"type": "string", "format": "binary"}
        given = {
            name: {"type": "array", "items": one} if several else one
            for name, several in files.items()
        }
        said = {name: _said(field) for name, field in schema["properties"].items()}
        form = {**schema, "properties": {**said, **given}}
        content = {"multipart/form-data": {"schema": form}, **content}
    return {"requestBody": {"required": True, "content": content}}


def _said(field: dict[str, Any]) -> dict[str, Any]:
    """A field of a form, where null cannot be said."""
    options = [option for option in field.get("anyOf", ()) if option != {"type": "null"}]
    if not options:
        return field
    plain = {key: value for key, value in field.items() if key not in ("anyOf", "default")}
    return {**plain, **(options[0] if len(options) == 1 else {"anyOf": options})}


def _whole(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without references, which would lead nowhere in the description of a body."""
    shared = schema.pop("$defs", {})

    def filled(part: Any) -> Any:
        if isinstance(part, list):
            return [filled(one) for one in part]
        if not isinstance(part, dict):
            return part
        if name := str(part.get("$ref", "")).rpartition("/")[2]:
            return filled(shared[name])
        return {key: filled(value) for key, value in part.items()}

    whole: dict[str, Any] = filled(schema)
    return whole
