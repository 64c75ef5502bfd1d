"""Changes of a whole picture's colours: tints, times of day, strength, styles.

Pictures are colours from 0 to 1; every function returns a new one.
"""

import math

import numpy as np
from PIL import Image, ImageFilter

from emulators.painter.canvas import column, smooth
from emulators.painter.noise import field
from emulators.painter.palette import Array, Colour, hexed, mix
from emulators.painter.sketch import as_floats
from emulators.painter.weather import add_particles, rainfall, snowfall

INK = hexed("1a1626")
PAPER = hexed("fdfaf2")


def bright(picture: Array) -> Array:
    """Return how bright each pixel looks."""
    weights = np.asarray((0.2126, 0.7152, 0.0722), np.float32)
    return np.asarray(picture @ weights, np.float32)


def toned(picture: Array, colours: list[tuple[float, Colour]], share: float) -> Array:
    """Return a picture drawn toward a scale of colours from dark to light."""
    ramp = column(colours, bright(picture))
    mixed: Array = picture + (ramp - picture) * np.float32(share)
    return mixed


def tinted(picture: Array, colour: Colour, share: float = 0.74) -> Array:
    """Return a picture that is clearly of one colour, with its light and shade kept."""
    scale = [(0.0, mix(colour, INK, 0.82)), (0.5, colour), (1.0, mix(colour, PAPER, 0.8))]
    if min(colour) > 0.8:  # white: lighten
        return np.asarray(1 - (1 - picture) * 0.42, np.float32)
    if max(colour) < 0.25:  # black: darken
        return np.asarray(
            toned(picture, [(0.0, INK), (1.0, hexed("9a98a6"))], 0.85) * 0.62, np.float32
        )
    return toned(picture, scale, share)


def grey(picture: Array) -> Array:
    """Return a black and white photograph."""
    light = smooth(0.02, 0.98, bright(picture))
    return np.repeat(light[..., None], 3, axis=2)


def sepia(picture: Array) -> Array:
    """Return an old photograph."""
    scale = [(0.0, hexed("2a1a10")), (0.5, hexed("a5805a")), (1.0, hexed("f8ead0"))]
    return toned(picture, scale, 0.9)


def at_night(picture: Array, rng: np.random.Generator) -> Array:
    """Return a picture by moonlight, with stars where its sky was bright."""
    scale = [(0.0, hexed("050818")), (0.5, hexed("1c2c5c")), (1.0, hexed("7f9ad8"))]
    dark = toned(picture, scale, 0.72) * 0.66
    height, width = dark.shape[:2]
    for _ in range(150):
        x, y = int(rng.integers(1, width - 1)), int(rng.integers(1, max(2, height // 2)))
        if picture[y, x].sum() > 0.75 and np.ptp(picture[y - 1 : y + 2, x - 1 : x + 2]) < 0.3:
            dark[y, x] = 1.0
            dark[y, x - 1 : x + 2] = np.maximum(dark[y, x - 1 : x + 2], 0.55)
            dark[y - 1 : y + 2, x] = np.maximum(dark[y - 1 : y + 2, x], 0.55)
    return dark


def warm(picture: Array) -> Array:
    """Return a picture in warmer light."""
    gain = np.asarray((1.16, 1.02, 0.78), np.float32)
    lift = np.asarray((0.03, 0.01, 0.0), np.float32)
    return np.asarray(np.clip(picture * gain + lift, 0, 1), np.float32)


def cool(picture: Array) -> Array:
    """Return a picture in colder light."""
    return np.clip(picture * np.asarray((0.80, 0.98, 1.18), np.float32), 0, 1)


def at_sunset(picture: Array) -> Array:
    """Return a picture in the last light of a day."""
    scale = [
        (0.0, hexed("2a1a3c")),
        (0.45, hexed("c05a6a")),
        (0.8, hexed("ffae6a")),
        (1.0, hexed("fff0cc")),
    ]
    return toned(picture, scale, 0.62)


def by_day(picture: Array) -> Array:
    """Return a picture in clear daylight."""
    lifted = np.clip(picture, 0, 1) ** 0.62
    return vivid(np.asarray(lifted, np.float32), 1.15)


def lighter(picture: Array, power: float = 0.62) -> Array:
    """Return a brighter picture; a power above 1 makes it darker."""
    return np.asarray(np.clip(picture, 0, 1) ** power, np.float32)


def vivid(picture: Array, strength: float = 1.55) -> Array:
    """Return stronger colours."""
    middle = bright(picture)[..., None]
    return np.clip(middle + (picture - middle) * np.float32(strength), 0, 1)


def contrasted(picture: Array) -> Array:
    """Return stronger light and shade."""
    return smooth(0.08, 0.92, picture)


def blurred(picture: Array) -> Array:
    """Return a soft picture."""
    radius = max(2.0, picture.shape[0] / 110)
    return as_floats(as_image(picture).filter(ImageFilter.GaussianBlur(radius)))


def in_snow(picture: Array, rng: np.random.Generator) -> Array:
    """Return a picture under snow that still falls."""
    height, width = picture.shape[:2]
    scale = [(0.0, hexed("2c3850")), (0.5, hexed("a9bcd6")), (1.0, hexed("ffffff"))]
    pale = toned(vivid(picture, 0.75), scale, 0.45)
    low = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    drift = smooth(0.62, 0.9, low + (field(rng, (6, 4), (width, height)) - 0.5) * 0.25)
    pale += (np.asarray(hexed("eef4fb"), np.float32) - pale) * (drift * 0.7)[..., None]
    add_particles(pale, snowfall(min(width, height * 1.25), rng), 0.0)
    return pale


def in_rain(picture: Array, rng: np.random.Generator) -> Array:
    """Return a picture on a rainy day."""
    height, width = picture.shape[:2]
    wet = toned(
        picture, [(0.0, hexed("1a2230")), (0.5, hexed("6f7f90")), (1.0, hexed("d8e0e6"))], 0.6
    )
    add_particles(wet, rainfall(min(width, height * 1.25), rng), 0.0)
    return wet


def in_fog(picture: Array) -> Array:
    """Return a picture in mist, thicker with height."""
    share = np.linspace(0.75, 0.3, picture.shape[0], dtype=np.float32)[:, None, None]
    return np.asarray(
        picture + (np.asarray(hexed("d5dde2"), np.float32) - picture) * share, np.float32
    )


def pencil(picture: Array) -> Array:
    """Return a drawing in pencil."""
    gray = as_image(picture).convert("L")
    soft = gray.filter(ImageFilter.GaussianBlur(max(2.0, picture.shape[0] / 160)))
    base, smoothed = as_floats(gray), as_floats(soft)
    lines = np.clip(base / np.maximum(smoothed, 0.02), 0, 1) ** 2.2
    shade = 0.72 + 0.28 * smooth(0.1, 0.75, base)
    return column([(0.0, hexed("2c2a33")), (1.0, PAPER)], np.asarray(lines * shade, np.float32))


def pixels(picture: Array) -> Array:
    """Return pixel art."""
    height, width = picture.shape[:2]
    cell = max(4, round(max(width, height) / 128))
    small = as_image(picture).resize(
        (max(1, width // cell), max(1, height // cell)), Image.Resampling.BOX
    )
    few = small.quantize(28).convert("RGB")
    return as_floats(few.resize((width, height), Image.Resampling.NEAREST))


def painterly(picture: Array, rng: np.random.Generator, strength: float = 1.0) -> Array:
    """Return a picture in brush strokes that follow a flow of their own."""
    height, width = picture.shape[:2]
    size = (width, height)
    angle = field(rng, (5, 4), size) * math.tau * 1.5
    across, down = np.cos(angle), np.sin(angle)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    reach = max(3.0, height / 75) * strength
    total = np.zeros_like(picture)
    steps = (-1.0, -0.6, -0.25, 0.25, 0.6, 1.0)
    for step in steps:
        rows = np.clip(y + down * reach * step, 0, height - 1).astype(np.intp)
        columns = np.clip(x + across * reach * step, 0, width - 1).astype(np.intp)
        total += picture[rows, columns]
    stroked = total / len(steps)
    bristle = field(rng, (max(8, width // 7), max(8, height // 7)), size) - 0.5
    rows = np.clip(y + down * reach, 0, height - 1).astype(np.intp)
    columns = np.clip(x + across * reach, 0, width - 1).astype(np.intp)
    relief = (bristle - bristle[rows, columns]) * 0.16
    levels = np.round(stroked * 11) / 11
    mixed = stroked * 0.55 + levels * 0.45 + relief[..., None]
    return vivid(np.clip(mixed, 0, 1).astype(np.float32), 1.18)


def as_image(picture: Array) -> Image.Image:
    """Return colours from 0 to 1 as an image."""
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
