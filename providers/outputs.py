"""Finding the results in an answer: every worker has its own shape, and few are written down."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator, Mapping

from providers.contract import Output

#: Where results stand, in the order in which they are looked for; the first that holds any wins.
KEYS = (
    "video_urls",  # before pictures: a film may come with its preview
    "videos",
    "video_url",
    "video",
    "image_urls",  # lists before single ones, which may be only the first
    "images",
    "image_url",
    "image",
    "url",
    "urls",
    "s3_url",
    "data",
    "result",
    "results",
    "output",
    "outputs",
    "files",
    "message",
)
DEPTH_MAX = 6
OUTPUTS_MAX = 64
BASE64_CHARS_MIN = 64
STEPS = re.compile(r"(\d{1,9}(?:\.\d+)?)\s*/\s*(\d{1,9}(?:\.\d+)?)")
PERCENT = re.compile(r"(\d{1,9}(?:\.\d+)?)\s*%")
SHARE = re.compile(r"\s*[01]?\.\d+\s*")
#: First bytes of what we are given, to name its type: what it really is, decoding decides.
SIGNATURES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"\x1aE\xdf\xa3", "video/webm"),
)


def find_outputs(value: object, path: str | None = None) -> tuple[Output, ...]:
    """Return the results in a finished job's `output`: addresses, or data URIs made of base64.

    With a `path` (`result.videos.0.url`) only what stands there is looked at.
    """
    if path is not None:
        value = at_path(value, path)
    found = dict.fromkeys(text for text, _ in zip(walk(value, 0), range(OUTPUTS_MAX), strict=False))
    return tuple(Output(url=text) for text in found)


def at_path(value: object, path: str) -> object:
    """Return what stands at a dotted path, None when nothing does."""
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def walk(value: object, depth: int) -> Iterator[str]:
    """Yield the results in a value, in order."""
    if depth > DEPTH_MAX:
        return
    if isinstance(value, str):
        if text := as_result(value):
            yield text
    elif isinstance(value, list):
        for one in value:
            yield from walk(one, depth + 1)
    elif isinstance(value, Mapping):
        for key in KEYS:
            found = list(walk(value.get(key), depth + 1))
            if found:
                yield from found
                return


def as_result(text: str) -> str | None:
    """Return an address or a data URI for a text that is one, or is base64; else None."""
    head = text[:8].lower()
    if head.startswith(("http://", "https://", "data:")):
        return text
    if len(text) < BASE64_CHARS_MIN:
        return None
    try:  # the beginning is enough: a result may have 20 MB, and decoding it proves the rest
        start = base64.b64decode("".join(text[:64].split())[:32], validate=True)
    except ValueError:
        return None
    media_type = type_of(start)
    return f"data:{media_type};base64,{''.join(text.split())}" if media_type else None


def type_of(start: bytes) -> str | None:
    """Return the type that the first bytes of a file speak of, None for no picture or film."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    if start[4:8] == b"ftyp":
        return "video/mp4"
    return next((name for bytes_, name in SIGNATURES if start.startswith(bytes_)), None)


def find_cost_usd(value: object) -> float | None:
    """Return what the answer says was charged."""
    cost = value.get("cost") if isinstance(value, Mapping) else None
    if isinstance(cost, bool) or not isinstance(cost, int | float):
        return None
    return float(cost) if 0 <= cost < 1e6 else None


def find_progress(value: object) -> float | None:
    """Return how much is done, 0 to 1: from a number, `"2/3"`, `"40 %"`, or a table with one."""
    if not isinstance(value, Mapping):
        return read_progress(value)
    keys = ("progress", "percent", "percentage", "message")
    found = (read_progress(value.get(key)) for key in keys)
    return next((one for one in found if one is not None), None)


def read_progress(value: object) -> float | None:
    """Return how much is done by one value; None when it does not tell."""
    if isinstance(value, str):
        if steps := STEPS.search(value):
            return share(float(steps[1]), float(steps[2]))
        if percent := PERCENT.search(value):
            return share(float(percent[1]), 100)
        return share(float(value), 1) if SHARE.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):  # a whole number is a percentage; 0.4 is a share, 1.0 the whole
        return share(min(value, 100), 100)
    return share(value, 100 if value > 1 else 1)


def share(part: float, whole: float) -> float | None:
    """Return a part of a whole within 0 and 1; None for what is none."""
    if not whole or not math.isfinite(part) or not math.isfinite(whole):
        return None
    return min(max(part / whole, 0.0), 1.0)
