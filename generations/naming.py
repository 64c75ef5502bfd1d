"""How generations and pictures are named: by id, or inside a thread as `#3` (generation) and `#3.2`
(its second asset).
"""

from __future__ import annotations

import re
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from db import assets, readings
from db.assets import Asset
from db.ids import parse_id
from generations.contract import Caller, NotFound, NotPossible

_HANDLE = re.compile(r"#?(\d{1,9})(?:\.(\d{1,4}))?")


async def find_generation(connection: AsyncConnection, caller: Caller, name: str) -> UUID:
    """The generation that the caller means.

    Raises: NotFound.
    """
    if generation_id := parse_id(name.strip()):
        return generation_id
    found = None
    handle = _HANDLE.fullmatch(name.strip())
    if handle and caller.thread_id is not None:
        found = await readings.by_number(
            connection, caller.user_id, caller.thread_id, int(handle[1])
        )
    if found is None:
        raise NotFound(f"There is no generation {name[:60]!r} here.")
    return found


async def find_picture(connection: AsyncConnection, caller: Caller, name: str) -> Asset:
    """The picture that the caller means; only what can be decoded as a picture is one.

    Raises: NotFound; NotPossible when it is not finished, or no picture.
    """
    asset = await _find_asset(connection, caller, name)
    if not asset.media_type.startswith("image/"):
        what = "a sound" if asset.media_type.startswith("audio/") else "a film"
        raise NotPossible(f"{name} is {what}; only pictures can be used here.")
    return asset


async def _find_asset(connection: AsyncConnection, caller: Caller, name: str) -> Asset:
    given_id = parse_id(name.strip())
    if given_id and (found := await assets.find(connection, caller.user_id, given_id)):
        return found
    generation_id = await find_generation(connection, caller, name)
    found_readings = await readings.read(connection, caller.user_id, [generation_id])
    if not found_readings:
        raise NotFound(f"There is no picture {name[:60]!r} here.")
    reading = found_readings[0]
    if reading["status"] != "completed":
        raise NotPossible(
            f"{name} is {reading['status']}; its picture can be used once it is completed."
        )
    made = await assets.of_generation(connection, caller.user_id, generation_id)
    if not made:
        raise NotFound(f"{name} has no file: it was lost before it was imported.")
    handle = _HANDLE.fullmatch(name.strip())
    position = int(handle[2]) if handle and handle[2] else 1
    if not 1 <= position <= len(made):
        raise NotFound(f"{name} has {len(made)} assets, no number {position}.")
    return made[position - 1]
