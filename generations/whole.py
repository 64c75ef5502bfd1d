"""Steps that a stop may not cut in half: a request that has left is worth money."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def whole(step: Coroutine[Any, Any, T]) -> T:
    """Run a step that must not be cut in half: a stop, told once or often, waits until the answer
    is written down.
    """
    task = asyncio.create_task(step, name="submit")
    stopped: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            stopped = error
    verdict = task.result()
    if stopped is not None:
        raise stopped
    return verdict
