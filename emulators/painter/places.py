"""The places: each lays its land from the horizon to the viewer's feet."""

import math

import numpy as np
from PIL import Image, ImageDraw

from emulators.painter.canvas import Canvas, smooth
from emulators.painter.land import (
    Ground,
    broad_trees,
    conifers,
    fade_below,
    flowers,
    ink,
    peaks,
    rolling,
)
from emulators.painter.noise import line
from emulators.painter.palette import SNOW, Array, Colour, hexed, mix, times
from emulators.painter.sketch import Sketch
from emulators.painter.water import lay_water

PINE = hexed("2d5a4a")
ROCK = hexed("6a6f86")
SAND = hexed("ecd3a0")
HOUSES = hexed("4a5270")
FOOT = 0.80  # where the nearest ground begins, a part of the picture's height


def nearest(ground: Ground, base: Colour, height: float = FOOT) -> Array:
    """Lay the ground the subject stands on and return its line."""
    heights = ground.line(height, 0.022, 0.8, octaves=2)
    rolling(ground, base, 0.0, heights)
    return heights


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


def aspect(canvas: Canvas) -> float:
    """Return how much wider than a square a picture is."""
    return canvas.width / canvas.height


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


def city(ground: Ground, sky: Array, light_x: float) -> Array:
    """Three rows of houses, lit when it is dark, and a quay in front."""
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
    """Draw one row of houses with their windows."""
    canvas, rng = ground.canvas, ground.rng
    sheet = Image.new("RGBA", (canvas.width, canvas.height))
    draw = ImageDraw.Draw(sheet)
    wall = ground.colour(HOUSES, distance)
    is_evening = ground.palette.is_dark or ground.palette.top[2] < 0.55
    lamp = (
        mix(hexed("ffd98a"), wall, 0.1 + 0.45 * distance)
        if is_evening
        else mix(wall, ground.palette.low, 0.35)
    )
    x = -0.02
    step = 1.04 / max(4, count)
    while x < 1.02:
        wide = step * rng.uniform(0.7, 1.5)
        height = tall * (0.3 + 0.7 * rng.random() ** 1.6)
        left, right = round(x * canvas.width), round((x + wide * 0.96) * canvas.width)
        top = round((foot - height) * canvas.height)
        tone = ink(mix(wall, ground.palette.shade, rng.uniform(0, 0.22)))
        draw.rectangle((left, top, right, canvas.height), fill=tone)
        if rng.random() < 0.25:
            middle = (left + right) // 2
            draw.line(
                (middle, top - canvas.height // 22, middle, top),
                fill=tone,
                width=max(1, canvas.height // 400),
            )
        windows(
            draw,
            (left, top, right, round(foot * canvas.height)),
            ink(lamp),
            lit if is_evening else 0.55,
            rng,
            canvas.height,
        )
        x += wide
    canvas.lay_sheet(sheet)
    fade_below(
        canvas,
        np.full(canvas.width, (foot - tall * 0.45) * canvas.height, np.float32),
        ground.palette.haze,
        canvas.height * 0.3,
        0.4,
    )


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
