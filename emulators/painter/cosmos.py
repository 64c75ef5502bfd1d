"""Space: a ringed planet, and a cratered plain for those who stand on it."""

import numpy as np

from emulators.painter.canvas import Canvas, smooth
from emulators.painter.land import Ground, nearest, rolling
from emulators.painter.palette import Array, Colour, hexed, mix
from emulators.painter.sketch import Sketch


def space(ground: Ground, sky: Array, light_x: float) -> Array:
    """A ringed planet; a cratered plain is laid only when somebody stands on it."""
    canvas, rng = ground.canvas, ground.rng
    hue = hexed(str(rng.choice(["e0946a", "6aa8d8", "c88ad8", "d8b86a"])))
    size = round(canvas.unit * rng.uniform(0.30, 0.44))
    sheet = Sketch(size, 1.5)
    planet(sheet, hue, ground.palette.top)
    drawn = sheet.finish(is_flipped=light_x < 0.5)
    left = round(
        (1 - light_x) * canvas.width - drawn.alpha.shape[1] * (0.85 if light_x > 0.5 else 0.15)
    )
    canvas.place(drawn, left, round(canvas.height * rng.uniform(0.06, 0.14)))
    return np.full(ground.canvas.width, ground.canvas.height * 1.5, np.float32)


def planet(sheet: Sketch, hue: Colour, night: Colour) -> None:
    """Draw a banded planet with a ring, its light from the right. Box 1.5 wide."""
    pale, dark = mix(hue, (1, 1, 1), 0.4), mix(hue, night, 0.45)
    sheet.oval(0.75, 0.5, 0.70, 0.16, mix(pale, night, 0.35), turn=-16)
    sheet.oval(0.75, 0.5, 0.58, 0.115, night, turn=-16)
    sheet.oval(0.75, 0.5, 0.36, 0.36, hue)
    for y, thick, tone in (
        (0.30, 0.05, pale),
        (0.45, 0.03, dark),
        (0.58, 0.06, pale),
        (0.72, 0.035, dark),
    ):
        sheet.oval(0.75, y, 0.355, thick, mix(hue, tone, 0.6), turn=-16, inside=True)
    sheet.stroke("120,655 340,610 640,575 940,490 1200,370 1370,330", 0.035, pale, 0.8)


def moonscape(ground: Ground) -> Array:
    """Lay a cratered plain."""
    canvas, rng = ground.canvas, ground.rng
    far = ground.line(0.70, 0.03, 1.5)
    rolling(ground, hexed("7d7596"), 0.35, far)
    near = nearest(ground, hexed("a79fb8"), 0.78)
    for _ in range(9):
        x, y = rng.uniform(0, 1), rng.uniform(0.84, 1.0)
        r = rng.uniform(0.02, 0.06) * (y - 0.6) * 3
        crater(canvas, x * canvas.width, y * canvas.height, r * canvas.height, ground)
    return near


def crater(canvas: Canvas, x: float, y: float, radius: float, ground: Ground) -> None:
    """Draw one crater: a dark hollow and a lit rim."""
    size = max(4, round(radius * 3))
    v, u = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    hollow = 1 - smooth(0.55, 0.72, np.hypot(u, v * 2.6).astype(np.float32))
    rim = 1 - smooth(0.66, 0.80, np.hypot(u, (v + 0.03) * 2.4).astype(np.float32))
    base = ground.colour(hexed("a79fb8"), 0.0)
    left, top = round(x - size / 2), round(y - size / 2)
    canvas.lay(mix(base, ground.palette.light, 0.35), (rim * 0.6).astype(np.float32), top, left)
    canvas.lay(mix(base, ground.palette.shade, 0.75), (hollow * 0.8).astype(np.float32), top, left)
