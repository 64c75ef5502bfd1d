"""A provider's answer is worth money: writing it down is tried until the database is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from db.connect import DATABASE_ERRORS
from generations.lifecycle import Done, Verdict

log = structlog.get_logger(__name__)

TRIES = 60
GAP_S = 1.0


async def insist(step: Callable[[], Awaitable[Verdict]], job_id: str) -> Verdict:
    """Take a step that writes an answer down, again and again while the database is away."""
    for tries in range(TRIES):
        try:
            return await step()
        except DATABASE_ERRORS as error:
            log.warning("provider's answer not stored yet", error=type(error).__name__, tries=tries)
            await asyncio.sleep(GAP_S)
    log.error("provider's answer could not be stored", job=job_id)
    return Done()
