"""A sound is what decoding it shows, as a picture is."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from db import media
from db.media import WrongType
from tests.db.samples import encoded, film, picture

RATE = 48_000
SOUNDS = [
    ("wav", "pcm_s16le", "audio/wav", ".wav"),
    ("mp3", "libmp3lame", "audio/mpeg", ".mp3"),
    ("mp4", "aac", "audio/mp4", ".m4a"),
    ("ogg", "libopus", "audio/ogg", ".ogg"),
    ("flac", "flac", "audio/flac", ".flac"),
    ("webm", "libopus", "audio/webm", ".weba"),
]
WAV = ("wav", "pcm_s16le")


def sound(format_: str, codec: str, seconds: float = 1.0, *, cover: bool = False) -> bytes:
    """A tone, with a cover in front of it where that is wanted."""
    out = BytesIO()
    with av.open(out, "w", format=format_) as container:
        track = container.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(track, av.AudioStream)
        art = container.add_stream("mjpeg", rate=1) if cover else None
        if isinstance(art, av.VideoStream):
            art.width, art.height, art.pix_fmt = 64, 64, "yuvj420p"
            art.disposition = av.stream.Disposition.attached_pic
        size = track.codec_context.frame_size or 960
        for start in range(0, int(RATE * seconds), size):
            tone = np.sin(np.arange(start, start + size) * 440 * 2 * np.pi / RATE)
            samples = (tone * 20_000).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(track.encode(frame))
        container.mux(track.encode())
        if isinstance(art, av.VideoStream):
            still = av.VideoFrame.from_ndarray(np.asarray(picture(64, 64)), "rgb24")
            container.mux([*art.encode(still), *art.encode()])
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize(("format_", "codec", "media_type", "suffix"), SOUNDS)
def test_a_sound_is_known_by_its_container_and_what_is_heard(
    file: Path, format_: str, codec: str, media_type: str, suffix: str
) -> None:
    file.write_bytes(sound(format_, codec))
    found = media.inspect(file, "audio")
    assert (found.media_type, found.suffix) == (media_type, suffix)
    assert (found.width_px, found.height_px) == (None, None)
    assert found.duration_s == pytest.approx(1.0, abs=0.1)
    assert media.recognise(file) == found
    for kind in ("image", "video"):
        with pytest.raises(WrongType):
            media.inspect(file, kind)
    with pytest.raises(WrongType):
        media.thumbnail_of_file(file, 128)


def test_a_sound_with_a_cover_is_a_sound(file: Path) -> None:
    file.write_bytes(sound("mp3", "libmp3lame", cover=True))
    assert media.recognise(file).media_type == "audio/mpeg"
    file.write_bytes(sound("mp4", "aac", cover=True))
    assert media.recognise(file).media_type == "audio/mp4"


def test_films_and_pictures_are_recognised_as_such_and_are_no_sounds(file: Path) -> None:
    samples = {
        "video/mp4": film("mp4", "libx264"),
        "video/webm": film("webm", "libvpx-vp9"),
        "image/png": encoded(picture(), "PNG"),
        "image/webp": encoded(picture(), "WEBP"),
    }
    for media_type, data in samples.items():
        file.write_bytes(data)
        assert media.recognise(file).media_type == media_type
        with pytest.raises(WrongType):
            media.inspect(file, "audio")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!doctype html><p>Please log in</p>",
        b"#EXTM3U\nhttp://127.0.0.1/secret\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"ID3" + bytes(200),
        b"\xff\xfb" + bytes(400),
        b"OggS" + bytes(200),
        b"fLaC" + bytes(200),
        b"RIFF\0\0\0\0WAVEfmt " + bytes(40),
        sound(*WAV)[:44],
        sound("ogg", "libopus")[:60],
        sound("mp4", "aac")[:40],
    ],
    # An encoder's own number is another in each process.
    ids=lambda data: f"{len(data)}-bytes",
)
def test_what_is_no_sound_is_told_so_and_nothing_more_happens(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    with pytest.raises(WrongType):
        media.inspect(file, "audio")
    with pytest.raises(WrongType):
        media.recognise(file)


def test_a_length_that_no_sound_has_is_not_believed(file: Path) -> None:
    data = bytearray(sound("flac", "flac"))
    # STREAMINFO: 36 bits of samples end eight bytes before its checksum of sixteen.
    data[21] |= 0x0F
    data[22:26] = b"\xff\xff\xff\xff"
    file.write_bytes(bytes(data))
    assert media.inspect(file, "audio").duration_s is None
