"""The measurable parts of a request: how long, which ratio, how many, which seed, which model.

Each slot is read from the text and cut out of it, so that what is left is what to draw. A slot
the offered tool has no place for stays in the text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulators.brain.text import each

NUMBERS = {
    **dict.fromkeys(each("one один одна одну"), 1),
    **dict.fromkeys(each("two couple pair zwei deux dos два две пару 两 二"), 2),
    **dict.fromkeys(each("three drei trois tres три трех 三"), 3),
    **dict.fromkeys(each("four vier quatre cuatro четыре четырех 四"), 4),
    **dict.fromkeys(each("five fünf cinq cinco пять пяти 五"), 5),
    **dict.fromkeys(each("six sechs six seis шесть шести 六"), 6),
    **dict.fromkeys(each("eight acht huit ocho восемь восьми 八"), 8),
    **dict.fromkeys(each("ten zehn dix diez десять десяти 十"), 10),
}
NUMBER_WORDS = "|".join(
    sorted((word for word in NUMBERS if word.isascii() or len(word) > 1), key=len)[::-1]
)
SOLID_NUMBERS = "[两二三四五六八十]"
RATIOS = frozenset(
    each("1:1 16:9 9:16 4:3 3:4 3:2 2:3 21:9 9:21 5:4 4:5 2:1 1:2 16:10 10:16 18:9 9:18 32:9")
)
PICTURES = (
    r"(?:pictures?|images?|photos?|pics?|variants?|variations?|versions?|options?|drawings?"
    r"|картин\w+|изображени\w+|фото\w*|вариант\w*|рисун\w+|верси\w+"
    r"|bilder|varianten|fotos|versionen|versions|variantes|dessins|imágenes|imagenes|dibujos)"
)
FILMS = (
    r"(?:videos?|films?|movies?|clips?|видео\w*|фильм\w*|ролик\w*|клип\w*|filme|vidéos?|vídeos?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """What was found; `handles` are generations named as #3 or #3.2."""

    duration_s: float | None = None
    aspect_ratio: str | None = None
    n: int | None = None
    seed: int | None = None
    size: str | None = None
    resolution: str | None = None
    model: str | None = None
    style: str | None = None
    negative_prompt: str | None = None
    limit: int | None = None
    handles: tuple[str, ...] = ()
    cuts: dict[str, list[tuple[int, int]]] = field(default_factory=dict)


WORD_OR_DIGITS = rf"(?:\d{{1,5}}(?:[.,]\d+)?|{NUMBER_WORDS})"
FOR = (
    r"(?:(?:for|lasting|that lasts|during|of|на|длиной(?: в)?|длительностью(?: в)?|в течение|für"
    r"|von|pendant|durant|de|durante|por)\s+)?(?:(?:about|around|exactly|около|примерно)\s+)?"
)
SECONDS = (
    r"(?:seconds?|secs?|секунд\w*|сек|sekunden|sekunde|sek|sekündige\w*|secondes?|segundos?)"
    r"(?:\s+long|\s+lang)?"
)
MINUTES = r"(?:minutes?|mins?|минут\w*|мин|minuten|minutos?)(?:\s+long|\s+lang)?"
DURATION = re.compile(
    rf"(?<![\w.])(?:{FOR}(?P<seconds>{WORD_OR_DIGITS})(?:\s*-?\s*(?:ти|х|и)?\s*-?){SECONDS}"
    rf"|{FOR}(?P<minutes>{WORD_OR_DIGITS})\s*-?\s*{MINUTES}"
    rf"|(?<!the )(?<!'){FOR}(?P<short>\d{{1,4}}(?:[.,]\d)?)\s?[sс](?!\s+(?:style|look|vibe|retro)))"
    r"(?!\w)"
    r"|(?P<solid>\d{1,4}|[两二三四五六八十])\s*秒(?:钟|間|间)?(?:的|の)?"
)
RATIO = re.compile(
    r"[,;]?\s*(?:(?<!\w)(?:in|at|with|as|using|im|en|au|в|с|以|用)\s+(?:an?\s+|the\s+)?)?"
    r"(?:(?:aspect(?:\s+ratio)?|ratio|format|формат\w*|соотношени\w+(?:\s+сторон)?|seitenverhältnis"
    r"|proporción|比例)\s*(?:of|=|:)?\s*)?"
    r"(?<![\d:.])(?P<w>\d{1,2})\s?[:：xх×](?=\s?\d)\s?(?P<h>\d{1,2})(?![\d:])"
    r"(?:\s*(?:aspect(?:\s+ratio)?|ratio|format(?!\w)|формат\w*|比例))?(?:的|の|で)?"
)
MODE = r"(?:\s+(?:mode|format|orientation|aspect(?:\s+ratio)?|формат\w*|ориентаци\w+|вид\w*))"
SHAPES = {
    "9:16": (
        rf"(?:in\s+)?portrait{MODE}|in portrait(?=\s*[,.]|\s*$)|(?<=, )portrait(?=\s*[,.]|\s*$)"
        rf"|(?:in\s+)?vertical(?:ly)?{MODE}?|(?:в\s+)?вертикальн\w+{MODE}?"
        rf"|(?:в\s+)?портретн\w+{MODE}"
        r"|(?:im\s+)?hochformat|(?:au |en )?format portrait|en vertical"
    ),
    "16:9": (
        rf"(?:in\s+)?landscape{MODE}|in landscape(?=\s*[,.]|\s*$)|(?<=, )landscape(?=\s*[,.]|\s*$)"
        rf"|(?:in\s+)?horizontal(?:ly)?{MODE}?|(?:in\s+)?wide-?screen{MODE}?"
        rf"|(?:в\s+)?горизонтальн\w+{MODE}?|(?:в\s+)?альбомн\w+{MODE}"
        rf"|(?:в\s+)?широкоформатн\w+{MODE}?"
        r"|(?:im\s+)?querformat|(?:au |en )?format paysage|panorámic[oa]|en horizontal"
    ),
    "1:1": (
        rf"(?:in\s+)?square{MODE}|in square(?=\s*[,.]|\s*$)|(?<=, )square(?=\s*[,.]|\s*$)"
        rf"|square(?=\s+(?:{PICTURES}|{FILMS}))|(?:в\s+)?квадратн\w+{MODE}?|quadratisch\w*"
        r"|(?:au |en )?(?:format )?carrée?|cuadrad[oa]|en cuadrado"
    ),
}
SOLID_SHAPES = {
    "9:16": "竖屏|竖版|竖的|縦長の?|縦向きの?",
    "16:9": "横屏|横版|宽屏|横長の?|横向きの?",
    "1:1": "方形的?|正方形的?の?",
}
SHAPE = re.compile(
    "|".join(
        rf"(?P<s{at}>(?<!\w)(?:{SHAPES[ratio]})(?!\w)|{SOLID_SHAPES[ratio]})"
        for at, ratio in enumerate(SHAPES)
    )
)
COUNT = re.compile(
    rf"(?<!\w)(?:(?:as|in|into|в виде|как|als|en)\s+)?(?:a\s+)?(?P<n>\d{{1,2}}|{NUMBER_WORDS})"
    rf"(?:\s+of)?\s+(?:(?:different|new|more|other|separate|разн\w+|нов\w+|verschiedene)\s+)*"
    rf"(?P<noun>{PICTURES}|{FILMS})(?!\w)"
    rf"|(?P<solid>\d{{1,2}}|{SOLID_NUMBERS})\s*[张幅枚](?:不同的)?(?P<solid_noun>图片|照片|图"
    rf"|画)?の?"
)
SEED = re.compile(
    r"[,;]?\s*(?:(?<!\w)(?:with|using|and|с|mit|avec|con)\s+)?(?:the\s+)?"
    r"(?<!\w)(?:seed|сид\w*|зерн\w+|graine|semilla|种子|シード)\s*(?:=|:|of|number|номер|номером"
    r"|值|は)?\s*"
    r"(?P<seed>\d{1,10})"
)
SIZE = re.compile(
    r"[,;]?\s*(?:(?<!\w)(?:at|in|with|size|размер\w*|в"
    r"|с)\s+){0,3}(?<!\d)(?P<w>\d{3,4})\s?[x×х*]\s?(?P<h>\d{3,4})(?!\d)"
    r"(?:\s*(?:px|pixels?|пиксел\w+))?"
)
RESOLUTION = re.compile(
    r"[,;]?\s*(?:(?<!\w)(?:at|in|в)\s+)?(?<!\w)(?P<resolution>\d{3,4}p|4k|2k)(?!\w)"
)
STYLE = re.compile(
    r"[,;]?\s*(?<!\w)(?:in (?:the )?style of (?P<a>[^,.;!?]+)|in (?:an? "
    r"|the )?(?P<b>[\w-]+(?: [\w-]+){0,2}?)"
    r" style|в стиле (?P<c>[^,.;!?]+)|im stil von (?P<d>[^,.;!?]+)"
    r"|dans le style (?:de )?(?P<e>[^,.;!?]+)"
    r"|en (?:el )?estilo (?:de )?(?P<f>[^,.;!?]+)|(?:style|стиль)\s*[:=]\s*(?P<g>[^,.;!?]+))(?!\w)"
)
NEGATIVE = re.compile(r"[,;.]?\s*negative(?: prompt)?\s*:\s*(?P<text>[^;\n]+)")
LIMIT = re.compile(
    rf"(?<!\w)(?:last|latest|последн\w+)\s+(?P<limit>\d{{1,3}}|{NUMBER_WORDS})(?!\w)"
)
HANDLE = re.compile(r"(?<![\w#])#\d{1,6}(?:\.\d{1,2})?")
MODEL_BEFORE = (
    r"[,;]?\s*(?:(?<!\w)(?:with|using|by|on|via|through|use|с помощью|через|на"
    r"|моделью|mit|avec|con)\s+)?"
)
MODEL_WORD = r"(?:(?:the\s+)?(?:model|modell|modèle|modelo|модел\w+|模型)\s+)?"
DEMO_MODELS = ("demo-image-quick", "demo-video-quick", "demo-image", "demo-video")


def number(text: str) -> float:
    """Return the number a digit string or a number word stands for."""
    return float(NUMBERS[text]) if text in NUMBERS else float(text.replace(",", "."))


def seconds_of(match: re.Match[str]) -> float:
    """Return the seconds a duration speaks of."""
    if match["minutes"]:
        return number(match["minutes"]) * 60
    return number(match["seconds"] or match["short"] or match["solid"])


def ratio_of(match: re.Match[str]) -> str | None:
    """Return a ratio people use; other pairs of numbers are times of day and scores."""
    ratio = f"{int(match['w'])}:{int(match['h'])}"
    return ratio if ratio in RATIOS else None


def count_of(match: re.Match[str]) -> int | None:
    """Return how many are wanted, when it is more than one."""
    count = int(number(match["n"] or match["solid"]))
    return count if count > 1 else None


Reader = tuple[str, re.Pattern[str], Callable[[re.Match[str]], object]]
READERS: tuple[Reader, ...] = (
    ("size", SIZE, lambda match: f"{match['w']}x{match['h']}"),
    ("duration_s", DURATION, seconds_of),
    ("aspect_ratio", RATIO, ratio_of),
    ("aspect_ratio", SHAPE, lambda match: list(SHAPES)[int(str(match.lastgroup)[1])]),
    ("n", COUNT, count_of),
    ("seed", SEED, lambda match: int(match["seed"])),
    ("resolution", RESOLUTION, lambda match: match["resolution"]),
    ("style", STYLE, lambda match: next(group for group in match.groups() if group).strip()),
    ("negative_prompt", NEGATIVE, lambda match: match["text"].strip()),
    ("limit", LIMIT, lambda match: int(number(match["limit"]))),
)


def read_slots(text: str, models: tuple[str, ...] = ()) -> Slots:
    """Return the slots of a normalised text; `models` are ids the tools know besides the demo's."""
    found: dict[str, Any] = {}
    cuts: dict[str, list[tuple[int, int]]] = {}
    model: Reader = ("model", model_pattern(models), lambda match: match["model"])
    for name, pattern, read in (model, *READERS):
        if name in found:
            continue
        for match in pattern.finditer(text):
            value = read(match)
            if value is not None:
                found[name] = value
                cuts[name] = [match.span()]
                begin, end = match.span()
                text = f"{text[:begin]}{' ' * (end - begin)}{text[end:]}"
                break
    handles = list(HANDLE.finditer(text))
    cuts["handles"] = [match.span() for match in handles]
    return Slots(**found, handles=tuple(match.group() for match in handles), cuts=cuts)


def model_pattern(models: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern of every known model id, the longest first."""
    known = sorted({*DEMO_MODELS, *(model.lower() for model in models)}, key=len)[::-1]
    names = "|".join(re.escape(name) for name in known)
    return re.compile(rf"{MODEL_BEFORE}{MODEL_WORD}(?<![\w-])(?P<model>{names})(?![\w-])")


def without(text: str, slots: Slots, names: set[str], it: str = " ") -> str:
    """Return a text with the named slots cut out of it, and `it` in place of each handle."""
    letters = list(text)
    for begin, end in slots.cuts["handles"]:
        letters[begin:end] = [it] + [""] * (end - begin - 1)
    for begin, end in (span for name in names for span in slots.cuts.get(name, [])):
        letters[begin:end] = [" "] + [""] * (end - begin - 1)
    return "".join(letters)
