"""Changing a picture that is given: what the words ask for, where the mask allows it."""

import re
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageOps

from emulators.painter import grade, vocabulary
from emulators.painter.canvas import Canvas, interleaved
from emulators.painter.find import Found, background, find_subject
from emulators.painter.palette import COLOURS, SKIES, Array, Palette, mix
from emulators.painter.reading import COLOUR_WORDS, SUBJECTS, Subject, comparable, rng_of
from emulators.painter.scene import draw_subject, lay_shadow
from emulators.painter.sketch import Sketch, as_floats
from emulators.painter.sky import draw_moon, draw_sun
from emulators.painter.subjects import FIGURES, HAT, Figure

Change = Callable[[Array, np.random.Generator], Array]

GREY_WORDS = re.compile(
    r"black[ -]and[ -]white|b&w|monochrome|gr[ae]yscale|черно-?бел|монохром|schwarz-?wei"
    r"|noir et blanc"
    r"|blanco y negro|黑白|白黒|モノクロ"
)
CHANGES: tuple[tuple[re.Pattern[str], Change], ...] = (
    (GREY_WORDS, lambda picture, rng: grade.grey(picture)),
    (
        re.compile(r"sepia|vintage|old photo|сепи|винтаж|старин|retro|ретро"),
        lambda p, r: grade.sepia(p),
    ),
    (re.compile(r"night|midnight|ноч|nacht|nuit|noche|夜"), grade.at_night),
    (
        re.compile(r"sunset|evening|закат|вечер|sonnenunterg|coucher|atardecer|夕|日落"),
        lambda p, r: grade.at_sunset(p),
    ),
    (
        re.compile(r"daylight|sunny|\bday\b|\bднем|\bдень|солнечн|\btag\b|\bjour\b|\bdía|白天|昼"),
        lambda p, r: grade.by_day(p),
    ),
    (re.compile(r"snow|winter|снег|снеж|зим|schnee|neige|nieve|hiver|雪|冬"), grade.in_snow),
    (re.compile(r"rain|storm|дожд|гроз|regen|pluie|lluvia|雨"), grade.in_rain),
    (re.compile(r"fog|mist|туман|nebel|brume|niebla|雾|霧"), lambda p, r: grade.in_fog(p)),
    (re.compile(r"warm|cozy|тепл|wärm|chaud|cálid|暖"), lambda p, r: grade.warm(p)),
    (
        re.compile(r"cold|cool|холод|прохлад|kalt|kält|kühl|froid|frío|冷"),
        lambda p, r: grade.cool(p),
    ),
    (
        re.compile(r"bright|light(?:er|en)|светл|ярч|ярк|hell|clair|brillante|明る|亮"),
        lambda p, r: grade.lighter(p),
    ),
    (
        re.compile(r"dark(?:er|en)?\b|темн|dunkl|sombre|oscur|暗"),
        lambda p, r: grade.lighter(p, 1.7),
    ),
    (
        re.compile(r"vivid|vibrant|saturat|colou?rful|насыщ|красочн|bunt|鲜艳|鮮やか"),
        lambda p, r: grade.vivid(p),
    ),
    (re.compile(r"contrast|контраст|kontrast"), lambda p, r: grade.contrasted(p)),
    (
        re.compile(r"blur|soft(?:er|en)|размы|мягч|unscharf|flou|borros|模糊|ぼか"),
        lambda p, r: grade.blurred(p),
    ),
    (
        re.compile(
            r"sketch|pencil|line art|карандаш|набросок|эскиз|skizze|bleistift|croquis|lápiz|素描"
            r"|鉛筆"
        ),
        lambda p, r: grade.pencil(p),
    ),
    (re.compile(r"pixel|8-?bit|пиксел|像素|ピクセル"), lambda p, r: grade.pixels(p)),
    (
        re.compile(
            r"paint(?:ing|erly|ed)|\boil\b|watercolou?r|impression|van gogh|акварел|масл|живопис"
            r"|aquarell|gemälde|aquarelle|acuarela|油画|水彩"
        ),
        grade.painterly,
    ),
)
ADD = re.compile(
    r"(?<!\w)(?:add|put|give|place|with|wear\w*|draw|добав\w*|надень\w*|дорисуй\w*|пририсуй\w*"
    r"|помести\w*"
    r"|пусть|füge?|setz\w*|hinzu|ajoute\w*|mets|añad\w*|agreg\w*|pon\w*)(?!\w)|加|戴|追加|足して"
)
REMOVE = re.compile(
    r"(?<!\w)(?:remove|delete|erase|without|take away|убери\w*|удали\w*|сотри\w*|без|entfern\w*"
    r"|ohne"
    r"|enlève\w*|supprime\w*|sans|quita\w*|elimina\w*|sin)(?!\w)|去掉|删除|消して|取り除"
)
REPLACE = re.compile(
    r"(?<!\w)(?:replace\w*|swap|instead|turn .* into|замени\w*|вместо|преврати\w*|ersetz\w*|statt"
    r"|remplace\w*|reemplaza\w*|cambia .* por)(?!\w)|换成|に変え"
)


def edited(
    image: Image.Image, words: str, seed: int, mask: Image.Image | None, size: tuple[int, int]
) -> Array:
    """Return the picture that words make of an image, as colours from 0 to 1."""
    rng = rng_of(words, seed)
    before = as_floats(ImageOps.fit(image, size, Image.Resampling.LANCZOS))
    after = changed(before, comparable(words), rng)
    if mask is None:
        return np.clip(after, 0, 1)
    share = as_floats(mask.resize(size, Image.Resampling.BILINEAR))[..., None]
    return np.clip(before + (after - before) * share, 0, 1)


def changed(picture: Array, text: str, rng: np.random.Generator) -> Array:
    """Return a picture with every change that a text asks for."""
    named = [name for name, _ in vocabulary.matches(SUBJECTS, text)]
    colours = [] if GREY_WORDS.search(text) else list(vocabulary.matches(COLOUR_WORDS, text))
    adds, removes = bool(ADD.search(text)), bool(REMOVE.search(text))
    swaps = bool(REPLACE.search(text)) and len(named) > 1
    if named and (adds or swaps) and not removes:
        colour = COLOURS[colours[0][0]] if colours else None
        return with_subject(picture, newest(text, named), colour, swaps, rng)
    found = find_subject(picture) if named or removes else None
    if removes and found is not None:
        return without_subject(picture, found)
    after = picture
    for change in () if removes else changes_in(text):
        after = change(after, rng)
    for name, _ in colours[:1]:
        after = coloured(after, name, found)
    return grade.painterly(picture, rng) if after is picture else after


def changes_in(text: str) -> Iterator[Change]:
    """Yield the changes a text names, in the order they are made."""
    for pattern, change in CHANGES:
        if pattern.search(text):
            yield change


def newest(text: str, named: list[str]) -> str:
    """Return the subject that a text brings in: the one named last, the hat before all."""
    if "hat" in named:
        return "hat"
    places = {name: match.start() for name, match in vocabulary.matches(SUBJECTS, text)}
    return (
        max(named, key=lambda name: places[name])
        if REPLACE.search(text)
        else min(named, key=lambda name: places[name])
    )


def coloured(picture: Array, name: str, found: Found | None) -> Array:
    """Return a picture in a colour; when its subject was named, that above all."""
    tinted = grade.tinted(picture, COLOURS[name])
    if found is None:
        return tinted
    strong = grade.tinted(picture, COLOURS[name], 0.92)
    share = found.mask[..., None]
    return np.asarray(
        picture + (tinted - picture) * 0.35 * (1 - share) + (strong - picture) * share, np.float32
    )


def without_subject(picture: Array, found: Found) -> Array:
    """Return a picture whose subject is painted over with what lies beside it."""
    behind = as_floats(grade.as_image(background(picture)))
    return np.asarray(picture + (behind - picture) * found.mask[..., None], np.float32)


def palette_of(picture: Array) -> Palette:
    """Return light that suits a picture, guessed from how bright it is."""
    level = float(grade.bright(picture).mean())
    time = "night" if level < 0.28 else "dusk" if level < 0.42 else "day"
    mean = tuple(float(part) for part in picture.mean(axis=(0, 1)))
    colours = {
        name: mix(colour, (mean[0], mean[1], mean[2]), 0.12) for name, colour in SKIES[time].items()
    }
    return Palette(**colours, ground=(mean[0], mean[1], mean[2]), is_dark=time == "night")


def with_subject(
    picture: Array,
    name: str,
    colour: tuple[float, float, float] | None,
    swaps: bool,
    rng: np.random.Generator,
) -> Array:
    """Return a picture with something more in it, or something in place of its subject."""
    found = find_subject(picture)
    if swaps and found is not None:
        picture = without_subject(picture, found)
    canvas = Canvas.of(picture)
    palette = palette_of(picture)
    if name in ("moon", "sun"):
        hang(canvas, name, palette, found)
    elif name == "hat":
        put_on(canvas, colour, palette, found)
    else:
        stand(canvas, Subject(name, 1, colour), palette, found, swaps, rng)
    return interleaved(canvas.layers)


def hang(canvas: Canvas, name: str, palette: Palette, found: Found | None) -> None:
    """Hang a moon or a sun into the sky, away from the subject."""
    sheet = Sketch(max(12, round(canvas.unit * 0.17)))
    draw_moon(sheet) if name == "moon" else draw_sun(sheet, palette.sun)
    x = 0.72 if found is None or found.left + found.right < canvas.width else 0.28
    canvas.place(sheet.finish(), round(x * canvas.width), round(canvas.height * 0.10))


def put_on(
    canvas: Canvas, colour: tuple[float, float, float] | None, palette: Palette, found: Found | None
) -> None:
    """Put a hat on the subject's head, or where a head would be."""
    left, right = found.head if found else (canvas.width * 0.43, canvas.width * 0.57)
    wide, middle = (right - left) * 0.95, (left + right) / 2
    brim = found.crown if found else canvas.height * 0.3
    figure = HAT
    tall = max(10, round(wide / figure.ratio))
    drawn = draw_subject(Subject("hat", 1, colour), figure, tall, False, palette)
    canvas.place(
        drawn,
        round(middle - drawn.alpha.shape[1] / 2),
        round(brim - tall * 0.8),
    )


def stand(
    canvas: Canvas,
    subject: Subject,
    palette: Palette,
    found: Found | None,
    swaps: bool,
    rng: np.random.Generator,
) -> None:
    """Stand a new subject beside the one that is there, or in its place."""
    figure: Figure = FIGURES[subject.name]
    if swaps and found is not None:
        tall = max(16, min(found.bottom - found.top, round(0.7 * canvas.height)))
    else:
        tall = max(
            16, round(min(figure.height * canvas.height * 0.8, 0.4 * canvas.width / figure.ratio))
        )
    drawn = draw_subject(subject, figure, tall, bool(rng.random() < 0.5), palette)
    middle = 0.3 if found is not None and found.left + found.right > canvas.width else 0.7
    x = (found.left + found.right) / 2 if swaps and found is not None else middle * canvas.width
    left = round(x - drawn.alpha.shape[1] / 2)
    if figure.place == "sky":
        top = round(canvas.height * 0.14)
    elif swaps and found is not None:
        top = found.bottom - tall
    else:
        top = round(canvas.height * 0.93) - tall
    if figure.place == "ground":
        lay_shadow(canvas, left, top, drawn)
    canvas.place(drawn, left, top)
