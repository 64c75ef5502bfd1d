"""A scene as a film: clouds drift, stars twinkle, water ripples, subjects breathe and bob.

Whatever stands still is turned into video planes once; a frame is mostly copying.
"""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from emulators.painter.drifting import Drift
from emulators.painter.palette import Array
from emulators.painter.planes import (
    WHITE_Y,
    Plane,
    Planes,
    between,
    chroma,
    halved,
    luma,
    resized,
    rounded,
)
from emulators.painter.scene import Actor, Scene, corner_and_glow
from emulators.painter.sky import Stars
from emulators.painter.water import ripple_rows

SKY_EVERY = 4  # the sky is drawn anew every so many frames and blended between
POSE_EVERY = 2
Fixed = npt.NDArray[np.uint16]


class MovingActor:
    """A subject that moves a little around its place."""

    def __init__(self, actor: Actor, scene: Scene, phase: float) -> None:
        tall, wide = actor.sprite.alpha.shape
        margin = max(4, round(tall * 0.06)) // 2 * 2 + (tall % 2)
        side = max(4, round(tall * 0.06)) // 2 * 2 + (wide % 2)
        pad = ((margin, margin + tall % 2), (side, side + wide % 2))
        alpha = np.pad(actor.sprite.alpha, pad)
        alpha = alpha[: alpha.shape[0] // 2 * 2, : alpha.shape[1] // 2 * 2]
        rgb = np.pad(actor.sprite.rgb, (*pad, (0, 0)), mode="edge")
        rgb = rgb[: alpha.shape[0], : alpha.shape[1]]
        u, v = chroma(rgb)
        small = halved(alpha)
        self._alpha = rounded(alpha * 255)
        self._small_alpha = rounded(small * 255)
        self._y = rounded(luma(rgb))
        self._u, self._v = rounded(halved(u)), rounded(halved(v))
        self.left = (actor.left - side) // 2 * 2
        self.top = (actor.top - margin) // 2 * 2
        self._margin = margin
        self._place = actor.place
        self._phase = phase
        self._pose: tuple[Plane, Plane, Plane, Plane, Plane] | None = None
        self._swing = scene.height * {"water": 0.010, "sky": 0.016, "deep": 0.014}.get(
            actor.place, 0
        )

    def _box(self, t: float) -> tuple[float, float, float, float]:
        """Return the part of the drawing to show at a moment: it moves and stretches it."""
        height, width = self._alpha.shape
        wave = math.sin((t * 2 + self._phase) * math.tau)
        slow = math.sin((t + self._phase) * math.tau)
        if self._place == "ground":  # breathing: the feet stay, the head rises
            return (0.0, height * 0.006 * (1 + wave), float(width), float(height))
        down = min(self._swing, self._margin) * wave
        across = min(self._swing, self._margin) * slow * (1.5 if self._place == "deep" else 0.6)
        left, top = max(0.0, across), max(0.0, down)
        return (left, top, width + min(0.0, across), height + min(0.0, down))

    def _posed(self, t: float) -> tuple[Plane, Plane, Plane, Plane, Plane]:
        """Return Y, U, V and both covers as they look at a moment."""
        box = self._box(t)
        half = (box[0] / 2, box[1] / 2, box[2] / 2, box[3] / 2)
        height, width = self._alpha.shape
        full, small = (width, height), (width // 2, height // 2)
        return (
            resized(self._y, full, box),
            resized(self._u, small, half),
            resized(self._v, small, half),
            resized(self._alpha, full, box),
            resized(self._small_alpha, small, half),
        )

    def draw(self, planes: Planes, at: int, count: int) -> None:
        """Draw it into a frame; its pose changes with every other one."""
        if at % POSE_EVERY == 0 or self._pose is None:
            self._pose = self._posed(at / count)
        y, u, v, alpha, small = self._pose
        lay(planes[0], y, alpha, self.left, self.top)
        lay(planes[1], u, small, self.left // 2, self.top // 2)
        lay(planes[2], v, small, self.left // 2, self.top // 2)


def lay(plane: Plane, values: Plane, alpha: Plane, left: int, top: int) -> None:
    """Lay a drawing over a plane; what is outside is cut off."""
    height, width = plane.shape
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(height, top + values.shape[0]), min(width, left + values.shape[1])
    if y0 >= y1 or x0 >= x1:
        return
    cut = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    here = plane[y0:y1, x0:x1]
    share = alpha[cut].astype(np.uint16)
    share += share >> np.uint16(7)  # 255 becomes 256, so that a shift divides
    mixed = here * (np.uint16(256) - share)
    mixed += values[cut] * share
    mixed >>= np.uint16(8)
    here[:] = mixed


class MovingScene:
    """The frames of a scene."""

    def __init__(self, scene: Scene, count: int) -> None:
        self._scene = scene
        self._count = count
        self._size = (scene.width, scene.height)
        corner, glow = corner_and_glow(scene)
        alpha = np.clip(scene.land.alpha, 0, 1)
        solid = np.flatnonzero((alpha < 0.998).any(axis=1))
        self._sky_rows = min(scene.height, (int(solid[-1]) + 2) // 2 * 2 if solid.size else 0)
        layers = scene.land.layers.copy()
        for layer, sun in zip(layers, scene.palette.sun, strict=True):
            layer += (alpha - layer) * (glow * np.float32(sun))
            layer *= corner
        empty = (1 - alpha) * corner
        light = light_of(layers)
        self._land_y = fixed(219 * light + glow * (1 - alpha) * 110)
        self._open_y = fixed(empty)
        u = 128 + np.float32(224 / 1.8556) * (layers[2] - light)
        v = 128 + np.float32(224 / 1.5748) * (layers[0] - light)
        self._land_uv = (halved(u), halved(v))
        self._open_uv = halved((1 - alpha).astype(np.float32))
        self._below = (
            rounded(16 + 219 * np.clip(light, 0, 1)),
            rounded(self._land_uv[0]),
            rounded(self._land_uv[1]),
        )
        self._keys: dict[int, Planes] = {}
        self._actors = [
            MovingActor(actor, scene, at * 0.37) for at, actor in enumerate(scene.actors)
        ]
        self._drift = Drift(scene.particles, self._size) if scene.particles else None
        stars = scene.sky.stars
        self._stars = StarPoints(stars, empty) if stars is not None else None

    def _key(self, number: int) -> Planes:
        """Return the rows in which sky is seen, finished, at a key frame."""
        if number not in self._keys:
            self._keys = {n: key for n, key in self._keys.items() if n == number - 1}
            small = self._scene.sky.frame(number * SKY_EVERY / max(1, self._count))
            rows = self._sky_rows
            u, v = chroma(small)
            box = (0.0, 0.0, float(small.shape[1]), rows / self._scene.height * small.shape[0])
            full, half = (self._size[0], rows), (self._size[0] // 2, rows // 2)
            light = resized(rounded(luma(small) - 16), full, box).astype(np.uint16)
            light *= self._open_y[:rows]
            light += self._land_y[:rows]
            light >>= np.uint16(8)
            light += np.uint16(16)
            colours = [
                (resized(rounded(values), half, box) - np.float32(128)) * self._open_uv[: rows // 2]
                + land[: rows // 2]
                for values, land in ((u, self._land_uv[0]), (v, self._land_uv[1]))
            ]
            self._keys[number] = (
                np.minimum(light, WHITE_Y).astype(np.uint8),
                rounded(colours[0]),
                rounded(colours[1]),
            )
        return self._keys[number]

    def frames(self) -> Iterator[Planes]:
        """Yield every frame."""
        for at in range(self._count):
            t = at / self._count
            planes = (self._below[0].copy(), self._below[1].copy(), self._below[2].copy())
            if self._scene.water is not None:
                self._ripple(planes, *self._scene.water, t)
            self._lay_sky(planes, at)
            if self._stars is not None:
                self._stars.draw(planes[0], t)
            for actor in self._actors:
                actor.draw(planes, at, self._count)
            if self._drift is not None:
                self._drift.draw(planes[0], t)
            yield planes

    def _lay_sky(self, planes: Planes, at: int) -> None:
        rows = self._sky_rows
        if rows == 0:
            return
        number, step = divmod(at, SKY_EVERY)
        keys = zip(self._key(number), self._key(number + 1), strict=True)
        for plane, (one, other) in zip(planes, keys, strict=True):
            plane[: one.shape[0]] = between(one, other, step, SKY_EVERY)

    def _ripple(self, planes: Planes, top: int, end: int, t: float) -> None:
        rows = ripple_rows(top, end, self._scene.height, t)
        planes[0][top:end] = self._below[0][rows]
        half = rows[::2] // 2
        for at in (1, 2):
            planes[at][top // 2 : end // 2] = self._below[at][half]


def light_of(layers: Array) -> Array:
    """Return how bright three layers look together, 0 to 1."""
    total: Array = layers[0] * np.float32(0.2126)
    total += layers[1] * np.float32(0.7152)
    total += layers[2] * np.float32(0.0722)
    return total


def fixed(values: Array) -> Fixed:
    """Return numbers with eight binary places."""
    return np.asarray(np.clip(values * 256 + 0.5, 0, 65535), np.uint16)


class StarPoints:
    """Stars as places in the light plane, behind whatever covers the sky."""

    def __init__(self, stars: Stars, empty: Array) -> None:
        height, width = empty.shape
        size = max(1.0, height / 620)
        reach = math.ceil(size * 2)
        offsets = range(-reach, reach + 1)
        places, weights, owners = [], [], []
        for down in offsets:
            for across in offsets:
                x, y = np.floor(stars.x) + across, np.floor(stars.y) + down
                inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
                far = np.hypot(x - stars.x, y - stars.y)
                place = (y * width + x).astype(np.intp)[inside]
                places.append(place)
                weights.append((np.exp(-((far / size) ** 2))[inside]) * empty.flat[place])
                owners.append(np.flatnonzero(inside))
        self._places = np.concatenate(places)
        self._weights = np.concatenate(weights)
        self._owners = np.concatenate(owners)
        self._stars = stars

    def draw(self, light: Plane, t: float) -> None:
        """Draw the stars at a moment; they twinkle twice in a film."""
        shine = self._stars.bright * (0.62 + 0.38 * np.sin(self._stars.phase + t * math.tau * 2))
        flat = light.reshape(-1)
        now = flat[self._places].astype(np.float32)
        now += (235 - now) * self._weights * shine[self._owners]
        np.maximum.at(flat, self._places, now.astype(np.uint8))
