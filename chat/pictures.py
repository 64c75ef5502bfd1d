"""Pictures that came with a message: taken into our own storage, and shown, scaled, to chat models
that can see.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.history import Attachment
from db import media
from db.assets import Asset
from generations.contract import Caller
from runtime import Runtime

#: Enough for a chat model to see what is in it, and small enough to be sent along.
SEEN_BYTES_MAX = 400_000
SEEN_SIDE_MAX_PX = 768


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A file as the chat received it; `element_id` is the chat's own id for it."""

    element_id: str
    name: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A picture that is ours now, or why it is not."""

    brought: Brought
    asset: Asset | None
    refusal: str | None


async def take_in(runtime: Runtime, caller: Caller, brought: Sequence[Brought]) -> list[Taken]:
    """Store each picture that can be decoded; the others come back with a reason for the person."""
    taken = []
    for file in brought:
        try:
            data = await asyncio.to_thread(file.path.read_bytes)
            asset = await runtime.uploads.take(caller.user_id, data, name=file.name)
            taken.append(Taken(brought=file, asset=asset, refusal=None))
        except media.WrongType as error:
            taken.append(Taken(brought=file, asset=None, refusal=str(error)))
        except FileNotFoundError:
            taken.append(Taken(brought=file, asset=None, refusal="the file did not arrive"))
    return taken


async def attachments(
    runtime: Runtime, taken: Sequence[Taken], *, seen: bool
) -> tuple[Attachment, ...]:
    """The stored pictures as the agent names them; with their content when the model can see."""
    found = []
    for item in taken:
        if item.asset is not None:
            picture = await _data_uri(runtime, item.asset) if seen else None
            name = item.brought.name
            found.append(Attachment(asset_id=str(item.asset.id), name=name, picture=picture))
    return tuple(found)


async def _data_uri(runtime: Runtime, asset: Asset) -> str:
    async with runtime.files.local(asset.key) as path:
        data, media_type = await asyncio.to_thread(
            media.scaled_data, path, bytes_max=SEEN_BYTES_MAX, side_max_px=SEEN_SIDE_MAX_PX
        )
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
