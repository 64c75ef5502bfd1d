"""What a request carries, as JSON or as a form, in one form of its own: fields, files, and what
tells it from any other request, however it was encoded.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from accounts.visitor import Visitor
from api.media import UPLOAD_BYTES_MAX
from api.problems import Problem
from api.staying import staying
from runtime import Runtime
from tools.arguments import is_blank
from tools.reading import complaints, no_constant, shown, unique_pairs

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
FILES_MAX, FIELDS_MAX = 20, 64
#: A field may be a picture as a data URL.
FIELD_BYTES_MAX = 28 * 1024 * 1024
#: `image[]`, `image[2]`: one of several; `input_reference[file_id]`: a part of it.
_NAME = re.compile(r"([^\[\]]{1,64})\[([^\[\]]{0,64})\]")

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it was sent. `digest` is the same for the same fields and bytes at the same path;
    the names of files, and how a form was divided, do not matter.
    """

    fields: dict[str, Any]
    files: dict[str, list[bytes]]
    digest: bytes


async def read_body(request: Request, runtime: Runtime, visitor: Visitor, *files: str) -> Body:
    """Read the body; `files` are the names that files may have. Raises: Problem."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    given: dict[str, list[bytes]] = {}
    with staying(runtime, visitor) as stay:
        if media_type in FORMS:
            form = await _form_of(request)
            try:
                fields, given = await _read_form(form, files)
            finally:
                await form.close()
        else:
            fields = _parse(await request.body())
        stay.check()
    fields = {
        name: value for name, value in fields.items() if value is not None and not is_blank(value)
    }
    return Body(fields, given, _digest(request.url.path, fields, given))


def checked(shape: type[Shape], fields: Mapping[str, Any]) -> Shape:
    """The fields in their shape. Raises: Problem, which names what is at fault."""
    try:
        return shape.model_validate(dict(fields))
    except ValidationError as error:
        known = ", ".join(shape.model_fields)
        errors, _ = complaints(error, "body", f"is not understood here; known are {known}")
    told = "; ".join(f"{found['loc']}: {found['msg']}" for found in errors)
    raise Problem(422, "invalid_request", told, errors)


def _digest(path: str, fields: dict[str, Any], files: dict[str, list[bytes]]) -> bytes:
    hashes = {name: [hashlib.sha256(one).hexdigest() for one in files[name]] for name in files}
    try:
        told = json.dumps([path, fields, hashes], sort_keys=True)
    except RecursionError as error:
        raise Problem(422, "invalid_request", "The body is nested too deeply.") from error
    return hashlib.sha256(told.encode()).digest()


async def _form_of(request: Request) -> FormData:
    try:
        return await request.form(
            max_files=FILES_MAX, max_fields=FIELDS_MAX, max_part_size=FIELD_BYTES_MAX
        )
    except (MultiPartException, HTTPException) as error:
        told = error.message if isinstance(error, MultiPartException) else error.detail
        raise Problem(422, "invalid_request", f"The form cannot be read: {told}") from error


async def _read_form(
    form: FormData, allowed: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, list[bytes]]]:
    fields: dict[str, Any] = {}
    files: dict[str, list[bytes]] = {}
    for name, value in form.multi_items():
        found = _NAME.fullmatch(name)
        word, part = (found[1], found[2]) if found else (name, None)
        if isinstance(value, UploadFile):
            if word not in allowed:
                raise _wrong(word, f"is no file here; files are {', '.join(allowed) or 'not read'}")
            files.setdefault(word, []).append(await _bytes_of(word, value))
        else:
            _put(fields, word, part, value)
    return fields, files


def _put(fields: dict[str, Any], word: str, part: str | None, value: str) -> None:
    """One field of a form among the others."""
    known = fields.get(word)
    if part is None and known is None:
        fields[word] = value
    elif part is not None and (not part or part.isdecimal()):
        if not isinstance(known, list | None):
            raise _wrong(word, "stands there in two ways")
        fields[word] = [*(known or ()), value]
    elif part is not None and isinstance(known, dict | None) and part not in (known or {}):
        fields[word] = {**(known or {}), part: value}
    else:
        raise _wrong(word, "stands there twice")


async def _bytes_of(name: str, given: UploadFile) -> bytes:
    data = await given.read(UPLOAD_BYTES_MAX + 1)
    if len(data) > UPLOAD_BYTES_MAX:
        message = f"Pictures may have {UPLOAD_BYTES_MAX >> 20} MiB."
        raise Problem(413, "too_large", message, [{"loc": name, "msg": message}])
    return data


def _parse(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body, object_pairs_hook=unique_pairs, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        # What json says of a wrong text holds no more than the place.
        told = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        message = f"The body is not the JSON object it should be: {ascii(told)[1:-1][:200]}."
        raise Problem(422, "invalid_request", message) from error
    if not isinstance(value, dict):
        raise Problem(422, "invalid_request", "The body must be a JSON object.")
    return value


def _wrong(name: str, message: str) -> Problem:
    name = shown(name)
    return Problem(422, "invalid_request", f"{name} {message}.", [{"loc": name, "msg": message}])
