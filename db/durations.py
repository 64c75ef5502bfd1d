"""How long a provider took for what was like this: from the submit until it was done, as far as
looking can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.generation_row import Row
from db.tables import attempts

#: So many of the latest say how long the next one takes.
LATEST = 50
#: The words of a request that say how much there is to do.
SIZES = ("duration_s", "resolution", "width_px", "height_px", "n")


def alike(row: Row) -> str:
    """One word for what takes about equally long: the same route, the same amount of work."""
    params: Mapping[str, Any] = row.params
    sizes = ",".join(f"{name}={params[name]}" for name in SIZES if name in params)
    return f"{row.provider}/{row.endpoint}/{row.model}/{sizes}"


async def latest(connection: AsyncConnection, word: str) -> list[float]:
    """The seconds that the latest of these took, in ascending order."""
    a = attempts.c
    query = (
        select(a.duration_s)
        .where(a.alike == word, a.duration_s.is_not(None))
        .order_by(a.finished_at.desc())
        .limit(LATEST)
    )
    found = (await connection.execute(query)).scalars().all()
    return sorted(float(duration_s) for duration_s in found if duration_s is not None)
