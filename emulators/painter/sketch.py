"""Flat shapes with smooth edges: what every subject is drawn with.

Places are given in a box that is 1 high and `ratio` wide, y down, the ground at 1. Shapes are
drawn three times as large and shrunk, which smooths their edges. `zoom` shrinks everything
toward the middle of the ground.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from emulators.painter.palette import Array, Colour

Point = tuple[float, float]
Path = str | Sequence[Point]
OVERSIZE = 3
STEPS = 10  # straight pieces between two points of a curve


@dataclass(frozen=True, slots=True)
class Sprite:
    """A finished drawing: colours, and how much of each pixel it covers."""

    rgb: Array
    alpha: Array


def curve(points: Sequence[Point], is_closed: bool = True) -> list[Point]:
    """Return a smooth line through points; a point given twice makes a corner."""
    ends = [points[0], points[1]] if is_closed else [points[-1]]
    ring = [points[-1] if is_closed else points[0], *points, *ends]
    path: list[Point] = []
    for before, begin, end, after in zip(ring, ring[1:], ring[2:], ring[3:], strict=False):
        if begin == end:
            continue
        out = (0.0, 0.0) if before == begin else slope(before, end)
        into = (0.0, 0.0) if end == after else slope(begin, after)
        path += [bend(begin, end, out, into, step / STEPS) for step in range(STEPS)]
    return path if is_closed else [*path, points[-1]]


def slope(one: Point, other: Point) -> Point:
    """Return the direction a curve takes between two neighbours."""
    return (other[0] - one[0]) / 2, (other[1] - one[1]) / 2


def bend(begin: Point, end: Point, out: Point, into: Point, t: float) -> Point:
    """Return a point of a Hermite curve."""
    a, b = 2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t
    c, d = -2 * t**3 + 3 * t**2, t**3 - t**2
    return (
        a * begin[0] + b * out[0] + c * end[0] + d * into[0],
        a * begin[1] + b * out[1] + c * end[1] + d * into[1],
    )


def as_floats(image: Image.Image) -> Array:
    """Return a picture as numbers from 0 to 1."""
    return np.asarray(image, np.float32) * np.float32(1 / 255)


def points_of(path: Path) -> Sequence[Point]:
    """Return the points of a path, which may be written in thousandths: `"500,165 400,180"`."""
    if not isinstance(path, str):
        return path
    pairs = (pair.split(",") for pair in path.split())
    return [(int(x) / 1000, int(y) / 1000) for x, y in pairs]


def mirrored(points: Sequence[Point], middle: float) -> list[Point]:
    """Return points on the other side of a vertical line."""
    return [(2 * middle - x, y) for x, y in points]


class Sketch:
    """A sheet to draw on."""

    def __init__(self, height_px: int, ratio: float = 1.0, zoom: float = 1.0) -> None:
        self._middle = ratio / 2
        self._zoom = zoom
        self._scale = height_px * OVERSIZE
        size = (max(1, round(height_px * ratio)) * OVERSIZE, self._scale)
        self._colours = Image.new("RGB", size)
        self._mask = Image.new("L", size)
        self._draw_colours = ImageDraw.Draw(self._colours)
        self._draw_mask = ImageDraw.Draw(self._mask)
        self._is_first = True

    def _paint(self, path: Sequence[Point], colour: Colour, inside: bool) -> None:
        middle, zoom, scale = self._middle, self._zoom, self._scale
        places = [
            ((middle + (x - middle) * zoom) * scale, (1 - (1 - y) * zoom) * scale) for x, y in path
        ]
        fill = tuple(round(255 * part) for part in colour)
        if self._is_first:  # edges then fade into the body's colour instead of black
            self._draw_colours.rectangle((0, 0, *self._colours.size), fill=fill)
            self._is_first = False
        if not inside:
            self._draw_colours.polygon(places, fill=fill)
            self._draw_mask.polygon(places, fill=255)
            return
        only = Image.new("L", self._mask.size)
        ImageDraw.Draw(only).polygon(places, fill=255)
        self._colours.paste(fill, mask=ImageChops.multiply(only, self._mask))

    def _paint_both(
        self, points: Sequence[Point], colour: Colour, inside: bool, mirror: float | None
    ) -> None:
        self._paint(points, colour, inside)
        if mirror is not None:
            self._paint(mirrored(points, mirror), colour, inside)

    def blob(
        self,
        path: Path,
        colour: Colour,
        *,
        inside: bool = False,
        mirror: float | None = None,
    ) -> None:
        """Draw a smooth closed shape; `inside` only where something is drawn already."""
        self._paint_both(curve(points_of(path)), colour, inside, mirror)

    def shape(
        self, path: Path, colour: Colour, *, inside: bool = False, mirror: float | None = None
    ) -> None:
        """Draw a shape with corners."""
        self._paint_both(points_of(path), colour, inside, mirror)

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        colour: Colour,
        *,
        inside: bool = False,
        mirror: float | None = None,
    ) -> None:
        """Draw a rectangle."""
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        self._paint_both(corners, colour, inside, mirror)

    def oval(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        colour: Colour,
        *,
        turn: float = 0.0,
        inside: bool = False,
        mirror: float | None = None,
    ) -> None:
        """Draw an ellipse, turned by degrees."""
        cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        path = []
        for step in range(48):
            a, b = rx * math.cos(step * math.tau / 48), ry * math.sin(step * math.tau / 48)
            path.append((x + a * cosine - b * sine, y + a * sine + b * cosine))
        self._paint_both(path, colour, inside, mirror)

    def stroke(
        self,
        path: Path,
        width: float,
        colour: Colour,
        end: float = 1.0,
        *,
        mirror: float | None = None,
    ) -> None:
        """Draw a smooth line with round ends; its width goes from `width` to `end` times it."""
        points = curve(points_of(path), is_closed=False)
        halves = np.linspace(width / 2, width / 2 * end, len(points))
        left: list[Point] = []
        right: list[Point] = []
        for at, (x, y) in enumerate(points):
            (a, b), (c, d) = points[max(0, at - 1)], points[min(len(points) - 1, at + 1)]
            length = math.hypot(c - a, d - b) or 1.0
            across, down = -(d - b) / length * halves[at], (c - a) / length * halves[at]
            left.append((x + across, y + down))
            right.append((x - across, y - down))
        self._paint_both([*left, *right[::-1]], colour, False, mirror)
        for (x, y), half in ((points[0], halves[0]), (points[-1], halves[-1])):
            self.oval(x, y, half, half, colour, mirror=mirror)

    def finish(self, is_flipped: bool = False) -> Sprite:
        """Return the drawing at its true size."""
        colours, mask = self._colours, self._mask
        if is_flipped:
            colours = colours.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return Sprite(as_floats(colours.reduce(OVERSIZE)), as_floats(mask.reduce(OVERSIZE)))
