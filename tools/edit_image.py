"""A changed picture from an existing one and words."""

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
    PictureName,
    Pictures,
    Prompt,
    Seed,
    Words,
)
from tools.tool import Tool


class EditImage(Arguments):
    """What an edit can be asked for with."""

    prompt: Prompt = Field(
        description="What to change, and what to keep when it matters. "
        f"At most {PROMPT_CHARS_MAX} characters."
    )
    image: PictureName = Field(description=f"The picture to change. {PICTURE_NAMES}")
    mask: PictureName | None = Field(
        None, description="A mask, white where the picture may change; named likewise."
    )
    references: Pictures = Field(
        default_factory=list,
        description=f"Further pictures to be guided by, at most {REFERENCES_MAX}, named likewise.",
    )
    model: Words | None = Field(
        None, description="A model id from list_models. Leave out for the default."
    )
    seed: Seed | None = Field(None, description="The same seed and prompt give the same picture.")
    n: Count = Field(1, description="How many variants, if more than one.")


def wanted(arguments: EditImage) -> Wanted:
    """What the heart is asked for."""
    inputs = [WantedInput(role="image", picture=arguments.image)]
    if arguments.mask:
        inputs.append(WantedInput(role="mask", picture=arguments.mask))
    inputs += [WantedInput(role="reference", picture=p) for p in arguments.references]
    return Wanted(
        kind="image",
        prompt=arguments.prompt,
        model=arguments.model,
        n=arguments.n,
        seed=arguments.seed,
        inputs=tuple(inputs),
    )


async def run(arguments: EditImage, caller: Caller, admission: Admission) -> dict[str, Any]:
    """Start the edit and answer with its row."""
    return await admission.submit(caller, wanted(arguments))


TOOL = Tool(
    name="edit_image",
    description=(
        'Start changing an existing picture: "make it blue", "remove the car", "as a watercolour". '
        "Use it for pictures made in this conversation and for pictures the person attached. It "
        "makes a new generation; the original stays as it is."
    ),
    in_chat=(
        "It answers at once, and a card in the conversation shows progress and then the result: do "
        "not wait for it and do not ask again how it stands."
    ),
    arguments=EditImage,
    run=run,
    starts=True,
)
