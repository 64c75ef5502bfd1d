"""Finding what a picture is about, without knowing how it was made.

Landscapes change slowly sideways, subjects do not: what differs most from its own row, near
the middle, is taken for the subject.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from emulators.painter.canvas import enlarged, smooth
from emulators.painter.palette import Array
from emulators.painter.sketch import as_floats

SMALL_PX = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where the subject is: a mask at full size, and its box in pixels."""

    mask: Array
    left: int
    top: int
    right: int
    bottom: int
    head: tuple[int, int]  # its left and right end
    crown: int  # where a hat would sit


def background(picture: Array) -> Array:
    """Return a picture of what lies behind: every row in its own middle colour, softly."""
    rows = np.median(picture, axis=1, keepdims=True)
    return np.broadcast_to(rows, picture.shape).astype(np.float32)


def find_subject(picture: Array) -> Found | None:
    """Return the subject, or None when nothing stands out."""
    height, width = picture.shape[:2]
    scale = SMALL_PX / max(width, height)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    small = as_floats(image.resize(size, Image.Resampling.BOX))
    far = np.abs(small - background(small)).sum(axis=2)
    x = np.linspace(-1, 1, size[0], dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, size[1], dtype=np.float32)[:, None]
    near = np.exp(-((x / 0.62) ** 4) - ((y - 0.15) / 0.85) ** 6)
    odd = smooth(0.22, 0.5, (far * near).astype(np.float32))
    profile = np.convolve(odd.sum(axis=0), np.ones(5) / 5, mode="same")
    if profile.max() < size[1] * 0.10:
        return None
    left, right = run_around(profile, int(profile.argmax()), profile.max() * 0.25)
    inside = np.zeros_like(odd)
    inside[:, left : right + 1] = odd[:, left : right + 1]
    filled = np.flatnonzero(inside.sum(axis=1) > max(1.5, (right - left) * 0.12))
    if filled.size < 4:
        return None
    top, bottom = int(filled[0]), int(filled[-1])
    upper = inside[top : top + max(2, round((bottom - top) * 0.38))] > 0.5
    widest = int(upper.sum(axis=1).argmax())
    head = np.flatnonzero(upper[widest])
    ends = (int(head[0]), int(head[-1])) if head.size else (left, right)
    mask = Image.fromarray((inside * 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(5))
    whole = enlarged(as_floats(mask.filter(ImageFilter.GaussianBlur(1.2))), (width, height))
    back = 1 / scale
    return Found(
        mask=np.clip(whole, 0, 1),
        left=round(left * back),
        top=round(top * back),
        right=round((right + 1) * back),
        bottom=round((bottom + 1) * back),
        head=(round(ends[0] * back), round((ends[1] + 1) * back)),
        crown=round((top + widest * 0.42) * back),
    )


def run_around(profile: Array, at: int, least: float) -> tuple[int, int]:
    """Return the ends of the stretch around a place where a profile stays high."""
    left = right = at
    while left > 0 and profile[left - 1] >= least:
        left -= 1
    while right < profile.size - 1 and profile[right + 1] >= least:
        right += 1
    return left, right
