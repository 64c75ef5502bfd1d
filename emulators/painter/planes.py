"""Film pictures as video stores them: light at full size, colour at half, in numbers of 8 bits.

BT.709, limited range: Y 16 to 235, U and V 16 to 240 around 128.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from emulators.painter.palette import Array

Plane = npt.NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]
WHITE_Y = 235


def luma(picture: Array) -> Array:
    """Return Y of colours from 0 to 1, as numbers that are not rounded yet."""
    weights = np.asarray((0.2126, 0.7152, 0.0722), np.float32)
    return np.asarray(16 + 219 * (picture @ weights), np.float32)


def chroma(picture: Array) -> tuple[Array, Array]:
    """Return U and V at the size of the picture, not rounded yet."""
    light = picture @ np.asarray((0.2126, 0.7152, 0.0722), np.float32)
    u = 128 + 224 * (picture[..., 2] - light) / 1.8556
    v = 128 + 224 * (picture[..., 0] - light) / 1.5748
    return np.asarray(u, np.float32), np.asarray(v, np.float32)


def halved(values: Array) -> Array:
    """Return an array of even sizes at half its size."""
    height, width = values.shape
    blocks = values.reshape(height // 2, 2, width // 2, 2)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def rounded(values: Array) -> Plane:
    """Return 8-bit numbers."""
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)


def planes_of(picture: Array) -> Planes:
    """Return a whole picture as planes."""
    u, v = chroma(picture)
    return rounded(luma(picture)), rounded(halved(u)), rounded(halved(v))


def resized(plane: Plane, size: tuple[int, int], box: tuple[float, float, float, float]) -> Plane:
    """Return a part of a plane, given to fractions of a pixel, at another size."""
    image = Image.fromarray(plane)
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, box=box))


def between(one: Plane, other: Plane, step: int, steps: int) -> Plane:
    """Return a plane on the way from one to another; `steps` is a power of 2 up to 256."""
    if step == 0:
        return one
    shift = np.uint16(steps.bit_length() - 1)
    mixed = one.astype(np.uint16)
    mixed *= np.uint16(steps - step)
    mixed += other * np.uint16(step)
    mixed >>= shift
    return mixed.astype(np.uint8)
