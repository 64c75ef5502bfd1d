"""The places: each lays its land from the horizon to the viewer's feet."""

import numpy as np

from emulators.painter.canvas import smooth
from emulators.painter.cosmos import space
from emulators.painter.land import (
    FOOT,
    Ground,
    aspect,
    broad_trees,
    conifers,
    fade_below,
    flowers,
    nearest,
    peaks,
    rolling,
)
from emulators.painter.palette import SNOW, Array, hexed, mix, times
from emulators.painter.reef import underwater
from emulators.painter.town import city
from emulators.painter.water import lay_water

PINE = hexed("2d5a4a")
ROCK = hexed("6a6f86")
SAND = hexed("ecd3a0")


def mountains(ground: Ground, sky: Array, light_x: float) -> Array:
    """Two ranges, firs, and a meadow in front."""
    h = ground.horizon
    peaks(ground, ROCK, 0.62, h + 0.02, 0.36, 1.5)
    peaks(ground, mix(ROCK, PINE, 0.25), 0.38, h + 0.05, 0.20, 2.4)
    hill = ground.line(h + 0.045, 0.035, 1.2)
    conifers(ground, PINE, 0.30, hill, 0.065, 80)
    rolling(ground, ground.soil(PINE, 0.35), 0.26, hill)
    side = ground.line(h + 0.12, 0.04, 0.9)
    conifers(ground, PINE, 0.10, side, 0.13, 16)
    rolling(ground, ground.palette.ground, 0.12, side)
    near = nearest(ground, ground.palette.ground)
    if not ground.is_snowy:
        flowers(ground, near)
    return near


def meadow(ground: Ground, sky: Array, light_x: float) -> Array:
    """Rolling hills with round trees, flowers in front."""
    h, green = ground.horizon, ground.palette.ground
    for distance, height, rise in ((0.66, h - 0.02, 0.05), (0.46, h + 0.03, 0.05)):
        rolling(ground, ground.soil(PINE, 0.3), distance, ground.line(height, rise, 1.1))
    hill = ground.line(h + 0.075, 0.045, 0.8)
    plant = conifers if ground.is_snowy else broad_trees
    plant(ground, mix(green, PINE, 0.6), 0.30, hill, 0.085, 15)
    rolling(ground, green, 0.27, hill)
    side = ground.line(h + 0.14, 0.04, 0.7)
    plant(ground, mix(green, PINE, 0.55), 0.12, side, 0.15, 4)
    rolling(ground, ground.soil(hexed("c9c255"), 0.18), 0.12, side)
    near = nearest(ground, green)
    if not ground.is_snowy:
        flowers(ground, near)
    return near


def forest(ground: Ground, sky: Array, light_x: float) -> Array:
    """Rows of firs, mist between them, a clearing in front."""
    h = ground.horizon
    mist = ground.palette.haze
    rows = ((0.70, h - 0.03, 0.17, 80), (0.46, h + 0.02, 0.24, 52), (0.22, h + 0.09, 0.33, 28))
    for distance, height, size, count in rows:
        heights = ground.line(height, 0.03, 1.0)
        conifers(ground, PINE, distance, heights, size, round(count * aspect(ground.canvas)))
        rolling(ground, ground.soil(PINE, 0.4), distance, heights)
        fade_below(
            ground.canvas,
            heights - 0.02 * ground.canvas.height,
            mist,
            ground.canvas.height * 0.12,
            0.45,
        )
    frame = ground.line(FOOT + 0.02, 0.01, 1.0)
    sides = np.where(
        np.abs(np.linspace(-1, 1, ground.canvas.width)) > 0.72, frame, ground.canvas.height * 3
    )
    conifers(ground, mix(PINE, hexed("10241f"), 0.4), 0.0, sides.astype(np.float32), 0.66, 14)
    near = nearest(ground, ground.soil(hexed("6f9a4c"), 0.25))
    if not ground.is_snowy:
        flowers(ground, near)
    return near


def desert(ground: Ground, sky: Array, light_x: float) -> Array:
    """Mesas and dunes with a lit and a shaded side."""
    h, sand = ground.horizon, ground.palette.ground
    peaks(ground, mix(sand, hexed("a85a3c"), 0.6), 0.6, h + 0.02, 0.13, 1.2, has_snow=False)
    for distance, height, rise, waves in (
        (0.42, h + 0.03, 0.06, 1.3),
        (0.24, h + 0.09, 0.08, 0.9),
        (0.0, FOOT, 0.05, 0.6),
    ):
        heights = ground.line(height, rise, waves, octaves=1)
        rolling(ground, sand, distance, heights)
        slope = np.gradient(heights)[None, :] * 4
        top = max(0, int(heights.min()))
        rows = np.arange(top, ground.canvas.height, dtype=np.float32)[:, None]
        inside = np.clip(rows - heights[None, :], 0, 1)
        fade = np.exp(-np.clip(rows - heights[None, :], 0, None) / (0.16 * ground.canvas.height))
        shade = smooth(0.0, 0.55, (slope * (1 if light_x < 0.5 else -1)).astype(np.float32))
        dark = mix(ground.colour(sand, distance), ground.palette.shade, 0.7)
        ground.canvas.lay(dark, (inside * fade * shade * 0.75).astype(np.float32), top)
    return heights


def sea(ground: Ground, sky: Array, light_x: float) -> Array:
    """Far islands and water that mirrors them, a beach in front."""
    canvas, h = ground.canvas, ground.horizon
    peaks(ground, ROCK, 0.72, h + 0.004, 0.10, 1.1, ground.is_snowy)
    islands = ground.line(h + 0.012, 0.045, 1.3)
    rolling(ground, ground.soil(PINE, 0.4), 0.48, islands)
    lay_water(canvas, sky, ground.palette, int(h * canvas.height), light_x, ground.rng)
    return np.full(canvas.width, canvas.height * 0.88, np.float32)


def beach(ground: Ground) -> Array:
    """Lay a shore in front of the water, wet at its edge."""
    canvas = ground.canvas
    heights = ground.line(0.845, 0.03, 0.6, octaves=2)
    base = SNOW if ground.is_snowy else SAND
    foam = times(hexed("fdfbf4"), mix(ground.palette.light, (1, 1, 1), 0.4))
    canvas.fill_below(heights - 0.012 * canvas.height, foam, foam, 10)
    wet = mix(ground.colour(base, 0.0), hexed("6f7f86"), 0.35)
    canvas.fill_below(heights, wet, ground.colour(base, 0.0), canvas.height * 0.05)
    return heights


PLACES = {
    "mountains": mountains,
    "meadow": meadow,
    "forest": forest,
    "desert": desert,
    "sea": sea,
    "city": city,
    "space": space,
    "underwater": underwater,
}
