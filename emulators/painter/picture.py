"""Pictures as files."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from emulators.orders import PictureOrder


def paint_pictures(order: PictureOrder, folder: Path, quick: bool) -> list[dict[str, Any]]:
    """Paint all pictures of an order as `0.png`, `1.png`, ... and describe them."""
    folder.mkdir(exist_ok=True)
    painted = []
    for at in range(order.count):
        seed = order.seed + at
        rng = np.random.default_rng(seed % 2**32)
        corners = rng.integers(40, 250, (2, 2, 3), dtype=np.uint8)
        picture = Image.fromarray(corners).resize(
            (order.width, order.height), Image.Resampling.BICUBIC
        )
        picture.save(folder / f"{at}.png", compress_level=3)
        painted.append(
            {"file": f"{at}.png", "width": order.width, "height": order.height, "seed": seed}
        )
    return painted
