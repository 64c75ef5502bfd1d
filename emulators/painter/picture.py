"""Pictures as files."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from emulators.orders import PictureOrder
from emulators.painter import grade
from emulators.painter.edit import changes_in, edited
from emulators.painter.palette import Array
from emulators.painter.reading import comparable, rng_of
from emulators.painter.scene import compose, flattened

QUICK_SCALE = 2  # a large quick picture is drawn at half its size
LARGE_PX = 640
PNG_LEVEL = 3
REFERENCE_SHARE = 0.4


def paint(order: PictureOrder, seed: int, scale: int) -> Image.Image:
    """Paint one picture of an order."""
    size = order.width // scale, order.height // scale
    words = f"{order.prompt} {order.style}".strip()
    if order.image is not None:
        picture = edited(order.image, words, seed, order.mask, size)
    else:
        picture = flattened(compose(order.prompt, seed, *size, order.negative_prompt))
        for change in changes_in(comparable(order.style)):
            picture = change(picture, rng_of(words, seed))
        for reference in order.references[:1]:
            picture = in_the_colours_of(picture, reference)
    image = grade.as_image(picture)
    if scale == 1:
        return image
    return image.resize((order.width, order.height), Image.Resampling.BILINEAR)


def in_the_colours_of(picture: Array, reference: Image.Image) -> Array:
    """Return a picture drawn toward the dark, middle and light colours of another."""
    dots = np.asarray(reference.resize((32, 32), Image.Resampling.BOX), np.float32).reshape(-1, 3)
    rows = (dots / 255)[np.argsort(dots.sum(axis=1))]
    stops = []
    for at, part in enumerate(np.array_split(rows, 5)):
        red, green, blue = (float(value) for value in part.mean(axis=0))
        stops.append((at / 4, (red, green, blue)))
    return grade.toned(picture, stops, REFERENCE_SHARE)


def paint_pictures(order: PictureOrder, folder: Path, quick: bool) -> list[dict[str, Any]]:
    """Paint all pictures of an order as `0.png`, `1.png`, ... and describe them."""
    folder.mkdir(exist_ok=True)
    painted = []
    for at in range(order.count):
        seed = order.seed + at
        is_large = max(order.width, order.height) > LARGE_PX
        picture = paint(order, seed, QUICK_SCALE if quick and is_large else 1)
        picture.save(folder / f"{at}.png", compress_level=PNG_LEVEL)
        painted.append(
            {"file": f"{at}.png", "width": order.width, "height": order.height, "seed": seed}
        )
    return painted
