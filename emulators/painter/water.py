"""Water: what stands above it, upside down, and the light on its ripples."""

import math

import numpy as np
import numpy.typing as npt

from emulators.painter.canvas import Canvas, smooth
from emulators.painter.noise import field
from emulators.painter.palette import Array, Palette, hexed, mix, times

DEEP = hexed("17506e")


def lay_water(
    canvas: Canvas, sky: Array, palette: Palette, top: int, light_x: float, rng: np.random.Generator
) -> None:
    """Fill everything below row `top` with water that mirrors what was painted so far."""
    height, width = canvas.height - top, canvas.width
    if height <= 2:
        return
    above = canvas.layers[:, :top] + sky[:, :top] * (1 - canvas.alpha[:top])
    depth = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    waves = field(rng, (max(4, round(6 * width / height)), 46), (width, height)) - 0.5
    rows = top - 1 - np.arange(height)[:, None] * min(1.0, top / height) * 0.92
    rows = np.clip(rows + waves * depth * height * 0.16, 0, top - 1).astype(np.intp)
    columns = np.arange(width)[None, :] + waves * (4 + depth * 26) * width / 1000
    columns = np.clip(columns, 0, width - 1).astype(np.intp)
    paint = above[:, rows, columns]
    deep = np.asarray(mix(times(DEEP, palette.light), palette.top, 0.35), np.float32)
    paint += (deep[:, None, None] - paint) * (0.30 + 0.45 * depth)
    fine = field(rng, (max(8, round(16 * width / height)), 90), (width, height))
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :] - light_x
    road = np.exp(-((x / (0.035 + 0.13 * depth)) ** 2)) * 0.8 + 0.10
    glint = smooth(0.60, 0.86, fine) * road * (1 - 0.35 * depth)
    paint += (np.asarray(palette.sun, np.float32)[:, None, None] - paint) * glint
    canvas.layers[:, top:] = np.clip(paint, 0, 1)
    canvas.alpha[top:] = 1
    rim = np.exp(-(np.arange(height, dtype=np.float32) / max(1.0, height * 0.02)))[:, None]
    canvas.lay(mix(palette.low, (1, 1, 1), 0.3), np.broadcast_to(rim * 0.35, (height, width)), top)


def ripple_rows(top: int, end: int, height: int, t: float) -> npt.NDArray[np.intp]:
    """Return, for each row from `top` to before `end`, the row to show instead at a moment."""
    rows = np.arange(top, end, dtype=np.float32)
    depth = (rows - top) / max(1, height - top)
    wave = np.sin(rows * (0.42 - 0.26 * depth) + t * math.tau * 3) * (0.4 + 3.0 * depth)
    shown = np.clip(np.round(rows + wave * height / 720), top, end - 1)
    return np.asarray(shown, np.intp)
