"""What a person gives is stored as nothing but the pixels of a picture, or not at all."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.ExifTags import Base

from db import media
from db.media import Media, WrongType
from tests.db.samples import (
    BLUE,
    RED,
    encoded,
    film,
    is_near,
    opened,
    photo,
    picture,
    png_of_size,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_nothing_but_the_upright_pixels_of_a_photo_is_kept() -> None:
    given = photo()
    assert b"SecretPhone" in given
    data, found = media.clean_upload(given)
    assert found == Media("image/jpeg", 200, 320, None, ".jpg")
    image = opened(data)
    assert image.size == (200, 320)
    assert is_near(image, (100, 20), RED)
    assert is_near(image, (100, 300), BLUE)
    assert dict(image.getexif()) == {}
    assert b"Secret" not in data
    assert not {"exif", "xmp", "comment", "icc_profile"} & set(image.info)


@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_notes_in_other_formats_go_as_well(format_: str) -> None:
    exif = Image.Exif()
    exif[Base.Make] = "SecretPhone"
    given = encoded(picture(), format_, exif=exif, xmp=b"SecretXmp")
    assert b"Secret" in given
    data, _ = media.clean_upload(given)
    assert b"Secret" not in data
    assert dict(opened(data).getexif()) == {}


def test_what_shows_through_stays_so_and_what_does_not_stays_small() -> None:
    glass = picture().convert("RGBA")
    glass.putalpha(Image.linear_gradient("L").resize(glass.size))
    data, found = media.clean_upload(encoded(glass, "WEBP", lossless=True, exact=True))
    assert (found.media_type, opened(data).mode) == ("image/png", "RGBA")
    assert opened(data).tobytes() == glass.tobytes()
    data, found = media.clean_upload(encoded(picture().convert("RGBA"), "PNG"))
    assert (found.media_type, opened(data).mode) == ("image/png", "RGB")
    assert opened(data).tobytes() == picture().tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16"])
def test_every_kind_of_pixel_becomes_rgb(mode: str) -> None:
    grey = np.tile(np.linspace(0, 65535, 256), (64, 1)).astype(np.uint16)
    image = Image.fromarray(grey) if mode == "I;16" else picture().convert(mode)
    data, found = media.clean_upload(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))
    stored = opened(data)
    assert (stored.mode, stored.size) == ("RGB", (found.width_px, found.height_px))
    if mode == "I;16":
        assert len(np.unique(np.asarray(stored))) == 256


def test_colours_of_another_profile_are_turned_into_srgb() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ").replace(b"----", b"bXYZ")
    for format_ in ("PNG", "JPEG"):
        data, _ = media.clean_upload(encoded(picture(), format_, icc_profile=swapped))
        assert is_near(opened(data), (10, 10), BLUE)
        assert "icc_profile" not in opened(data).info
    for unusable in (b"no profile", srgb[:200]):
        data, _ = media.clean_upload(encoded(picture(), "PNG", icc_profile=unusable))
        assert is_near(opened(data), (10, 10), RED)


def test_an_animation_is_kept_as_its_first_picture() -> None:
    second = Image.new("RGB", (320, 200), BLUE)
    moving = encoded(picture(), "GIF", save_all=True, append_images=[second], duration=100)
    data, found = media.clean_upload(moving)
    assert found == Media("image/png", 320, 200, None, ".png")
    assert is_near(opened(data), (10, 10), RED)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize(
    "other",
    [b"\n<!DOCTYPE html><script>alert(1)</script>", b"<SVG onload=x>", b"PK\x03\x04zip", b"%PDF-1"],
    ids=["html", "svg", "zip", "pdf"],
)
def test_a_picture_that_is_another_file_too_is_refused(format_: str, other: bytes) -> None:
    with pytest.raises(WrongType, match="another file"):
        media.clean_upload(encoded(picture(), format_) + other)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!DOCTYPE html><p>x",
        b"GIF89a/*<script>*/=1;",
        b"\xff\xd8\xff\xe0<?php system($_GET[0]); ?>",
        b"%PDF-1.7\n",
        film("mp4", "libx264", frames=2),
        encoded(picture(), "TIFF"),
    ],
    ids=["empty", "svg", "html", "gif-js", "jpeg-php", "pdf", "film", "tiff"],
)
def test_an_upload_that_is_no_picture_is_refused_with_what_is_possible(data: bytes) -> None:
    with pytest.raises(WrongType, match="PNG, JPEG, WebP or GIF"):
        media.clean_upload(data)


@pytest.mark.parametrize(
    "bomb",
    [png_of_size(60_000, 60_000), png_of_size(10_000, 9_000), png_of_size(7_000, 6_000)],
    ids=["3600 MP", "90 MP", "42 MP"],
)
def test_a_pixel_bomb_is_refused_before_it_unfolds(file: Path, bomb: bytes) -> None:
    with pytest.raises(WrongType, match="40 million"):
        media.clean_upload(bomb)
    file.write_bytes(bomb)
    with pytest.raises(WrongType, match="40 million"):
        media.inspect(file, "image")


def test_an_upload_over_the_limit_is_refused_unread(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(media.UPLOAD_BYTES_MAX + 1)
    with pytest.raises(WrongType, match="50 MiB"):
        media.clean_upload(file)


def test_damage_of_any_kind_is_only_ever_a_wrong_type(file: Path) -> None:
    chance = random.Random(11)
    pictures = [encoded(picture(64, 40), f) for f in ("PNG", "JPEG", "WEBP", "GIF")]
    films = [film("mp4", "libx264", frames=4), film("webm", "libvpx-vp9", frames=4)]
    refused = 0
    for seed in [*pictures * 15, *films * 15]:
        damaged = bytearray(seed)
        for _ in range(chance.choice((1, 4, 16))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        file.write_bytes(damaged)
        try:
            if seed in films:
                media.thumbnail(file, media.inspect(file, "video"), 64)
            else:
                media.clean_upload(file)
        except WrongType:
            refused += 1
    assert 20 < refused < 90
