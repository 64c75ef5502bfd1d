"""What all decoding shares: the findings, the limit, and one error with a sentence for a person."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import av
from PIL import Image

PIXELS_MAX = 40_000_000
TOO_MANY_PIXELS = f"It has more than {PIXELS_MAX // 1_000_000} million pixels, the most we take."

#: What Pillow's and FFmpeg's readers raise over broken files.
_BROKEN = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError),
    *(struct.error, av.FFmpegError),
)

# Pillow itself only warns, up to twice its own limit, which is above ours.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class WrongType(Exception):
    """A file is not what it should be; the message is for a person."""


@dataclass(frozen=True, slots=True)
class Media:
    """What decoding has shown; `suffix` is the file name's, with its dot. A sound has no sides."""

    media_type: str
    width_px: int | None
    height_px: int | None
    duration_s: float | None
    suffix: str


@contextmanager
def reading(sentence: str) -> Iterator[None]:
    """Whatever the readers raise inside means this sentence to a person."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise WrongType(TOO_MANY_PIXELS) from error
    except _BROKEN as error:
        raise WrongType(sentence) from error


def small_enough(width_px: int, height_px: int) -> None:
    """Raises WrongType before anything of that size is decoded."""
    if width_px * height_px > PIXELS_MAX:
        raise WrongType(TOO_MANY_PIXELS)
