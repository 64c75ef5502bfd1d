"""A city on a river: rows of houses, lit when it is dark."""

import numpy as np
from PIL import Image, ImageDraw

from emulators.painter.land import Ground, aspect, fade_below, ink, nearest
from emulators.painter.palette import SNOW, Array, hexed, mix
from emulators.painter.water import lay_water

HOUSES = hexed("4a5270")


def city(ground: Ground, sky: Array, light_x: float) -> Array:
    """Three rows of houses, lit when it is dark, and the river that mirrors them."""
    h = ground.horizon
    rows = (
        (0.66, h + 0.06, 0.40, 34, 0.15),
        (0.42, h + 0.10, 0.34, 24, 0.3),
        (0.16, h + 0.17, 0.27, 15, 0.5),
    )
    for distance, foot, tall, count, lit in rows:
        skyline(ground, distance, foot, tall, round(count * aspect(ground.canvas) / 1.5), lit)
    lay_water(
        ground.canvas,
        sky,
        ground.palette,
        round((h + 0.15) * ground.canvas.height),
        light_x,
        ground.rng,
    )
    return np.full(ground.canvas.width, ground.canvas.height * 0.9, np.float32)


def quay(ground: Ground) -> Array:
    """Lay a paved bank in front of a city's river."""
    return nearest(ground, SNOW if ground.is_snowy else mix(HOUSES, hexed("8a8478"), 0.55))


def skyline(
    ground: Ground, distance: float, foot: float, tall: float, count: int, lit: float
) -> None:
    """Draw one row of houses with their windows; `lit` is the share that is lit in the dark."""
    canvas, rng = ground.canvas, ground.rng
    sheet = Image.new("RGBA", (canvas.width, canvas.height))
    draw = ImageDraw.Draw(sheet)
    wall = ground.colour(HOUSES, distance)
    is_evening = ground.palette.is_dark or ground.palette.top[2] < 0.55
    glass = mix(wall, ground.palette.low, 0.35)
    lamp = mix(hexed("ffd98a"), wall, 0.1 + 0.45 * distance) if is_evening else glass
    x = -0.02
    step = 1.04 / max(4, count)
    while x < 1.02:
        wide = step * rng.uniform(0.7, 1.5)
        height = tall * (0.3 + 0.7 * rng.random() ** 1.6)
        left, right = round(x * canvas.width), round((x + wide * 0.96) * canvas.width)
        box = (left, round((foot - height) * canvas.height), right, round(foot * canvas.height))
        tower(draw, box, ink(mix(wall, ground.palette.shade, rng.uniform(0, 0.22))), ground)
        windows(draw, box, ink(lamp), lit if is_evening else 0.55, rng, canvas.height)
        x += wide
    canvas.lay_sheet(sheet)
    low = np.full(canvas.width, (foot - tall * 0.45) * canvas.height, np.float32)
    fade_below(canvas, low, ground.palette.haze, canvas.height * 0.3, 0.4)


def tower(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    tone: tuple[int, int, int, int],
    ground: Ground,
) -> None:
    """Draw the wall of one house, down to the picture's edge; some have an aerial."""
    left, top, right, _ = box
    height = ground.canvas.height
    draw.rectangle((left, top, right, height), fill=tone)
    if ground.rng.random() < 0.25:
        middle = (left + right) // 2
        draw.line((middle, top - height // 22, middle, top), fill=tone, width=max(1, height // 400))


def windows(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    lamp: tuple[int, int, int, int],
    lit: float,
    rng: np.random.Generator,
    height: int,
) -> None:
    """Draw the windows of one house, some of them lit."""
    left, top, right, bottom = box
    size = max(2, round(height / 130))
    for y in range(top + size * 2, bottom - size, round(size * 2.4)):
        for x in range(left + size, right - size, round(size * 2.1)):
            if rng.random() < lit:
                draw.rectangle((x, y, x + size - 1, y + round(size * 1.3) - 1), fill=lamp)
