"""Stop a generation that is under way, or drop one whose submit was lost."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from generations.admission import Admission
from generations.contract import Caller
from tools.arguments import Arguments, GenerationName
from tools.tool import Tool


class CancelGeneration(Arguments):
    """Which generation is to stop."""

    generation: GenerationName = Field(
        description="The id of the generation, or its handle, for example #3."
    )


async def run(arguments: CancelGeneration, caller: Caller, admission: Admission) -> dict[str, Any]:
    """The row, with the wish to cancel on record."""
    return await admission.cancel(caller, arguments.generation)


TOOL = Tool(
    name="cancel_generation",
    description=(
        "Stop a generation that is not finished. Use it only when the person asks to stop or "
        "cancel it. It answers at once; the status follows when the provider has answered, and "
        "what was finished before that is kept."
    ),
    arguments=CancelGeneration,
    run=run,
    ends=True,
)
