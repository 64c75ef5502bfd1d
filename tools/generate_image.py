"""A picture from words, with other pictures as references where the model takes them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from generations.admission import Admission
from generations.contract import Caller, Wanted, WantedInput
from tools.arguments import (
    PICTURE_NAMES,
    PROMPT_CHARS_MAX,
    REFERENCES_MAX,
    Arguments,
    Count,
    Pictures,
    Prompt,
    Ratio,
    Seed,
    Size,
    Words,
)
from tools.tool import Tool


class GenerateImage(Arguments):
    """What a picture can be asked for with."""

    prompt: Prompt = Field(
        description="What to paint: subject, setting, style, light, mood. Not ratio or size. "
        f"At most {PROMPT_CHARS_MAX} characters."
    )
    model: Words | None = Field(
        None, description="A model id from list_models. Leave out for the default."
    )
    aspect_ratio: Ratio | None = Field(None, description='Width to height, for example "16:9".')
    size: Size | None = Field(
        None, description='Exact pixels as WxH, for example "1024x576"; only when asked for.'
    )
    n: Count = Field(1, description="How many variants of this one picture, if more than one.")
    seed: Seed | None = Field(None, description="The same seed and prompt give the same picture.")
    negative_prompt: Prompt | None = Field(None, description="What must not be in the picture.")
    style: Words | None = Field(None, description='A style in a few words, for example "ink".')
    references: Pictures = Field(
        default_factory=list,
        description=f"Pictures to be guided by, at most {REFERENCES_MAX}. {PICTURE_NAMES}",
    )


def wanted(arguments: GenerateImage) -> Wanted:
    """What the heart is asked for."""
    return Wanted(
        kind="image",
        prompt=arguments.prompt,
        model=arguments.model,
        aspect_ratio=arguments.aspect_ratio,
        size=arguments.size,
        n=arguments.n,
        seed=arguments.seed,
        negative_prompt=arguments.negative_prompt,
        style=arguments.style,
        inputs=tuple(WantedInput(role="reference", picture=p) for p in arguments.references),
    )


async def run(arguments: GenerateImage, caller: Caller, admission: Admission) -> dict[str, Any]:
    """Start the picture and answer with its row."""
    return await admission.submit(caller, wanted(arguments))


TOOL = Tool(
    name="generate_image",
    description=(
        "Start painting a new picture from words. Use it when the person wants a picture that does "
        "not exist yet; to change an existing one use edit_image. One call is one subject; for "
        "several different pictures make several calls."
    ),
    in_chat=(
        "It answers at once, while the picture is still being made: a card in the conversation "
        "shows progress and then the picture. Do not wait for it and do not ask again how it "
        "stands."
    ),
    arguments=GenerateImage,
    run=run,
    starts=True,
)
