"""What has not ended over there is left for a later run, or kept as it stands until one finds its
end.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.importing.moving import Moving

NOW = datetime.now(UTC)
URL = "https://cdn.example.org/a.png"


@pytest.fixture
def moving(database_url: str, tmp_path: Path) -> Moving:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o711)
    return Moving(
        database_url=database_url,
        data_dir=data_dir,
        superduper=str(tmp_path / "files.jsonl"),
        chatbot="",
    )


def write(path: str, hours: float = 1, **row: Any) -> None:
    """A dump of one file that was begun so many hours ago."""
    began_at = NOW - timedelta(hours=hours)
    said = {"file_id": "f1", "prompt": "a fox", "type": "image", "created_at": began_at.isoformat()}
    Path(path).write_text(json.dumps(said | row) + "\n", "utf-8")


async def bring(moving: Moving, *words: str, **row: Any) -> dict[str, Any]:
    """Import one file that the backend describes so; its table's part of the report."""
    write(moving.superduper, **row)
    code, out, told = await moving.run("--superduper", moving.superduper, *words)
    assert code == 0, told
    found: dict[str, Any] = json.loads(out)["tables"]["superduper.files"]
    return found


def stands(moving: Moving) -> list[Any]:
    """Status, files and the moment of its end, of what is here."""
    return moving.rows(
        "select status, (select count(*) from kinora.remote_files), finished_at is not null,"
        " attempt, claim, placed_at, deadline_at from kinora.generations"
    )


async def test_what_is_young_is_left_for_a_later_run(moving: Moving) -> None:
    assert (await bring(moving, status="processing"))["left_out"] == {"younger": 1}
    assert stands(moving) == []
    assert (await bring(moving, status="completed", download_url=URL))["taken"] == 1
    assert stands(moving) == [("completed", 1, True, 1, 0, None, None)]


async def test_what_is_old_has_failed_and_how_old_is_for_the_operator_to_say(
    moving: Moving,
) -> None:
    words = ("--stale-after", "3")
    assert (await bring(moving, *words, status="processing", hours=2))["taken"] == 0
    assert (await bring(moving, *words, status="processing", hours=4))["taken"] == 1
    ((status, code),) = moving.rows("select status, error_code from kinora.generations")
    assert (status, code) == ("failed", "expired")


async def test_what_is_kept_in_progress_ends_by_a_later_run_and_by_nothing_else(
    moving: Moving,
) -> None:
    assert (await bring(moving, "--keep-in-progress", status="processing", hours=99))["taken"] == 1
    before = stands(moving)
    assert before == [("in_progress", 0, False, 1, 0, None, None)]
    again = await bring(moving, "--keep-in-progress", status="processing", hours=99)
    assert (again["unchanged"], stands(moving)) == (1, before)
    ended = await bring(moving, status="completed", download_url=URL, hours=99)
    assert ended["merged"] == 1
    assert stands(moving) == [("completed", 1, True, 1, 0, None, None)]
    # And there it stays.
    assert (await bring(moving, status="error", hours=99))["unchanged"] == 1
    assert stands(moving) == [("completed", 1, True, 1, 0, None, None)]


async def test_an_empty_source_stands_in_the_report(moving: Moving) -> None:
    await asyncio.to_thread(Path(moving.superduper).write_text, "")
    code, out, told = await moving.run("--superduper", moving.superduper)
    assert code == 0, told
    report = json.loads(out)
    assert report["tables"]["superduper.files"]["read"] == 0
    assert report["adds_up"]
