"""Animals that sit and look at you: one body, told apart by ears, faces, tails and coats."""

from dataclasses import dataclass

from emulators.painter.palette import Colour, hexed, mix
from emulators.painter.sketch import Point, Sketch

INK = hexed("2a2430")
WHITE = hexed("fbf6ee")
BLUSH = hexed("f2a7a0")
M = 0.5  # the middle line
RATIO = 1.0

EARS: dict[str, list[Point]] = {
    "pointed": [(0.345, 0.27), (0.335, 0.17), (0.315, 0.035), (0.315, 0.035), (0.40, 0.10), (0.475, 0.19)],
    "cat": [(0.345, 0.27), (0.335, 0.18), (0.33, 0.075), (0.33, 0.075), (0.405, 0.125), (0.475, 0.19)],
    "floppy": [(0.40, 0.17), (0.34, 0.155), (0.285, 0.20), (0.265, 0.31), (0.30, 0.385), (0.345, 0.34), (0.37, 0.27)],
    "round": [(0.34, 0.25), (0.305, 0.20), (0.31, 0.13), (0.365, 0.105), (0.42, 0.14), (0.43, 0.20)],
    "long": [(0.42, 0.22), (0.385, 0.12), (0.375, -0.02), (0.405, -0.10), (0.445, -0.05), (0.465, 0.08), (0.475, 0.20)],
}
INNER: dict[str, list[Point]] = {
    "pointed": [(0.365, 0.22), (0.352, 0.16), (0.335, 0.085), (0.335, 0.085), (0.39, 0.135), (0.43, 0.19)],
    "cat": [(0.365, 0.22), (0.355, 0.17), (0.348, 0.115), (0.348, 0.115), (0.395, 0.15), (0.43, 0.19)],
    "round": [(0.345, 0.215), (0.335, 0.175), (0.355, 0.145), (0.39, 0.155), (0.40, 0.185)],
    "long": [(0.425, 0.18), (0.405, 0.09), (0.40, 0.0), (0.41, -0.045), (0.43, 0.0), (0.445, 0.09), (0.45, 0.17)],
}
HEADS: dict[str, list[Point]] = {  # the left half, from the crown down to the chin
    "fox": [(0.5, 0.165), (0.40, 0.18), (0.335, 0.255), (0.285, 0.345), (0.285, 0.345), (0.365, 0.385), (0.44, 0.435), (0.5, 0.47)],
    "round": [(0.5, 0.155), (0.40, 0.165), (0.33, 0.235), (0.315, 0.325), (0.36, 0.40), (0.435, 0.437), (0.5, 0.443)],
    "cat": [(0.5, 0.165), (0.41, 0.17), (0.335, 0.225), (0.305, 0.32), (0.345, 0.395), (0.43, 0.433), (0.5, 0.438)],
    "dog": [(0.5, 0.145), (0.40, 0.155), (0.345, 0.22), (0.345, 0.31), (0.375, 0.40), (0.43, 0.455), (0.5, 0.468)],
}
BODY: list[Point] = [(0.5, 0.36), (0.42, 0.40), (0.375, 0.55), (0.33, 0.72), (0.295, 0.86), (0.31, 0.965), (0.40, 0.985), (0.5, 0.98)]
TAILS: dict[str, list[Point]] = {
    "bushy": [(0.60, 0.93), (0.72, 0.975), (0.85, 0.93), (0.925, 0.79), (0.90, 0.62), (0.835, 0.50), (0.835, 0.50), (0.80, 0.62), (0.765, 0.74), (0.68, 0.80), (0.60, 0.82)],
}


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
    "fox": Animal(coat=hexed("e2702c"), dark=hexed("54302a"), ears="pointed", head="fox", tail="bushy", has_mask=True),
    "wolf": Animal(coat=hexed("8b93a3"), pale=hexed("eef0f3"), dark=hexed("3d4350"), ears="pointed", head="fox", tail="bushy", has_mask=True, eye=hexed("7a5a18")),
    "cat": Animal(coat=hexed("e8a154"), ears="cat", head="cat", tail="thin", has_stripes=True, eye=hexed("3f7a4a")),
    "dog": Animal(coat=hexed("c98d55"), dark=hexed("7a4a2c"), ears="floppy", head="dog", tail="short", snout=hexed("fbf0e0")),
    "rabbit": Animal(coat=hexed("cbb8a6"), ears="long", head="round", tail="puff", snout=hexed("f6eee6")),
    "bear": Animal(coat=hexed("8a5d40"), pale=hexed("d9b48c"), ears="round", head="round", tail="none", snout=hexed("e2c39e")),
    "panda": Animal(coat=hexed("f5f3ee"), dark=hexed("2d2c35"), ears="round", head="round", tail="none", has_patches=True),
}


def whole(half: list[Point]) -> list[Point]:
    """Return a closed outline from its left half."""
    return [*half, *[(2 * M - x, y) for x, y in half[-2:0:-1]]]


def draw(sheet: Sketch, name: str, colour: Colour | None) -> None:
    """Draw an animal, in another coat when a colour is given."""
    animal = ANIMALS[name]
    coat = colour or animal.coat
    deep = mix(coat, INK, 0.28)
    dark = animal.dark if animal.dark and (colour is None or name == "panda") else mix(coat, INK, 0.6)
    pale = animal.pale if colour is None else mix(coat, WHITE, 0.82)
    draw_tail(sheet, animal, coat, pale, deep)
    draw_body(sheet, animal, coat, pale, deep, dark)
    draw_head(sheet, animal, coat, pale, deep, dark)
    draw_face(sheet, animal, coat, pale, dark)


def draw_tail(sheet: Sketch, animal: Animal, coat: Colour, pale: Colour, deep: Colour) -> None:
    """Draw what lies beside the body."""
    match animal.tail:
        case "bushy":
            sheet.blob(TAILS["bushy"], mix(coat, deep, 0.35))
            sheet.blob([(0.76, 0.66), (0.80, 0.70), (0.85, 0.65), (0.93, 0.68), (0.95, 0.55), (0.84, 0.44), (0.78, 0.55)], pale, inside=True)
        case "thin":
            sheet.stroke([(0.60, 0.93), (0.74, 0.965), (0.83, 0.90), (0.82, 0.76), (0.86, 0.66), (0.92, 0.66)], 0.062, mix(coat, deep, 0.4), 0.75)
        case "short":
            sheet.stroke([(0.63, 0.90), (0.73, 0.86), (0.79, 0.76)], 0.07, mix(coat, deep, 0.4), 0.5)
        case "puff":
            sheet.oval(0.70, 0.90, 0.07, 0.065, pale)


def draw_body(
    sheet: Sketch, animal: Animal, coat: Colour, pale: Colour, deep: Colour, dark: Colour
) -> None:
    """Draw body, chest and paws."""
    sheet.blob(whole(BODY), dark if animal.has_patches else coat)
    if animal.has_patches:
        sheet.blob([(0.5, 0.60), (0.38, 0.64), (0.335, 0.78), (0.36, 0.93), (0.5, 0.97), (0.64, 0.93), (0.665, 0.78), (0.62, 0.64)], coat, inside=True)
    else:
        sheet.blob([(0.5, 0.40), (0.435, 0.45), (0.415, 0.55), (0.445, 0.66), (0.5, 0.74), (0.555, 0.66), (0.585, 0.55), (0.565, 0.45)], pale, inside=True)
    thigh = dark if animal.has_patches else mix(coat, deep, 0.45)
    sheet.both([(0.315, 0.80), (0.37, 0.76), (0.415, 0.82), (0.42, 0.93), (0.37, 0.975), (0.30, 0.965), (0.28, 0.88)], thigh, M)
    leg = dark if animal.has_patches else mix(coat, deep, 0.12)
    sheet.both([(0.425, 0.68), (0.482, 0.68), (0.487, 0.80), (0.484, 0.93), (0.484, 0.975), (0.415, 0.975), (0.408, 0.93), (0.425, 0.82)], leg, M)
    foot = animal.dark if animal.has_mask and animal.dark else (dark if animal.has_patches else pale)
    sheet.both([(0.40, 0.955), (0.43, 0.925), (0.475, 0.93), (0.49, 0.965), (0.475, 0.992), (0.415, 0.992)], foot, M)
    if animal.has_stripes:
        for y in (0.60, 0.68, 0.76):
            stripe = [(0.30, y), (0.36, y + 0.005), (0.40, y + 0.03), (0.36, y + 0.035), (0.29, y + 0.03)]
            sheet.both(stripe, mix(coat, deep, 0.75), M, inside=True)


def draw_head(
    sheet: Sketch, animal: Animal, coat: Colour, pale: Colour, deep: Colour, dark: Colour
) -> None:
    """Draw ears and head."""
    ear = {"floppy": dark, "round": dark if animal.has_patches else mix(coat, deep, 0.4)}
    if animal.ears != "floppy":
        sheet.both(EARS[animal.ears], ear.get(animal.ears, coat), M)
        inner = mix(coat, BLUSH, 0.65) if animal.ears in ("cat", "long") else dark
        if not animal.has_patches:
            sheet.both(INNER[animal.ears], mix(inner, coat, 0.25), M)
    sheet.blob(whole(HEADS[animal.head]), coat)
    if animal.ears == "floppy":
        sheet.both(EARS["floppy"], dark, M)
    if animal.has_mask:
        cheek = [(0.5, 0.345), (0.455, 0.335), (0.40, 0.325), (0.30, 0.33), (0.27, 0.36), (0.36, 0.40), (0.44, 0.445), (0.5, 0.48)]
        sheet.blob(whole(cheek), pale, inside=True)
        blaze = [(0.5, 0.20), (0.478, 0.27), (0.455, 0.345), (0.47, 0.40), (0.5, 0.42)]
        sheet.blob(whole(blaze), coat, inside=True)
    if animal.has_stripes:
        for x, low in ((0.5, 0.235), (0.455, 0.222), (0.545, 0.222)):
            sheet.blob([(x - 0.011, 0.15), (x + 0.011, 0.15), (x + 0.004, low), (x - 0.004, low)], mix(coat, deep, 0.75), inside=True)


def draw_face(sheet: Sketch, animal: Animal, coat: Colour, pale: Colour, dark: Colour) -> None:
    """Draw eyes, muzzle, nose and mouth."""
    nose_y = {"fox": 0.425, "dog": 0.375}.get(animal.head, 0.36)
    eye_y = {"fox": 0.315, "dog": 0.275}.get(animal.head, 0.295)
    gap = 0.088 if animal.head != "dog" else 0.075
    if animal.has_patches:
        sheet.both([(0.375, 0.275), (0.415, 0.245), (0.452, 0.275), (0.44, 0.33), (0.39, 0.345)], dark, M)
    if animal.snout is not None and animal.head == "dog":
        sheet.blob([(0.5, 0.16), (0.478, 0.25), (0.43, 0.345), (0.42, 0.42), (0.46, 0.462), (0.54, 0.462), (0.58, 0.42), (0.57, 0.345), (0.522, 0.25)], pale if pale != WHITE else animal.snout, inside=True)
    elif not animal.has_mask:
        muzzle = animal.snout or pale
        sheet.oval(0.5, 0.375, 0.085, 0.058, mix(coat, muzzle, 0.85))
    eye = WHITE if animal.has_patches else INK
    for side in (-1, 1):
        x = M + side * gap
        sheet.oval(x, eye_y, 0.024, 0.029, eye)
        if animal.eye != INK:
            sheet.oval(x, eye_y, 0.0195, 0.0245, animal.eye)
            sheet.oval(x, eye_y, 0.0085 if animal.head == "cat" else 0.012, 0.021, INK)
        if animal.has_patches:
            sheet.oval(x, eye_y, 0.017, 0.021, INK)
        sheet.oval(x - 0.007, eye_y - 0.009, 0.0065, 0.0075, WHITE)
    draw_nose(sheet, animal, nose_y)


def draw_nose(sheet: Sketch, animal: Animal, y: float) -> None:
    """Draw nose and mouth."""
    wide = 0.032 if animal.head in ("fox", "dog") else 0.021
    colour = mix(BLUSH, INK, 0.25) if animal.head == "cat" or animal.ears == "long" else INK
    sheet.blob([(0.5 - wide, y - 0.008), (0.5, y - 0.016), (0.5 + wide, y - 0.008), (0.5 + wide * 0.45, y + 0.016), (0.5, y + 0.024), (0.5 - wide * 0.45, y + 0.016)], colour)
    if animal.head != "fox":
        for side in (-1, 1):
            sheet.stroke([(0.5, y + 0.022), (0.5 + side * 0.012, y + 0.043), (0.5 + side * 0.036, y + 0.044)], 0.007, INK)
