"""Where benchmarks leave what they make, and what they take from the surroundings."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Build machines often forbid Python to keep what it has compiled. A start then takes twice as
#: long, which no person sees, so what is started here may keep it.
AS_A_PERSON = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONWARNINGS": "ignore"}


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder that Postgres may enter even when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="kinora-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
