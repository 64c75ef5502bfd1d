"""Pictures that come with a request: taken in like every upload, named by asset id, and let go of
once what was started holds them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from PIL import Image, ImageOps

from accounts.visitor import Visitor
from api.media import UPLOAD_BYTES_MAX
from api.problems import Problem
from api.v1.shapes import Picture, PictureReference
from db import assets, media
from providers.masks import kept_area
from runtime import Runtime

_WANTED = "must be a file, a data URL in base64, or the id of a picture; other addresses are not"


@dataclass(slots=True)
class Taken:
    """Takes pictures in for one visitor; `ids` of what was uploaded."""

    runtime: Runtime
    visitor: Visitor
    ids: list[UUID] = field(default_factory=list)

    async def take(self, name: str, data: bytes, *, mask: bool = False) -> str:
        """The asset id of a picture's bytes. Raises: Problem."""
        if len(data) > UPLOAD_BYTES_MAX:
            message = f"Pictures may have {UPLOAD_BYTES_MAX >> 20} MiB."
            raise Problem(413, "too_large", message, [{"loc": name, "msg": message}])
        try:
            if mask:
                data = await asyncio.to_thread(_in_white, data)
            asset = await self.runtime.uploads.take(self.visitor.user_id, data, name=None)
        except media.WrongType as error:
            wrong = [{"loc": name, "msg": str(error)}]
            raise Problem(422, "wrong_type", f"{name}: {error}", wrong) from error
        self.ids.append(asset.id)
        return str(asset.id)

    async def name(self, name: str, given: Picture, *, mask: bool = False) -> str:
        """How a tool names a picture that is no file: what a data URL holds is taken in.

        Raises: Problem.
        """
        text = given
        if isinstance(given, PictureReference):
            if (given.file_id is None) == (given.image_url is None):
                raise _wrong(name, "has either file_id or image_url")
            if given.file_id is not None:
                return given.file_id
            text = given.image_url or ""
            if not text.startswith("data:"):
                raise _wrong(name, f"{_WANTED} opened")
        text = str(text)
        if not text.startswith("data:"):
            return text
        return await self.take(name, _data_of(name, text), mask=mask)


@contextlib.asynccontextmanager
async def taking(runtime: Runtime, visitor: Visitor) -> AsyncIterator[Taken]:
    """Pictures for what is started in this block. After it, they live as long as what was made of
    them; what nothing was started from goes at once.
    """
    taken = Taken(runtime, visitor)
    try:
        yield taken
    finally:
        if taken.ids:
            async with runtime.engine.begin() as connection:
                await assets.let_go(connection, taken.ids)


def _in_white(data: bytes) -> bytes:
    """A mask as our tools want it, white where the picture may change: in OpenAI's it is
    transparent there.

    Raises: WrongType.
    """
    clean, _ = media.clean_upload(data)
    with Image.open(io.BytesIO(clean)) as given:
        white = ImageOps.invert(kept_area(given))
    out = io.BytesIO()
    white.save(out, "PNG")
    return out.getvalue()


def _data_of(name: str, url: str) -> bytes:
    head, _, encoded = url.partition(",")
    if not head.endswith(";base64"):
        raise _wrong(name, "is a data URL that is not in base64")
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong(name, "is not base64") from error


def _wrong(name: str, message: str) -> Problem:
    return Problem(422, "invalid_request", f"{name} {message}.", [{"loc": name, "msg": message}])
