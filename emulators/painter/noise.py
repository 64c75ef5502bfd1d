"""Smooth chance: hills, clouds and ripples are made of it."""

import numpy as np
from PIL import Image

from emulators.painter.palette import Array


def field(rng: np.random.Generator, cells: tuple[int, int], size: tuple[int, int]) -> Array:
    """Return smooth noise from 0 to 1 of `size` (width, height), `cells` waves across and down."""
    grid = rng.random((cells[1] + 3, cells[0] + 3), dtype=np.float32)
    image = Image.fromarray(grid)
    box = (1.0, 1.0, cells[0] + 1.0, cells[1] + 1.0)
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=box), np.float32)


def clouds(rng: np.random.Generator, cells: tuple[int, int], size: tuple[int, int]) -> Array:
    """Return noise with finer noise on top, about 0 to 1."""
    total = np.zeros((size[1], size[0]), np.float32)
    share = 0.5
    for octave in range(4):
        scale = 2**octave
        total += share * field(rng, (cells[0] * scale, cells[1] * scale), size)
        share /= 2
    return total / 0.9375


def warped(rng: np.random.Generator, values: Array, strength: float) -> Array:
    """Return a field whose places are moved by other noise, so that it flows."""
    height, width = values.shape
    size = (width, height)
    across = (field(rng, (3, 3), size) - 0.5) * strength * width
    down = (field(rng, (3, 3), size) - 0.5) * strength * height
    y, x = np.mgrid[0:height, 0:width]
    x = np.clip(x + across, 0, width - 1).astype(np.intp)
    y = np.clip(y + down, 0, height - 1).astype(np.intp)
    moved: Array = values[y, x]
    return moved


def line(rng: np.random.Generator, waves: float, width: int, octaves: int = 4) -> Array:
    """Return a smooth line of `width` heights, about -1 to 1, with `waves` hills."""
    total = np.zeros(width, np.float32)
    amplitude = 1.0
    for octave in range(octaves):
        count = max(2, round(waves * 2**octave) + 1)
        knots = rng.uniform(-1, 1, count + 3)
        place = np.linspace(1, count + 0.999, width)
        at = place.astype(int)
        part = place - at
        ease = part * part * (3 - 2 * part)
        total += amplitude * (knots[at] * (1 - ease) + knots[at + 1] * ease)
        amplitude *= 0.45
    return total.astype(np.float32) / 1.6


def ridge(rng: np.random.Generator, waves: float, width: int) -> Array:
    """Return a jagged line of mountain tops, 0 to 1."""
    base = np.zeros(width, np.float32)
    amplitude = 1.0
    for octave in range(5):
        count = max(2, round(waves * 2**octave))
        knots = rng.uniform(0, 1, count + 2)
        knots[::2] = knots[::2] * 0.35
        knots[1::2] = 0.6 + knots[1::2] * 0.4
        place = np.linspace(0, count, width) + rng.uniform(0, 0.9)
        base += amplitude * np.interp(place, np.arange(count + 2), knots)
        amplitude *= 0.36
    base -= base.min()
    return (base / max(1e-6, float(base.max()))).astype(np.float32)
