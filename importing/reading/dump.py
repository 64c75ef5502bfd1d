"""A dump of an old system's rows: a file with one JSON object on each line, gzipped or not.

It is read in portions, and a line that is too long for us is passed over without being held.
"""

from __future__ import annotations

import gzip
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from db.old_databases import ROW_BYTES_MAX, TooLong

_PORTION_BYTES = 256 << 10
_HEAD_BYTES = 4 << 10
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


class DumpError(Exception):
    """The file cannot be read, or not as such a dump; the message is a sentence for a person."""


class Dump:
    """One dump. It may be gone through more than once, from its beginning each time."""

    def __init__(self, path: Path) -> None:
        """Raises:
        DumpError: there is no such file, or its beginning shows that it is something else.
        """
        self.path = path
        #: How far the reading is, of `size_bytes`: both as the file lies on the disk.
        self.position = 0
        try:
            found = path.stat()
        except (OSError, ValueError) as error:
            raise DumpError(f"{path} cannot be read: {_reason(error)}") from error
        if not stat.S_ISREG(found.st_mode):
            raise DumpError(f"{path} is no file: a dump is read twice, so it has to lie on a disk")
        self.size_bytes = found.st_size
        #: When it was written, which is the moment its rows are of.
        self.written_at = datetime.fromtimestamp(found.st_mtime, UTC)
        self._refuse_others()

    def __iter__(self) -> Iterator[tuple[int, bytes | TooLong]]:
        """Number, from 1, and content of each line that is not empty.

        Raises:
            DumpError: the file ends in the middle of its packing, or cannot be read on.
        """
        self.position = 0
        with self._opened() as raw:
            lines = _Lines()
            for portion in self._portions(raw):
                self.position = raw.tell()
                yield from lines.take(portion)
            yield from lines.take(b"\n")
        self.position = self.size_bytes

    def _opened(self) -> BufferedReader:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise DumpError(f"{self.path} cannot be read: {_reason(error)}") from error

    def _portions(self, raw: BufferedReader) -> Iterator[bytes]:
        """The file's bytes, unpacked."""
        source: BinaryIO | gzip.GzipFile = raw
        try:
            if raw.peek(2)[:2] == _GZIP:
                source = gzip.GzipFile(fileobj=raw, mode="rb")
            portion = source.read(_PORTION_BYTES)
            begin = len(_BOM) if portion.startswith(_BOM) else 0
            while portion:
                yield portion[begin:]
                portion, begin = source.read(_PORTION_BYTES), 0
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DumpError(f"{self.path} is packed with gzip, but damaged: {error}") from error
        except OSError as error:
            raise DumpError(f"{self.path} cannot be read on: {_reason(error)}") from error

    def _refuse_others(self) -> None:
        with self._opened() as raw:
            head = next(self._portions(raw), b"")
        if head.startswith(_WIDE_BOMS):
            raise DumpError(f"{self.path} is in UTF-16; a dump is text in UTF-8")
        if head.startswith(b"PGDMP"):
            raise DumpError(
                f"{self.path} is a dump of pg_dump: restore it, and name that database instead"
            )
        first = head.lstrip().split(b"\n", 1)[0].strip()
        if first in (b"[", b"{", b"[]") or b"".join(first[:9].split()).startswith(b"[{"):
            raise DumpError(
                f"{self.path} is one piece of JSON; a dump has one object on each line, which"
                f" `jq -c '.[]' {self.path}` makes of a list"
            )


@dataclass(slots=True)
class _Lines:
    """Puts lines together; it holds no more of one than is to be read."""

    number: int = 0
    held: bytearray = field(default_factory=bytearray)
    #: Of the line under way, with what was let go.
    size_bytes: int = 0

    def take(self, portion: bytes) -> Iterator[tuple[int, bytes | TooLong]]:
        """The lines that this portion ends."""
        begin = 0
        while (end := portion.find(b"\n", begin)) >= 0:
            self._hold(portion[begin:end])
            begin = end + 1
            self.number += 1
            if self.size_bytes > ROW_BYTES_MAX:
                yield self.number, TooLong(bytes(self.held), self.size_bytes)
            elif line := bytes(self.held).strip():
                yield self.number, line
            self.held.clear()
            self.size_bytes = 0
        self._hold(portion[begin:])

    def _hold(self, piece: bytes) -> None:
        self.size_bytes += len(piece)
        if self.size_bytes <= ROW_BYTES_MAX:
            self.held += piece
        else:
            del self.held[_HEAD_BYTES:]


def _reason(error: OSError | ValueError) -> str:
    known = error.strerror if isinstance(error, OSError) else None
    return (known or str(error)).lower()
