"""The caller's generations, newest first."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from generations.admission import Admission
from generations.contract import Caller
from tools.arguments import AnyKind, Arguments, Words, no_boolean
from tools.tool import Tool

LIMIT_MAX = 100
Limit = Annotated[int, Field(ge=1, le=LIMIT_MAX), BeforeValidator(no_boolean)]


class ListGenerations(Arguments):
    """Which generations are looked for."""

    query: Words | None = Field(None, description="Words that stand in the prompt.")
    kind: AnyKind | None = Field(None, description="Only generations of this kind.")
    status: (
        Literal[
            "queued",
            "submitting",
            "in_progress",
            "storing",
            "completed",
            "failed",
            "cancelled",
            "unknown",
        ]
        | None
    ) = Field(None, description="Only generations in this status.")
    limit: Limit = Field(20, description=f"How many, at most {LIMIT_MAX}.")


async def run(arguments: ListGenerations, caller: Caller, admission: Admission) -> dict[str, Any]:
    """The first page of what was found."""
    return await admission.find(
        caller,
        query=arguments.query,
        kind=arguments.kind,
        status=arguments.status,
        limit=arguments.limit,
    )


TOOL = Tool(
    name="list_generations",
    description=(
        "List the person's pictures and films, newest first, with handle, prompt, model and "
        'status. Use it to find an earlier one that the person speaks of ("the fox from '
        'yesterday") or to say what is still being made.'
    ),
    arguments=ListGenerations,
    run=run,
    answers="generations",
    scope="read",
)
