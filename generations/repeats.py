"""Requests under an Idempotency-Key: sent twice, they start one generation.

The key is put on record in the transaction that starts the generation, before anything else there:
a twin waits for that transaction's end, and then either finds the generation or, when the first was
refused, takes its place.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from db import idempotency
from db.idempotency import Remembered
from generations.contract import Caller, KeyReused


async def first_of(connection: AsyncConnection, caller: Caller) -> UUID | None:
    """The generation that a request under the caller's key has started.

    Raises: KeyReused.
    """
    repeat = caller.repeat
    if repeat is None:
        return None
    found = await idempotency.find(connection, caller.user_id, repeat.key)
    if found is None:
        return None
    if found.request_sha256 != repeat.request_sha256:
        raise KeyReused("This Idempotency-Key was used for another request; take a new one.")
    return found.generation_id


async def claim(connection: AsyncConnection, caller: Caller, generation_id: UUID) -> UUID | None:
    """Put the caller's key on record for this generation; or the one it stands for already.

    Raises: KeyReused.
    """
    repeat = caller.repeat
    if repeat is None:
        return None
    ours = Remembered(request_sha256=repeat.request_sha256, generation_id=generation_id)
    while not await idempotency.claim(connection, caller.user_id, repeat.key, ours):
        # None: it was just deleted for its age.
        if first := await first_of(connection, caller):
            return first
    return None
