"""Films as frames."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from emulators.orders import FilmOrder

Plane = np.ndarray[Any, np.dtype[np.uint8]]
Planes = tuple[Plane, Plane, Plane]


def frames(order: FilmOrder, size: tuple[int, int], count: int) -> Iterator[Planes]:
    """Yield the planes Y, U, V of every frame."""
    width, height = size
    x = np.arange(width)[None, :]
    y = np.arange(height)[:, None]
    half = np.full((height // 2, width // 2), 120, np.uint8)
    for at in range(count):
        yield (60 + ((x + y + at * 4) % 160)).astype(np.uint8), half, half
