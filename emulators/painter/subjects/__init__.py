"""Everything that can stand in a picture, each as a few smooth shapes."""

from collections.abc import Callable
from dataclasses import dataclass

from emulators.painter.palette import Colour
from emulators.painter.sketch import Sketch
from emulators.painter.subjects import buildings, machines, person, plants, sea, sitting, winged

Drawing = Callable[[Sketch, Colour | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """How a subject is drawn and where it belongs. `height` is in picture heights."""

    draw: Drawing
    ratio: float = 1.0
    height: float = 0.44
    place: str = "ground"  # ground, sky, water or deep
    zoom: float = 1.0
    tilt: float = 0.0  # degrees, away from the light


def animal(name: str, height: float, zoom: float = 1.0) -> Figure:
    """Return a sitting animal."""

    def draw(sheet: Sketch, colour: Colour | None) -> None:
        sitting.draw(sheet, name, colour)

    return Figure(draw=draw, height=height, zoom=zoom)


FIGURES = {
    "fox": animal("fox", 0.46),
    "wolf": animal("wolf", 0.48),
    "cat": animal("cat", 0.44),
    "dog": animal("dog", 0.44),
    "rabbit": animal("rabbit", 0.44, zoom=0.88),
    "bear": animal("bear", 0.5),
    "panda": animal("panda", 0.48),
    "owl": Figure(draw=winged.owl, height=0.46),
    "bird": Figure(draw=winged.bird, ratio=1.5, height=0.26, place="sky"),
    "butterfly": Figure(draw=winged.butterfly, ratio=1.1, height=0.26, place="sky"),
    "whale": Figure(draw=sea.whale, ratio=1.6, height=0.36, place="water"),
    "fish": Figure(draw=sea.fish, ratio=1.5, height=0.32, place="deep"),
    "boat": Figure(draw=sea.boat, height=0.42, place="water"),
    "house": Figure(draw=buildings.house, ratio=1.2, height=0.40),
    "castle": Figure(draw=buildings.castle, ratio=1.4, height=0.52),
    "lighthouse": Figure(draw=buildings.lighthouse, ratio=0.8, height=0.62),
    "car": Figure(draw=machines.car, ratio=1.8, height=0.25),
    "rocket": Figure(draw=machines.rocket, ratio=0.7, height=0.56, place="sky", tilt=24),
    "balloon": Figure(draw=machines.balloon, ratio=0.8, height=0.48, place="sky"),
    "robot": Figure(draw=machines.robot, ratio=0.9, height=0.46),
    "person": Figure(draw=person.person, ratio=0.6, height=0.46),
    "flower": Figure(draw=plants.flower, ratio=0.7, height=0.44, zoom=0.95),
    "mushroom": Figure(draw=plants.mushroom, height=0.36),
    "tree": Figure(draw=plants.tree, height=0.56),
}
HAT = Figure(draw=person.hat, ratio=1.4)
