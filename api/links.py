"""Addresses for readers without our cookie: absolute, and signed, so that whoever holds one may
open that picture or film for an hour.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request

from api.caller import runtime_of
from db.readings import THUMBNAIL_WIDTH_PX

LASTS_S = 3600


def sign(secret: bytes, asset_id: UUID, expires_at: int) -> str:
    """The signature of an address that opens one asset until a moment (seconds since 1970)."""
    message = f"media:{asset_id}:{expires_at}".encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Links:
    """Makes addresses at one origin, `https://host[:port]`."""

    origin: str
    secret: bytes

    def to_asset(self, asset_id: str, width_px: int | None = None) -> str:
        """The address of an asset's bytes, or of a thumbnail about so wide."""
        until = int(time.time()) + LASTS_S
        sig = sign(self.secret, UUID(asset_id), until)
        small = "" if width_px is None else f"&w={width_px}"
        return f"{self.origin}/media/{asset_id}?exp={until}&sig={sig}{small}"

    def in_reading(self, reading: dict[str, object]) -> dict[str, object]:
        """The reading of a generation with its assets' addresses made absolute and signed."""
        assets = reading["assets"]
        if not isinstance(assets, list):
            raise TypeError("a generation's assets are a list")
        signed = [
            {
                **asset,
                "url": self.to_asset(asset["id"]),
                "thumbnail_url": asset["thumbnail_url"]
                and self.to_asset(asset["id"], THUMBNAIL_WIDTH_PX),
            }
            for asset in assets
        ]
        return {**reading, "assets": signed}


def links_of(request: Request) -> Links:
    """Links at the installation's public address, or at the one that this request came to."""
    runtime = runtime_of(request)
    here = f"{request.url.scheme}://{request.url.netloc}"
    return Links(runtime.loaded.settings.public_url or here, runtime.key("media"))
