"""The examples of docs/api.md, run as they stand there, against a server in local mode."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from pathlib import Path

import pytest

from settings import ROOT, child_environment
from tests.house import Served

EXAMPLE = re.compile(
    r"^## (?P<title>[^\n]+)$|^```(?P<tongue>bash|python)\n(?P<code>.*?)^```$", re.M | re.S
)
RUN_S = 60.0
#: What each has to say in the end.
SAYS = {
    "curl": '"status":"completed"',
    "Python": "completed /media/",
    "The tools in a loop of your own": "None",
    "The `openai` client": "/media/",
    "MCP": "completed ['text', 'image'",
}
LEAVES = {"Python": "film.mp4", "The `openai` client": "waves.mp4"}


def examples() -> list[tuple[str, str, str]]:
    """Title, language and text of each that can be run."""
    found, title = [], ""
    for match in EXAMPLE.finditer((ROOT / "docs" / "api.md").read_text("utf-8")):
        title = match["title"] or title
        if match["tongue"]:
            found.append((title, match["tongue"], match["code"]))
    return found


@pytest.mark.parametrize(
    ("title", "tongue", "code"), examples(), ids=[title for title, *_ in examples()]
)
async def test_an_example_does_what_it_says(
    server: Served, tmp_path: Path, title: str, tongue: str, code: str
) -> None:
    if tongue == "bash" and shutil.which("curl") is None:
        pytest.skip("there is no curl here: apt install curl")
    start = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}[tongue]
    process = await asyncio.create_subprocess_exec(
        *start,
        code.replace("http://127.0.0.1:8000", server.url),
        cwd=tmp_path,
        env=child_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await asyncio.wait_for(process.communicate(), RUN_S)
    assert process.returncode == 0, complained.decode()
    assert SAYS[title] in said.decode(), said.decode()
    if left := LEAVES.get(title):
        assert (tmp_path / left).stat().st_size > 1000


def test_every_example_is_known_here() -> None:
    assert [title for title, *_ in examples()] == list(SAYS)
