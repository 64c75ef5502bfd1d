"""Animals that sit and look at you: one body, told apart by ears, faces, tails and coats."""

from dataclasses import dataclass

from emulators.painter.palette import Colour, hexed, mix
from emulators.painter.sketch import Path, Sketch, mirrored, points_of

INK = hexed("2a2430")
WHITE = hexed("fbf6ee")
BLUSH = hexed("f2a7a0")
M = 0.5  # the line that both halves mirror

EARS: dict[str, Path] = {
    "pointed": "345,270 335,170 315,35 315,35 400,100 475,190",
    "cat": "345,270 335,180 330,75 330,75 405,125 475,190",
    "floppy": "400,170 340,155 285,200 265,310 300,385 345,340 370,270",
    "round": "340,250 305,200 310,130 365,105 420,140 430,200",
    "long": "420,220 385,120 375,-20 405,-100 445,-50 465,80 475,200",
}
INNER: dict[str, Path] = {
    "pointed": "365,220 352,160 335,85 335,85 390,135 430,190",
    "cat": "365,220 355,170 348,115 348,115 395,150 430,190",
    "round": "345,215 335,175 355,145 390,155 400,185",
    "long": "425,180 405,90 400,0 410,-45 430,0 445,90 450,170",
}
HEADS: dict[str, Path] = {  # the left half, from the crown down to the chin
    "fox": "500,165 400,180 335,255 285,345 285,345 365,385 440,435 500,470",
    "round": "500,155 400,165 330,235 315,325 360,400 435,437 500,443",
    "cat": "500,165 410,170 335,225 305,320 345,395 430,433 500,438",
    "dog": "500,145 400,155 345,220 345,310 375,400 430,455 500,468",
}
BODY: Path = "500,360 420,400 375,550 330,720 295,860 310,965 400,985 500,980"
BUSHY_TAIL: Path = (
    "600,930 720,975 850,930 925,790 900,620 835,500 835,500 800,620 765,740 680,800 600,820"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Animal:
    """What tells one sitting animal from another."""

    coat: Colour
    pale: Colour = WHITE
    dark: Colour | None = None
    ears: str
    head: str
    tail: str
    has_mask: bool = False  # white cheeks that run to a point, as a fox has
    has_stripes: bool = False
    has_patches: bool = False  # a panda's
    snout: Colour | None = None
    eye: Colour = INK


ANIMALS = {
    "fox": Animal(
        coat=hexed("e2702c"),
        dark=hexed("54302a"),
        ears="pointed",
        head="fox",
        tail="bushy",
        has_mask=True,
    ),
    "wolf": Animal(
        coat=hexed("8b93a3"),
        pale=hexed("eef0f3"),
        dark=hexed("3d4350"),
        ears="pointed",
        head="fox",
        tail="bushy",
        has_mask=True,
        eye=hexed("7a5a18"),
    ),
    "cat": Animal(
        coat=hexed("e8a154"),
        ears="cat",
        head="cat",
        tail="thin",
        has_stripes=True,
        eye=hexed("3f7a4a"),
    ),
    "dog": Animal(
        coat=hexed("c98d55"),
        dark=hexed("7a4a2c"),
        ears="floppy",
        head="dog",
        tail="short",
        snout=hexed("fbf0e0"),
    ),
    "rabbit": Animal(
        coat=hexed("cbb8a6"), ears="long", head="round", tail="puff", snout=hexed("f6eee6")
    ),
    "bear": Animal(
        coat=hexed("8a5d40"),
        pale=hexed("d9b48c"),
        ears="round",
        head="round",
        tail="none",
        snout=hexed("e2c39e"),
    ),
    "panda": Animal(
        coat=hexed("f5f3ee"),
        dark=hexed("2d2c35"),
        ears="round",
        head="round",
        tail="none",
        has_patches=True,
    ),
}


def whole(half: Path) -> Path:
    """Return a closed outline from its left half."""
    points = points_of(half)
    return [*points, *mirrored(points[-2:0:-1], M)]


def draw(sheet: Sketch, name: str, colour: Colour | None) -> None:
    """Draw an animal, in another coat when a colour is given."""
    animal = ANIMALS[name]
    coat = colour or animal.coat
    deep = mix(coat, INK, 0.28)
    dark = (
        animal.dark if animal.dark and (colour is None or name == "panda") else mix(coat, INK, 0.6)
    )
    pale = animal.pale if colour is None else mix(coat, WHITE, 0.82)
    draw_tail(sheet, animal, coat, pale, deep)
    draw_body(sheet, animal, coat, pale, deep, dark)
    draw_head(sheet, animal, coat, pale, deep, dark)
    draw_face(sheet, animal, coat, pale, dark)


def draw_tail(sheet: Sketch, animal: Animal, coat: Colour, pale: Colour, deep: Colour) -> None:
    """Draw what lies beside the body."""
    match animal.tail:
        case "bushy":
            sheet.blob(BUSHY_TAIL, mix(coat, deep, 0.35))
            sheet.blob("760,660 800,700 850,650 930,680 950,550 840,440 780,550", pale, inside=True)
        case "thin":
            sheet.stroke(
                "600,930 740,965 830,900 820,760 860,660 920,660", 0.062, mix(coat, deep, 0.4), 0.75
            )
        case "short":
            sheet.stroke("630,900 730,860 790,760", 0.07, mix(coat, deep, 0.4), 0.5)
        case "puff":
            sheet.oval(0.7, 0.9, 0.07, 0.065, pale)


def draw_body(
    sheet: Sketch, animal: Animal, coat: Colour, pale: Colour, deep: Colour, dark: Colour
) -> None:
    """Draw body, chest and paws."""
    wide = 1.3 if animal.ears == "round" else 1.0
    body = [
        (M + (x - M) * (1 + (wide - 1) * min(1.0, (y - 0.3) * 4)), y) for x, y in points_of(BODY)
    ]
    sheet.blob(whole(body), dark if animal.has_patches else coat)
    if animal.has_patches:
        sheet.blob(
            "500,600 380,640 335,780 360,930 500,970 640,930 665,780 620,640", coat, inside=True
        )
    else:
        sheet.blob(
            "500,400 435,450 415,550 445,660 500,740 555,660 585,550 565,450", pale, inside=True
        )
    thigh = dark if animal.has_patches else mix(coat, deep, 0.45)
    sheet.blob("315,800 370,760 415,820 420,930 370,975 300,965 280,880", thigh, mirror=M)
    leg = dark if animal.has_patches else mix(coat, deep, 0.12)
    sheet.blob("425,680 482,680 487,800 484,930 484,975 415,975 408,930 425,820", leg, mirror=M)
    foot = dark if animal.has_mask else dark if animal.has_patches else pale
    sheet.blob("400,955 430,925 475,930 490,965 475,992 415,992", foot, mirror=M)
    if animal.has_stripes:
        for y in (0.6, 0.68, 0.76):
            stripe = [
                (0.3, y),
                (0.36, y + 0.005),
                (0.4, y + 0.03),
                (0.36, y + 0.035),
                (0.29, y + 0.03),
            ]
            sheet.blob(stripe, mix(coat, deep, 0.75), inside=True, mirror=M)


def draw_head(
    sheet: Sketch, animal: Animal, coat: Colour, pale: Colour, deep: Colour, dark: Colour
) -> None:
    """Draw ears and head."""
    ear = {"floppy": dark, "round": dark if animal.has_patches else mix(coat, deep, 0.4)}
    if animal.ears != "floppy":
        sheet.blob(EARS[animal.ears], ear.get(animal.ears, coat), mirror=M)
        inner = mix(coat, BLUSH, 0.65) if animal.ears in ("cat", "long") else dark
        if not animal.has_patches:
            sheet.blob(INNER[animal.ears], mix(inner, coat, 0.25), mirror=M)
    sheet.blob(whole(HEADS[animal.head]), coat)
    if animal.ears == "floppy":
        sheet.blob(EARS["floppy"], dark, mirror=M)
    if animal.has_mask:
        cheek = "500,345 455,335 400,325 300,330 270,360 360,400 440,445 500,480"
        sheet.blob(whole(cheek), pale, inside=True)
        blaze = "500,200 478,270 455,345 470,400 500,420"
        sheet.blob(whole(blaze), coat, inside=True)
    if animal.has_stripes:
        for x, low in ((0.5, 0.235), (0.455, 0.222), (0.545, 0.222)):
            sheet.blob(
                [(x - 0.011, 0.15), (x + 0.011, 0.15), (x + 0.004, low), (x - 0.004, low)],
                mix(coat, deep, 0.75),
                inside=True,
            )


def draw_face(sheet: Sketch, animal: Animal, coat: Colour, pale: Colour, dark: Colour) -> None:
    """Draw eyes, muzzle, nose and mouth."""
    nose_y = {"fox": 0.425, "dog": 0.375}.get(animal.head, 0.36)
    eye_y = {"fox": 0.315, "dog": 0.275}.get(animal.head, 0.295)
    gap = 0.088 if animal.head != "dog" else 0.075
    if animal.has_patches:
        sheet.blob("352,300 395,245 455,255 458,310 420,355 365,365", dark, mirror=M)
    if animal.snout is not None and animal.head == "dog":
        sheet.blob(
            "500,160 478,250 430,345 420,420 460,462 540,462 580,420 570,345 522,250",
            pale if pale != WHITE else animal.snout,
            inside=True,
        )
    elif not animal.has_mask:
        muzzle = animal.snout or pale
        sheet.oval(0.5, 0.375, 0.085, 0.058, mix(coat, muzzle, 0.85))
    eye = mix(dark, WHITE, 0.85) if animal.has_patches else INK
    for side in (-1, 1):
        x = M + side * gap
        sheet.oval(x, eye_y, 0.024, 0.029, eye)
        if animal.eye != INK:
            sheet.oval(x, eye_y, 0.0195, 0.0245, animal.eye)
            sheet.oval(x, eye_y, 0.0085 if animal.head == "cat" else 0.012, 0.021, INK)
        if animal.has_patches:
            sheet.oval(x, eye_y + 0.002, 0.019, 0.023, INK)
        sheet.oval(x - 0.007, eye_y - 0.009, 0.0065, 0.0075, WHITE)
    draw_nose(sheet, animal, nose_y)


def draw_nose(sheet: Sketch, animal: Animal, y: float) -> None:
    """Draw nose and mouth."""
    wide = 0.032 if animal.head in ("fox", "dog") else 0.021
    colour = mix(BLUSH, INK, 0.25) if animal.head == "cat" or animal.ears == "long" else INK
    sheet.blob(
        [
            (0.5 - wide, y - 0.008),
            (0.5, y - 0.016),
            (0.5 + wide, y - 0.008),
            (0.5 + wide * 0.45, y + 0.016),
            (0.5, y + 0.024),
            (0.5 - wide * 0.45, y + 0.016),
        ],
        colour,
    )
    if animal.head != "fox":
        for side in (-1, 1):
            sheet.stroke(
                [
                    (0.5, y + 0.022),
                    (0.5 + side * 0.012, y + 0.043),
                    (0.5 + side * 0.036, y + 0.044),
                ],
                0.007,
                INK,
            )
