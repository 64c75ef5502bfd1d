"""Which storage an address means: `file:///path`, `s3://bucket/prefix`, or none for the data
folder's own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from db.files import LocalFiles
from db.s3_files import Bucket, S3Files
from db.storage import Storage

OWN_FOLDER = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the bytes lie. `data_dir`: for the folder of its own, and what is on its way; `access`:
    how to reach buckets, whatever their names.
    """

    data_dir: Path
    url: str | None = None
    access: Bucket = Bucket(name="")

    def at(self, url: str) -> Place:
        """Another place that is reached in the same way."""
        return replace(self, url=url)


@asynccontextmanager
async def open_storage(place: Place) -> AsyncIterator[Storage]:
    """The storage, open for as long as the block runs."""
    own = place.data_dir / OWN_FOLDER
    if place.url is None:
        yield LocalFiles(own)
    elif place.url.startswith("file://"):
        yield LocalFiles(Path(place.url.removeprefix("file://")))
    else:
        name, _, prefix = place.url.removeprefix("s3://").rstrip("/").partition("/")
        bucket = replace(place.access, name=name, prefix=f"{prefix}/" if prefix else "")
        async with S3Files(own, bucket).opened() as files:
            yield files
