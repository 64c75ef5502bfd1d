"""A file is what decoding it shows, whatever it says of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from db import media
from db.media import Media, WrongType
from tests.db.samples import (
    BLUE,
    RED,
    encoded,
    film,
    is_near,
    opened,
    picture,
    turned,
)


def _with_a_wrong_checksum(png: bytes) -> bytes:
    at = png.index(b"IEND") - 5
    return png[:at] + bytes([png[at] ^ 255]) + png[at + 1 :]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize(
    ("format_", "media_type", "suffix"),
    [
        ("PNG", "image/png", ".png"),
        ("JPEG", "image/jpeg", ".jpg"),
        ("WEBP", "image/webp", ".webp"),
    ],
)
def test_a_picture_is_known_by_its_pixels_whatever_it_is_called(
    file: Path, format_: str, media_type: str, suffix: str
) -> None:
    file.write_bytes(encoded(picture(), format_))
    assert media.inspect(file, "image") == Media(media_type, 320, 200, None, suffix)
    with pytest.raises(WrongType):
        media.inspect(file, "video")


@pytest.mark.parametrize(
    ("format_", "codec", "media_type", "suffix"),
    [
        ("mp4", "libx264", "video/mp4", ".mp4"),
        ("mov", "libx264", "video/quicktime", ".mov"),
        ("webm", "libvpx-vp9", "video/webm", ".webm"),
    ],
)
def test_a_film_is_known_by_its_container_and_first_frame(
    file: Path, format_: str, codec: str, media_type: str, suffix: str
) -> None:
    file.write_bytes(film(format_, codec))
    found = media.inspect(file, "video")
    assert found == Media(media_type, 320, 200, found.duration_s, suffix)
    assert found.duration_s == pytest.approx(2.0, abs=0.1)
    with pytest.raises(WrongType):
        media.inspect(file, "image")


def test_a_film_that_is_to_be_turned_has_the_sides_it_is_shown_with(file: Path) -> None:
    file.write_bytes(turned(film("mp4", "libx264")))
    found = media.inspect(file, "video")
    assert (found.width_px, found.height_px) == (200, 320)
    poster = opened(media.thumbnail(file, found, 100))
    assert poster.size == (100, 160)
    assert is_near(poster, (50, 20), RED)
    assert is_near(poster, (50, 140), BLUE)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image", b""),
        ("image", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("image", encoded(picture(), "PNG")[:-40]),
        ("image", encoded(picture(), "JPEG")[:1500]),
        ("image", _with_a_wrong_checksum(encoded(picture(), "PNG"))),
        ("image", b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script></html>"),
        ("image", encoded(picture(), "BMP")),
        ("video", b""),
        ("video", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n"),
        ("video", b"ffconcat version 1.0\nfile /etc/passwd\n"),
        ("video", b"\0\0\0\x18ftypmp42<html>"),
        ("video", film("mp4", "libx264")[:900]),
        ("video", film("matroska", "libx264")),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_what_is_not_whole_or_not_what_it_should_be_is_refused(
    file: Path, kind: str, data: bytes
) -> None:
    file.write_bytes(data)
    with pytest.raises(WrongType):
        media.inspect(file, kind)


def test_a_file_that_is_not_there_is_no_wrong_type(file: Path) -> None:
    with pytest.raises(FileNotFoundError):
        media.inspect(file, "image")


def test_a_thumbnail_is_as_wide_as_asked_and_never_enlarged(file: Path) -> None:
    file.write_bytes(encoded(picture(), "JPEG"))
    found = media.inspect(file, "image")
    small = opened(media.thumbnail(file, found, 128))
    assert (small.format, small.size) == ("WEBP", (128, 80))
    assert is_near(small, (10, 40), RED)
    assert opened(media.thumbnail(file, found, 1024)).size == (320, 200)


def test_a_poster_is_the_first_frame_with_light(file: Path) -> None:
    file.write_bytes(film("mp4", "libx264", dark=6))
    small = opened(media.thumbnail_of_file(file, 160))
    assert (small.format, small.size) == ("WEBP", (160, 100))
    assert is_near(small, (20, 50), RED)
    file.write_bytes(film("mp4", "libx264", dark=24))
    assert is_near(opened(media.thumbnail_of_file(file, 160)), (20, 50), (0, 0, 0))


def test_a_picture_within_the_limits_travels_as_it_is(file: Path) -> None:
    file.write_bytes(encoded(picture(), "WEBP"))
    limit = file.stat().st_size
    given = media.scaled_data(file, bytes_max=limit, side_max_px=320)
    assert given == (file.read_bytes(), "image/webp")


@pytest.mark.parametrize(("bytes_max", "side_max_px"), [(10_000_000, 500), (30_000, 2_000)])
def test_a_picture_over_a_limit_is_made_smaller_with_its_ratio(
    file: Path, bytes_max: int, side_max_px: int
) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (900, 1200, 3), np.uint8)
    file.write_bytes(encoded(Image.fromarray(noise), "PNG"))
    data, media_type = media.scaled_data(file, bytes_max=bytes_max, side_max_px=side_max_px)
    image = opened(data)
    assert media_type == "image/jpeg" == f"image/{str(image.format).lower()}"
    assert len(data) <= bytes_max
    assert max(image.size) <= side_max_px
    assert image.width / image.height == pytest.approx(4 / 3, rel=0.02)


def test_a_mask_keeps_what_shows_through_when_it_is_made_smaller(file: Path) -> None:
    glass = picture(1200, 900).convert("RGBA")
    glass.putalpha(Image.linear_gradient("L").resize(glass.size))
    file.write_bytes(encoded(glass, "PNG"))
    data, media_type = media.scaled_data(file, bytes_max=10_000_000, side_max_px=400)
    assert (media_type, opened(data).mode) == ("image/png", "RGBA")
    assert opened(data).size == (400, 300)


def test_what_cannot_be_made_small_enough_says_so(file: Path) -> None:
    file.write_bytes(encoded(picture(), "JPEG"))
    with pytest.raises(WrongType, match="small enough"):
        media.scaled_data(file, bytes_max=100, side_max_px=320)


@pytest.mark.parametrize(("format_", "media_type"), [("GIF", "image/gif"), ("AVIF", "image/avif")])
def test_what_an_old_system_kept_is_shown_as_it_is_and_sent_on_as_everybody_takes_it(
    format_: str, media_type: str, tmp_path: Path
) -> None:
    path = tmp_path / "kept"
    path.write_bytes(encoded(picture(), format_))
    found = media.recognise(path)
    assert (found.media_type, found.width_px, found.height_px) == (media_type, *picture().size)
    small = opened(media.thumbnail(path, found, 16))
    assert (small.format, small.width) == ("WEBP", 16)
    data, sent = media.scaled_data(path, bytes_max=1 << 20, side_max_px=4096)
    assert sent in ("image/png", "image/jpeg")
    assert opened(data).size == picture().size
    # What a provider makes is still held to what we take from it.
    with pytest.raises(WrongType):
        media.inspect(path, "image")
