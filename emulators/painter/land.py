"""The land: ridges behind ridges, each paler with distance, with trees, snow and flowers on"
" them."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from emulators.painter.canvas import Canvas, smooth
from emulators.painter.noise import clouds, line, ridge
from emulators.painter.palette import SNOW, Array, Colour, Palette, hexed, mix, times

FOOT = 0.80  # where the nearest ground begins, a part of the picture's height


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the layers of one picture share."""

    canvas: Canvas
    palette: Palette
    is_snowy: bool
    horizon: float
    rng: np.random.Generator

    def colour(self, base: Colour, distance: float) -> Colour:
        """Return a ground's colour as it looks from afar: 0 is near, 1 is at the horizon."""
        lit = times(base, mix(self.palette.light, self.palette.shade, 0.18 + 0.2 * distance))
        if base[2] > 0.8 and not self.palette.is_dark:
            lit = mix(mix(SNOW, self.palette.shade, 0.12), lit, 0.3)  # snow keeps its white
        return mix(lit, self.palette.haze, distance)

    def soil(self, other: Colour, share: float) -> Colour:
        """Return the place's ground with another colour in it; snow stays snow."""
        return mix(self.palette.ground, other, share * (0.15 if self.is_snowy else 1.0))

    def line(self, height: float, rise: float, waves: float, octaves: int = 3) -> Array:
        """Return a rolling line at a part of the picture's height, in pixels."""
        wave = line(
            self.rng, waves * self.canvas.width / self.canvas.height, self.canvas.width, octaves
        )
        return np.asarray((height - wave * rise) * self.canvas.height, np.float32)


def rolling(ground: Ground, base: Colour, distance: float, heights: Array) -> None:
    """Lay one rolling layer, brighter at its crest."""
    colour = ground.colour(base, distance)
    crest = mix(colour, ground.palette.light, 0.22 * (1 - 0.5 * distance))
    lower = mix(colour, ground.palette.haze, 0.25 + 0.3 * distance)
    ground.canvas.fill_below(heights, crest, colour, ground.canvas.height * 0.05)
    soft = heights + ground.canvas.height * 0.05
    depth = ground.canvas.height * 0.22
    fade_below(ground.canvas, soft, lower, depth, 0.65)


def fade_below(canvas: Canvas, heights: Array, colour: Colour, depth: float, most: float) -> None:
    """Let a colour grow below a line, as mist between hills does."""
    top = max(0, int(heights.min()))
    if top >= canvas.height:
        return
    rows = np.arange(top, canvas.height, dtype=np.float32)[:, None]
    share = np.clip((rows - heights[None, :]) / depth, 0, 1) * most
    canvas.lay(colour, share.astype(np.float32), top)


def peaks(
    ground: Ground,
    base: Colour,
    distance: float,
    height: float,
    rise: float,
    waves: float,
    has_snow: bool = True,
) -> None:
    """Lay a mountain range with lit and shaded faces, and snow on its tops."""
    canvas, rng = ground.canvas, ground.rng
    shape = ridge(rng, waves * canvas.width / canvas.height, canvas.width)
    heights = (height - shape * rise) * canvas.height
    colour = ground.colour(base, distance)
    lower = mix(colour, ground.palette.haze, 0.55)
    canvas.fill_below(heights, colour, lower, canvas.height * rise * 1.25)
    top = max(0, int(heights.min()) - 1)
    bottom = min(canvas.height, int(height * canvas.height) + 2)
    rows = np.arange(top, bottom, dtype=np.float32)[:, None]
    if rows.size == 0:
        return
    inside = np.clip(rows - heights[None, :] + 0.5, 0, 1)
    size = (canvas.width, rows.shape[0])
    cells = (max(3, round(9 * canvas.width / canvas.height)), 7)
    rough = clouds(rng, cells, size)
    soft = np.ones(canvas.width // 48 + 1) / (canvas.width // 48 + 1)
    slope = np.convolve(np.gradient(heights), soft, mode="same")
    steep = slope[None, :] * 0.6 + (rough - 0.5) * 3.0
    shaded = smooth(-0.5, 0.7, steep.astype(np.float32)) * inside * 0.42
    canvas.lay(mix(colour, ground.palette.shade, 0.55), shaded.astype(np.float32), top)
    if not has_snow:
        return
    limit = (height - rise * 0.56) * canvas.height
    depth = (limit - rows) / (canvas.height * rise) + (rough - 0.5) * 0.62
    snow = smooth(-0.02, 0.05, depth.astype(np.float32)) * inside
    white = mix(
        times(SNOW, mix(ground.palette.light, (1, 1, 1), 0.3)), ground.palette.haze, distance * 0.5
    )
    canvas.lay(white, (snow * (1 - shaded * 0.75)).astype(np.float32), top)


def conifers(
    ground: Ground, base: Colour, distance: float, heights: Array, size: float, count: int
) -> None:
    """Plant a row of firs on a line; `size` is a part of the picture's height."""
    canvas, rng = ground.canvas, ground.rng
    mask = Image.new("L", (canvas.width * 2, canvas.height * 2))
    draw = ImageDraw.Draw(mask)
    caps = Image.new("L", mask.size)
    draw_caps = ImageDraw.Draw(caps)
    for x in np.sort(rng.uniform(-0.02, 1.02, count)):
        at = int(np.clip(x * canvas.width, 0, canvas.width - 1))
        tall = size * canvas.height * rng.uniform(0.6, 1.15) * 2
        base_y = float(heights[at]) * 2 + tall * 0.12
        fir(draw, x * canvas.width * 2, base_y, tall)
        if ground.is_snowy:
            fir_snow(draw_caps, x * canvas.width * 2, base_y, tall)
    colour = ground.colour(base, distance)
    canvas.lay_sheet(mask, 2, colour)
    if ground.is_snowy:
        canvas.lay_sheet(caps, 2, mix(ground.colour(SNOW, distance), colour, 0.12))


def fir(draw: ImageDraw.ImageDraw, x: float, base: float, tall: float) -> None:
    """Draw one fir: a trunk and four tiers."""
    draw.rectangle((x - tall * 0.03, base - tall * 0.2, x + tall * 0.03, base), fill=255)
    for tier in range(4):
        low = base - tall * (0.08 + tier * 0.21)
        high = low - tall * 0.34
        half = tall * (0.24 - tier * 0.048)
        draw.polygon(
            [(x - half, low), (x, high), (x + half, low), (x, low - tall * 0.05)], fill=255
        )


def fir_snow(draw: ImageDraw.ImageDraw, x: float, base: float, tall: float) -> None:
    """Draw the snow that lies on a fir's tiers."""
    for tier in range(4):
        low = base - tall * (0.08 + tier * 0.21)
        high = low - tall * 0.34
        half = tall * (0.24 - tier * 0.048)
        edge = (x - half * 0.55, low - tall * 0.155)
        middle = (x - half * 0.08, low - tall * 0.20)
        draw.polygon([edge, (x, high), (x + half * 0.30, low - tall * 0.225), middle], fill=255)


def broad_trees(
    ground: Ground, base: Colour, distance: float, heights: Array, size: float, count: int
) -> None:
    """Plant round trees on a line."""
    canvas, rng = ground.canvas, ground.rng
    mask = Image.new("L", (canvas.width * 2, canvas.height * 2))
    draw = ImageDraw.Draw(mask)
    for x in rng.uniform(0.0, 1.0, count):
        at = int(np.clip(x * canvas.width, 0, canvas.width - 1))
        tall = size * canvas.height * rng.uniform(0.7, 1.2) * 2
        foot, middle = float(heights[at]) * 2 + tall * 0.05, x * canvas.width * 2
        draw.rectangle(
            (middle - tall * 0.035, foot - tall * 0.5, middle + tall * 0.035, foot), fill=255
        )
        for across, up, radius in ((0, 0.68, 0.30), (-0.20, 0.52, 0.22), (0.20, 0.53, 0.22)):
            u, v, r = middle + across * tall, foot - up * tall, radius * tall
            draw.ellipse((u - r, v - r * 0.95, u + r, v + r * 0.95), fill=255)
    canvas.lay_sheet(mask, 2, ground.colour(base, distance))


def flowers(ground: Ground, heights: Array) -> None:
    """Strew small flowers and blades over the nearest ground."""
    canvas, rng = ground.canvas, ground.rng
    sheet = Image.new("RGBA", (canvas.width * 2, canvas.height * 2))
    draw = ImageDraw.Draw(sheet)
    colours = [hexed(c) for c in ("f6e27a", "f2f0ea", "ef8fb0", "f0a04a", "b58ae0")]
    blade = ground.colour(mix(ground.palette.ground, hexed("2f5a2c"), 0.5), 0.0)
    for _ in range(round(230 * canvas.width / canvas.height)):
        x = rng.uniform(0, canvas.width - 1)
        down = rng.random() ** 0.8
        y = heights[int(x)] + (canvas.height - heights[int(x)]) * (0.08 + 0.95 * down)
        tall = canvas.height * (0.008 + 0.022 * down) * 2
        lean = rng.uniform(-0.4, 0.4) * tall
        draw.line(
            (x * 2, y * 2, x * 2 + lean, y * 2 - tall),
            fill=ink(blade),
            width=max(1, round(tall / 9)),
        )
        if rng.random() < 0.34:
            colour = times(colours[int(rng.integers(len(colours)))], ground.palette.light)
            r = tall * 0.2
            u, v = x * 2 + lean, y * 2 - tall
            draw.ellipse((u - r, v - r, u + r, v + r), fill=ink(colour))
    canvas.lay_sheet(sheet, 2)


def ink(colour: Colour) -> tuple[int, int, int, int]:
    """Return a colour as Pillow wants it."""
    red, green, blue = (round(255 * min(1.0, part)) for part in colour)
    return red, green, blue, 255


def nearest(ground: Ground, base: Colour, height: float = FOOT) -> Array:
    """Lay the ground the subject stands on and return its line."""
    heights = ground.line(height, 0.022, 0.8, octaves=2)
    rolling(ground, base, 0.0, heights)
    return heights


def aspect(canvas: Canvas) -> float:
    """Return how much wider than a square a picture is."""
    return canvas.width / canvas.height
