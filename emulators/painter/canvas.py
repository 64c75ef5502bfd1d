"""A picture in the making: laying colours over each other, with how much they cover."""

import numpy as np
from PIL import Image

from emulators.painter.palette import Array, Colour
from emulators.painter.sketch import Sprite, as_floats


def smooth(low: float, high: float, values: Array) -> Array:
    """Return 0 below `low`, 1 above `high`, and a soft step between."""
    part = np.clip((values - low) / (high - low), 0, 1)
    eased: Array = (part * part * (3 - 2 * part)).astype(np.float32)
    return eased


def enlarged(values: Array, size: tuple[int, int]) -> Array:
    """Return an array of numbers at another size (width, height), smoothly."""
    image = Image.fromarray(np.ascontiguousarray(values))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))


def column(colours: list[tuple[float, Colour]], places: Array) -> Array:
    """Return the colours of a gradient with stops at rising places."""
    stops = [stop for stop, _ in colours]
    channels = [np.interp(places, stops, [c[at] for _, c in colours]) for at in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def interleaved(layers: Array) -> Array:
    """Return colours pixel by pixel (height, width, 3) from three layers (3, height, width)."""
    return np.ascontiguousarray(np.moveaxis(layers, 0, 2))


class Canvas:
    """Three layers, red, green and blue, with their cover; uncovered places show the sky.

    Layers lie apart because numpy is several times faster on them than on triples.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.layers = np.zeros((3, height, width), np.float32)  # already times the cover
        self.alpha = np.zeros((height, width), np.float32)

    @classmethod
    def of(cls, picture: Array) -> "Canvas":
        """Return a canvas that is fully covered by a picture."""
        canvas = cls(picture.shape[1], picture.shape[0])
        canvas.layers = np.ascontiguousarray(np.moveaxis(picture, 2, 0))
        canvas.alpha[:] = 1
        return canvas

    @property
    def unit(self) -> float:
        """The side by which sizes are measured, in pixels."""
        return float(min(self.width, self.height * 1.25))

    def lay(self, colours: Array | Colour, mask: Array, top: int = 0, left: int = 0) -> None:
        """Lay one colour, or one for each pixel, over a region as far as `mask` says.

        What lies outside the canvas is cut off.
        """
        height, width = mask.shape
        y0, x0 = max(0, top), max(0, left)
        y1, x1 = min(self.height, top + height), min(self.width, left + width)
        if y0 >= y1 or x0 >= x1:
            return
        cut = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        here = (slice(y0, y1), slice(x0, x1))
        part = mask[cut]
        rest = 1 - part
        for at in range(3):
            layer = self.layers[at][here]
            layer *= rest
            layer += (colours[at] if isinstance(colours, tuple) else colours[cut][..., at]) * part
        self.alpha[here] *= rest
        self.alpha[here] += part

    def place(self, sprite: Sprite, left: int, top: int) -> None:
        """Lay a drawing over the picture."""
        self.lay(sprite.rgb, sprite.alpha, top, left)

    def lay_sheet(
        self, sheet: Image.Image, oversize: int = 1, colour: Colour | None = None
    ) -> None:
        """Lay what is drawn on a sheet that covers the canvas, perhaps `oversize` times as large.

        A grey sheet says where `colour` goes; a sheet with transparency has its own colours.
        """
        box = sheet.getbbox()
        if box is None:
            return
        left, top = box[0] // oversize, box[1] // oversize
        right, bottom = -(-box[2] // oversize), -(-box[3] // oversize)
        part = sheet.crop(
            (left * oversize, top * oversize, right * oversize, bottom * oversize)
        ).reduce(oversize)
        values = as_floats(part)
        if colour is None:
            self.lay(values[..., :3], values[..., 3], top, left)
        else:
            self.lay(colour, values, top, left)

    def fill_below(self, line: Array, upper: Colour, lower: Colour, depth_px: float) -> None:
        """Fill all below a line of heights (pixels from the top), fading down to `lower`."""
        top = max(0, int(np.floor(line.min())) - 1)
        if top >= self.height:
            return
        rows = np.arange(top, self.height, dtype=np.float32)[:, None]
        distance = rows - line[None, :]
        mask = np.clip(distance + 0.5, 0, 1)
        faded = np.clip(distance * np.float32(1 / depth_px), 0, 1) * mask
        rest = 1 - mask
        for layer, one, other in zip(self.layers[:, top:], upper, lower, strict=True):
            layer *= rest
            layer += mask * np.float32(one)
            layer += faded * np.float32(other - one)
        self.alpha[top:] *= rest
        self.alpha[top:] += mask
