"""The companies' own clients run in an environment of their own, as programs of a few lines.

Each program prints what it found as one line of JSON, and asserts nothing itself.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from settings import ROOT, child_environment

VENV = ROOT / ".venv-clients"
PYTHON = VENV / "bin/python"
REMEDY = "the companies' own clients are not installed: `make test-clients` installs and runs them"
ENDS_WITHIN_S = 50.0

needs_clients = pytest.mark.skipif(not (VENV / ".clients").exists(), reason=REMEDY)


async def run(program: str, *arguments: str, **variables: str) -> Any:
    """What a program of the clients' environment prints, read as JSON; nothing that this machine
    may have set for the real companies reaches it.
    """
    child = await asyncio.create_subprocess_exec(
        PYTHON,
        *("-c", program, *arguments),
        env={**child_environment(), **variables},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            said, complained = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode == 0, complained.decode()[-3000:]
    return json.loads(said.decode().splitlines()[-1])


def address(company: str, generation: str) -> str:
    """Where news of a generation would go: the demo provider's book reads the id from it."""
    return f"http://127.0.0.1:1/webhooks/{company}/{generation}/1/token"
