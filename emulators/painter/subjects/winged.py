"""Bird, owl and butterfly."""

from emulators.painter.palette import Colour, hexed, mix
from emulators.painter.sketch import Sketch
from emulators.painter.subjects.sitting import INK, WHITE

BARK = hexed("6b4c3a")
BEAK = hexed("f2a93b")


def bird(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a bird in flight, seen from the side, its wings up. Box 1.5 wide."""
    coat = colour or hexed("3f78c0")
    deep, pale = mix(coat, INK, 0.35), mix(coat, WHITE, 0.75)
    sheet.blob(
        "780,600 700,420 620,220 640,60 640,60 800,160 930,340 970,540", mix(coat, deep, 0.6)
    )
    sheet.shape("460,660 100,720 20,860 160,840 120,930 500,800", deep)
    sheet.blob(
        "360,740 460,620 660,530 880,490 1030,420 1170,420 1250,500 1220,610 1080,710 860,800"
        " 600,820",
        coat,
    )
    sheet.blob(
        "1240,550 1160,600 1000,680 780,740 550,770 600,840 860,820 1100,720", pale, inside=True
    )
    sheet.blob(
        "620,660 520,460 360,260 180,160 180,160 440,100 660,200 820,380 900,600",
        mix(coat, WHITE, 0.12),
    )
    for x, y in ((0.26, 0.2), (0.38, 0.31), (0.5, 0.46)):
        sheet.stroke([(x, y), (x + 0.16, y + 0.04), (x + 0.28, y + 0.13)], 0.012, deep, 0.4)
    sheet.shape("1225,475 1400,545 1220,565", BEAK)
    sheet.oval(1.13, 0.49, 0.024, 0.026, INK)
    sheet.oval(1.122, 0.482, 0.008, 0.008, WHITE)


def owl(sheet: Sketch, colour: Colour | None) -> None:
    """Draw an owl on a stump. Box 1 wide."""
    coat = colour or hexed("8a6347")
    deep, pale = mix(coat, INK, 0.38), mix(coat, WHITE, 0.72)
    sheet.blob(
        "200,905 240,890 760,890 800,905 790,960 840,1000 840,1000 160,1000 160,1000 210,960", BARK
    )
    sheet.oval(0.5, 0.905, 0.30, 0.028, mix(BARK, WHITE, 0.3))
    sheet.blob(
        "500,150 380,160 275,80 275,80 250,250 245,450 265,680 350,850 500,905 650,850 735,680"
        " 755,450 750,250 725,80 725,80 620,160",
        coat,
    )
    sheet.blob("500,440 360,480 335,660 400,810 500,860 600,810 665,660 640,480", pale, inside=True)
    for row, count in enumerate((4, 3, 4, 3)):
        for at in range(count):
            x, y = 0.5 + (at - (count - 1) / 2) * 0.075, 0.56 + row * 0.07
            sheet.stroke(
                [(x - 0.018, y), (x, y + 0.02), (x + 0.018, y)], 0.011, mix(coat, pale, 0.25)
            )
    sheet.blob("260,420 320,460 360,620 330,780 285,860 245,700 235,520", deep, mirror=0.5)
    sheet.blob("500,300 450,200 350,190 275,270 290,390 380,445 470,410", pale, mirror=0.5)
    for x in (0.385, 0.615):
        sheet.oval(x, 0.315, 0.078, 0.078, hexed("f6c443"))
        sheet.oval(x, 0.315, 0.046, 0.048, INK)
        sheet.oval(x - 0.016, 0.297, 0.014, 0.014, WHITE)
    sheet.blob("500,345 535,375 500,450 500,450 465,375", BEAK)
    for x in (0.4, 0.44, 0.56, 0.6):
        sheet.oval(x, 0.91, 0.018, 0.03, BEAK)


def butterfly(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a butterfly with open wings. Box 1.1 wide."""
    coat = colour or hexed("f08a3c")
    deep, pale, m = mix(coat, INK, 0.72), mix(coat, WHITE, 0.55), 0.55
    sheet.blob("540,440 420,220 220,100 60,130 40,300 140,480 340,560 520,550", deep, mirror=m)
    sheet.blob("530,530 360,560 200,620 150,760 240,900 380,900 480,740", deep, mirror=m)
    sheet.blob("510,440 400,265 220,150 110,180 100,300 190,440 360,515 500,520", coat, mirror=m)
    sheet.blob(
        "505,550 370,595 245,655 205,755 265,850 355,850 455,700", mix(coat, pale, 0.35), mirror=m
    )
    for x, y, r in ((0.2, 0.25, 0.045), (0.31, 0.36, 0.035), (0.29, 0.74, 0.04)):
        sheet.oval(x, y, r, r * 1.1, pale)
        sheet.oval(2 * m - x, y, r, r * 1.1, pale)
    sheet.stroke("550,340 500,220 420,150", 0.012, INK, 0.6, mirror=m)
    sheet.oval(0.42, 0.148, 0.014, 0.014, INK, mirror=m)
    sheet.blob("550,300 578,360 580,550 562,820 550,860 538,820 520,550 522,360", INK)
