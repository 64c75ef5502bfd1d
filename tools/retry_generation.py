"""Try a failed, cancelled or unknown generation once more, under its own id."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from generations.admission import Admission
from generations.contract import Caller
from tools.arguments import Arguments, GenerationName
from tools.tool import Tool


class RetryGeneration(Arguments):
    """Which generation is to be tried again."""

    generation: GenerationName = Field(
        description="The id of the generation, or its handle, for example #3."
    )


async def run(arguments: RetryGeneration, caller: Caller, admission: Admission) -> dict[str, Any]:
    """The row, queued once more."""
    return await admission.retry(caller, arguments.generation)


TOOL = Tool(
    name="retry_generation",
    description=(
        "Try a generation again that failed, was cancelled or is unknown, with the same prompt and "
        "parameters. It costs what a new one costs, so use it only when the person asks for it. To "
        "try with other words start a new one instead."
    ),
    in_chat="It answers at once; the card in the conversation follows.",
    arguments=RetryGeneration,
    run=run,
    starts=True,
)
