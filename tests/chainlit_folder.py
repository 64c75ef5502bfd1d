"""Loaded before any test file: Chainlit writes into its folder while it is imported, so it gets
one of its own.
"""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest

FOLDER = tempfile.mkdtemp(prefix="kinora-chainlit-")
os.environ["CHAINLIT_APP_ROOT"] = FOLDER


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder after the run."""
    shutil.rmtree(FOLDER, ignore_errors=True)
