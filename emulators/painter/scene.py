"""A whole picture, composed: sky, light, land, subjects, weather, finish."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from emulators.painter.canvas import Canvas, enlarged, interleaved, smooth
from emulators.painter.cosmos import moonscape
from emulators.painter.land import Ground, fade_below
from emulators.painter.palette import Array, Palette, choose_palette, mix
from emulators.painter.places import PLACES, beach
from emulators.painter.reading import Reading, Subject, read, rng_of
from emulators.painter.sketch import Sketch, Sprite
from emulators.painter.sky import Sky
from emulators.painter.subjects import FIGURES, Figure
from emulators.painter.town import quay
from emulators.painter.weather import Particles, add_particles, particles_for

HORIZON = 0.62
RIVER_BELOW_HORIZON = 0.15
SPREAD = {1: (0.0,), 2: (-0.17, 0.17), 3: (-0.27, 0.0, 0.27), 4: (-0.33, -0.11, 0.11, 0.33)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A subject in its place (pixels); `place` tells how it moves in a film."""

    sprite: Sprite
    left: int
    top: int
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything a picture or a film is put together from."""

    width: int
    height: int
    reading: Reading
    palette: Palette
    sky: Sky
    land: Canvas
    water: tuple[int, int] | None  # the rows that ripple, the end not among them
    actors: tuple[Actor, ...]
    particles: Particles | None
    light: tuple[float, float]


def compose(prompt: str, seed: int, width: int, height: int, unwanted: str = "") -> Scene:
    """Lay out a scene, without what `unwanted` names; the same request gives the same one."""
    rng = rng_of(prompt, seed)
    reading = read(prompt, rng, unwanted)
    is_snowy = "snow" in reading.weathers and reading.setting not in ("underwater", "space")
    palette = choose_palette(reading.time, reading.setting, is_snowy, reading.tint, rng)
    land = Canvas(width, height)
    side = float(rng.choice([-1, 1]))
    light_x = 0.5 + side * rng.uniform(0.16, 0.26)
    horizon = {"underwater": 1.0, "space": 1.0, "sea": 0.56}.get(reading.setting, HORIZON)
    horizon += rng.uniform(-0.02, 0.02)
    sky = Sky(land, reading, palette, horizon, light_x, rng)
    backdrop = sky.painted()
    paint_disc(land, sky)
    ground = Ground(canvas=land, palette=palette, is_snowy=is_snowy, horizon=horizon, rng=rng)
    line = PLACES[reading.setting](ground, backdrop, light_x)
    line = foreground(ground, reading, line)
    if "fog" in reading.weathers:
        lay_fog(land, palette, horizon)
    actors = place_subjects(land, reading, palette, line, side, rng)
    return Scene(
        width=width,
        height=height,
        reading=reading,
        palette=palette,
        sky=sky,
        land=land,
        water=water_rows(reading, line, horizon, height),
        actors=actors,
        particles=particles_for(reading, palette, land.unit, rng),
        light=(light_x, horizon * 0.6),
    )


def water_rows(
    reading: Reading, line: Array, horizon: float, height: int
) -> tuple[int, int] | None:
    """Return the rows of open water, up to the shore if there is one; even, as colour is halved."""
    if reading.setting not in ("sea", "city"):
        return None
    top = horizon + (RIVER_BELOW_HORIZON if reading.setting == "city" else 0)
    end = float(line.min()) - 0.02 * height if has_standing(reading) else height
    return round(top * height) // 2 * 2 + 2, round(end) // 2 * 2


def has_standing(reading: Reading) -> bool:
    """Whether a subject needs ground under its feet."""
    return any(figure_of(subject).place == "ground" for subject in reading.subjects)


def paint_disc(land: Canvas, sky: Sky) -> None:
    """Hang sun or moon behind the land."""
    disc = sky.disc()
    if disc is not None:
        sprite, left, top = disc
        land.place(sprite, left, top)


def foreground(ground: Ground, reading: Reading, line: Array) -> Array:
    """Give subjects that stand something to stand on where the place has none."""
    shores = {"sea": beach, "city": quay, "space": moonscape}
    if has_standing(reading) and reading.setting in shores:
        return shores[reading.setting](ground)
    return line


def lay_fog(land: Canvas, palette: Palette, horizon: float) -> None:
    """Lay mist over the distance."""
    heights = np.full(land.width, (horizon - 0.14) * land.height, np.float32)
    fade_below(land, heights, mix(palette.haze, palette.low, 0.5), land.height * 0.3, 0.75)


def figure_of(subject: Subject) -> Figure:
    """Return how a subject is drawn."""
    return FIGURES[subject.name]


def place_subjects(
    land: Canvas,
    reading: Reading,
    palette: Palette,
    line: Array,
    side: float,
    rng: np.random.Generator,
) -> tuple[Actor, ...]:
    """Draw the subjects and find their places, smaller ones further back."""
    cast = [subject for subject in reading.subjects for _ in range(subject.count)][:5]
    actors = []
    for at, subject in enumerate(cast):
        figure = figure_of(subject)
        size = figure.height * 1.12 * (1.0 if len(cast) == 1 else 0.86 if len(cast) == 2 else 0.7)
        tall = min(size * land.height, 0.62 * land.width / figure.ratio / max(1, len(cast)) ** 0.75)
        tall *= 1 if at == 0 else rng.uniform(0.84, 1.0)
        drawn = draw_subject(subject, figure, max(12, round(tall)), side > 0, palette)
        x = middle_of(at, len(cast), side, land)
        left = round(x * land.width - drawn.alpha.shape[1] / 2)
        top = top_of(figure, drawn, line, x, land, rng)
        if figure.place == "ground":
            lay_shadow(land, left, top, drawn)
        if figure.place == "water":
            lay_mirror(land, left, top, drawn)
        actors.append(Actor(sprite=drawn, left=left, top=top, place=figure.place))
    return tuple(actors)


def middle_of(at: int, count: int, side: float, land: Canvas) -> float:
    """Return where a subject stands, away from the light, as a part of the width."""
    if count == 1:
        return 0.5 - side * (0.10 if land.width > land.height else 0.0)
    spread = SPREAD.get(count, (-0.38, -0.19, 0.0, 0.19, 0.38))
    return 0.5 + spread[at]


def top_of(
    figure: Figure,
    drawn: Sprite,
    line: Array,
    x: float,
    land: Canvas,
    rng: np.random.Generator,
) -> int:
    """Return the upper edge of a subject's place, in pixels."""
    tall = int(drawn.alpha.shape[0])
    if figure.place == "sky":
        return round(land.height * rng.uniform(0.36, 0.44) - tall / 2)
    if figure.place == "deep":
        return round(land.height * rng.uniform(0.42, 0.52) - tall / 2)
    foot = float(line[int(np.clip(x * land.width, 0, land.width - 1))])
    if figure.place == "water":
        return round(min(foot, land.height * 0.80) - tall * 0.93)
    return round(min(foot + 0.10 * land.height, land.height * 0.94) - tall)


def draw_subject(
    subject: Subject, figure: Figure, tall: int, faces_right: bool, palette: Palette
) -> Sprite:
    """Draw a subject in the scene's light."""
    sheet = Sketch(tall, figure.ratio, figure.zoom)
    figure.draw(sheet, subject.colour)
    drawn = turned(
        sheet.finish(is_flipped=faces_right), -figure.tilt if faces_right else figure.tilt
    )
    return lit(drawn, palette, faces_right)


def turned(drawn: Sprite, degrees: float) -> Sprite:
    """Return a drawing turned to the left."""
    if degrees == 0:
        return drawn
    channels = [drawn.rgb[..., at] * drawn.alpha for at in range(3)]
    bicubic = Image.Resampling.BICUBIC
    *colours, alpha = (
        np.asarray(Image.fromarray(channel).rotate(degrees, bicubic, expand=True))
        for channel in (*channels, drawn.alpha)
    )
    alpha = np.clip(alpha, 0, 1)
    rgb = np.stack(colours, axis=2) / np.maximum(alpha, 1e-3)[..., None]
    return Sprite(np.clip(rgb, 0, 1), alpha)


def lit(drawn: Sprite, palette: Palette, from_right: bool) -> Sprite:
    """Return a drawing in coloured light from one side, with a bright rim there."""
    height, width = drawn.alpha.shape
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    share = np.clip(0.62 + 0.45 * ((x if from_right else 1 - x) - 0.5) - 0.42 * (y - 0.35), 0, 1)
    light = np.asarray(mix(palette.light, (1, 1, 1), 0.5), np.float32)
    shade = np.asarray(mix(palette.shade, (1, 1, 1), 0.32), np.float32)
    rgb = drawn.rgb * (shade + (light - shade) * share[..., None])
    step = max(1, round(height * 0.012))
    moved = np.roll(drawn.alpha, -step if from_right else step, axis=1)
    moved = np.roll(moved, step, axis=0)
    rim = np.clip(drawn.alpha - moved, 0, 1)[..., None] * 0.5
    rgb += (np.asarray(palette.sun, np.float32) - rgb) * rim
    return Sprite(np.clip(rgb, 0, 1), drawn.alpha)


def lay_shadow(land: Canvas, left: int, top: int, drawn: Sprite) -> None:
    """Lay a soft shadow on the ground under a subject."""
    tall, wide = drawn.alpha.shape
    feet = np.flatnonzero(drawn.alpha[int(tall * 0.93)] > 0.5)
    if feet.size == 0:
        return
    begin, end = int(feet[0]), int(feet[-1]) + 1
    width = round((end - begin) * 1.5)
    height = max(4, round(tall * 0.10))
    v, u = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    soft = (1 - smooth(0.25, 1.0, np.hypot(u, v).astype(np.float32))) * 0.42
    x = left + (begin + end) // 2 - width // 2
    land.lay((0.08, 0.09, 0.16), soft, top + round(tall * 0.985) - height // 2, x)


def lay_mirror(land: Canvas, left: int, top: int, drawn: Sprite) -> None:
    """Lay a faint mirror image on the water under a subject, broken by ripples."""
    tall = drawn.alpha.shape[0]
    rows = np.arange(tall)
    ripple = np.round(np.sin(rows / max(2.0, tall / 40)) * tall / 90).astype(int)
    faint = np.linspace(0.5, 0.0, tall, dtype=np.float32) ** 1.3
    alpha = np.stack([np.roll(drawn.alpha[-1 - at], ripple[at]) for at in rows])
    rgb = np.stack([np.roll(drawn.rgb[-1 - at], ripple[at], axis=0) for at in rows])
    land.lay(rgb * np.float32(0.8), alpha * faint[:, None], top + round(tall * 0.97), left)


def flattened(scene: Scene, t: float = 0.0) -> Array:
    """Return the finished picture, colours from 0 to 1 pixel by pixel."""
    front = Canvas(scene.width, scene.height)
    front.layers = scene.sky.painted(t)
    front.layers *= 1 - scene.land.alpha
    front.layers += scene.land.layers
    for actor in scene.actors:
        front.place(actor.sprite, actor.left, actor.top)
    corner, glow = corner_and_glow(scene)
    for layer, sun in zip(front.layers, scene.palette.sun, strict=True):
        layer += (1 - layer) * (glow * np.float32(sun))
        layer *= corner
    picture = interleaved(front.layers)
    if scene.particles is not None:
        add_particles(picture, scene.particles, t)
    return np.clip(picture, 0, 1)


def corner_and_glow(scene: Scene) -> tuple[Array, Array]:
    """Return by how much the corners darken, and how much of the sun's light lies over all."""
    size = (scene.width, scene.height)
    small = (max(4, scene.width // 8), max(4, scene.height // 8))
    x = np.linspace(-1, 1, small[0], dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, small[1], dtype=np.float32)[:, None]
    corner = 1 - 0.20 * np.clip(np.hypot(x, y) - 0.55, 0, 1) ** 1.6
    aspect = scene.height / scene.width
    far = np.hypot((x + 1) / 2 - scene.light[0], ((y + 1) / 2 - scene.light[1]) * aspect)
    glow = np.exp(-((far / 0.42) ** 2)) * 0.10
    return enlarged(corner.astype(np.float32), size), enlarged(glow.astype(np.float32), size)
