"""Chainlit's own tests, as they stand in its source distribution: fetched, checked, loaded.

The file comes by pip, from wherever pip is set up to look, and its hash is that of our lock, which
the index gave when the lock was made. It stays in pytest's cache folder, and is checked again each
time. pip asks the distribution for its metadata and builds nothing.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from types import ModuleType

from settings import ROOT

CACHE = ROOT / ".pytest_cache" / "chainlit"
LOCK = ROOT / "requirements-dev.lock"
OWN_PIP = ROOT / ".uv" / "bin" / "python"
TESTS = "tests/data/test_sql_alchemy.py"
FETCH_S = 50.0
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Unavailable(Exception):
    """The tests cannot be had here, and why."""


def load() -> ModuleType:
    """Their module, run from its own text. Raises: Unavailable."""
    version = importlib.metadata.version("chainlit")
    hashes = locked_hashes(LOCK.read_text("utf-8"), version)
    archive = CACHE / f"chainlit-{version}.tar.gz"
    if not is_known(archive, hashes):
        fetch(version, hashes, archive)
    with tarfile.open(archive) as packed:
        member = packed.extractfile(f"chainlit-{version}/{TESTS}")
        if member is None:
            raise Unavailable(f"the distribution holds no {TESTS}")
        text = member.read().decode("utf-8")
    module = ModuleType("chainlit_own_test_sql_alchemy")
    exec(compile(text, f"{archive.name}/{TESTS}", "exec"), module.__dict__)
    return module


def locked_hashes(lock: str, version: str) -> list[str]:
    """The hashes that the lock allows for this version of Chainlit. Raises: Unavailable."""
    _, found, rest = lock.partition(f"\nchainlit=={version} ")
    if not found:
        raise Unavailable(f"chainlit {version} is not the one of {LOCK.name}")
    return _HASH.findall(re.split(r"\n(?=\S)", rest, maxsplit=1)[0])


def is_known(archive: Path, hashes: list[str]) -> bool:
    """Whether the file is there, and is what the lock names."""
    if not archive.is_file():
        return False
    return hashlib.sha256(archive.read_bytes()).hexdigest() in hashes


def fetch(version: str, hashes: list[str], archive: Path) -> None:
    """Put the checked distribution there, whole or not at all. Raises: Unavailable."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        wanted = Path(folder, "wanted.txt")
        line = [f"chainlit=={version}", *(f"--hash=sha256:{one}" for one in hashes)]
        wanted.write_text(" ".join(line) + "\n", "utf-8")
        options = ["--no-deps", "--no-binary", "chainlit", "--require-hashes", "--quiet"]
        patience = ["--retries", "1", "--timeout", "10", "--disable-pip-version-check"]
        run_pip(["download", *options, *patience, "--dest", folder, "--requirement", str(wanted)])
        fetched = Path(folder, archive.name)
        if not is_known(fetched, hashes):
            raise Unavailable(f"pip brought no {archive.name}")
        os.replace(fetched, archive)


def run_pip(arguments: list[str]) -> None:
    """Run the pip of this machine: an environment made by uv has none. Raises: Unavailable."""
    # None on a Python that is no virtual environment's.
    below = getattr(sys, "_base_executable", None) or sys.executable
    for python in (sys.executable, below, str(OWN_PIP)):
        if not has_pip(python):
            continue
        try:
            subprocess.run(
                [python, "-m", "pip", *arguments],
                check=True,
                capture_output=True,
                text=True,
                timeout=FETCH_S,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"no package index answered within {FETCH_S:.0f} s") from error
        except subprocess.CalledProcessError as error:
            raise Unavailable(f"no package index gave it: {last_line(error.stderr)}") from error
        return
    raise Unavailable("there is no pip here")


def has_pip(python: str) -> bool:
    try:
        answer = subprocess.run([python, "-m", "pip", "--version"], capture_output=True)
    except OSError:
        return False
    return answer.returncode == 0


def last_line(text: str) -> str:
    """What pip says in the end, without the address of an index."""
    lines = [line for line in text.splitlines() if line.strip()]
    return re.sub(r"\S+://\S+", "<address>", lines[-1].strip()) if lines else "it said nothing"
