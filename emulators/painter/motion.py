"""Films as frames: of a scene from words, or of a picture that is given."""

from collections.abc import Iterator

from emulators.orders import FilmOrder
from emulators.painter.moving_picture import MovingPicture
from emulators.painter.moving_scene import MovingScene
from emulators.painter.planes import Planes
from emulators.painter.reading import rng_of
from emulators.painter.scene import compose


def frames(order: FilmOrder, size: tuple[int, int], count: int) -> Iterator[Planes]:
    """Yield the planes Y, U, V of every frame of a film; sizes are even numbers of pixels."""
    image = order.image or (order.references[0] if order.references else None)
    if image is None and order.end_image is None:
        scene = compose(order.prompt, order.seed, *size, order.negative_prompt)
        yield from MovingScene(scene, count).frames()
        return
    rng = rng_of(order.prompt, order.seed)
    start, end = (image, order.end_image) if image else (order.end_image, None)
    assert start is not None
    yield from MovingPicture(order.prompt, start, end, size, count, rng).frames()
