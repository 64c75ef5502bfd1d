"""OpenAI's shapes, as far as they have a meaning here, with what Kinora adds to them.

Source: the types of the official client, openai 3.54 (types/images_response.py, types/video.py,
types/image_generate_params.py, types/image_edit_params.py, types/video_create_params.py).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from tools.arguments import no_boolean

IMAGES_MAX = 10


def listed(value: object) -> object:
    """A form says one of several as it says a single one."""
    return [value] if isinstance(value, str) else value


def no_number(value: object) -> object:
    """Python reads 1 as true; a form says it in words."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def no_stream(value: bool | None) -> bool | None:
    """Refuse what would be answered in another shape."""
    if value:
        raise ValueError("parts of a picture are not streamed; leave it out")
    return value


Flag = Annotated[bool, BeforeValidator(no_number)]
Number = Annotated[float, BeforeValidator(no_boolean)]
Whole = Annotated[int, BeforeValidator(no_boolean)]


class PictureReference(BaseModel):
    """A picture that is not sent as a file of a form."""

    model_config = ConfigDict(extra="forbid")
    file_id: str | None = Field(None, description="The id of a picture or generation of Kinora's.")
    image_url: str | None = Field(
        None, description="A data URL with the picture in base64; other addresses are not opened."
    )


#: Text: a data URL, or the id of a picture or generation.
Picture = str | PictureReference


class Asked(BaseModel):
    """What all requests have in common."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    prompt: str = Field(description="What is to be made.")
    model: str | None = Field(None, description="A model of /v1/models; none: the default.")
    seed: Whole | None = Field(None, description="Kinora's: the same seed gives the same again.")
    references: Annotated[list[str], BeforeValidator(listed)] = Field(
        default_factory=list, description="Kinora's: ids of pictures to be guided by."
    )
    user: JsonValue = Field(None, description="Accepted, and of no use here.")
    safety_identifier: JsonValue = Field(None, description="Accepted, and of no use here.")
    quality: JsonValue = Field(None, description="Accepted, and of no use here.")


class AskedPictures(Asked):
    """What requests for pictures have in common."""

    n: Annotated[Whole, Field(ge=1, le=IMAGES_MAX)] = Field(1, description="How many.")
    size: str | None = Field(None, description="WxH in pixels, exactly so, or `auto`.")
    response_format: Literal["url", "b64_json"] | None = Field(
        None, description="How they come: as addresses (good for an hour) or in the answer itself."
    )
    stream: Annotated[Flag | None, AfterValidator(no_stream)] = Field(
        None, description="False: parts of a picture are not streamed."
    )
    background: JsonValue = Field(None, description="Accepted, and of no use here.")
    input_fidelity: JsonValue = Field(None, description="Accepted, and of no use here.")
    moderation: JsonValue = Field(None, description="Accepted, and of no use here.")
    output_compression: JsonValue = Field(None, description="Accepted, and of no use here.")
    output_format: JsonValue = Field(None, description="Accepted, and of no use here.")
    partial_images: JsonValue = Field(None, description="Accepted, and of no use here.")


class ImageRequest(AskedPictures):
    """A request for new pictures."""

    style: str | None = Field(
        None, description="Kinora's: a style in words; OpenAI's `vivid`, `natural` are of no use."
    )
    aspect_ratio: str | None = Field(None, description='Kinora\'s: instead of size, "16:9".')
    negative_prompt: str | None = Field(None, description="Kinora's: what must not be in it.")


class EditRequest(AskedPictures):
    """A request for a changed picture. As a form, `image` and `mask` are files."""

    image: Picture | list[Picture] | None = Field(
        None, description="What is changed; those behind the first are there to be guided by."
    )
    images: Annotated[list[Picture] | None, BeforeValidator(listed)] = Field(
        None, description="The same by another name."
    )
    mask: Picture | None = Field(
        None,
        description="Where the picture may change: where it is transparent; white, without alpha.",
    )


class VideoRequest(Asked):
    """A request for a film. As a form, `input_reference` may be a file."""

    seconds: Number | None = Field(
        None,
        description="How long, as a number or as text.",
        json_schema_extra={"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]},
    )
    size: str | None = Field(None, description="WxH in pixels, or `auto`.")
    input_reference: Picture | None = Field(None, description="The picture it begins with.")
    end_image: Picture | None = Field(None, description="Kinora's: the picture it ends in.")
    aspect_ratio: str | None = Field(None, description='Kinora\'s: instead of size, "16:9".')
    resolution: str | None = Field(None, description='Kinora\'s: instead of size, "720p".')
    negative_prompt: str | None = Field(None, description="Kinora's: what must not be in it.")
    audio: Flag | None = Field(None, description="Kinora's: whether it shall have sound.")
    n: Annotated[Whole, Field(ge=1, le=1)] = Field(1, description="One request is one film.")


class ErrorDetail(BaseModel):
    """OpenAI's error object."""

    message: str = Field(description="For a person.")
    type: str
    param: str | None = Field(description="The first argument at fault.")
    code: str | None = Field(description="To act on.")


class ErrorAnswer(BaseModel):
    """Every refusal."""

    error: ErrorDetail


class ModelObject(BaseModel):
    """A model."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="When its price was looked at.")
    owned_by: str = Field(description="The provider it would be had from.")
    kinora: dict[str, Any] = Field(description="What it can do, as in /api/models.")


class ModelList(BaseModel):
    """All models that can be had."""

    object: Literal["list"] = "list"
    data: list[ModelObject]


class ImageData(BaseModel):
    """One picture: its address, or its bytes in base64."""

    url: str | None = None
    b64_json: str | None = None


class Failure(BaseModel):
    """One of several generations that came to nothing."""

    generation: str | None = Field(description="None: it was not even started.")
    code: str
    message: str


class ImageNotes(BaseModel):
    """What Kinora adds to an answer with pictures."""

    generations: list[str] = Field(description="Their ids, as in /api/generations.")
    ignored: list[str] = Field(description="Arguments that were of no use.")
    notes: list[str]
    errors: list[Failure] = Field(description="Those that failed while others came.")


class ImagesAnswer(BaseModel):
    """The pictures."""

    created: int
    data: list[ImageData]
    size: str | None = None
    output_format: str | None = None
    kinora: ImageNotes


class VideoError(BaseModel):
    """Why there is no film."""

    code: str
    message: str


class VideoNotes(BaseModel):
    """What Kinora adds to a film."""

    status: str = Field(description="As in /api/generations.")
    provider: str
    cost_usd: dict[str, float | None]
    notes: list[str]
    ignored: list[str] = Field(description="Arguments that were of no use.")


class Video(BaseModel):
    """A film, or the making of one."""

    id: str
    object: Literal["video"] = "video"
    status: Literal["queued", "in_progress", "completed", "failed"]
    progress: int = Field(ge=0, le=100)
    model: str
    prompt: str
    seconds: str | None = Field(description="None: not known before it is there.")
    size: str | None = Field(description="WxH; None: not known before it is there.")
    created_at: int
    completed_at: int | None
    expires_at: int | None = Field(None, description="Never: films stay until they are deleted.")
    error: VideoError | None
    remixed_from_video_id: str | None = None
    kinora: VideoNotes


class VideoList(BaseModel):
    """A page of films."""

    object: Literal["list"] = "list"
    data: list[Video]
    first_id: str | None
    last_id: str | None
    has_more: bool


class VideoDeleted(BaseModel):
    """The film is gone."""

    id: str
    object: Literal["video.deleted"] = "video.deleted"
    deleted: Literal[True] = True
