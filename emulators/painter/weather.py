"""What falls or floats in front of everything: snow, rain, fog, bubbles, motes of light."""

import math
from dataclasses import dataclass, replace

import numpy as np

from emulators.painter.palette import Array, Colour, Palette
from emulators.painter.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Particles:
    """Soft dots or streaks that move; places are parts of the picture, sizes are pixels."""

    x: Array
    y: Array
    radius: Array
    alpha: Array
    fall: Array  # whole picture heights in a film, downward; whole numbers keep it seamless
    sway: Array
    colour: Colour
    is_streak: bool = False

    def at(self, t: float) -> tuple[Array, Array]:
        """Return where they are at a moment, as parts of the picture."""
        y = (self.y + self.fall * t) % 1.1 - 0.05
        x = self.x + self.sway * np.sin((t + self.y) * math.tau)
        return np.asarray(x, np.float32), np.asarray(y, np.float32)


def scattered(
    rng: np.random.Generator, count: int, size: tuple[float, float], unit: float, colour: Colour
) -> Particles:
    """Return falling dots of sizes between two parts of the picture's unit; few are large."""
    near = rng.random(count) ** 2.2
    return Particles(
        x=rng.uniform(-0.03, 1.03, count).astype(np.float32),
        y=rng.uniform(0, 1.1, count).astype(np.float32),
        radius=((size[0] + (size[1] - size[0]) * near) * unit).astype(np.float32),
        alpha=(0.45 + 0.5 * rng.random(count)).astype(np.float32),
        fall=(0.25 + 0.6 * near).astype(np.float32),
        sway=(rng.uniform(0.004, 0.02, count)).astype(np.float32),
        colour=colour,
    )


def snowfall(unit: float, rng: np.random.Generator) -> Particles:
    """Return falling snow."""
    return scattered(rng, 190, (0.0016, 0.0075), unit, (1.0, 1.0, 1.0))


def rainfall(unit: float, rng: np.random.Generator) -> Particles:
    """Return falling rain."""
    rain = scattered(rng, 320, (0.03, 0.07), unit, (0.85, 0.9, 1.0))
    fast = (2.0 + 2.0 * rain.alpha).astype(np.float32)
    return replace(rain, fall=fast, alpha=rain.alpha * 0.75, is_streak=True)


def motes(unit: float, rng: np.random.Generator, colour: Colour) -> Particles:
    """Return points of light that hover."""
    some = scattered(rng, 36, (0.003, 0.005), unit, colour)
    low = (0.55 + 0.45 * rng.random(36)).astype(np.float32)
    return replace(some, fall=some.fall * 0, y=low, sway=some.sway * 2)


def particles_for(
    reading: Reading, palette: Palette, unit: float, rng: np.random.Generator
) -> Particles | None:
    """Return what floats in this picture, if anything does."""
    if reading.setting == "underwater":
        some = scattered(rng, 46, (0.003, 0.014), unit, (0.92, 1.0, 0.98))
        return replace(some, fall=-some.fall, alpha=some.alpha * 0.4)
    if "snow" in reading.weathers:
        return snowfall(unit, rng)
    if "rain" in reading.weathers:
        return rainfall(unit, rng)
    if palette.is_dark and reading.setting in ("forest", "meadow"):
        return motes(unit, rng, (1.0, 0.93, 0.55))
    return None


def soft_dot(radius: float) -> Array:
    """Return a round dot that fades at its edge."""
    reach = math.ceil(radius + 1)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(np.clip(radius + 0.5 - np.hypot(x, y), 0, 1), np.float32)


def streak(length: float) -> Array:
    """Return a thin slanting line of rain."""
    tall = max(3, round(length))
    rows = np.arange(tall, dtype=np.float32)[:, None]
    columns = np.arange(max(2, tall // 5), dtype=np.float32)[None, :]
    far = np.abs(columns - (tall - rows) / 5)
    return (np.clip(1.0 - far, 0, 1) * np.minimum(1, rows / tall + 0.2)).astype(np.float32)


def add_particles(picture: Array, particles: Particles, t: float) -> None:
    """Draw particles over a picture of colours, or over a single channel."""
    height, width = picture.shape[:2]
    colour = np.asarray(particles.colour, np.float32)
    xs, ys = particles.at(t)
    for x, y, radius, alpha in zip(xs, ys, particles.radius, particles.alpha, strict=True):
        mask = (streak(radius) if particles.is_streak else soft_dot(radius)) * alpha
        top, left = round(y * height) - mask.shape[0] // 2, round(x * width) - mask.shape[1] // 2
        y0, x0 = max(0, top), max(0, left)
        y1, x1 = min(height, top + mask.shape[0]), min(width, left + mask.shape[1])
        if y0 < y1 and x0 < x1:
            part = mask[y0 - top : y1 - top, x0 - left : x1 - left, None]
            picture[y0:y1, x0:x1] += (colour - picture[y0:y1, x0:x1]) * part
