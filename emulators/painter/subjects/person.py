"""A person, and a hat for anybody."""

from emulators.painter.palette import Colour, hexed, mix
from emulators.painter.sketch import Sketch
from emulators.painter.subjects.sitting import INK, WHITE

SKIN = hexed("e9b48f")
HAIR = hexed("4a3028")


def person(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a traveller in a coat and scarf who looks into the distance. Box 0.6 wide."""
    coat = colour or hexed("c9502f")
    deep, scarf, m = mix(coat, INK, 0.3), hexed("f2c14e"), 0.3
    sheet.shape("275,720 205,720 215,940 270,940", hexed("3d4560"), mirror=m)
    sheet.blob("280,990 278,925 210,925 195,960 195,990", hexed("4b352b"), mirror=m)
    sheet.stroke("195,390 145,500 150,610", 0.065, mix(coat, deep, 0.45), 0.8, mirror=m)
    sheet.oval(0.15, 0.625, 0.026, 0.028, SKIN, mirror=m)
    sheet.blob(
        "215,325 300,310 385,325 425,400 420,560 455,760 455,760 300,785 145,760 145,760 180,560"
        " 175,400",
        coat,
    )
    sheet.shape("294,340 306,340 308,790 292,790", deep, inside=True)
    sheet.box(m - 0.2, 0.535, m + 0.2, 0.565, deep, inside=True)
    sheet.oval(m, 0.205, 0.098, 0.112, SKIN)
    sheet.blob(
        "192,240 182,160 230,85 320,75 400,120 418,200 405,250 385,190 320,155 250,165 215,200",
        HAIR,
    )
    for side in (-1, 1):
        sheet.oval(m + side * 0.038, 0.222, 0.0115, 0.0145, INK)
        sheet.oval(m + side * 0.06, 0.252, 0.018, 0.011, mix(SKIN, hexed("e8735c"), 0.4))
    sheet.stroke("276,263 300,273 324,263", 0.008, mix(SKIN, INK, 0.6))
    sheet.blob("205,315 300,295 395,315 400,355 300,375 200,355", scarf)
    sheet.blob("345,345 400,345 405,470 360,475", mix(scarf, INK, 0.12))


def hat(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a hat with a band. Box 1.4 wide."""
    felt = colour or hexed("3d3a4e")
    band = hexed("d9483b") if colour is None else mix(felt, INK, 0.5)
    sheet.blob(
        "340,840 340,840 360,450 400,180 550,100 700,150 850,100 1000,180 1040,450 1060,840"
        " 1060,840",
        felt,
    )
    sheet.blob("300,640 700,700 1100,640 1100,800 700,860 300,800", band, inside=True)
    sheet.blob("440,220 540,160 520,400 460,580 420,580", mix(felt, WHITE, 0.18), inside=True)
    sheet.blob(
        "40,800 300,800 700,860 1100,800 1360,800 1300,920 1000,985 700,995 400,985 100,920",
        mix(felt, INK, 0.12),
    )
