"""The painter, judged by its pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from emulators.painter import grade
from emulators.painter.edit import edited
from emulators.painter.places import PLACES
from emulators.painter.scene import compose, flattened
from emulators.painter.subjects import FIGURES

Pixels = npt.NDArray[np.float32]
SIZE = (256, 144)


def painted(prompt: str, seed: int = 3, size: tuple[int, int] = SIZE) -> Pixels:
    return flattened(compose(prompt, seed, *size))


def brightness(picture: Pixels) -> float:
    return float(grade.bright(picture).mean())


def difference(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one - other).mean())


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """A fox in a meadow by day, to be changed."""
    return grade.as_image(painted("a red fox in a meadow by day"))


def changed(photo: Image.Image, words: str, mask: Image.Image | None = None) -> Pixels:
    return edited(photo, words, 3, mask, SIZE)


def pixels(photo: Image.Image) -> Pixels:
    return np.asarray(photo, np.float32) / np.float32(255)


@pytest.mark.parametrize("size", [(1024, 576), (576, 1024), (256, 256), (420, 180), (65, 131)])
def test_any_size_is_painted(size: tuple[int, int]) -> None:
    picture = painted("a boat at sunset", size=size)
    assert picture.shape == (size[1], size[0], 3)
    assert picture.std() > 0.05


@pytest.mark.parametrize("place", sorted(PLACES))
@pytest.mark.parametrize("who", ["", "a person in "])
def test_every_place_is_painted_with_and_without_somebody(place: str, who: str) -> None:
    assert painted(f"{who}{place}").std() > 0.04


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_subject_is_seen_in_its_picture(name: str) -> None:
    scene = compose(f"a {name} by day in the meadow", 3, *SIZE)
    [actor] = scene.actors
    assert actor.sprite.alpha.sum() > 300
    assert 0 <= actor.left + actor.sprite.alpha.shape[1] // 2 < SIZE[0]
    assert 0 <= actor.top + actor.sprite.alpha.shape[0] // 2 < SIZE[1]


def test_prompt_and_seed_decide_the_picture() -> None:
    assert (painted("a cat", 1) == painted("a cat", 1)).all()
    assert difference(painted("a cat", 1), painted("a cat", 2)) > 0.01
    assert difference(painted("a cat", 1), painted("a dog", 1)) > 0.01


@pytest.mark.parametrize(
    ("dark", "light"), [("the sea at night", "the sea by day"), ("море ночью", "море днём")]
)
def test_night_is_darker_than_day(dark: str, light: str) -> None:
    assert brightness(painted(dark)) < brightness(painted(light)) - 0.2


@pytest.mark.parametrize("prompt", ["a red fox in the snow by day", "рыжая лиса в снегу днём"])
def test_a_fox_in_the_snow_is_orange_on_white(prompt: str) -> None:
    picture = painted(prompt)
    red, green, blue = np.moveaxis(picture, 2, 0)
    assert ((red > 0.6) & (green > 0.2) & (green < 0.6) & (blue < 0.35)).mean() > 0.01
    foot = picture[-20:, :40].mean(axis=(0, 1))
    assert foot.min() > 0.6
    assert np.ptp(foot) < 0.15


@pytest.mark.parametrize(
    ("prompt", "strongest"),
    [("a blue cat by day", 2), ("синий кот днём", 2), ("a red car by day", 0)],
)
def test_a_named_colour_is_the_subject_s(prompt: str, strongest: int) -> None:
    [actor] = compose(prompt, 3, *SIZE).actors
    mean = actor.sprite.rgb[actor.sprite.alpha > 0.9].mean(axis=0)
    assert int(mean.argmax()) == strongest


def test_what_is_not_wanted_is_left_out() -> None:
    wanted = compose("a cat and a dog in the snow", 3, *SIZE)
    less = compose("a cat and a dog in the snow", 3, *SIZE, "dog, snow")
    assert (len(wanted.actors), len(less.actors)) == (2, 1)
    assert wanted.particles is not None
    assert less.particles is None


def test_several_are_drawn_when_several_are_named() -> None:
    assert len(compose("three birds over the sea", 3, *SIZE).actors) == 3
    assert len(compose("a cat and a dog", 3, *SIZE).actors) == 2


@pytest.mark.parametrize(
    ("words", "channel"), [("make it blue", 2), ("сделай её красной", 0), ("make it green", 1)]
)
def test_a_colour_word_tints_and_keeps_the_structure(
    photo: Image.Image, words: str, channel: int
) -> None:
    before, after = pixels(photo), changed(photo, words)
    mean = after.mean(axis=(0, 1))
    assert int(mean.argmax()) == channel
    assert mean[channel] - np.delete(mean, channel).mean() > 0.12
    light = [grade.bright(picture).ravel() for picture in (before, after)]
    assert np.corrcoef(np.stack(light)).min() > 0.85


def test_a_named_subject_takes_most_of_the_colour(photo: Image.Image) -> None:
    before, after = pixels(photo), changed(photo, "make the fox blue")
    moved = np.abs(after - before).sum(axis=2)
    orange = (before[..., 0] > 0.6) & (before[..., 2] < 0.3)
    assert after[orange][:, 2].mean() > after[orange][:, 0].mean()
    assert moved[orange].mean() > 2 * moved[~orange].mean()


@pytest.mark.parametrize(
    ("words", "lighter"),
    [("make it night", False), ("темнее", False), ("brighter", True), ("snow", True)],
)
def test_light_words_change_the_light(photo: Image.Image, words: str, lighter: bool) -> None:
    change = brightness(changed(photo, words)) - brightness(pixels(photo))
    assert change > 0.05 if lighter else change < -0.05


def test_black_and_white_has_no_colour(photo: Image.Image) -> None:
    assert np.ptp(changed(photo, "black and white"), axis=2).max() < 0.02


def test_warmer_moves_from_blue_to_red(photo: Image.Image) -> None:
    before, after = (p.mean(axis=(0, 1)) for p in (pixels(photo), changed(photo, "warmer")))
    assert after[0] - after[2] > before[0] - before[2] + 0.05


@pytest.mark.parametrize(
    "words", ["make it better", "add a hat", "add a bird", "replace the fox with a cat"]
)
def test_every_wish_changes_something_and_not_everything(photo: Image.Image, words: str) -> None:
    assert 0.001 < difference(pixels(photo), changed(photo, words)) < 0.2


def test_what_is_removed_is_gone(photo: Image.Image) -> None:
    after = changed(photo, "remove the fox")
    orange = (after[..., 0] > 0.6) & (after[..., 2] < 0.3) & (after[..., 1] < 0.5)
    assert orange.mean() < 0.002


def test_a_mask_limits_the_change(photo: Image.Image) -> None:
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).rectangle((0, 0, 127, 143), fill=255)
    moved = np.abs(changed(photo, "make it red", mask) - pixels(photo)).sum(axis=2)
    assert moved[:, :120].mean() > 0.1
    assert moved[:, 136:].max() < 0.01
