"""Pictures and films for tests, red on the left and blue on the right."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import av
import numpy as np
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

RED, BLUE = (220, 30, 30), (30, 30, 220)


def picture(width_px: int = 320, height_px: int = 200) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width_px, height_px), RED)
    image.paste(BLUE, (width_px // 2, 0, width_px, height_px))
    return image


def encoded(image: Image.Image, format_: str, **options: Any) -> bytes:
    """The file such a picture is."""
    out = BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """The picture in a file, decoded."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


def is_near(image: Image.Image, at: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    """Whether a pixel has this colour, but for what encoding does to it."""
    found = image.convert("RGB").getpixel(at)
    assert isinstance(found, tuple)
    return max(abs(a - b) for a, b in zip(found, colour, strict=True)) < 30


def film(format_: str, codec: str, *, dark: int = 0, frames: int = 24) -> bytes:
    """Two seconds, 12 frames each: first dark ones, then the picture."""
    out = BytesIO()
    with av.open(out, "w", format=format_) as container:
        stream = container.add_stream(codec, rate=12)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 200, "yuv420p"
        for i in range(frames):
            pixels = np.zeros((200, 320, 3), np.uint8) if i < dark else np.asarray(picture())
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


def turned(film: bytes) -> bytes:
    """The same MP4 with the note that it is to be shown a quarter turn clockwise."""
    at = film.index(b"tkhd") + 4 + 40
    one = 65536
    matrix = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    return film[:at] + matrix + film[at + 36 :]


def png_of_size(width_px: int, height_px: int) -> bytes:
    """A few bytes that promise a picture of any size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    head = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    body = chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def photo() -> bytes:
    """As a phone writes it: lying on its side, with time, place, maker and a comment."""
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    exif[Base.Make] = "SecretPhone"
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (59.0, 56.0, 19.5)
    notes = {"exif": exif, "comment": b"SecretComment", "xmp": b"<x:xmpmeta>SecretXmp"}
    return encoded(picture(), "JPEG", quality=95, **notes)
