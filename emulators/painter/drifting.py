"""Snow, rain and motes over the light plane of a film, drawn from points made once."""

import numpy as np

from emulators.painter.planes import WHITE_Y, Plane
from emulators.painter.weather import Particles, soft_dot, streak


class Drift:
    """Particles ready to be drawn into many frames, all pixels of all of them at once."""

    def __init__(self, particles: Particles, size: tuple[int, int]) -> None:
        self._particles = particles
        self._width, self._height = size
        downs, acrosses, weights, owners = [], [], [], []
        for at in range(particles.x.size):
            radius = float(particles.radius[at])
            shape = streak(radius) if particles.is_streak else soft_dot(radius)
            down, across = np.nonzero(shape > 0.02)
            downs.append(down - shape.shape[0] // 2)
            acrosses.append(across - shape.shape[1] // 2)
            weights.append(shape[down, across] * particles.alpha[at])
            owners.append(np.full(down.size, at))
        self._down = np.concatenate(downs).astype(np.int32)
        self._across = np.concatenate(acrosses).astype(np.int32)
        self._weight = np.concatenate(weights).astype(np.float32)
        self._owner = np.concatenate(owners).astype(np.intp)

    def draw(self, light: Plane, t: float) -> None:
        """Draw all of them where they are at a moment."""
        xs, ys = self._particles.at(t)
        x = np.round(xs * self._width).astype(np.int32)[self._owner] + self._across
        y = np.round(ys * self._height).astype(np.int32)[self._owner] + self._down
        seen = (x >= 0) & (x < self._width) & (y >= 0) & (y < self._height)
        places = y[seen] * self._width + x[seen]
        flat = light.reshape(-1)
        now = flat[places].astype(np.float32)
        now += (WHITE_Y - now) * self._weight[seen]
        flat[places] = now.astype(np.uint8)
