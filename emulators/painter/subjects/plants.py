"""Flower, mushroom and tree."""

import math

from emulators.painter.palette import Colour, hexed, mix
from emulators.painter.sketch import Point, Sketch, points_of
from emulators.painter.subjects.sitting import INK, WHITE

LEAF = hexed("4f9150")


def flower(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a flower on its stem. Box 0.7 wide."""
    petal = colour or hexed("ef6f8e")
    pale = mix(petal, WHITE, 0.35)
    sheet.stroke("360,340 345,600 355,820 350,1000", 0.03, mix(LEAF, INK, 0.12))
    sheet.blob("350,880 260,720 120,640 30,650 30,650 100,800 220,900", LEAF)
    sheet.blob("350,800 430,660 560,570 670,570 670,570 600,710 480,810", mix(LEAF, WHITE, 0.15))
    for ring, (count, far, size, tone) in enumerate(
        ((9, 0.185, 0.105, petal), (9, 0.125, 0.08, pale))
    ):
        for at in range(count):
            angle = (at + ring * 0.5) * math.tau / count - math.pi / 2
            x, y = 0.36 + far * math.cos(angle), 0.27 + far * math.sin(angle)
            shade = mix(tone, INK, 0.06 * (at % 2))
            sheet.oval(x, y, size, size * 0.58, shade, turn=math.degrees(angle))
    sheet.oval(0.36, 0.27, 0.085, 0.085, hexed("f4b740"))
    for at in range(11):
        angle, far = at * 2.4, 0.019 * math.sqrt(at)
        sheet.oval(
            0.36 + far * math.cos(angle), 0.27 + far * math.sin(angle), 0.01, 0.01, hexed("b9741f")
        )


def mushroom(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a spotted mushroom with a small one beside it. Box 1 wide."""
    cap = colour or hexed("d2402f")
    one_mushroom(sheet, cap, 0.76, 0.46)
    one_mushroom(sheet, cap, 0.40, 1.0)


def one_mushroom(sheet: Sketch, cap: Colour, x: float, size: float) -> None:
    """Draw one mushroom of a size, its foot at `x`."""
    stem, spot = hexed("f5ead6"), hexed("fdf6ea")

    def grown(path: str) -> list[Point]:
        """Return a path that counts upward from the foot, in its place."""
        return [(x + u * size, 0.99 - v * size) for u, v in points_of(path)]

    sheet.blob(grown("-100,0 -115,60 -80,300 -85,450 85,450 80,300 115,60 100,0"), stem)
    sheet.blob(grown("20,500 100,500 130,0 50,0 35,250"), mix(stem, INK, 0.14), inside=True)
    upper = "-360,440 -330,600 -200,760 0,820 200,760 330,600 360,440 200,400 0,385 -200,400"
    sheet.blob(grown(upper), cap)
    under = "-360,440 -200,450 0,435 200,450 360,440 200,370 0,350 -200,370"
    sheet.blob(grown(under), mix(cap, INK, 0.3), inside=True)
    places = grown("-200,600 0,700 190,620 -40,530 100,510 -270,490 280,500")
    radii = (0.05, 0.058, 0.045, 0.04, 0.03, 0.028, 0.03)
    for (u, v), radius in zip(places, radii, strict=True):
        sheet.oval(u, v, radius * size, radius * 0.82 * size, spot)


def tree(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a broad tree. Box 1 wide."""
    leaf = colour or hexed("5b9a52")
    deep, pale, bark = mix(leaf, INK, 0.25), mix(leaf, WHITE, 0.2), hexed("6d4b38")
    sheet.blob("455,600 455,800 400,985 400,985 600,985 600,985 545,800 545,600", bark)
    sheet.stroke("500,740 600,620 680,540", 0.04, bark, 0.5)
    sheet.stroke("490,700 400,600 340,540", 0.04, bark, 0.5)
    for x, y, r, tone in (
        (0.26, 0.5, 0.19, deep),
        (0.74, 0.5, 0.19, deep),
        (0.5, 0.54, 0.2, deep),
        (0.34, 0.33, 0.2, leaf),
        (0.66, 0.34, 0.2, leaf),
        (0.5, 0.42, 0.21, leaf),
        (0.5, 0.21, 0.18, leaf),
    ):
        sheet.oval(x, y, r, r * 0.92, tone)
    for x, y, r in ((0.42, 0.2, 0.1), (0.29, 0.31, 0.1), (0.58, 0.33, 0.09), (0.2, 0.47, 0.07)):
        sheet.oval(x, y, r, r * 0.75, mix(leaf, pale, 0.7), inside=True)
