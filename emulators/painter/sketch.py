"""Flat shapes with smooth edges: what every subject is drawn with.

Places are given in a box that is 1 high and `ratio` wide, y down, the ground at 1. Shapes are
drawn three times as large and shrunk, which smooths their edges.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from emulators.painter.palette import Array, Colour

Point = tuple[float, float]
OVERSIZE = 3
STEPS = 10  # straight pieces between two points of a curve


@dataclass(frozen=True, slots=True)
class Sprite:
    """A finished drawing: colours, and how much of each pixel it covers."""

    rgb: Array
    alpha: Array


def curve(points: Sequence[Point], is_closed: bool = True) -> list[Point]:
    """Return a smooth line through points; a point given twice makes a corner."""
    ring = list(points)
    if is_closed:
        ring = [ring[-1], *ring, ring[0], ring[1]]
    else:
        ring = [ring[0], *ring, ring[-1]]
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


def mirrored(points: Sequence[Point], middle: float) -> list[Point]:
    """Return points on the other side of a vertical line."""
    return [(2 * middle - x, y) for x, y in points]


class Sketch:
    """A sheet to draw on."""

    def __init__(self, height_px: int, ratio: float = 1.0) -> None:
        self.ratio = ratio
        self._scale = height_px * OVERSIZE
        size = (max(1, round(height_px * ratio)) * OVERSIZE, self._scale)
        self._colours = Image.new("RGB", size)
        self._mask = Image.new("L", size)
        self._draw_colours = ImageDraw.Draw(self._colours)
        self._draw_mask = ImageDraw.Draw(self._mask)
        self._is_first = True

    def _paint(self, path: Sequence[Point], colour: Colour, inside: bool) -> None:
        places = [(x * self._scale, y * self._scale) for x, y in path]
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

    def blob(self, points: Sequence[Point], colour: Colour, inside: bool = False) -> None:
        """Draw a smooth closed shape; `inside` only where something is drawn already."""
        self._paint(curve(points), colour, inside)

    def both(
        self, points: Sequence[Point], colour: Colour, middle: float, inside: bool = False
    ) -> None:
        """Draw a smooth shape and its mirror image."""
        self.blob(points, colour, inside)
        self.blob(mirrored(points, middle), colour, inside)

    def shape(self, points: Sequence[Point], colour: Colour, inside: bool = False) -> None:
        """Draw a shape with corners."""
        self._paint(points, colour, inside)

    def oval(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        colour: Colour,
        turn: float = 0.0,
        inside: bool = False,
    ) -> None:
        """Draw an ellipse, turned by degrees."""
        cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        path = []
        for step in range(48):
            a, b = rx * math.cos(step * math.tau / 48), ry * math.sin(step * math.tau / 48)
            path.append((x + a * cosine - b * sine, y + a * sine + b * cosine))
        self._paint(path, colour, inside)

    def stroke(self, points: Sequence[Point], width: float, colour: Colour, end: float = 1.0) -> None:
        """Draw a smooth line with round ends; its width goes from `width` to `end` times it."""
        path = curve(points, is_closed=False)
        for at, (x, y) in enumerate(path):
            share = at / max(1, len(path) - 1)
            radius = width / 2 * (1 + (end - 1) * share)
            self.oval(x, y, radius, radius, colour)
        for at in range(len(path) - 1):
            share = at / max(1, len(path) - 1)
            half = width / 2 * (1 + (end - 1) * share)
            (x, y), (u, v) = path[at], path[at + 1]
            length = math.hypot(u - x, v - y) or 1.0
            a, b = -(v - y) / length * half, (u - x) / length * half
            self._paint([(x + a, y + b), (u + a, v + b), (u - a, v - b), (x - a, y - b)], colour, False)

    def finish(self, is_flipped: bool = False) -> Sprite:
        """Return the drawing at its true size."""
        colours, mask = self._colours, self._mask
        if is_flipped:
            colours = colours.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        rgb = np.asarray(colours.reduce(OVERSIZE), np.float32) / 255
        return Sprite(rgb, np.asarray(mask.reduce(OVERSIZE), np.float32) / 255)
