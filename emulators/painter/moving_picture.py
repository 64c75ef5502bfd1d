"""A given picture as a film: a slow camera over it, light that drifts, motes or weather."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from emulators.painter.drifting import Drift
from emulators.painter.noise import field
from emulators.painter.planes import Planes, between, planes_of, resized
from emulators.painter.reading import WEATHERS, comparable
from emulators.painter.sketch import as_floats
from emulators.painter.vocabulary import matches
from emulators.painter.weather import Particles, motes, rainfall, snowfall

ZOOM = 0.13  # how much closer the camera comes
LIGHT_Y = 20  # the most that drifting light adds; with white's 235 it stays within 8 bits
FADE_FROM = 0.55  # where the cross-fade to an end picture begins
OUT = re.compile(r"zoom(?:ing)? out|pull(?:ing)? back|отдал|назад|отъезд")
LEFT = re.compile(r"(?:pan|move|camera)\w* (?:to the )?left|влево|налево")
RIGHT = re.compile(r"(?:pan|move|camera)\w* (?:to the )?right|вправо|направо")


@dataclass(frozen=True, slots=True)
class Camera:
    """A move over a picture: from one zoom and place to another, places as parts of the slack."""

    zoom: tuple[float, float]
    x: tuple[float, float]
    y: tuple[float, float]

    def box(self, size: tuple[int, int], t: float) -> tuple[float, float, float, float]:
        """Return the part of a picture of some size that is seen at a moment."""
        eased = t * t * (3 - 2 * t)
        zoom = self.zoom[0] + (self.zoom[1] - self.zoom[0]) * eased
        wide, tall = size[0] / zoom, size[1] / zoom
        left = (size[0] - wide) * (self.x[0] + (self.x[1] - self.x[0]) * eased)
        top = (size[1] - tall) * (self.y[0] + (self.y[1] - self.y[0]) * eased)
        return left, top, left + wide, top + tall


def camera_for(prompt: str, rng: np.random.Generator) -> Camera:
    """Return the move a prompt asks for, or one by chance."""
    text = comparable(prompt)
    near, far = 1 + ZOOM, 1.02
    if LEFT.search(text):
        return Camera((near, near), (0.95, 0.05), (0.5, 0.5))
    if RIGHT.search(text):
        return Camera((near, near), (0.05, 0.95), (0.5, 0.5))
    x = (0.5, float(rng.uniform(0.3, 0.7)))
    y = (0.5, float(rng.uniform(0.45, 0.75)))
    return Camera((near, far), x[::-1], y[::-1]) if OUT.search(text) else Camera((far, near), x, y)


def particles_in(prompt: str, unit: float, rng: np.random.Generator) -> Particles:
    """Return the weather a prompt names, or motes of light."""
    weathers = {name for name, _ in matches(WEATHERS, comparable(prompt))}
    if "snow" in weathers:
        return snowfall(unit, rng)
    if "rain" in weathers:
        return rainfall(unit, rng)
    return motes(unit * 1.1, rng, (1.0, 0.97, 0.88))


def fitted(image: Image.Image, size: tuple[int, int]) -> Planes:
    """Return a picture as planes of a film's size, its edges cut where the ratios differ."""
    return planes_of(as_floats(ImageOps.fit(image, size, Image.Resampling.LANCZOS)))


class DriftingLight:
    """Soft light that passes over a film's light plane."""

    def __init__(self, size: tuple[int, int], rng: np.random.Generator) -> None:
        width, height = size
        self._size = size
        self._slack = width // 2
        wide = field(rng, (4, 2), (width + self._slack, height))
        self._map = (np.clip((wide - 0.42) * 2.2, 0, 1) * LIGHT_Y).astype(np.uint8)

    def draw(self, planes: Planes, t: float) -> None:
        """Brighten a frame at a moment."""
        left = round(self._slack * t)
        light = planes[0]
        light += self._map[:, left : left + self._size[0]]


class MovingPicture:
    """The frames of a film that starts from one picture and may end in another."""

    def __init__(
        self,
        prompt: str,
        image: Image.Image,
        end_image: Image.Image | None,
        size: tuple[int, int],
        count: int,
        rng: np.random.Generator,
    ) -> None:
        self._size = size
        self._count = count
        self._start = fitted(image, size)
        self._end = None if end_image is None else fitted(end_image, size)
        self._camera = camera_for(prompt, rng)
        self._light = DriftingLight(size, rng)
        self._drift = Drift(particles_in(prompt, min(size[0], size[1] * 1.25), rng), size)

    def _seen(self, picture: Planes, t: float) -> Planes:
        y, u, v = picture
        half = (self._size[0] // 2, self._size[1] // 2)
        small = self._camera.box(half, t)
        return (
            resized(y, self._size, self._camera.box(self._size, t)).copy(),
            resized(u, half, small),
            resized(v, half, small),
        )

    def frames(self) -> Iterator[Planes]:
        """Yield every frame; the last one shows the end picture alone."""
        for at in range(self._count):
            t = at / max(1, self._count - 1)
            planes = self._seen(self._start, t)
            if self._end is not None and t > FADE_FROM:
                share = 0.5 - 0.5 * math.cos(min(1.0, (t - FADE_FROM) / 0.4) * math.pi)
                end = self._seen(self._end, 1 - t)
                step = round(share * 256)
                y, u, v = (between(a, b, step, 256) for a, b in zip(planes, end, strict=True))
                planes = (y, u, v)
            self._light.draw(planes, t)
            self._drift.draw(planes[0], t)
            yield planes
