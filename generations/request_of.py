"""The neutral request, made anew from the row whenever it has to be sent: nothing of it is kept."""

from __future__ import annotations

import asyncio
from typing import cast

import structlog

from db import assets, generations, media
from db.assets import Asset
from db.generations import Row
from db.remote_files import NotHere
from generations.hands import Hands
from generations.lifecycle import Settle, Status
from providers.contract import InputFile, Kind, Provider, Request, Role

log = structlog.get_logger(__name__)

INPUT_SIDE_MAX_PX = 2048


#: How long a stop may have to wait for a picture that is brought from an old system.
INPUT_WAIT_S = 10.0


class InputGone(Exception):
    """A picture that this generation was to be made from has been deleted."""


class InputLate(Exception):
    """A picture that this generation is to be made from has not come from an old system as yet."""

    def __init__(self, after_s: float) -> None:
        super().__init__()
        self.after_s = after_s


async def request_of(hands: Hands, row: Row, provider: Provider) -> Request:
    """The row's request, with its pictures scaled to what may travel.

    Raises: InputGone, InputLate, media.WrongType.
    """
    async with hands.connection() as connection:
        given = await generations.input_assets(connection, row.id)
        ids = [asset_id for _, asset_id in given if asset_id is not None]
        found = await assets.find_many(connection, row.user_id, ids) if ids else {}
    files: list[InputFile] = []
    bytes_max = provider.input_bytes_max // max(1, len(given))
    for role, asset_id in given:
        asset = found.get(asset_id) if asset_id is not None else None
        if asset is None:
            raise InputGone(role)
        try:
            asset = await _here(hands, asset, role)
            async with hands.files.local(asset.key) as path:
                data, media_type = await asyncio.to_thread(
                    media.scaled_data, path, bytes_max=bytes_max, side_max_px=INPUT_SIDE_MAX_PX
                )
        except FileNotFoundError:
            raise InputGone(role) from None
        files.append(InputFile(role=cast(Role, role), media_type=media_type, data=data))
    return Request(kind=cast(Kind, row.kind), prompt=row.prompt, inputs=tuple(files), **row.params)


async def _here(hands: Hands, asset: Asset, role: str) -> Asset:
    try:
        return await hands.remote_files.here(asset, INPUT_WAIT_S)
    except NotHere as error:
        log.warning("input not here", asset=str(asset.id), reason=error.message)
        if error.is_gone:
            raise InputGone(role) from error
        raise InputLate(error.retry_after_s or INPUT_WAIT_S) from error


def input_gone(error: InputGone | media.WrongType) -> Settle:
    """The end of a generation that cannot be asked for any more."""
    log.warning("input not usable", error=type(error).__name__)
    return Settle(
        status=Status.FAILED,
        code="invalid_request",
        message="A picture it was to be made from is no longer there.",
        retryable=False,
    )
