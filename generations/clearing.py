"""The files of what was deleted: they go by the same call of the engine that drives a generation,
so whoever dies in between, the next one takes them away. The row that says where they lie goes
last.
"""

from __future__ import annotations

from uuid import UUID

from db import assets, generations, lines
from generations.hands import Hands
from generations.lifecycle import SETTLED, Status

#: Thumbnails of uploads that were stored before each had a folder of its own.
OLD_WIDTHS_PX = (128, 256, 512, 1024)


async def leave(hands: Hands, known_id: UUID) -> None:
    """When a driver ends: it may leave a place, which goes to the next in line at once; what was
    deleted goes.
    """
    async with hands.connection() as connection:
        somebody_waits, is_gone = await lines.left_by(connection, known_id)
    if somebody_waits:
        await hands.passing.pass_on(hands.engine, hands.limits)
    if is_gone:
        await clear_away(hands, known_id)


async def clear_away(hands: Hands, known_id: UUID) -> None:
    """Take away the files of a deleted generation once it is settled, or of a deleted upload."""
    async with hands.connection() as connection:
        row = await generations.load(connection, known_id)
    if row is None:
        await _clear_upload(hands, known_id)
    elif row.deleted_at is not None and Status(row.status) in SETTLED:
        await _clear_generation(hands, known_id)


async def _clear_generation(hands: Hands, generation_id: UUID) -> None:
    async with hands.connection() as connection:
        keys = await assets.keys_of_generation(connection, generation_id)
    for key in keys:
        await hands.files.delete(key)
    await hands.files.delete_folder(f"generations/{generation_id}")
    async with hands.transaction() as connection:
        await assets.forget_of_generation(connection, generation_id)


async def _clear_upload(hands: Hands, asset_id: UUID) -> None:
    async with hands.connection() as connection:
        keys = await assets.keys_of_deleted(connection, asset_id)
    if keys is None:
        return
    for key in (*keys, *(f"uploads/{asset_id}-w{width}.webp" for width in OLD_WIDTHS_PX)):
        await hands.files.delete(key)
    await hands.files.delete_folder(f"uploads/{asset_id}")
    async with hands.transaction() as connection:
        await assets.forget(connection, asset_id)
