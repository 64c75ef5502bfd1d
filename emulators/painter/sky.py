"""The sky: gradient, glow, clouds that drift, stars, sun and moon."""

import math
from dataclasses import dataclass

import numpy as np

from emulators.painter.canvas import Canvas, column, enlarged, smooth
from emulators.painter.noise import clouds, field, warped
from emulators.painter.palette import Array, Colour, Palette, hexed, mix
from emulators.painter.reading import Reading
from emulators.painter.sketch import Sketch, Sprite

SCALE = 4  # the sky is soft and is computed at a quarter of the picture's size
SUN_HEIGHT = {"day": 0.30, "sunset": 0.84, "dawn": 0.70, "dusk": 1.02, "overcast": 0.3}
SUN_RADIUS = {"day": 0.042, "sunset": 0.085, "dawn": 0.062}
GLOW = {"day": 0.5, "sunset": 0.95, "dawn": 0.8, "dusk": 0.6, "night": 0.35, "overcast": 0.25}
MOON = hexed("f6f0dc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stars:
    """Points of light: places in pixels, brightness, and when each twinkles."""

    x: Array
    y: Array
    bright: Array
    phase: Array


class Sky:
    """Everything behind the land. `horizon` is a part of the picture's height."""

    def __init__(
        self,
        canvas: Canvas,
        reading: Reading,
        palette: Palette,
        horizon: float,
        light_x: float,
        rng: np.random.Generator,
    ) -> None:
        self._size = (canvas.width, canvas.height)
        self._small = (max(8, canvas.width // SCALE), max(8, canvas.height // SCALE))
        self._palette = palette
        self._reading = reading
        self._light = (light_x, self._light_height(reading, horizon))
        self._unit = canvas.unit
        self._base = self._gradient(horizon, rng)
        self._clouds = self._cloud_field(rng)
        self._band = self._cloud_band(horizon)
        self._curtains = field(rng, (7, 1), self._small) if "aurora" in reading.weathers else None
        self.stars = self._scatter(canvas, horizon, rng) if palette.is_dark else None

    def _light_height(self, reading: Reading, horizon: float) -> float:
        if reading.time == "night" or reading.setting == "space":
            return horizon * 0.36
        return horizon * SUN_HEIGHT[reading.time]

    def _places(self) -> tuple[Array, Array]:
        width, height = self._small
        x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
        y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        return x, y

    def _gradient(self, horizon: float, rng: np.random.Generator) -> Array:
        palette = self._palette
        x, y = self._places()
        sway = (field(rng, (3, 2), self._small) - 0.5) * 0.16
        stops = [(0.0, palette.top), (0.55, palette.middle), (1.0, palette.low)]
        base = column(stops, np.clip(y / horizon + sway, 0, 1))
        aspect = self._size[0] / self._size[1]
        distance = np.hypot((x - self._light[0]) * aspect, y - self._light[1])
        strength = 0.1 if self._reading.setting == "space" else GLOW[self._reading.time]
        glow = np.exp(-((distance / 0.34) ** 1.5)) * strength
        glow = np.clip(glow + np.exp(-((distance / 0.10) ** 2)) * strength * 0.5, 0, 1)[..., None]
        sun = np.asarray(palette.sun, np.float32)
        lit: Array = base + (sun - base) * glow.astype(np.float32) * 0.85
        return lit

    def _cloud_field(self, rng: np.random.Generator) -> Array:
        width, height = self._small
        wide = (width * 2, height)  # drifts sideways: the film looks at a moving window of it
        cells = (max(3, round(4 * width / height)), 8)
        return warped(rng, clouds(rng, cells, wide), 0.035)

    def _cloud_band(self, horizon: float) -> Array:
        _, y = self._places()
        height = y / horizon
        amount = {"overcast": 0.34, "night": 0.03, "day": 0.10}.get(self._reading.time, 0.08)
        amount = {"space": 0.05, "underwater": -0.5}.get(self._reading.setting, amount)
        band = 0.62 - amount - 0.10 * np.exp(-(((height - 0.55) / 0.3) ** 2))
        return np.asarray(band, np.float32)

    def frame(self, t: float) -> Array:
        """Return the sky at a moment, 0 to 1 of the film, at a quarter of the size."""
        width = self._small[0]
        shift = t * width * 0.16
        whole = int(shift)
        part = shift - whole
        window = self._clouds[:, whole : whole + width + 1]
        cover = window[:, :width] * (1 - part) + window[:, 1 : width + 1] * part
        density = smooth(0.0, 0.22, cover - self._band) * 0.86
        relief = np.clip((cover - np.roll(cover, 3, axis=0)) * 5 + 0.55, 0, 1)[..., None]
        palette = self._palette
        dark = np.asarray(mix(palette.cloud, palette.middle, 0.5), np.float32)
        bright = np.asarray(palette.cloud, np.float32)
        paint = dark + (bright - dark) * relief
        picture: Array = self._base + (paint - self._base) * density[..., None]
        if self._curtains is not None:
            picture = picture + self._aurora(self._curtains, t)
        return np.clip(picture, 0, 1)

    def _aurora(self, curtains: Array, t: float) -> Array:
        x, y = self._places()
        total = np.zeros((*curtains.shape, 3), np.float32)
        for at, hue in enumerate((hexed("3df0a0"), hexed("58d8e8"), hexed("a86af0"))):
            wave = 0.30 + 0.09 * at + 0.08 * np.sin(x * (7 + 2 * at) + at * 2 + t * math.tau)
            drop = y - wave
            light = np.where(drop > 0, np.exp(-((drop / 0.035) ** 2)), np.exp(drop / 0.16))
            stripes = 0.45 + 0.55 * np.roll(curtains, round(t * 8) + at * 9, axis=1)
            total += (light * stripes * 0.62)[..., None] * np.asarray(hue, np.float32)
        return total

    def painted(self, t: float = 0.0) -> Array:
        """Return the whole sky at full size, stars included, as three layers."""
        small = np.moveaxis(self.frame(t), 2, 0)
        layers = np.clip(np.stack([enlarged(layer, self._size) for layer in small]), 0, 1)
        if self.stars is not None:
            add_stars(layers, self.stars, t)
        return layers

    def _scatter(self, canvas: Canvas, horizon: float, rng: np.random.Generator) -> Stars:
        count = 260 if self._reading.setting == "space" else 170
        return Stars(
            x=rng.uniform(2, canvas.width - 3, count).astype(np.float32),
            y=(rng.random(count) ** 1.3 * horizon * 0.97 * canvas.height + 2).astype(np.float32),
            bright=(0.25 + 0.75 * rng.random(count) ** 3).astype(np.float32),
            phase=rng.uniform(0, math.tau, count).astype(np.float32),
        )

    def disc(self) -> tuple[Sprite, int, int] | None:
        """Return sun or moon with its place (left, top), or None when neither is up."""
        reading = self._reading
        is_moon = reading.time == "night" or reading.setting == "space"
        radius = 0.062 if is_moon else SUN_RADIUS.get(reading.time, 0.0)
        if reading.setting == "space" and not (reading.has_moon or reading.has_sun):
            return None  # its planet is enough
        if reading.setting == "underwater" or radius == 0.0:
            return None
        if reading.has_moon or reading.has_sun:
            radius = max(radius, 0.13 if reading.has_moon else 0.09)
        size = max(6, round(radius * 2 * self._unit))
        sheet = Sketch(size)
        draw_moon(sheet) if is_moon else draw_sun(sheet, self._palette.sun)
        left = round(self._light[0] * self._size[0] - size / 2)
        return sheet.finish(), left, round(self._light[1] * self._size[1] - size / 2)


def draw_sun(sheet: Sketch, colour: Colour) -> None:
    """Draw the sun's disc."""
    sheet.oval(0.5, 0.5, 0.485, 0.485, mix(colour, (1.0, 1.0, 0.96), 0.35))


def draw_moon(sheet: Sketch) -> None:
    """Draw a full moon with its seas."""
    sheet.oval(0.5, 0.5, 0.485, 0.485, MOON)
    sea = mix(MOON, hexed("a9a08e"), 0.42)
    for x, y, r in (
        (0.36, 0.36, 0.12),
        (0.60, 0.30, 0.075),
        (0.64, 0.60, 0.14),
        (0.38, 0.68, 0.07),
    ):
        sheet.oval(x, y, r, r * 0.88, sea, inside=True)
    sheet.oval(0.50, 0.48, 0.045, 0.045, mix(MOON, sea, 0.7), inside=True)


def add_stars(layers: Array, stars: Stars, t: float) -> None:
    """Add stars to three layers; they twinkle once in a film."""
    height, width = layers.shape[1:]
    bright = stars.bright * (0.72 + 0.28 * np.sin(stars.phase + t * math.tau))
    size = max(1.0, height / 620)
    reach = math.ceil(size * 2)
    for down in range(-reach, reach + 1):
        for across in range(-reach, reach + 1):
            x, y = np.floor(stars.x) + across, np.floor(stars.y) + down
            far = np.hypot(x - stars.x, y - stars.y)
            light = bright * np.exp(-((far / size) ** 2))
            rows = np.clip(y, 0, height - 1).astype(np.intp)
            columns = np.clip(x, 0, width - 1).astype(np.intp)
            layers[:, rows, columns] += (1 - layers[:, rows, columns]) * light
