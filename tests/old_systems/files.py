"""Tiny files of each kind, for a server that stands for the old media backend's."""

from __future__ import annotations

import functools
import hashlib
import io
import wave

import av
import numpy as np
from PIL import Image

TYPES = {"png": "image/png", "mp4": "video/mp4", "wav": "audio/wav"}


def file_at(path: str) -> tuple[str, bytes] | None:
    """Media type and bytes of what lies at a path of `base_url`; None: nothing does. Each path's
    file is its own, so that one can be told from another.
    """
    roll = hashlib.md5(path.encode(), usedforsecurity=False).digest()
    extension = path.partition("?")[0].rpartition(".")[2]
    if "?thumbnail" in path:
        return "image/png", picture(roll)
    # Encoding takes a while: sixteen films will do.
    made = {"png": picture, "mp4": lambda _: film(roll[0] % 16), "wav": sound}.get(extension)
    return (TYPES[extension], made(roll)) if made else None


def picture(roll: bytes) -> bytes:
    """A PNG of eight by eight pixels in some colour."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (roll[0], roll[1], roll[2])).save(out, "PNG")
    return out.getvalue()


@functools.lru_cache(maxsize=16)
def film(shade: int) -> bytes:
    """An MP4 of half a second."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=12)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for n in range(6):
            pixels = np.full((48, 64, 3), 16 * shade, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts = n
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


def sound(roll: bytes) -> bytes:
    """A WAV of a tenth of a second."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((roll * 100)[:1600])
    return out.getvalue()
