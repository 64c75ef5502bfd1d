"""From a neutral request to an endpoint's own input, by the route's dialect and nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from providers.contract import InputFile, Request, Role
from providers.dialect import Dialect, Json, Spelling, Word


def spell(dialect: Dialect, request: Request) -> dict[str, Json]:
    """Return the endpoint's input; a word without a value, or without a field, is left out."""
    words = words_of(request)
    spelled: dict[str, Json] = {}
    for name, value in dialect.defaults.items():
        put(spelled, name, value)
    for word, spelling in dialect.fields.items():
        value = words.get(word)
        if value is not None and value != []:
            put(spelled, spelling.name, write(spelling, value, words))
    return spelled


def words_of(request: Request) -> dict[Word, Json]:
    """Return every word of a request with its value; pictures are lists of data URIs."""
    has_size = request.width_px is not None and request.height_px is not None
    duration_s = request.duration_s
    if duration_s is not None and float(duration_s).is_integer():
        duration_s = int(duration_s)
    return {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "style": request.style,
        "aspect_ratio": request.aspect_ratio,
        "resolution": request.resolution,
        "size": f"{request.width_px}x{request.height_px}" if has_size else None,
        "width_px": request.width_px,
        "height_px": request.height_px,
        "duration_s": duration_s,
        "n": request.n,
        "seed": request.seed,
        "audio": request.audio,
        "image": pictures(request, "image"),
        "mask": pictures(request, "mask"),
        "start_image": pictures(request, "start"),
        "end_image": pictures(request, "end"),
        "reference": pictures(request, "reference"),
        "pictures": pictures(request, "image") + pictures(request, "reference"),
    }


def pictures(request: Request, role: Role) -> list[Json]:
    """Return the request's pictures of one role as data URIs."""
    return [data_uri(file) for file in request.inputs if file.role == role]


def data_uri(file: InputFile) -> str:
    """Return a picture as text that carries its own type."""
    return f"data:{file.media_type};base64,{base64.b64encode(file.data).decode('ascii')}"


def write(spelling: Spelling, value: Json, words: Mapping[Word, Json]) -> Json:
    """Return one value the way the endpoint wants it."""
    if isinstance(value, list):
        return value if spelling.is_list else value[0]
    replaced = spelling.values.get(plain(value))
    if replaced is not None:
        return replaced
    if spelling.format is None:
        return value
    text = spelling.format.replace("{value}", plain(value))
    for side in ("width_px", "height_px"):
        text = text.replace("{" + side + "}", plain(words.get(side)))
    return text


def plain(value: Json) -> str:
    """Return a value as the catalogue writes it: `true`, `5`, `720p`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def put(target: dict[str, Json], path: str, value: Json) -> None:
    """Set a value at a dotted path, making the tables on the way."""
    *tables, name = path.split(".")
    for table in tables:
        inner = target.setdefault(table, {})
        if not isinstance(inner, dict):
            inner = target[table] = {}
        target = inner
    target[name] = value
