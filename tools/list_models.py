"""Which models there are, what they take and what they cost."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from generations.admission import Admission
from generations.contract import Caller
from tools.arguments import Arguments, Dollars, PaintedKind, Seconds
from tools.tool import Tool


class ListModels(Arguments):
    """Which models are looked for."""

    kind: PaintedKind | None = Field(None, description="What the model makes.")
    input: Literal["text", "image", "mask", "start_image", "end_image", "reference"] | None = Field(
        None, description="What the model must be able to take."
    )
    max_price_usd: Dollars | None = Field(
        None,
        description="The most that one unit (image, second, megapixel) may cost, in US dollars.",
    )
    duration_s: Seconds | None = Field(
        None, description="A length in seconds that the model must be able to make."
    )


async def run(arguments: ListModels, caller: Caller, admission: Admission) -> dict[str, Any]:
    """The models that fit, as `/api/models` shows them."""
    models = admission.models(
        kind=arguments.kind,
        input=arguments.input,
        max_price_usd=arguments.max_price_usd,
        duration_s=arguments.duration_s,
    )
    return {"data": models}


TOOL = Tool(
    name="list_models",
    description=(
        "List the models that can paint pictures and make films, with what each takes (a `!` marks "
        "what it needs), its ratios, lengths, resolutions, the most variants per call (max_n) and "
        "its price. Use it when the person asks what is possible or what it costs, names a model "
        "or a price, or after a refusal. It starts nothing."
    ),
    arguments=ListModels,
    run=run,
    answers="models",
    scope="read",
)
