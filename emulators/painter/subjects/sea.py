"""Fish, whale and boat."""

from emulators.painter.palette import Colour, hexed, mix
from emulators.painter.sketch import Sketch
from emulators.painter.subjects.sitting import INK, WHITE


def fish(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a fish. Box 1.5 wide."""
    coat = colour or hexed("f28a35")
    deep, pale = mix(coat, INK, 0.3), mix(coat, WHITE, 0.7)
    sheet.blob(
        "380,520 220,300 60,200 60,200 130,400 120,520 130,640 50,860 50,860 240,740",
        mix(coat, deep, 0.5),
    )
    sheet.blob("620,300 700,120 880,50 1050,100 1050,100 1020,220 1080,330", mix(coat, deep, 0.5))
    sheet.blob("700,740 720,900 840,970 840,970 900,840 980,740", mix(coat, deep, 0.5))
    sheet.blob(
        "300,520 500,360 760,250 1050,250 1290,360 1430,530 1300,670 1050,780 760,770 500,670", coat
    )
    sheet.blob(
        "400,580 700,660 1050,660 1400,560 1300,700 1050,820 740,800 500,690", pale, inside=True
    )
    for x in (1.12, 0.74):
        sheet.blob(
            [
                (x, 0.2),
                (x + 0.075, 0.24),
                (x + 0.055, 0.52),
                (x + 0.075, 0.82),
                (x, 0.84),
                (x - 0.03, 0.52),
            ],
            WHITE if colour is None else pale,
            inside=True,
        )
    sheet.blob("1020,540 900,500 800,560 800,560 860,660 980,660", deep)
    sheet.oval(1.27, 0.455, 0.052, 0.055, WHITE)
    sheet.oval(1.282, 0.458, 0.031, 0.034, INK)
    sheet.oval(1.272, 0.445, 0.01, 0.01, WHITE)
    sheet.stroke("1400,575 1360,600 1310,595", 0.014, deep)


def whale(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a whale with its fountain. Box 1.6 wide."""
    coat = colour or hexed("3f6fa8")
    deep, pale, water = mix(coat, INK, 0.3), mix(coat, WHITE, 0.78), hexed("cfeaf5")
    sheet.stroke("1080,340 1080,200 980,100 880,170", 0.035, water, 0.5, mirror=1.08)
    sheet.blob(
        "360,580 260,420 140,360 20,360 20,360 60,250 160,200 250,250 250,250 320,140 440,120"
        " 500,200 500,200 410,280 380,400 460,520",
        mix(coat, deep, 0.4),
    )
    sheet.blob(
        "300,460 440,600 640,500 900,380 1180,360 1420,460 1530,640 1460,840 1200,950 840,950"
        " 540,850 360,660",
        coat,
    )
    sheet.blob(
        "1540,700 1300,740 1040,780 760,820 600,860 800,990 1220,990 1500,860", pale, inside=True
    )
    for y in (0.83, 0.88):
        sheet.stroke([(1.45, y - 0.03), (1.2, y), (0.92, y + 0.02)], 0.01, mix(pale, deep, 0.35))
    sheet.blob("1000,760 1100,780 1060,900 940,985 860,970 900,860", deep)
    sheet.oval(1.3, 0.635, 0.027, 0.029, INK)
    sheet.oval(1.292, 0.626, 0.008, 0.008, WHITE)


def boat(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a sailing boat. Box 1 wide."""
    hull = colour or hexed("a8442f")
    deep, sail = mix(hull, INK, 0.35), hexed("fbf3e2")
    sheet.shape("475,60 495,60 500,840 475,840", hexed("6b4a35"))
    sheet.blob(
        "515,80 515,80 700,300 820,520 860,745 860,745 700,725 520,735 520,735 535,400", sail
    )
    sheet.blob(
        "520,550 700,535 880,550 880,630 700,620 520,635", mix(hull, sail, 0.25), inside=True
    )
    sheet.blob(
        "455,160 455,160 340,360 220,550 120,720 120,720 300,700 455,735 455,735 440,420",
        mix(sail, hexed("d8c6ae"), 0.55),
    )
    sheet.shape("495,60 495,115 370,95", hull)
    sheet.blob(
        "60,800 60,800 300,825 600,825 960,785 960,785 860,900 770,965 500,980 250,965 140,900",
        hull,
    )
    sheet.blob(
        "30,800 300,830 600,830 980,790 940,830 600,870 300,870 80,840",
        mix(hull, WHITE, 0.8),
        inside=True,
    )
    sheet.blob("100,930 500,955 920,920 850,1000 200,1000", deep, inside=True)
