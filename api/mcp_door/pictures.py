"""The pictures of a generation as content: small enough for what clients take and models see.

Common clients refuse an answer above a megabyte, and models shrink a picture to about 1024 pixels
before they look; the links beside it lead to the whole file.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from typing import Any

from mcp.types import ImageContent

from api.mcp_door.visit import Visit
from db import assets, media
from db.assets import Asset
from db.connect import DATABASE_ERRORS
from db.ids import parse_id
from db.remote_files import NotHere
from db.storage import Storage, read_whole

SIDE_MAX_PX = 1024
POSTER_WIDTH_PX = 512
PICTURES_MAX = 4
#: A picture that has not come from an old system by then is left to its link.
REMOTE_WAIT_S = 5.0
#: Of all pictures of one answer; base64 makes a third more of it.
BYTES_MAX = 700_000


async def pictures_of(visit: Visit, reading: dict[str, Any]) -> list[ImageContent]:
    """The first pictures, scaled, and of films a still; what cannot be shown is left to its
    link.
    """
    ids = [found for one in reading["assets"] if (found := parse_id(one["id"]))][:PICTURES_MAX]
    if not ids:
        return []
    try:
        async with visit.runtime.engine.connect() as connection:
            rows = await assets.find_many(connection, visit.visitor.user_id, ids)
    except DATABASE_ERRORS:
        return []
    shown = []
    for asset in (rows[asset_id] for asset_id in ids if asset_id in rows):
        try:
            here = await visit.runtime.remote_files.here(asset, REMOTE_WAIT_S)
            data, media_type = await _small(visit.runtime.files, here, BYTES_MAX // len(ids))
        except (media.WrongType, NotHere, *DATABASE_ERRORS):
            continue
        encoded = base64.b64encode(data).decode()
        shown.append(ImageContent(type="image", data=encoded, mimeType=media_type))
    return shown


async def _small(files: Storage, asset: Asset, bytes_max: int) -> tuple[bytes, str]:
    if asset.media_type.startswith("image/"):
        async with files.local(asset.key) as path:
            return await asyncio.to_thread(
                media.scaled_data, path, bytes_max=bytes_max, side_max_px=SIDE_MAX_PX
            )
    if asset.thumbnail_key:
        with contextlib.suppress(FileNotFoundError):
            return await read_whole(files, asset.thumbnail_key), "image/webp"
    async with files.local(asset.key) as path:
        still = await asyncio.to_thread(media.thumbnail_of_file, path, POSTER_WIDTH_PX)
        return still, "image/webp"
