"""A result on its way into a file: counted, summed up, and never larger than allowed."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, ParamSpec, TypeVar

from crash_points import crash_point
from providers.contract import Kind, Malformed, TooLarge, Unreachable

P = ParamSpec("P")
T = TypeVar("T")

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """When a download is given up: too large, too long, or slower than `rate_min` for a while."""

    size_bytes_max: int
    deadline_s: float
    rate_min_bytes_s: int = 8 * 1024
    patience_s: float = 15.0  # over how long the rate is measured


#: What one result may weigh and last, by kind.
FETCH_LIMITS: Mapping[Kind, FetchLimits] = MappingProxyType(
    {
        "image": FetchLimits(size_bytes_max=50 * MIB, deadline_s=120),
        "audio": FetchLimits(size_bytes_max=200 * MIB, deadline_s=300),
        "video": FetchLimits(size_bytes_max=2048 * MIB, deadline_s=1800),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was written; `media_type` is only what the sender calls it."""

    size_bytes: int
    sha256: str
    media_type: str | None


class Sink:
    """A file that counts and sums up what is written to it, and is opened by the first of it: made
    without a thread, it cannot be lost open when its maker is cancelled.
    """

    def __init__(self, path: Path, limits: FetchLimits) -> None:
        self.size_bytes = 0
        self._limits = limits
        self._sum = hashlib.sha256()
        self._path = path
        self._file: BinaryIO | None = None

    def write(self, data: bytes) -> None:
        """Write one portion. Raises: TooLarge."""
        self.size_bytes += len(data)
        if self.size_bytes > self._limits.size_bytes_max:
            raise too_large(self.size_bytes, self._limits)
        self._sum.update(data)
        if self._file is None:
            self._file = self._path.open("wb")
        self._file.write(data)
        crash_point("collect.midway")

    def finish(self, media_type: str | None) -> Fetched:
        """Say what was written. Raises: Unreachable for nothing at all."""
        if self._file is None or not self.size_bytes:
            raise Unreachable("the result is empty")
        self._file.flush()
        return Fetched(
            size_bytes=self.size_bytes, sha256=self._sum.hexdigest(), media_type=media_type
        )

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def write_data_uri(url: str, path: Path, limits: FetchLimits) -> Fetched:
    """Write what a data URI holds. Raises: TooLarge, Malformed."""
    head, comma, body = url.partition(",")
    media_type, *parameters = head[5:].split(";")
    if not comma or "base64" not in parameters:
        raise Malformed("the result is a data URI without base64")
    if len(body) * 3 // 4 > limits.size_bytes_max + 2:
        raise too_large(len(body) * 3 // 4, limits)
    try:
        data = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("the result is a data URI with broken base64") from error
    sink = Sink(path, limits)
    try:
        sink.write(data)
        return sink.finish(media_type or None)
    finally:
        sink.close()


def too_large(size_bytes: int, limits: FetchLimits) -> TooLarge:
    """Say how large it is and may be."""
    most = limits.size_bytes_max / MIB
    return TooLarge(
        f"the result has {size_bytes / MIB:.1f} MiB or more; at most {most:g} are stored"
    )


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call in a thread and see it end, cancelled or not: no file appears after it was removed."""
    work = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
