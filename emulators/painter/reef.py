"""Under water: rays of light, rocks, weed and corals."""

import math

import numpy as np
from PIL import Image, ImageDraw

from emulators.painter.canvas import smooth
from emulators.painter.land import Ground, ink, rolling
from emulators.painter.noise import line
from emulators.painter.palette import Array, Colour, hexed, mix, times


def underwater(ground: Ground, sky: Array, light_x: float) -> Array:
    """Rays of light, far rocks, weed that sways, and sand below."""
    canvas, rng, palette = ground.canvas, ground.rng, ground.palette
    rays(ground, light_x)
    for distance, height, rise in ((0.72, 0.66, 0.10), (0.5, 0.74, 0.08)):
        rolling(
            ground,
            mix(palette.top, hexed("2a5a6a"), 0.5),
            distance,
            ground.line(height, rise, 1.2, octaves=4),
        )
    heights = ground.line(0.85, 0.025, 1.0, octaves=2)
    weeds(ground, heights, 0.35, 18, mix(hexed("2f8a6a"), palette.haze, 0.45))
    rolling(ground, palette.ground, 0.08, heights)
    weeds(ground, heights + canvas.height * 0.05, 0.24, 9, hexed("2f8a5a"))
    corals(ground, heights, rng)
    return heights


def rays(ground: Ground, light_x: float) -> None:
    """Let light fall in from above."""
    canvas = ground.canvas
    x = np.linspace(0, 1, canvas.width, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, canvas.height, dtype=np.float32)[:, None]
    angle = (x - light_x) / (y + 0.35)
    fan = line(ground.rng, 9, 512, 3)
    light = np.interp(angle, np.linspace(-3, 3, 512), fan).astype(np.float32)
    strength = smooth(0.0, 0.8, light) * np.exp(-y * 2.2) * 0.5
    canvas.lay(hexed("e8fff8"), strength.astype(np.float32))


def weeds(ground: Ground, heights: Array, tall: float, count: int, colour: Colour) -> None:
    """Plant waving ribbons of weed."""
    canvas, rng = ground.canvas, ground.rng
    mask = Image.new("L", (canvas.width * 2, canvas.height * 2))
    draw = ImageDraw.Draw(mask)
    for x in rng.uniform(0, 1, count):
        size = tall * rng.uniform(0.5, 1.1) * canvas.height * 2
        foot = float(heights[int(x * (canvas.width - 1))]) * 2 + 8
        phase = rng.uniform(0, math.tau)
        left, right = [], []
        for step in range(25):
            share = step / 24
            middle = x * canvas.width * 2 + math.sin(share * 5 + phase) * size * 0.07 * share
            half = size * 0.032 * (1 - share) ** 0.7 + 0.5
            left.append((middle - half, foot - share * size))
            right.append((middle + half, foot - share * size))
        draw.polygon([*left, *right[::-1]], fill=255)
    canvas.lay_sheet(mask, 2, times(colour, ground.palette.light))


def corals(ground: Ground, heights: Array, rng: np.random.Generator) -> None:
    """Set corals and stones on the sand."""
    canvas = ground.canvas
    sheet = Image.new("RGBA", (canvas.width * 2, canvas.height * 2))
    draw = ImageDraw.Draw(sheet)
    for x in rng.uniform(0, 1, 9):
        foot = (
            float(heights[int(x * (canvas.width - 1))]) + rng.uniform(0.02, 0.1) * canvas.height
        ) * 2
        colour = ink(
            times(
                hexed(str(rng.choice(["e8707a", "f2a65a", "c878c8", "e8d06a"]))),
                ground.palette.light,
            )
        )
        size = canvas.height * rng.uniform(0.03, 0.07) * 2
        for branch in range(5):
            lean = (branch - 2) * 0.28
            tip = (x * canvas.width * 2 + lean * size * 1.3, foot - size * (1.25 - abs(lean) * 0.6))
            draw.line(
                (x * canvas.width * 2, foot, *tip), fill=colour, width=max(3, round(size * 0.2))
            )
            r = size * 0.13
            draw.ellipse((tip[0] - r, tip[1] - r, tip[0] + r, tip[1] + r), fill=colour)
    canvas.lay_sheet(sheet, 2)
