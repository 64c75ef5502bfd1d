"""How one generation stands."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from generations.admission import Admission
from generations.contract import Caller
from tools.arguments import Arguments, GenerationName
from tools.tool import Tool


class GetGeneration(Arguments):
    """Which generation is asked about."""

    generation: GenerationName = Field(
        description="The id of the generation, or its handle, for example #3."
    )


async def run(arguments: GetGeneration, caller: Caller, admission: Admission) -> dict[str, Any]:
    """The row as it stands now."""
    return await admission.get(caller, arguments.generation)


TOOL = Tool(
    name="get_generation",
    description=(
        "Tell how one generation stands now: status, progress, model, parameters, error. Use it "
        "when the person asks about it."
    ),
    in_chat=(
        "Never call it again and again to wait: the card in the conversation follows by itself."
    ),
    arguments=GetGeneration,
    run=run,
    scope="read",
)
