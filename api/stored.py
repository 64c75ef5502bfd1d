"""A stored file as an answer: whole, or the piece that was asked for, wherever the bytes lie.

A file on this machine is left to the framework, which lets the kernel send it. Of what lies in a
bucket the asked piece is passed through as it comes in; a range that is no single one, or is not
understood, counts as not sent (RFC 9110, section 14.2).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from fastapi import Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from db.storage import Storage

_RANGE = re.compile(r"bytes=(\d{1,18})?-(\d{1,18})?", re.IGNORECASE)
#: First byte and the one after the last.
Piece = tuple[int, int]


class NotThere(Exception):
    """The range begins behind the end."""


async def answer(
    files: Storage, key: str, request: Request, media_type: str, headers: dict[str, str]
) -> Response:
    """The file's bytes with these headers; `ETag` is among them.

    Raises: FileNotFoundError.
    """
    path = files.path(key)
    if path is not None:
        if not await asyncio.to_thread(path.is_file):
            raise FileNotFoundError(key)
        return FileResponse(path, media_type=media_type, headers=headers)
    size = await files.size_bytes(key)
    headers = {**headers, "Accept-Ranges": "bytes"}
    try:
        piece = _wanted(request, headers["ETag"], size)
    except NotThere:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    start, stop = piece or (0, size)
    headers["Content-Length"] = str(stop - start)
    if piece is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    status = 200 if piece is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, media_type=media_type, headers=headers)
    body = await _begun(files.read(key, start, stop))
    return StreamingResponse(body, status_code=status, media_type=media_type, headers=headers)


def _wanted(request: Request, etag: str, size: int) -> Piece | None:
    """The piece that is asked for; None for all of it. Raises: NotThere."""
    found = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if found is None or found[0] == "bytes=-":
        return None
    if (known := request.headers.get("if-range")) is not None and known.strip() != etag:
        return None
    first, last = found[1], found[2]
    if first is None:
        length = min(int(last), size)
        if not length:
            raise NotThere
        return size - length, size
    start, stop = int(first), size if last is None else min(int(last) + 1, size)
    if last is not None and int(last) < start:
        return None
    if start >= size:
        raise NotThere
    return start, stop


async def _begun(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks, the first of which is here: what is missing is found out while there can still be
    another answer.
    """
    first = await anext(chunks, b"")

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    return all_of_them()
