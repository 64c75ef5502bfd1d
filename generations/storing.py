"""What every file goes through on its way into our storage: it is decoded to find out what it
really is, a small picture is made of it, and both are put in their place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from db import media
from db.media import Media
from db.storage import Storage

THUMBNAIL_WIDTH_PX = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file that lies in its place."""

    found: Media
    key: str
    #: None: nothing can be seen of it.
    thumbnail_key: str | None


async def store(files: Storage, scratch: Path, name: str, look: Callable[[Path], Media]) -> Stored:
    """Put a file of `scratch` in its place, which is this name and the suffix of what it is; `look`
    says what that is.

    Raises: WrongType, OSError.
    """
    found = await asyncio.to_thread(look, scratch)
    small_key = None
    if not found.media_type.startswith("audio/"):
        small_key = f"{name}-w{THUMBNAIL_WIDTH_PX}.webp"
        small = await asyncio.to_thread(media.thumbnail, scratch, found, THUMBNAIL_WIDTH_PX)
        await files.put_bytes(small_key, small)
    key = f"{name}{found.suffix}"
    await files.put_file(key, scratch)
    return Stored(found=found, key=key, thumbnail_key=small_key)
