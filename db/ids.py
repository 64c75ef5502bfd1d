"""Ids: UUIDv7 made here, so that rows sort by birth and Postgres 14 will do (its own uuidv7() came
with 18).
"""

from __future__ import annotations

import os
import time
from datetime import datetime
from uuid import UUID


def new_id(born_at: datetime | None = None) -> UUID:
    """Return a new UUIDv7: 48 bits of milliseconds, then 74 random bits (RFC 9562, section 5.7).
    `born_at`: another moment than this one, for what was made elsewhere, after 1970.
    """
    milliseconds = int(born_at.timestamp() * 1000) if born_at else time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    time_and_version = ((milliseconds & 0xFFFF_FFFF_FFFF) << 16) | 0x7000 | (random >> 68)
    variant_and_rest = (0b10 << 62) | (random & 0x3FFF_FFFF_FFFF_FFFF)
    return UUID(int=(time_and_version << 64) | variant_and_rest)


def parse_id(text: object) -> UUID | None:
    """Return the UUID a stranger wrote, or None: at the edge an id that is no UUID simply does not
    exist.
    """
    if isinstance(text, UUID):
        return text
    try:
        return UUID(str(text))
    except ValueError:
        return None
