"""What a file really is, decided by decoding it and by nothing it says of itself.

All of this computes for long and blocks: callers use `asyncio.to_thread`. A picture may have only
so many pixels that it takes 160 MB of memory at most.
"""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageCms, ImageOps

from db.decoding import TOO_MANY_PIXELS, Media, WrongType, reading, small_enough
from db.films import container_of, inspect_film, poster
from db.sounds import inspect_sound, is_sound

__all__ = [
    "Media",
    "WrongType",
    "clean_upload",
    "inspect",
    "recognise",
    "scaled_data",
    "thumbnail",
    "thumbnail_of_file",
]

UPLOAD_BYTES_MAX = 50 * 1024 * 1024
JPEG_QUALITY = 92
#: Of 9; more takes seconds for a few percent.
PNG_EFFORT = 3
THUMBNAIL_QUALITY = 82
#: WebP holds no longer side.
THUMBNAIL_SIDE_MAX_PX = 16_383
SCALE_STEPS = 14

_TYPES = {
    "PNG": ("image/png", ".png"),
    "JPEG": ("image/jpeg", ".jpg"),
    # A JPEG with further pictures behind it, as many phones write them; read as its first.
    "MPO": ("image/jpeg", ".jpg"),
    "WEBP": ("image/webp", ".webp"),
    "GIF": ("image/gif", ".gif"),
    "AVIF": ("image/avif", ".avif"),
}
_STORED = ("PNG", "JPEG", "WEBP")
#: As old systems kept them too: every browser shows them, so they stay as they are.
_SHOWN = (*_STORED, "GIF", "AVIF")
#: Given by people only, and stored as a still picture.
_GIVEN = (*_STORED, "GIF")
_PICTURE_ENDS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "GIF": b"\0;"}
_ANOTHER_FILE = re.compile(
    rb"<(?:!doctype|html|head|body|script|svg|iframe|\?php|\?xml)|PK\x03\x04|PK\x05\x06|%PDF-",
    re.IGNORECASE,
)


def inspect(path: Path, kind: str) -> Media:
    """What the file is, if it is a whole one of this kind (`image`, `video` or `audio`).

    Raises:
        WrongType: it is not.
    """
    with path.open("rb") as stream:
        if kind == "image":
            return _inspect_picture(stream)
        if kind == "video":
            return inspect_film(stream)
        if kind == "audio":
            return inspect_sound(stream)
    raise ValueError(f"files of kind {kind} are not looked into")


def recognise(path: Path) -> Media:
    """What a file is of which nobody knows the kind.

    Raises:
        WrongType: it is no picture, film or sound that we take.
    """
    with path.open("rb") as stream:
        if is_sound(stream):
            return inspect_sound(stream)
        if container_of(stream) is not None:
            return inspect_film(stream)
        try:
            return _inspect_picture(stream, _SHOWN)
        except WrongType as error:
            if str(error) == TOO_MANY_PIXELS:
                raise
            raise WrongType("The file is no picture, film or sound that can be shown.") from error


def clean_upload(source: bytes | Path) -> tuple[bytes, Media]:
    """A person's picture, upright, in sRGB, and encoded anew: nothing but its pixels is left.

    Raises:
        WrongType: it is no picture, too large, or another file as well.
    """
    size_bytes = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size_bytes > UPLOAD_BYTES_MAX:
        raise WrongType(f"Pictures may have up to {UPLOAD_BYTES_MAX >> 20} MiB.")
    data = source if isinstance(source, bytes) else source.read_bytes()
    with reading("This is not a PNG, JPEG, WebP or GIF picture, or it is damaged."):
        image, format_ = _decoded(BytesIO(data), _GIVEN)
        if _ANOTHER_FILE.search(data, _end(data, format_)):
            raise WrongType("Behind this picture stands another file; save it anew as a picture.")
        pixels = _plain(_srgb(ImageOps.exif_transpose(image)))
    lossy = format_ in ("JPEG", "MPO", "WEBP") and pixels.mode == "RGB"
    encoded = _encode(pixels, "JPEG" if lossy else "PNG", JPEG_QUALITY)
    media_type, suffix = _TYPES["JPEG" if lossy else "PNG"]
    return encoded, Media(media_type, pixels.width, pixels.height, None, suffix)


def thumbnail(path: Path, media: Media, width_px: int) -> bytes:
    """A small WebP of a picture, or of a film's first frame that is not dark; never enlarged."""
    return _thumbnail(path, width_px, film=media.media_type.startswith("video/"))


def thumbnail_of_file(path: Path, width_px: int) -> bytes:
    """The same of a file whose kind is not at hand."""
    with path.open("rb") as stream:
        film = container_of(stream) is not None
    return _thumbnail(path, width_px, film=film)


def scaled_data(path: Path, *, bytes_max: int, side_max_px: int) -> tuple[bytes, str]:
    """A stored picture's bytes and media type, made smaller only where it is over a limit.

    Raises:
        WrongType: it is no picture, or no size that is still of use fits.
    """
    with path.open("rb") as stream, reading("The picture cannot be read."):
        image, format_ = _opened(stream, _SHOWN)
        fits = path.stat().st_size <= bytes_max and max(image.size) <= side_max_px
        # What goes to a provider or a chat model is of a kind that all of them take.
        if fits and (format_ in _STORED or format_ == "MPO"):
            return path.read_bytes(), _TYPES[format_][0]
        image.load()
        pixels = _plain(image)
    side_px, quality = min(max(pixels.size), side_max_px), JPEG_QUALITY
    format_ = "PNG" if pixels.mode == "RGBA" else "JPEG"
    for _ in range(SCALE_STEPS):
        small = pixels.copy()
        small.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
        data = _encode(small, format_, quality)
        if len(data) <= bytes_max:
            return data, _TYPES[format_][0]
        side_px, quality = round(side_px * 0.8), max(60, quality - 4)
    raise WrongType("The picture cannot be made small enough to be sent along.")


def _opened(stream: BinaryIO, formats: tuple[str, ...]) -> tuple[Image.Image, str]:
    image = Image.open(stream, formats=formats)
    small_enough(*image.size)
    return image, str(image.format)


def _decoded(stream: BinaryIO, formats: tuple[str, ...]) -> tuple[Image.Image, str]:
    """The whole picture; checksums are looked at by `verify`, the pixels by `load`."""
    probe, _ = _opened(stream, formats)
    probe.verify()
    stream.seek(0)
    image, format_ = _opened(stream, formats)
    image.load()
    return image, format_


def _inspect_picture(stream: BinaryIO, formats: tuple[str, ...] = _STORED) -> Media:
    with reading("The file is not a whole PNG, JPEG or WebP picture."):
        image, format_ = _decoded(stream, formats)
    media_type, suffix = _TYPES[format_]
    return Media(media_type, image.width, image.height, None, suffix)


def _end(data: bytes, format_: str) -> int:
    """Where the picture ends in its file, near enough to look at what stands behind it."""
    if format_ == "WEBP":
        return 8 + int.from_bytes(data[4:8], "little")
    mark = _PICTURE_ENDS[format_]
    return max(0, data.rfind(mark)) + len(mark)


def _srgb(image: Image.Image) -> Image.Image:
    """The colours as every viewer and model understands them, without a profile beside them."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image
    flat = image if image.mode in ("L", "RGB", "RGBA", "CMYK") else _plain(image)
    mode = "RGBA" if flat.mode == "RGBA" else "RGB"
    try:
        given = ImageCms.ImageCmsProfile(BytesIO(profile))
        wanted = ImageCms.createProfile("sRGB")
        changed = ImageCms.profileToProfile(flat, given, wanted, outputMode=mode)
    except (ImageCms.PyCMSError, OSError):
        return flat
    return changed or flat


def _plain(image: Image.Image) -> Image.Image:
    """The bare pixels: RGB, or RGBA where something really shows through."""
    if image.mode.startswith("I"):
        # 16 bits a pixel; Pillow would cut them off at 255.
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    pixels = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if pixels.mode == "RGBA" and pixels.getchannel("A").getextrema() == (255, 255):
        pixels = pixels.convert("RGB")
    pixels.info = {}
    return pixels


def _encode(pixels: Image.Image, format_: str, quality: int) -> bytes:
    out = BytesIO()
    if format_ == "JPEG":
        pixels.save(out, "JPEG", quality=quality, subsampling=0)
    elif format_ == "WEBP":
        pixels.save(out, "WEBP", quality=quality)
    else:
        pixels.save(out, "PNG", compress_level=PNG_EFFORT)
    return out.getvalue()


def _thumbnail(path: Path, width_px: int, *, film: bool) -> bytes:
    with path.open("rb") as stream, reading("No small picture can be made of this."):
        if film:
            image = poster(stream, width_px)
        else:
            image, _ = _opened(stream, _SHOWN)
            image.draft("RGB", (width_px * 2, width_px * 2))
            image.load()
        pixels = _plain(image)
        pixels.thumbnail((width_px, THUMBNAIL_SIDE_MAX_PX), Image.Resampling.LANCZOS)
        return _encode(pixels, "WEBP", THUMBNAIL_QUALITY)
