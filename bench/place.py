"""Where benchmarks leave what they make: a folder that goes away with them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder that Postgres may enter even when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="kinora-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
