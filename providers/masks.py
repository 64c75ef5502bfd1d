"""A mask as OpenAI's edits want it: our white, where the picture may change, is clear there."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

PIXELS_MAX = 40_000_000  # what we take in ourselves


def see_through(mask: bytes, picture: bytes) -> bytes:
    """Return a PNG as large as the picture, transparent where the mask is white; a mask that is
    transparent somewhere already says so itself.

    Raises: ValueError: one of them is no picture.
    Source: https://developers.openai.com/api/docs/guides/image-generation (edit using a mask),
    2026-11-22.
    """
    try:
        with Image.open(io.BytesIO(picture)) as image, Image.open(io.BytesIO(mask)) as given:
            if max(image.width * image.height, given.width * given.height) > PIXELS_MAX:
                raise ValueError("a picture has too many pixels")
            size = image.size
            alpha = kept_area(given).resize(size)
    except OSError as error:
        raise ValueError("the mask or its picture cannot be read") from error
    black = Image.new("L", size)
    out = io.BytesIO()
    Image.merge("RGBA", (black, black, black, alpha)).save(out, "PNG")
    return out.getvalue()


def kept_area(mask: Image.Image) -> Image.Image:
    """Return in white what must stay as it is."""
    if mask.mode in ("RGBA", "LA", "PA") or "transparency" in mask.info:
        alpha = mask.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            return alpha
    return ImageOps.invert(mask.convert("L"))
