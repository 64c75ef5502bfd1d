"""Pictures that people bring: cleaned first, stored second, and from then on an asset like any
other.
"""

from __future__ import annotations

import asyncio
import hashlib
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from db import assets, media
from db.assets import Asset
from db.ids import new_id
from db.storage import Storage
from db.thread_rows import storable

NAME_CHARS_MAX = 200


class Uploads:
    """Takes pictures in, for the chat and for the API alike."""

    def __init__(self, engine: AsyncEngine, files: Storage) -> None:
        self._engine = engine
        self._files = files

    async def take(self, user_id: UUID, data: bytes, *, name: str | None) -> Asset:
        """Store a picture; its name is only ever text to show.

        Raises:
            WrongType: it is no picture we take, in words for the person.
        """
        clean, found = await asyncio.to_thread(media.clean_upload, data)
        asset_id = new_id()
        # A folder of its own, where thumbnails come to lie beside it, and which goes as a whole.
        key = f"uploads/{asset_id}/0{found.suffix}"
        await self._files.put_bytes(key, clean)
        asset = Asset(
            id=asset_id,
            user_id=user_id,
            name=storable(name)[:NAME_CHARS_MAX] if name else None,
            media_type=found.media_type,
            width_px=found.width_px,
            height_px=found.height_px,
            duration_s=None,
            size_bytes=len(clean),
            sha256=hashlib.sha256(clean).hexdigest(),
            storage_key=key,
        )
        async with self._engine.begin() as connection:
            await assets.add(connection, asset)
        return asset
