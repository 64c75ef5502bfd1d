"""Films: looked into just far enough to know what they are, and for a still picture of them.

They are opened by the two demuxers we mean, from a stream: FFmpeg left to guess also knows formats
that fetch other files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import av
from av.video.frame import VideoFrame
from PIL import Image

from db.decoding import Media, WrongType, reading, small_enough

#: A film often begins in the dark; a poster looks so many frames further for light.
POSTER_FRAMES_MAX = 48
POSTER_LIGHT_MIN = 16
NO_FRAME = "The film has not one picture that can be shown."


def container_of(stream: BinaryIO) -> str | None:
    """The demuxer for a film, by its first bytes; None for what is no film we know."""
    head = stream.read(64)
    stream.seek(0)
    if head[4:8] == b"ftyp":
        # A picture may come in the same box.
        return None if head[8:12] in (b"avif", b"avis") else "mov"
    return "matroska" if head[:4] == b"\x1aE\xdf\xa3" and b"webm" in head else None


@contextmanager
def _film(stream: BinaryIO) -> Iterator[tuple[av.container.InputContainer, Iterator[VideoFrame]]]:
    container = container_of(stream)
    if container is None:
        raise WrongType("The file is not an MP4, WebM or QuickTime film.")
    with (
        reading("The file is not a film that can be played."),
        av.open(stream, "r", format=container, metadata_errors="replace") as opened,
    ):
        codec = opened.streams.video[0].codec_context if opened.streams.video else None
        if codec is None:
            raise WrongType(NO_FRAME)
        small_enough(codec.width, codec.height)
        yield opened, opened.decode(video=0)


def inspect_film(stream: BinaryIO) -> Media:
    """What the film is, by its container and its first frame.

    Raises: WrongType.
    """
    with _film(stream) as (opened, frames):
        frame = next(frames, None)
        if frame is None:
            raise WrongType(NO_FRAME)
        sides = (frame.width, frame.height)
        width_px, height_px = sides[::-1] if frame.rotation % 180 else sides
        duration_s = opened.duration / av.time_base if opened.duration else None
        media_type, suffix = "video/mp4", ".mp4"
        if opened.format.name == "matroska":
            media_type, suffix = "video/webm", ".webm"
        elif opened.metadata.get("major_brand") == "qt  ":
            media_type, suffix = "video/quicktime", ".mov"
    return Media(media_type, width_px, height_px, duration_s, suffix)


def poster(stream: BinaryIO, width_px: int) -> Image.Image:
    """The first frame that is not dark, at most so wide; the first of all when all are.

    Raises: WrongType.
    """
    first: Image.Image | None = None
    try:
        with _film(stream) as (_, frames):
            for frame, _ in zip(frames, range(POSTER_FRAMES_MAX), strict=False):
                image, light = _still(frame, width_px)
                if light >= POSTER_LIGHT_MIN:
                    return image
                first = first or image
    except WrongType:
        # Damaged further on: the dark beginning is a picture too.
        if first is None:
            raise
    if first is None:
        raise WrongType(NO_FRAME)
    return first


def _still(frame: VideoFrame, width_px: int) -> tuple[Image.Image, float]:
    """The frame upright and at most so wide, and how light it is, from 0 to 255."""
    wide = frame.height if frame.rotation % 180 else frame.width
    scale = min(1.0, width_px / wide)
    width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
    rgb = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return Image.fromarray(rgb).rotate(frame.rotation, expand=True), float(rgb.mean())
