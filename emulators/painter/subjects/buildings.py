"""House, castle and lighthouse."""

from emulators.painter.palette import Colour, hexed, mix
from emulators.painter.sketch import Sketch
from emulators.painter.subjects.sitting import INK, WHITE

LAMP = hexed("ffe08a")
STONE = hexed("b9b2ab")


def house(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a house with a chimney and lit windows. Box 1.2 wide."""
    wall = colour or hexed("f0dfc2")
    roof = hexed("b5523b") if colour is None else mix(colour, INK, 0.45)
    wood = hexed("6d4632")
    sheet.box(0.8, 0.1, 0.9, 0.4, mix(roof, INK, 0.2))
    sheet.box(0.785, 0.09, 0.915, 0.125, mix(roof, INK, 0.4))
    sheet.box(0.18, 0.46, 1.02, 0.99, wall)
    sheet.box(0.18, 0.46, 1.02, 0.525, mix(wall, INK, 0.18))
    sheet.shape("100,500 300,160 900,160 1100,500", roof)
    sheet.shape("100,500 117,470 1083,470 1100,500", mix(roof, INK, 0.3))
    sheet.shape("300,160 900,160 920,195 280,195", mix(roof, WHITE, 0.18))
    for x in (0.29, 0.75):
        sheet.box(x - 0.012, 0.578, x + 0.192, 0.812, WHITE)
        sheet.box(x, 0.59, x + 0.18, 0.8, LAMP)
        sheet.box(x + 0.083, 0.59, x + 0.097, 0.8, WHITE)
        sheet.box(x, 0.687, x + 0.18, 0.701, WHITE)
    sheet.box(0.52, 0.66, 0.69, 0.99, wood)
    sheet.oval(0.605, 0.665, 0.085, 0.05, wood)
    sheet.oval(0.665, 0.83, 0.012, 0.013, LAMP)
    sheet.blob("130,990 150,900 220,870 280,910 290,990", hexed("5f9150"))
    sheet.blob("900,990 920,900 1000,860 1070,910 1080,990", hexed("6da05a"))


def tower(sheet: Sketch, x: float, top: float, wide: float, wall: Colour, roof: Colour) -> None:
    """Draw one tower of a castle."""
    sheet.box(x - wide, top, x + wide, 0.99, wall)
    sheet.box(x + wide * 0.35, top, x + wide, 0.99, mix(wall, INK, 0.16))
    sheet.shape(
        [(x - wide * 1.3, top + 0.01), (x, top - wide * 3.1), (x + wide * 1.3, top + 0.01)], roof
    )
    sheet.shape(
        [(x, top - wide * 3.1), (x + wide * 1.3, top + 0.01), (x + wide * 0.3, top + 0.01)],
        mix(roof, INK, 0.22),
    )
    sheet.box(x - 0.004, top - wide * 3.8, x + 0.004, top - wide * 3, INK)
    sheet.shape(
        [
            (x + 0.004, top - wide * 3.8),
            (x + wide * 0.95, top - wide * 3.55),
            (x + 0.004, top - wide * 3.3),
        ],
        hexed("d8503f"),
    )
    sheet.oval(x, top + 0.09, wide * 0.26, 0.03, LAMP)


def castle(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a castle with five towers. Box 1.4 wide."""
    wall = colour or hexed("d9cdbd")
    roof = hexed("4f6fa5") if colour is None else mix(colour, INK, 0.5)
    tower(sheet, 0.52, 0.44, 0.075, mix(wall, INK, 0.12), roof)
    tower(sheet, 0.9, 0.4, 0.075, mix(wall, INK, 0.12), roof)
    tower(sheet, 0.7, 0.34, 0.1, mix(wall, INK, 0.04), roof)
    sheet.box(0.2, 0.66, 1.2, 0.99, wall)
    for at in range(11):
        x = 0.2 + at * 0.0925
        sheet.box(x, 0.62, x + 0.05, 0.67, wall)
    sheet.box(0.2, 0.7, 1.2, 0.72, mix(wall, INK, 0.16))
    tower(sheet, 0.2, 0.54, 0.085, wall, roof)
    tower(sheet, 1.2, 0.54, 0.085, wall, roof)
    gate = hexed("5b3d2e")
    sheet.box(0.62, 0.83, 0.78, 0.99, gate)
    sheet.oval(0.7, 0.83, 0.08, 0.075, gate)
    for x in (0.4, 1.0):
        sheet.oval(x, 0.8, 0.02, 0.034, LAMP)
        sheet.box(x - 0.02, 0.8, x + 0.02, 0.85, LAMP)


def lighthouse(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a lighthouse on its rock. Box 0.8 wide."""
    band = colour or hexed("cf4436")
    sheet.shape("325,260 475,260 545,930 255,930", WHITE)
    for top, bottom in ((0.36, 0.48), (0.6, 0.72), (0.84, 0.95)):
        sheet.box(0.1, top, 0.7, bottom, band, inside=True)
    sheet.shape("430,260 475,260 545,930 460,930", mix(band, INK, 0.35), inside=True)
    for top, bottom in ((0.25, 0.36), (0.48, 0.6), (0.72, 0.84)):
        sheet.shape(
            [(0.44, top), (0.7, top), (0.7, bottom), (0.45, bottom)], hexed("d5cfca"), inside=True
        )
    sheet.shape("285,245 515,245 500,275 300,275", INK)
    sheet.box(0.345, 0.135, 0.455, 0.245, LAMP)
    for x in (0.345, 0.395, 0.445):
        sheet.box(x, 0.135, x + 0.01, 0.245, INK)
    sheet.blob("315,140 315,140 345,85 400,55 455,85 485,140 485,140", band)
    sheet.box(0.394, 0.015, 0.406, 0.07, INK)
    for x, y in ((0.4, 0.42), (0.4, 0.66)):
        sheet.oval(x, y, 0.02, 0.028, INK)
    sheet.blob("60,1000 120,930 240,900 340,915 460,895 600,910 700,950 760,1000", hexed("5b5560"))
    sheet.blob(
        "120,935 240,900 340,915 460,895 580,910 460,925 300,930", hexed("7b7480"), inside=True
    )
