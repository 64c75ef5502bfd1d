"""Demo films, decoded frame by frame."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from emulators.painter import grade
from emulators.painter.moving_scene import MovingScene
from emulators.painter.places import PLACES
from emulators.painter.scene import compose, flattened

ROOT = Path(__file__).resolve().parents[2]
Pixels = npt.NDArray[np.float32]


def as_uri(picture: Image.Image) -> str:
    content = io.BytesIO()
    picture.save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def made(tmp_path: Path, *, quick: bool = False, **wanted: Any) -> tuple[Path, list[Any]]:
    """A film and everything its process reported."""
    file = tmp_path / "0.mp4"
    spec = {"input": wanted, "job_id": "a-u1", "file": str(file), "quick": quick}
    done = subprocess.run(
        [sys.executable, "-m", "emulators.film"],
        input=json.dumps(spec).encode(),
        cwd=ROOT,
        capture_output=True,
        timeout=30,
    )
    assert not done.stderr
    return file, [json.loads(line) for line in done.stdout.splitlines()]


def decoded(file: Path) -> tuple[list[Pixels], float]:
    """Every frame as colours from 0 to 1, and the film's length in seconds."""
    with av.open(str(file)) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert film.duration is not None
        length_s = film.duration / 1_000_000
        images = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    return [image.astype(np.float32) / np.float32(255) for image in images], length_s


def moves(frames: list[Pixels]) -> float:
    return float(np.abs(frames[0] - frames[len(frames) // 2]).mean())


@pytest.mark.parametrize(
    "prompt", ["a boat at sunset", "a fox in the snow at night", "a bird over a city in the rain"]
)
def test_a_scene_moves_at_24_frames_a_second_for_as_long_as_asked(
    tmp_path: Path, prompt: str
) -> None:
    file, told = made(tmp_path, prompt=prompt, seed=3, duration=1.5, width=320, height=180)
    frames, length_s = decoded(file)
    assert len(frames) == 36
    assert length_s == pytest.approx(1.5, abs=0.05)
    assert frames[0].shape == (180, 320, 3)
    assert moves(frames) > 0.004
    assert frames[0].std() > 0.05
    assert [line["progress"] for line in told[:-1]] == [round((n + 1) / 36, 3) for n in range(36)]
    film = told[-1]["film"]
    assert (film["duration"], film["width"], film["height"]) == (1.5, 320, 180)


def test_clouds_drift_where_nothing_else_moves(tmp_path: Path) -> None:
    wanted: dict[str, Any] = {"duration": 1, "width": 320, "height": 180, "seed": 3}
    frames, _ = decoded(made(tmp_path, prompt="mountains by day", **wanted)[0])
    change = np.abs(frames[0] - frames[-1]).mean(axis=(1, 2))
    assert change[:60].mean() > 0.01
    assert change[150:].mean() < 0.01


def test_a_film_s_index_comes_first_so_that_it_plays_while_it_loads(tmp_path: Path) -> None:
    content = made(tmp_path, prompt="the sea", duration=1, width=320, height=180)[0].read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("place", sorted(PLACES))
@pytest.mark.parametrize("who", ["", "a person in the rain in "])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_place_can_be_filmed(place: str, who: str, seed: int) -> None:
    size = (322, 182) if seed == 1 else (182, 322)
    shots = list(MovingScene(compose(f"{who}{place}", seed, *size), 6).frames())
    assert len(shots) == 6
    for y, u, v in shots:
        assert y.shape == size[::-1]
        assert u.shape == v.shape == (size[1] // 2, size[0] // 2)
        assert 16 <= y.min() <= y.max() <= 235


@pytest.mark.parametrize("prompt", ["a red fox in the meadow by day", "a boat at sunset"])
def test_a_film_s_first_frame_is_the_picture(tmp_path: Path, prompt: str) -> None:
    file, _ = made(tmp_path, prompt=prompt, seed=3, duration=1, width=320, height=180)
    first, still = decoded(file)[0][0], flattened(compose(prompt, 3, 320, 180))
    assert np.abs(first.mean(axis=(0, 1)) - still.mean(axis=(0, 1))).max() < 0.02
    assert (np.abs(first - still).max(axis=2) > 0.25).mean() < 0.01


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280), (960, 960)])
def test_a_quick_film_is_small_and_as_long_as_asked(
    tmp_path: Path, width: int, height: int
) -> None:
    file, told = made(tmp_path, quick=True, prompt="a cat", duration=4, width=width, height=height)
    frames, length_s = decoded(file)
    assert length_s == pytest.approx(4, abs=0.05)
    assert max(frames[0].shape) == 320
    assert frames[0].shape[1] / frames[0].shape[0] == pytest.approx(width / height, rel=0.02)
    assert moves(frames) > 0.002
    assert told[-1]["film"]["seed"] > 0


def test_a_film_from_a_picture_begins_with_it_and_moves(tmp_path: Path) -> None:
    picture = flattened(compose("a castle", 3, 320, 180))
    uri = as_uri(grade.as_image(picture))
    wanted: dict[str, Any] = {"image": uri, "duration": 1, "width": 320, "height": 180, "seed": 1}
    frames, _ = decoded(made(tmp_path, prompt="it snows", **wanted)[0])
    assert np.abs(frames[0] - picture).mean() < 0.06
    assert moves(frames) > 0.01


def test_a_film_takes_its_shape_from_the_picture_when_none_is_asked(tmp_path: Path) -> None:
    uri = as_uri(Image.new("RGB", (300, 600), "navy"))
    file, _ = made(tmp_path, quick=True, prompt="x", image=uri, duration=1)
    assert decoded(file)[0][0].shape == (320, 160, 3)


def test_a_film_can_end_in_another_picture(tmp_path: Path) -> None:
    size = (320, 180)
    begin, end = (as_uri(Image.new("RGB", size, colour)) for colour in ("navy", "orange"))
    wanted: dict[str, Any] = {
        "image": begin,
        "end_image": end,
        "width": 320,
        "height": 180,
        "duration": 1,
    }
    frames, _ = decoded(made(tmp_path, prompt="x", **wanted)[0])
    first, last = frames[0].mean(axis=(0, 1)), frames[-1].mean(axis=(0, 1))
    assert first[2] > first[0] + 0.2
    assert last[0] > last[2] + 0.5


def test_a_wrong_order_is_reported_and_leaves_no_file(tmp_path: Path) -> None:
    file, told = made(tmp_path, prompt="x", duration=31)
    assert told == [{"error": "Invalid parameter: duration must be 0.5 to 30, is 31"}]
    assert list(file.parent.iterdir()) == []
