"""What a prompt asks the painter for."""

import hashlib
import re
from dataclasses import dataclass

import numpy as np

from emulators.painter import vocabulary as words
from emulators.painter.palette import COLOURS, Colour

TIMES = words.compiled(words.TIMES)
SETTINGS = words.compiled(words.SETTINGS)
WEATHERS = words.compiled(words.WEATHERS)
COLOUR_WORDS = words.compiled(words.COLOURS)
SUBJECTS = words.compiled(words.SUBJECTS)
COUNTS = words.compiled(words.COUNTS)
SAME = str.maketrans({"ё": "е", "’": "'"})
MAX_SUBJECTS = 3
MAX_COUNT = 5
BEFORE_CHARS = 26  # a colour or a number this close before a subject belongs to it
NATURAL = {  # colours that only name what a subject looks like anyway
    "fox": ("red", "orange"),
    "cat": ("orange",),
    "bear": ("brown",),
    "wolf": ("grey",),
    "tree": ("green",),
    "panda": ("black", "white"),
}
ON_THE_MOON = re.compile(r"on the moon|на луне")
CELESTIAL = frozenset({"moon", "sun"})
HOME_OF = {  # where a subject is at home when the prompt names no place
    "fish": "underwater",
    "whale": "sea",
    "boat": "sea",
    "lighthouse": "sea",
    "rocket": "space",
    "flower": "meadow",
    "butterfly": "meadow",
    "mushroom": "forest",
    "owl": "forest",
    "bear": "forest",
    "car": "desert",
    "castle": "mountains",
    "balloon": "mountains",
    "robot": "city",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to stand in the picture, how often, and in which colour when one is named."""

    name: str
    count: int
    colour: Colour | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A prompt as the painter understands it."""

    time: str
    setting: str
    weathers: frozenset[str]
    subjects: tuple[Subject, ...]
    tint: Colour | None  # a colour of the whole, when one is named that belongs to no subject
    has_moon: bool
    has_sun: bool


def comparable(text: str) -> str:
    """Return lower case with `е` for `ё`."""
    return text.lower().translate(SAME)


def rng_of(prompt: str, seed: int) -> np.random.Generator:
    """Return the picture's own chance: the same for the same prompt and seed, everywhere."""
    digest = hashlib.sha256(f"{prompt.strip()}|{seed}".encode(errors="replace")).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))


def read(prompt: str, rng: np.random.Generator, unwanted: str = "") -> Reading:
    """Return what a prompt asks for; what it leaves open is decided by chance."""
    text, without = comparable(prompt), comparable(unwanted)
    subjects, used = read_subjects(text)
    banned = {name for table in (SUBJECTS, WEATHERS) for name, _ in words.matches(table, without)}
    subjects = [subject for subject in subjects if subject.name not in banned]
    named = {subject.name for subject in subjects}
    free = [c for c, m in words.matches(COLOUR_WORDS, text) if m.span() not in used]
    weathers = frozenset(name for name, _ in words.matches(WEATHERS, text)) - banned
    time = next((name for name, _ in words.matches(TIMES, text)), None)
    return Reading(
        time=time or default_time(named, weathers, rng),
        setting=read_setting(text, subjects, rng),
        weathers=weathers,
        subjects=tuple(s for s in subjects if s.name not in CELESTIAL)[:MAX_SUBJECTS],
        tint=COLOURS[free[0]] if free else None,
        has_moon="moon" in named and not ON_THE_MOON.search(text),
        has_sun="sun" in named,
    )


def default_time(named: set[str], weathers: frozenset[str], rng: np.random.Generator) -> str:
    """Return a time of day that suits what the prompt names."""
    if "moon" in named or "aurora" in weathers or "owl" in named:
        return "night"
    if "rain" in weathers:
        return "overcast"
    if "snow" in weathers:
        return str(rng.choice(["dawn", "day", "dusk", "sunset"]))
    return str(rng.choice(["day", "day", "sunset", "dawn", "dusk"]))


def read_setting(text: str, subjects: list[Subject], rng: np.random.Generator) -> str:
    """Return the place: the one named, a subject's home, or any."""
    for name, _ in words.matches(SETTINGS, text):
        return name
    for subject in subjects:
        if subject.name in HOME_OF:
            return HOME_OF[subject.name]
    return str(
        rng.choice(["mountains", "meadow", "forest", "mountains", "sea"][: 4 if subjects else 5])
    )


def read_subjects(text: str) -> tuple[list[Subject], set[tuple[int, int]]]:
    """Return the subjects in their order in the text, and where the colour words used up stand."""
    found: list[tuple[int, Subject]] = []
    used: set[tuple[int, int]] = set()
    for name, match in words.matches(SUBJECTS, text):
        if name == "hat":
            continue
        before = text[max(0, match.start() - BEFORE_CHARS) : match.start()]
        begin = match.start() - len(before)
        cut = max(before.rfind(mark) for mark in (",", ".", " and ", " и ", " with ", " с ")) + 1
        colour = None  # a red fox has a fox's own red
        for colour_name, colour_match in words.matches(COLOUR_WORDS, before[cut:]):
            is_natural = colour_name in NATURAL.get(name, ())
            colour = None if is_natural else COLOURS[colour_name]
            low, high = colour_match.span()
            used.add((begin + cut + low, begin + cut + high))
        count = next((n for n, _ in words.matches(COUNTS, before[cut:])), 1)
        found.append((match.start(), Subject(name, min(count, MAX_COUNT), colour)))
    found.sort(key=lambda pair: pair[0])
    return [subject for _, subject in found], used
