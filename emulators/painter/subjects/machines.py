"""Car, rocket, hot-air balloon and robot."""

from emulators.painter.palette import Colour, hexed, mix
from emulators.painter.sketch import Sketch
from emulators.painter.subjects.sitting import INK, WHITE

GLASS = hexed("bfe3ee")


def car(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a little round car from the side. Box 1.8 wide."""
    body = colour or hexed("d9483b")
    deep, pale = mix(body, INK, 0.3), mix(body, WHITE, 0.3)
    sheet.blob("420,560 500,360 620,200 840,140 1060,170 1220,320 1360,540", body)
    sheet.blob(
        "140,800 140,800 120,660 180,540 400,490 800,470 1240,480 1520,540 1660,640 1680,800"
        " 1680,800",
        body,
    )
    sheet.blob("520,500 520,500 580,360 660,270 820,235 820,235 820,500 820,500", GLASS)
    sheet.blob("870,235 870,235 1020,260 1140,380 1210,500 1210,500 870,500 870,500", GLASS)
    sheet.shape("620,500 740,240 790,240 680,500", WHITE, inside=True)
    sheet.box(0.12, 0.755, 1.7, 0.82, deep, inside=True)
    sheet.stroke("200,575 700,545 1300,550 1580,610", 0.016, pale)
    sheet.stroke("845,520 845,620 840,740", 0.01, deep)
    sheet.stroke("900,600 980,600", 0.022, deep)
    sheet.oval(1.62, 0.645, 0.045, 0.05, hexed("fff1b8"))
    sheet.oval(0.17, 0.645, 0.03, 0.045, hexed("ff8a6a"))
    for x in (0.47, 1.33):
        sheet.oval(x, 0.8, 0.195, 0.185, deep)
        sheet.oval(x, 0.82, 0.17, 0.17, INK)
        sheet.oval(x, 0.82, 0.085, 0.085, hexed("d8dbe0"))
        sheet.oval(x, 0.82, 0.035, 0.035, INK)


def rocket(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a rocket with its flame. Box 0.7 wide."""
    trim = colour or hexed("d9483b")
    m = 0.35
    sheet.blob("265,780 250,870 310,930 350,995 390,930 450,870 435,780", hexed("ff9b3d"))
    sheet.blob("305,780 295,850 350,930 405,850 395,780", hexed("ffe58a"))
    sheet.blob("250,520 110,640 70,820 70,820 170,760 270,750", trim, mirror=m)
    sheet.shape("260,730 440,730 460,800 240,800", mix(INK, WHITE, 0.2))
    sheet.blob(
        "350,20 350,20 260,150 210,340 210,550 255,755 255,755 445,755 445,755 490,550 490,340"
        " 440,150",
        hexed("f3f1ee"),
    )
    sheet.blob("350,0 150,120 200,215 350,235 500,215 550,120", trim, inside=True)
    sheet.blob("400,0 550,300 510,760 410,760 440,500 440,280", hexed("cfcbd0"), inside=True)
    sheet.blob("380,0 550,150 500,212 418,228 410,150", mix(trim, INK, 0.25), inside=True)
    sheet.oval(m, 0.37, 0.072, 0.072, trim)
    sheet.oval(m, 0.37, 0.052, 0.052, hexed("8fd0ea"))
    sheet.oval(m - 0.016, 0.353, 0.016, 0.016, WHITE)
    sheet.blob("332,580 350,550 368,580 372,700 350,820 328,700", trim)


def balloon(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a hot-air balloon. Box 0.8 wide."""
    main = colour or hexed("e2543f")
    other = hexed("f7d9a0") if colour is None else mix(main, WHITE, 0.7)
    m = 0.4
    outline = (
        "400,20 180,70 55,220 60,400 170,570 300,700 315,735 315,735 485,735 485,735"
        " 500,700 630,570 740,400 745,220 620,70"
    )
    sheet.blob(outline, main)
    for inner, outer in ((0.16, 0.42), (0.68, 0.9)):
        for side in (-1, 1):
            a, b = side * 0.345 * inner, side * 0.345 * outer
            sheet.blob(
                [
                    (m, 0.0),
                    (m + a, 0.12),
                    (m + a, 0.34),
                    (m + a * 0.7, 0.56),
                    (m + a * 0.3, 0.75),
                    (m + b * 0.3, 0.75),
                    (m + b * 0.7, 0.56),
                    (m + b, 0.34),
                    (m + b, 0.14),
                ],
                other,
                inside=True,
            )
    sheet.blob(
        "560,0 800,200 780,450 500,760 460,760 650,450 680,220", mix(main, INK, 0.18), inside=True
    )
    sheet.blob("0,470 400,515 800,470 740,530 400,575 60,530", mix(main, INK, 0.3), inside=True)
    rope = hexed("5b4536")
    sheet.stroke("320,735 338,860", 0.008, rope, mirror=m)
    sheet.stroke("370,735 365,860", 0.006, rope, mirror=m)
    basket = hexed("a9743f")
    sheet.blob("325,855 325,855 475,855 475,855 460,970 440,985 360,985 340,970", basket)
    sheet.box(m - 0.08, 0.85, m + 0.08, 0.878, mix(basket, INK, 0.35))


def robot(sheet: Sketch, colour: Colour | None) -> None:
    """Draw a friendly robot. Box 0.9 wide."""
    body = colour or hexed("7fb2c4")
    deep, pale, m = mix(body, INK, 0.4), mix(body, WHITE, 0.45), 0.45
    sheet.stroke("450,140 450,60", 0.018, deep)
    sheet.oval(m, 0.05, 0.032, 0.032, hexed("ff7d5a"))
    sheet.stroke("250,540 160,620 150,740", 0.06, deep, mirror=m)
    sheet.oval(0.15, 0.765, 0.045, 0.045, body, mirror=m)
    sheet.shape("400,820 320,820 320,950 400,950", deep, mirror=m)
    sheet.blob("420,990 415,945 350,925 280,945 275,990", body, mirror=m)
    sheet.oval(0.215, 0.27, 0.035, 0.06, deep, mirror=m)
    sheet.blob("260,470 260,470 640,470 640,470 655,660 610,840 290,840 245,660", body)
    sheet.box(m - 0.06, 0.43, m + 0.06, 0.49, deep)
    sheet.blob("230,150 450,125 670,150 690,270 670,400 450,435 230,400 210,270", pale)
    sheet.blob("285,200 450,185 615,200 630,280 615,360 450,375 285,360 270,280", INK)
    for side in (-1, 1):
        sheet.oval(m + side * 0.08, 0.27, 0.032, 0.037, hexed("7df0e0"))
    sheet.stroke("415,325 450,342 485,325", 0.012, hexed("7df0e0"))
    sheet.box(m - 0.1, 0.56, m + 0.1, 0.7, pale)
    for at, light in enumerate(("ff7d5a", "ffd166", "7df0a0")):
        sheet.oval(m - 0.055 + at * 0.055, 0.6, 0.017, 0.017, hexed(light))
    sheet.stroke("385,660 515,660", 0.014, deep)
