"""A film from words, from a first or last picture, or from references."""

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
    PictureName,
    Pictures,
    Prompt,
    Ratio,
    Resolution,
    Seconds,
    Seed,
    Words,
)
from tools.tool import Tool


class GenerateVideo(Arguments):
    """What a film can be asked for with."""

    prompt: Prompt = Field(
        description="What happens: subject, movement, camera, mood. Not the length or the ratio. "
        f"At most {PROMPT_CHARS_MAX} characters."
    )
    model: Words | None = Field(
        None, description="A model id from list_models. Leave out for the default."
    )
    duration_s: Seconds | None = Field(
        None, description="Length in seconds, more than 0, exactly as the person asked for it."
    )
    aspect_ratio: Ratio | None = Field(None, description='Width to height, for example "9:16".')
    resolution: Resolution | None = Field(None, description='For example "720p".')
    start_image: PictureName | None = Field(
        None, description=f"The picture the film begins with: to animate it. {PICTURE_NAMES}"
    )
    end_image: PictureName | None = Field(
        None, description="The picture the film ends with, named in the same way."
    )
    references: Pictures = Field(
        default_factory=list,
        description=f"Pictures to be guided by, at most {REFERENCES_MAX}, named likewise.",
    )
    seed: Seed | None = Field(None, description="The same seed and prompt give the same film.")
    negative_prompt: Prompt | None = Field(None, description="What must not be in the film.")
    audio: bool | None = Field(None, description="Whether the film shall have sound.")


def wanted(arguments: GenerateVideo) -> Wanted:
    """What the heart is asked for."""
    inputs = []
    if arguments.start_image:
        inputs.append(WantedInput(role="start", picture=arguments.start_image))
    if arguments.end_image:
        inputs.append(WantedInput(role="end", picture=arguments.end_image))
    inputs += [WantedInput(role="reference", picture=p) for p in arguments.references]
    return Wanted(
        kind="video",
        prompt=arguments.prompt,
        model=arguments.model,
        duration_s=arguments.duration_s,
        aspect_ratio=arguments.aspect_ratio,
        resolution=arguments.resolution,
        seed=arguments.seed,
        negative_prompt=arguments.negative_prompt,
        audio=arguments.audio,
        inputs=tuple(inputs),
    )


async def run(arguments: GenerateVideo, caller: Caller, admission: Admission) -> dict[str, Any]:
    """Start the film and answer with its row."""
    return await admission.submit(caller, wanted(arguments))


TOOL = Tool(
    name="generate_video",
    description=(
        "Start making a film, from words alone or from a picture (start_image) that shall move: "
        "animating an existing or attached picture is done here. A film takes from seconds to many "
        "minutes. If the person wants a film of a picture that is still being made, tell them to "
        "ask again when it is there. A length, ratio or resolution the model cannot do is refused "
        "with what is possible."
    ),
    in_chat=(
        "It answers at once, and a card in the conversation shows progress and then plays it. Do "
        "not wait for it and do not ask again how it stands."
    ),
    arguments=GenerateVideo,
    run=run,
    starts=True,
)
