"""Sounds: looked into just far enough to know what they are and how long they last.

As films, they are opened by the demuxers we mean, from a stream: FFmpeg left to guess also knows
formats that fetch other files.
"""

from __future__ import annotations

import math
from typing import BinaryIO

import av
from av.container import InputContainer
from av.stream import Disposition

from db.decoding import Media, WrongType, reading

NO_SOUND = "The file has not one second of sound that can be played."
#: Longer than this is a header's mistake.
DURATION_S_MAX = 7 * 24 * 3600
_HEAD_BYTES = 64
#: By demuxer.
_TYPES = {
    "wav": ("audio/wav", ".wav"),
    "mp3": ("audio/mpeg", ".mp3"),
    "mov": ("audio/mp4", ".m4a"),
    "ogg": ("audio/ogg", ".ogg"),
    "flac": ("audio/flac", ".flac"),
    "matroska": ("audio/webm", ".weba"),
}


def container_of(stream: BinaryIO) -> str | None:
    """The demuxer for a sound, by its first bytes; None for what is no sound we know."""
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"fLaC":
        return "flac"
    if head[4:8] == b"ftyp":
        return "mov"
    if head[:4] == b"\x1aE\xdf\xa3" and b"webm" in head:
        return "matroska"
    # Layer III of MPEG 1, 2 or 2.5, whose frames begin with eleven ones; or its tags before them.
    is_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2
    return "mp3" if head[:3] == b"ID3" or is_frame else None


def is_sound(stream: BinaryIO) -> bool:
    """Whether this is a sound and no film, by what the container holds."""
    container = container_of(stream)
    if container not in ("mov", "matroska"):
        return container is not None
    try:
        with (
            reading(NO_SOUND),
            av.open(stream, "r", format=container, metadata_errors="replace") as opened,
        ):
            return bool(opened.streams.audio) and not has_film(opened)
    except WrongType:
        return False
    finally:
        stream.seek(0)


def has_film(opened: InputContainer) -> bool:
    """Whether moving pictures are in it: the cover of a record is none."""
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    return any(not stream.disposition & covers for stream in opened.streams.video)


def inspect_sound(stream: BinaryIO) -> Media:
    """What the sound is, by its container and what is decoded first.

    Raises: WrongType.
    """
    container = container_of(stream)
    if container is None:
        raise WrongType("The file is not a WAV, MP3, M4A, OGG, FLAC or WebM sound.")
    with (
        reading("The file is not a sound that can be played."),
        av.open(stream, "r", format=container, metadata_errors="replace") as opened,
    ):
        if has_film(opened):
            raise WrongType("The file is a film, not a sound.")
        if not opened.streams.audio:
            raise WrongType(NO_SOUND)
        if next(opened.decode(opened.streams.audio[0]), None) is None:
            raise WrongType(NO_SOUND)
        duration_s = _duration_s(opened)
    media_type, suffix = _TYPES[container]
    return Media(media_type, None, None, duration_s, suffix)


def _duration_s(opened: InputContainer) -> float | None:
    """How long it lasts, where the container says so, or the stream does."""
    track = opened.streams.audio[0]
    if opened.duration:
        found = opened.duration / av.time_base
    elif track.duration and track.time_base:
        found = float(track.duration * track.time_base)
    else:
        return None
    return found if math.isfinite(found) and 0 < found <= DURATION_S_MAX else None
