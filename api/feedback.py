"""Thumbs up and down. Chainlit's own routes carry no session, so its data layer cannot tell whose a
rating is; ours know the caller, and answer in the same words.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.caller import InRuntime, MakeCaller
from api.problems import Problem
from db import thread_writes

router = APIRouter(include_in_schema=False)


class Rating(BaseModel):
    """What the page sends of a rating."""

    id: UUID | None = None
    forId: UUID  # noqa: N815 - the page's spelling
    value: Literal[0, 1]
    comment: str | None = Field(None, max_length=4000)


class Rated(BaseModel):
    """The page's envelope around a rating."""

    feedback: Rating


class Withdrawn(BaseModel):
    """What the page sends to take a rating back."""

    feedbackId: UUID  # noqa: N815 - the page's spelling


@router.put("/feedback")
async def rate(body: Rated, runtime: InRuntime, caller: MakeCaller) -> dict[str, object]:
    """Store a rating of one of the caller's steps; a step has one."""
    rating = body.feedback
    feedback_id = rating.id or rating.forId
    query = thread_writes.upsert_feedback(
        feedback_id, rating.forId, caller.user_id, rating.value, rating.comment
    )
    async with runtime.engine.begin() as connection:
        if (await connection.execute(*query)).first() is None:
            raise Problem(404, "not_found", "There is no such message.")
    return {"success": True, "feedbackId": str(feedback_id)}


@router.delete("/feedback")
async def withdraw(body: Withdrawn, runtime: InRuntime, caller: MakeCaller) -> dict[str, object]:
    """Take a rating back."""
    query = thread_writes.delete_feedback(body.feedbackId, caller.user_id)
    async with runtime.engine.begin() as connection:
        if not (await connection.execute(query)).rowcount:
            raise Problem(404, "not_found", "There is no such rating.")
    return {"success": True}
