"""Waiting for generations on somebody's behalf: until they are settled, the time is over, the
server stops, or what let the visitor in has ended.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from accounts.visitor import Visitor
from api.staying import staying
from db.generations import SETTLED_STATUSES
from db.ids import parse_id
from generations.contract import Caller, NotFound
from runtime import Runtime

Reading = dict[str, Any]
#: A draining server answers within so long.
SLICE_S = 1.0


def is_settled(reading: Reading) -> bool:
    """Whether nothing more will come of it by itself."""
    return reading["status"] in SETTLED_STATUSES


async def wait_for(
    runtime: Runtime,
    visitor: Visitor,
    readings: Sequence[Reading],
    seconds: float,
    told: Callable[[Sequence[Reading]], Awaitable[None]] | None = None,
) -> list[Reading]:
    """Their newest readings, in the same order, once all are settled, or when the time is over or
    the server stops; `told` hears of every round in which one was read anew.

    Raises: NotFound: one was deleted; Problem: the visitor's login or key has ended.
    """
    caller, until = Caller(user_id=visitor.user_id), time.monotonic() + seconds
    current = list(readings)
    with staying(runtime, visitor) as stay:
        while not all(map(is_settled, current)) and not runtime.draining.is_set():
            left = until - time.monotonic()
            if left <= 0:
                break
            pending = next(reading for reading in current if not is_settled(reading))
            await runtime.watch.sleep(_id(pending), pending["v"], min(left, SLICE_S))
            stay.check()
            # Also when nothing was heard: news may have come between the reading and the sleep.
            current = await _read(runtime, caller, current)
            if told is not None:
                await told(current)
    return current


async def _read(runtime: Runtime, caller: Caller, readings: Sequence[Reading]) -> list[Reading]:
    found = await runtime.admission.get_many(caller, [_id(reading) for reading in readings])
    by_id = {reading["id"]: reading for reading in found}
    if missing := [reading for reading in readings if reading["id"] not in by_id]:
        raise NotFound(f"The generation {missing[0]['id']} has just been deleted.")
    return [by_id[reading["id"]] for reading in readings]


def _id(reading: Reading) -> Any:
    return parse_id(reading["id"])
