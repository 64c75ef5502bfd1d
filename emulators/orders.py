"""What a job was asked to draw, checked: the only place that reads a job's `input`.

A wrong value is no HTTP error: like a real worker, the job ends FAILED and says what was wrong.
"""

import base64
import binascii
import hashlib
import io
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

MAX_SIDE_PX = 2048
MIN_SIDE_PX = 64
MAX_INPUT_PIXELS = 40_000_000
MAX_PROMPT_CHARS = 20_000
MAX_FILM_S = 30.0


class OrderError(ValueError):
    """The job's input cannot be drawn; the message is the job's error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOrder:
    """One to four pictures; with `image` they are edits of it, where `mask` is white."""

    prompt: str
    negative_prompt: str
    style: str
    width: int
    height: int
    count: int
    seed: int
    image: Image.Image | None
    mask: Image.Image | None
    references: tuple[Image.Image, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmOrder:
    """One film; with `image` it starts from that picture, with `end_image` it ends in that one."""

    prompt: str
    negative_prompt: str
    duration_s: float
    width: int
    height: int
    seed: int
    image: Image.Image | None
    end_image: Image.Image | None
    references: tuple[Image.Image, ...]


def read_text(job_input: dict[str, Any], name: str) -> str:
    """Return a text, empty when absent."""
    value = job_input.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise OrderError(f"Invalid parameter: {name} must be a text")
    if len(value) > MAX_PROMPT_CHARS:
        raise OrderError(f"Invalid parameter: {name} is over {MAX_PROMPT_CHARS} characters")
    return value


def read_number(
    job_input: dict[str, Any], name: str, default: float, least: float, most: float
) -> float:
    """Return a number inside its limits."""
    value = job_input.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OrderError(f"Invalid parameter: {name} must be a number")
    if not least <= value <= most:
        raise OrderError(f"Invalid parameter: {name} must be {least:g} to {most:g}, is {value:g}")
    return value


def read_seed(job_input: dict[str, Any], job_id: str) -> int:
    """Return the seed asked for; absent or -1: one made of the job's id."""
    value = job_input.get("seed")
    if value is None or value == -1:
        return int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:4]) >> 1
    if isinstance(value, bool) or not isinstance(value, int):
        raise OrderError("Invalid parameter: seed must be a whole number")
    return value


def decode_picture(text: object, name: str) -> Image.Image:
    """Return the picture in a data URI, upright, as RGB or (a mask) in its own mode."""
    if not isinstance(text, str) or not text.startswith("data:image/") or "," not in text:
        raise OrderError(f"Invalid parameter: {name} must be a data URI of an image")
    try:
        content = base64.b64decode(text.split(",", 1)[1], validate=True)
        picture = Image.open(io.BytesIO(content))
        if picture.width * picture.height > MAX_INPUT_PIXELS:
            raise OrderError(f"Invalid parameter: {name} is over {MAX_INPUT_PIXELS} pixels")
        return ImageOps.exif_transpose(picture)
    except (binascii.Error, UnidentifiedImageError, OSError, SyntaxError) as error:
        raise OrderError(f"Invalid parameter: {name} is not a readable image") from error


def read_picture(job_input: dict[str, Any], name: str) -> Image.Image | None:
    """Return one input picture as RGB, or None when absent."""
    value = job_input.get(name)
    return None if value is None else decode_picture(value, name).convert("RGB")


def read_mask(job_input: dict[str, Any]) -> Image.Image | None:
    """Return the area to change in white: from a mask's transparency, or else its light."""
    value = job_input.get("mask")
    if value is None:
        return None
    mask = decode_picture(value, "mask")
    if mask.mode in ("RGBA", "LA"):
        alpha = mask.getchannel("A")
        if alpha.getextrema() != (255, 255):
            return ImageOps.invert(alpha)  # as in OpenAI's edits: transparent is what changes
    return mask.convert("L")


def read_references(job_input: dict[str, Any]) -> tuple[Image.Image, ...]:
    """Return the reference pictures."""
    values = job_input.get("images") or []
    if not isinstance(values, list):
        raise OrderError("Invalid parameter: images must be a list of data URIs")
    return tuple(decode_picture(value, "images").convert("RGB") for value in values)


def read_size(
    job_input: dict[str, Any], default: tuple[int, int], step: int = 1
) -> tuple[int, int]:
    """Return width and height in pixels, each a multiple of `step`."""
    width = read_number(job_input, "width", default[0], MIN_SIDE_PX, MAX_SIDE_PX)
    height = read_number(job_input, "height", default[1], MIN_SIDE_PX, MAX_SIDE_PX)
    return int(width) // step * step, int(height) // step * step


def fitting_size(picture: Image.Image | None, default: tuple[int, int]) -> tuple[int, int]:
    """Return a picture's own size, shrunk to what we draw; without a picture the default."""
    if picture is None:
        return default
    scale = min(1.0, MAX_SIDE_PX / max(picture.size))
    width, height = (max(MIN_SIDE_PX, round(side * scale)) for side in picture.size)
    return width, height


def film_size(picture: Image.Image | None) -> tuple[int, int]:
    """Return the size of a film whose caller named none: 1280 wide or high, in its ratio."""
    if picture is None:
        return 1280, 720
    scale = 1280 / max(picture.size)
    width, height = (max(MIN_SIDE_PX, round(side * scale)) for side in picture.size)
    return width, height


def read_picture_order(job_input: dict[str, Any], job_id: str) -> PictureOrder:
    """Check a picture job's input. Raises OrderError."""
    image = read_picture(job_input, "image")
    width, height = read_size(job_input, fitting_size(image, (1024, 1024)))
    order = PictureOrder(
        prompt=read_text(job_input, "prompt"),
        negative_prompt=read_text(job_input, "negative_prompt"),
        style=read_text(job_input, "style"),
        width=width,
        height=height,
        count=int(read_number(job_input, "num_images", 1, 1, 4)),
        seed=read_seed(job_input, job_id),
        image=image,
        mask=read_mask(job_input),
        references=read_references(job_input),
    )
    if not order.prompt.strip():
        raise OrderError("Invalid parameter: prompt must not be empty")
    return order


def read_film_order(job_input: dict[str, Any], job_id: str) -> FilmOrder:
    """Check a film job's input. Raises OrderError."""
    image = read_picture(job_input, "image")
    width, height = read_size(job_input, film_size(image), step=2)
    order = FilmOrder(
        prompt=read_text(job_input, "prompt"),
        negative_prompt=read_text(job_input, "negative_prompt"),
        duration_s=read_number(job_input, "duration", 4, 0.5, MAX_FILM_S),
        width=width,
        height=height,
        seed=read_seed(job_input, job_id),
        image=image,
        end_image=read_picture(job_input, "end_image"),
        references=read_references(job_input),
    )
    if not order.prompt.strip() and image is None:
        raise OrderError("Invalid parameter: prompt must not be empty")
    return order
