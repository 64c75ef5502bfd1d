"""Colours: sky and light by time of day, ground by place, and mixing them.

A colour is three numbers from 0 to 1, red, green and blue as a screen shows them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Colour = tuple[float, float, float]
Array = npt.NDArray[np.float32]


def hexed(text: str) -> Colour:
    """Return a colour written as six hexadecimal digits."""
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return `one` with a share of `other` in it."""
    a, b, c = (x + (y - x) * share for x, y in zip(one, other, strict=True))
    return a, b, c


def times(one: Colour, light: Colour) -> Colour:
    """Return a colour under a coloured light."""
    a, b, c = (min(1.0, x * y) for x, y in zip(one, light, strict=True))
    return a, b, c


def luminance(colour: Colour) -> float:
    """Return how bright a colour looks."""
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def toward(colour: Colour, hue: Colour, share: float) -> Colour:
    """Return a colour drawn toward a hue, about as bright as before."""
    bright = luminance(colour) / max(0.05, luminance(hue))
    same = times(hue, (bright, bright, bright))
    return mix(colour, same, share)


COLOURS = {
    "red": hexed("d83a34"),
    "orange": hexed("ec7a2c"),
    "yellow": hexed("f4c542"),
    "green": hexed("4fa35a"),
    "turquoise": hexed("37b3b0"),
    "blue": hexed("3a72d8"),
    "purple": hexed("8754c4"),
    "pink": hexed("ee7fa8"),
    "brown": hexed("8a5a3c"),
    "black": hexed("2b2b33"),
    "white": hexed("f4f2ec"),
    "grey": hexed("8e949e"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one picture."""

    top: Colour  # the sky above
    middle: Colour
    low: Colour  # the sky at the horizon
    sun: Colour  # disc and glow
    haze: Colour  # what distance fades into
    light: Colour  # what colours things that are lit
    shade: Colour  # what colours things that are not
    cloud: Colour
    ground: Colour
    is_dark: bool


def sky(
    top: str, middle: str, low: str, sun: str, haze: str, light: str, shade: str, cloud: str
) -> dict[str, Colour]:
    """Return the colours that depend on the time of day, from hexadecimal digits."""
    names = ("top", "middle", "low", "sun", "haze", "light", "shade", "cloud")
    return dict(
        zip(names, map(hexed, (top, middle, low, sun, haze, light, shade, cloud)), strict=True)
    )


SKIES = {
    "day": sky("3f86d2", "7db7e8", "d9eef5", "fffbe6", "c3dcea", "fffaf0", "a9c0dc", "ffffff"),
    "sunset": sky("3b3a78", "c4577c", "ffb56b", "fff0c4", "e88f6c", "ffcfa0", "8a5f84", "ff9f86"),
    "dawn": sky("5d7fc0", "e5a9bd", "ffe2b8", "fff6dc", "eec3b4", "ffe9d2", "9c8fb4", "ffd7d2"),
    "dusk": sky("1d2b5e", "56549a", "d98ca8", "ffe0d0", "8a7bb0", "d8c4e8", "5d5f98", "b989b8"),
    "night": sky("0a1030", "18275a", "3b5288", "f6f2dc", "2e4274", "9fb4e4", "2c3c6c", "3a4c84"),
    "overcast": sky("7a8a9c", "a4b1bd", "d2d9dc", "f2f4f2", "b6c1c9", "e6ebee", "8b99a8", "e2e7ea"),
}
GROUNDS = {
    "meadow": hexed("7fae4e"),
    "forest": hexed("3f7a52"),
    "mountains": hexed("769f62"),
    "desert": hexed("dfa864"),
    "city": hexed("59658a"),
    "sea": hexed("6f9a86"),
    "space": hexed("5a5480"),
    "underwater": hexed("c9b98a"),
}
SNOW = hexed("eef4fb")
UNDERWATER = sky("0f5f8f", "1d8fb4", "7fd6d8", "eafff4", "3fa6bc", "c8f4ee", "2f7f9c", "d8fff8")
SPACE = sky("070718", "151238", "34225e", "fff4d8", "3a2a66", "c8b8f0", "3a3468", "6a4a9c")


def choose_palette(
    time: str, setting: str, is_snowy: bool, tint: Colour | None, rng: np.random.Generator
) -> Palette:
    """Return the palette of a picture, a little different for every seed."""
    colours = {"underwater": UNDERWATER, "space": SPACE}.get(setting) or SKIES[time]
    ground = SNOW if is_snowy else GROUNDS[setting]
    drift: Colour = (rng.uniform(0.95, 1.05), rng.uniform(0.97, 1.03), rng.uniform(0.95, 1.05))
    colours = {name: times(colour, drift) for name, colour in colours.items()}
    if tint is not None:
        shares = {"sun": 0.15, "light": 0.2, "cloud": 0.4}
        colours = {n: toward(c, tint, shares.get(n, 0.55)) for n, c in colours.items()}
        ground = toward(ground, tint, 0.55)
    is_dark = setting == "space" or (time == "night" and setting != "underwater")
    return Palette(**colours, ground=ground, is_dark=is_dark)
