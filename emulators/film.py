"""`python -m emulators.film`: one film, in a process of its own at low priority.

The job stands on stdin as one JSON object `{"input", "job_id", "file", "quick"}`; stdout
carries JSON lines: `{"progress": 0.25}` per frame, then `{"film": {...}}` or `{"error": "..."}`.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from emulators.orders import FilmOrder, OrderError, read_film_order
from emulators.painter.motion import frames
from emulators.painter.planes import Plane, Planes

NICENESS = 10
FRAMES_PER_S = 24
QUICK_FRAMES_PER_S = 6
QUICK_LONG_SIDE_PX = 320
BT709 = 1  # the number of its matrix, primaries and transfer in H.264's colour description
LIMITED_RANGE = 1


def report(**line: object) -> None:
    """Tell the parent something; without a parent this process ends here."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def size_of(order: FilmOrder, quick: bool) -> tuple[int, int]:
    """Return the film's width and height, even numbers; a quick film is small."""
    if not quick:
        return order.width, order.height
    scale = QUICK_LONG_SIDE_PX / max(order.width, order.height)
    return max(32, round(order.width * scale / 2) * 2), max(32, round(order.height * scale / 2) * 2)


def encode(pictures: Iterator[Planes], size: tuple[int, int], rate: int, file: Path) -> None:
    """Write frames as an H.264 MP4 whose index comes first, so that it plays while it loads."""
    options = {"preset": "ultrafast", "crf": "26"}
    with av.open(str(file), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED_RANGE
        for at, planes in enumerate(pictures):
            frame = av.VideoFrame(*size, "yuv420p")
            for plane, values in zip(frame.planes, planes, strict=True):
                write_plane(plane, values)
            frame.pts = at
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_plane(plane: av.video.plane.VideoPlane, values: Plane) -> None:
    """Copy one channel into a frame, whose lines may be longer than the picture's."""
    height, width = values.shape
    target = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    target[:height, :width] = values


def make(spec: dict[str, Any]) -> dict[str, Any]:
    """Draw and encode one film; returns its description. Raises OrderError."""
    order = read_film_order(spec["input"], spec["job_id"])
    width, height = size = size_of(order, spec["quick"])
    rate = QUICK_FRAMES_PER_S if spec["quick"] else FRAMES_PER_S
    count = max(2, round(order.duration_s * rate))

    def told() -> Iterator[Planes]:
        for at, planes in enumerate(frames(order, size, count)):
            yield planes
            report(progress=round((at + 1) / count, 3))

    file = Path(spec["file"])
    unfinished = file.with_suffix(".part")
    encode(told(), size, rate, unfinished)
    unfinished.replace(file)
    return {
        "file": file.name,
        "duration": order.duration_s,
        "width": width,
        "height": height,
        "seed": order.seed,
    }


def main() -> int:
    """Make the film on stdin; returns the exit code."""
    os.nice(NICENESS)
    try:
        film = make(json.load(sys.stdin))
    except OrderError as error:
        report(error=str(error))
        return 1
    report(film=film)
    return 0


if __name__ == "__main__":
    sys.exit(main())
